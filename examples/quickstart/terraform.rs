//! Terraform or `OpenTofu`, in a folder and an environment of its own.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use super::sandbox::Sandbox;

/// An installed Terraform or `OpenTofu`.
pub(super) struct Core {
    program: OsString,
    version: String,
}

impl Core {
    /// Finds `TF_ACC_TERRAFORM_PATH`, or else `terraform`, or else `tofu`.
    pub(super) fn find() -> Result<Self, String> {
        if let Some(program) = env::var_os("TF_ACC_TERRAFORM_PATH").filter(|path| !path.is_empty()) {
            let name = program.to_string_lossy().into_owned();
            return Self::try_run(program).ok_or(format!("TF_ACC_TERRAFORM_PATH is {name}, which does not run."));
        }
        ["terraform", "tofu"].into_iter().find_map(|name| Self::try_run(name.into())).ok_or_else(|| {
            "The quick start runs Terraform or OpenTofu, and neither `terraform` nor `tofu` is on the PATH. Install one of them:\n\n  \
             Terraform  https://developer.hashicorp.com/terraform/install\n  \
             OpenTofu   https://opentofu.org/docs/intro/install/"
                .to_owned()
        })
    }

    /// The command, without its folder.
    pub(super) fn name(&self) -> String {
        Path::new(&self.program).file_stem().unwrap_or(&self.program).to_string_lossy().into_owned()
    }

    /// What it calls itself, such as `Terraform v1.11.4`.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    fn try_run(program: OsString) -> Option<Self> {
        let output = command(&program).arg("version").output().ok().filter(|output| output.status.success())?;
        let version = String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned();
        Some(Self { program, version })
    }
}

/// What is planned.
pub(super) struct Plan {
    /// Whether the refresh found the password to be somebody else's.
    pub(super) stale: Value,
    /// What is to be done, in its order.
    pub(super) actions: Value,
}

/// A temporary folder with the configuration, in which core uses the provider just built.
pub(super) struct Workspace {
    program: OsString,
    folder: TempDir,
    env: Vec<(&'static str, String)>,
}

impl Workspace {
    /// Lays out the folder, and points the provider at the sandbox.
    pub(super) fn new(core: &Core, provider: &Path, sandbox: &Sandbox) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("There is no temporary folder: {error}."))?;
        let write =
            |name: &str, text: &str| fs::write(folder.path().join(name), text).map_err(|error| error.to_string());
        write("main.tf", include_str!("main.tf"))?;
        write(AUTHORITY, &sandbox.ca_certificate_pem())?;
        let built = provider.parent().unwrap_or(provider).display().to_string();
        write(
            CLI_CONFIG,
            &format!(
                "provider_installation {{\n  dev_overrides {{\n    \"smtp-credentials/smtp\" = {built:?}\n  }}\n  direct {{}}\n}}\n"
            ),
        )?;
        let mut env = sandbox.env();
        env.push(("SMTP_CA_CERTIFICATE_FILE", folder.path().join(AUTHORITY).display().to_string()));
        env.push(("TF_VAR_smtp_port", sandbox.smtp_port().to_string()));
        Ok(Self { program: core.program.clone(), folder, env })
    }

    /// What the state holds for an attribute of the one resource.
    pub(super) fn stored(&self, attribute: &str) -> Result<Value, String> {
        let state = self.json(&["show", "-json"])?;
        Ok(state["values"]["root_module"]["resources"][0]["values"][attribute].clone())
    }

    /// The password that the state holds.
    pub(super) fn password(&self) -> Result<String, String> {
        self.run(&["output", "-raw", "password"])
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
        serde_json::from_str(&self.run(arguments)?).map_err(|error| format!("It should have told JSON: {error}."))
    }

    /// Runs core and tells what it wrote to stdout; with an override in place there is nothing to `init`.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let output = command(&self.program)
            .args(arguments)
            .current_dir(self.folder.path())
            .env("TF_CLI_CONFIG_FILE", self.folder.path().join(CLI_CONFIG))
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .output();
        match output {
            Ok(Output { status, stdout, .. }) if status.success() => Ok(String::from_utf8_lossy(&stdout).into_owned()),
            Ok(Output { stderr, .. }) => Err(format!("It says:\n{}", String::from_utf8_lossy(&stderr))),
            Err(error) => Err(format!("It did not run: {error}.")),
        }
    }
}

/// Builds the provider with the cargo that runs this, and tells where the binary is.
pub(super) fn build_provider() -> Result<PathBuf, String> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
    }

    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = Command::new(cargo)
        .args(["build", "--quiet", "--bin", "terraform-provider-smtp", "--message-format", "json-render-diagnostics"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo did not run: {error}."))?;
    let messages = String::from_utf8_lossy(&build.stdout).into_owned();
    let executable = messages.lines().find_map(|line| serde_json::from_str::<Message>(line).ok()?.executable);
    executable.filter(|_| build.status.success()).ok_or_else(|| "The provider cannot be built.".to_owned())
}

/// Core without what the environment says to it or to the provider.
fn command(program: &OsString) -> Command {
    let mut command = Command::new(program);
    let foreign = |name: &str| ["KIRIM_EMAIL_", "SMTP_", "TF_"].iter().any(|prefix| name.starts_with(prefix));
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(foreign)) {
        command.env_remove(name);
    }
    command.env("CHECKPOINT_DISABLE", "1").env("TF_CLI_ARGS", "-no-color").env("TF_IN_AUTOMATION", "1");
    command.stdin(Stdio::null());
    command
}

const AUTHORITY: &str = "authority.pem";
const CLI_CONFIG: &str = "cli.tfrc";
