//! A directory with one configuration, in which core runs as a user runs it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sandbox::Sandbox;
use tempfile::TempDir;

use crate::{
    Result,
    core::{Core, cli_config},
    credential::user_name,
    meter::{Meter, Metered},
    usage,
};

/// A configuration and its state.
pub(crate) struct Workspace<'a> {
    core: &'a Core,
    /// What separates the providers' time from core's; nothing where core starts the provider itself.
    meter: Option<&'a Meter>,
    directory: TempDir,
    sandbox: &'a Sandbox,
    env: Vec<(&'static str, String)>,
}

/// What one command took.
pub(crate) struct Took {
    pub(crate) wall: Duration,
    /// Processor time of core and of its children; nothing where the system does not report it.
    pub(crate) cpu: Option<Duration>,
    pub(crate) metered: Metered,
}

impl Took {
    /// Core's own processor time.
    pub(crate) fn core(&self) -> Option<Duration> {
        Some(self.cpu?.saturating_sub(self.metered.providers).saturating_sub(self.metered.wrappers))
    }

    /// The providers' processor time; nothing where the system does not report it.
    pub(crate) fn providers(&self) -> Option<Duration> {
        self.cpu.map(|_| self.metered.providers)
    }
}

impl<'a> Workspace<'a> {
    /// Writes the configuration into a directory of its own.
    pub(crate) fn new(core: &'a Core, meter: &'a Meter, sandbox: &'a Sandbox, configuration: &str) -> Result<Self> {
        let workspace = Self::bare(core, &cli_config(meter.folder()), sandbox, configuration)?;
        Ok(Self { meter: Some(meter), ..workspace })
    }

    /// The same where core starts the provider that it finds by this configuration of its own.
    pub(crate) fn bare(core: &'a Core, cli_config: &str, sandbox: &'a Sandbox, configuration: &str) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        fs::write(directory.path().join("main.tf"), configuration)?;
        fs::write(directory.path().join(CLI_CONFIG), cli_config)?;
        Ok(Self { core, meter: None, directory, sandbox, env: sandbox.env() })
    }

    /// Replaces the configuration.
    pub(crate) fn rewrite(&self, configuration: &str) -> Result<()> {
        Ok(fs::write(self.path().join("main.tf"), configuration)?)
    }

    /// An attribute, which is text, of a resource of this type, of which there is one in the state.
    pub(crate) fn stored(&self, resource: &str, attribute: &str) -> Result<String> {
        let state: serde_json::Value = serde_json::from_str(&fs::read_to_string(self.state())?)?;
        let resources = state["resources"].as_array().into_iter().flatten();
        let mut found = resources.filter(|found| found["type"] == resource);
        let found = found.next().ok_or("the resource is not in the state")?;
        let value = found["instances"][0]["attributes"][attribute].as_str();
        Ok(value.ok_or("the attribute is not in the state")?.to_owned())
    }

    /// Has the vendor called over TLS, with a certificate of an authority of its own, in addition to those that
    /// the system trusts.
    pub(crate) fn over_tls(mut self) -> Result<Self> {
        let file = self.path().join("ca.pem");
        fs::write(&file, self.sandbox.ca_certificate_pem())?;
        self.env.extend(self.sandbox.env_over_tls());
        Ok(self.with("SMTP_CA_CERTIFICATE_FILE", &file.display().to_string()))
    }

    /// Sets a variable for whatever runs here.
    pub(crate) fn with(mut self, variable: &'static str, value: &str) -> Self {
        self.env.push((variable, value.to_owned()));
        self
    }

    /// Installs the provider.
    pub(crate) fn init(&self) -> Result<Took> {
        self.run(&["init", "-input=false"])
    }

    /// Applies.
    pub(crate) fn apply(&self) -> Result<Took> {
        self.run(&["apply", "-auto-approve", "-input=false"])
    }

    /// Plans. It is an error where there is something to do.
    pub(crate) fn plan(&self) -> Result<Took> {
        self.run(&["plan", "-detailed-exitcode", "-input=false"])
    }

    /// Refreshes, and does nothing else.
    pub(crate) fn refresh(&self) -> Result<Took> {
        self.run(&["plan", "-refresh-only", "-input=false"])
    }

    /// The bytes that the resources have in core's state, all of them together, without what is there without any
    /// resource.
    pub(crate) fn bytes_of_resources(&self) -> Result<usize> {
        let text = fs::read_to_string(self.state())?;
        let list = text.split_once("\"resources\": [").and_then(|(_, rest)| rest.split_once("\n  ]"));
        Ok(list.ok_or("the state is not written as it was expected")?.0.len())
    }

    /// The bytes of one instance of a resource in the state, as core writes it with its indentation: without the name
    /// of its resource.
    pub(crate) fn bytes_of_an_instance(&self) -> Result<usize> {
        let text = fs::read_to_string(self.state())?;
        let instance = text.split_once("\"instances\": [\n").and_then(|(_, rest)| rest.split_once("\n      ]"));
        Ok(instance.ok_or("the state is not written as it was expected")?.0.len())
    }

    /// Lets core forget what it has applied.
    pub(crate) fn forget(&self) -> Result<()> {
        let state = self.state();
        if state.exists() {
            fs::remove_file(state)?;
        }
        Ok(())
    }

    fn state(&self) -> PathBuf {
        self.path().join("terraform.tfstate")
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn run(&self, arguments: &[&str]) -> Result<Took> {
        let mut command = self.core.command();
        command
            .args(arguments)
            .current_dir(self.path())
            .env("HOME", self.path())
            .env("TF_CLI_CONFIG_FILE", self.path().join(CLI_CONFIG))
            .env("TMPDIR", self.path())
            .env_remove("SSL_CERT_DIR")
            .env_remove("SSL_CERT_FILE")
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .envs(self.meter.into_iter().flat_map(Meter::env));

        let (before, start) = (usage::of_children(), Instant::now());
        let output = command.output()?;
        let (wall, cpu) = (start.elapsed(), usage::of_children_since(before));
        if output.status.success() {
            let metered = self.meter.map_or_else(|| Ok(Metered::default()), Meter::take)?;
            return Ok(Took { wall, cpu, metered });
        }
        let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        Err(format!("`{}` ended with {}\n{stdout}{stderr}", arguments.join(" "), output.status).into())
    }
}

/// So many credentials at `HubSpot`, each a resource, and what the provider block says.
pub(crate) fn credentials(count: usize, provider: &str) -> String {
    let first = format!(
        "terraform {{\n  required_providers {{\n    smtp = {{ source = \"smtp-credentials/smtp\" }}\n  }}\n}}\n\nprovider \"smtp\" {{\n  {provider}\n}}\n"
    );
    let resources = (0..count).map(|number| {
        format!(
            "\nresource \"smtp_credential_password\" \"c{number}\" {{\n  hubspot          = {{ user_name = \"{}\" }}\n  \
             rotation_trigger = \"2026-Q4\"\n}}\n",
            user_name(number)
        )
    });
    first + &resources.collect::<String>()
}

/// So many resources that need no provider's process.
pub(crate) fn terraform_data(count: usize) -> String {
    let resources = (0..count).map(|number| {
        format!(
            "resource \"terraform_data\" \"c{number}\" {{\n  input            = \"{}\"\n  triggers_replace = \"2026-Q4\"\n}}\n\n",
            user_name(number)
        )
    });
    resources.collect()
}

const CLI_CONFIG: &str = "cli.tfrc";
