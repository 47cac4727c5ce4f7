//! The folder and the environment in which Terraform or `OpenTofu` runs here, and what it prints.

use std::{fs, path::Path, process::Output};

use sandbox::Sandbox;
use serde_json::Value;
use tempfile::TempDir;

use crate::core::{Core, cli_config};

/// What is planned.
pub(super) struct Plan {
    /// Whether the refresh found the password to be somebody else's.
    pub(super) stale: Value,
    /// The planned actions, in order.
    pub(super) actions: Value,
}

/// A temporary folder with the configuration, in which core uses the provider just built.
pub(super) struct Workspace<'a> {
    core: &'a Core,
    folder: TempDir,
    env: Vec<(&'static str, String)>,
}

impl<'a> Workspace<'a> {
    /// Lays out the folder, and points the provider at the sandbox.
    pub(super) fn new(core: &'a Core, provider: &Path, sandbox: &Sandbox, config: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("There is no temporary folder: {error}."))?;
        let write =
            |name: &str, text: &str| fs::write(folder.path().join(name), text).map_err(|error| error.to_string());
        write("main.tf", config)?;
        write(AUTHORITY, &sandbox.ca_certificate_pem())?;
        write(CLI_CONFIG, &cli_config(provider.parent().unwrap_or(provider)))?;
        let mut env = sandbox.env();
        env.push(("SMTP_CA_CERTIFICATE_FILE", folder.path().join(AUTHORITY).display().to_string()));
        env.push(("TF_VAR_smtp_port", sandbox.smtp_port().to_string()));
        Ok(Self { core, folder, env })
    }

    /// What the state holds for an attribute of the one resource.
    pub(super) fn stored(&self, attribute: &str) -> Result<Value, String> {
        let state = self.json(&["show", "-json"])?;
        Ok(state["values"]["root_module"]["resources"][0]["values"][attribute].clone())
    }

    /// An output, such as the password that the state holds.
    pub(super) fn output(&self, name: &str) -> Result<String, String> {
        self.run(&["output", "-raw", name])
    }

    /// What a saved plan says of the one resource.
    pub(super) fn plan(&self, file: &str) -> Result<Plan, String> {
        let plan = self.json(&["show", "-json", file])?;
        Ok(Plan {
            stale: plan["prior_state"]["values"]["root_module"]["resources"][0]["values"]["stale"].clone(),
            actions: plan["resource_changes"][0]["change"]["actions"].clone(),
        })
    }

    fn json(&self, arguments: &[&str]) -> Result<Value, String> {
        serde_json::from_str(&self.run(arguments)?).map_err(|error| format!("It should have printed JSON: {error}."))
    }

    /// Runs core and returns what it wrote to stdout; with an override in place there is nothing to `init`.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = self.core.command();
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("TF_CLI_CONFIG_FILE", self.folder.path().join(CLI_CONFIG))
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        match command.output() {
            Ok(Output { status, stdout, .. }) if status.success() => Ok(String::from_utf8_lossy(&stdout).into_owned()),
            Ok(Output { stderr, .. }) => Err(format!("It says:\n{}", String::from_utf8_lossy(&stderr))),
            Err(error) => Err(format!("It did not run: {error}.")),
        }
    }
}

const AUTHORITY: &str = "authority.pem";
const CLI_CONFIG: &str = "cli.tfrc";
