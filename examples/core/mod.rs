//! Terraform or `OpenTofu` for the examples: which program it is, and how it comes by the provider just built.

#![allow(dead_code, reason = "a library to the examples that include it, and each of them uses a part")]

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use terraform_provider_smtp::vendors::VENDORS;

/// An installed Terraform or `OpenTofu`.
pub(crate) struct Core {
    program: OsString,
    version: String,
}

impl Core {
    /// Finds `TF_ACC_TERRAFORM_PATH`, or else `terraform`, or else `tofu`. Without any, fetches one, and prints its
    /// progress.
    pub(crate) fn find() -> Result<Self, String> {
        if let Some(program) = env::var_os("TF_ACC_TERRAFORM_PATH").filter(|path| !path.is_empty()) {
            let name = program.to_string_lossy().into_owned();
            return Self::try_run(program).ok_or(format!("TF_ACC_TERRAFORM_PATH is {name}, which does not run."));
        }
        if let Some(core) = ["terraform", "tofu"].into_iter().find_map(|name| Self::try_run(name.into())) {
            return Ok(core);
        }
        let program = distribution::core::fetch(Path::new(env!("CARGO_MANIFEST_DIR")))?;
        let name = program.display().to_string();
        Self::try_run(program.into()).ok_or(format!("`{name}` was fetched and does not run here."))
    }

    /// The command, without its folder.
    pub(crate) fn name(&self) -> String {
        let stem = Path::new(&self.program).file_stem().unwrap_or(&self.program).to_string_lossy().into_owned();
        // A core of `tests/cores` has its version in its name.
        stem.split('-').next().map_or(stem.clone(), str::to_owned)
    }

    /// What it calls itself, such as `Terraform v1.11.4`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Starts to write a command, without what the environment says to it or to the provider.
    pub(crate) fn command(&self) -> Command {
        command(&self.program)
    }

    fn try_run(program: OsString) -> Option<Self> {
        let output = command(&program).arg("version").output().ok().filter(|output| output.status.success())?;
        let version = String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned();
        Some(Self { program, version })
    }
}

/// Builds the provider with the cargo that runs this, and returns where the binary is.
///
/// Cargo shows its progress on stderr. The provider is built by itself, because a build of the examples adds the
/// features that tests need.
pub(crate) fn build_provider(profile: &str) -> Result<PathBuf, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = Command::new(cargo)
        .args(["build", "--bin", env!("CARGO_PKG_NAME"), "--profile", profile])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo did not run: {error}."))?;
    let mut messages = build.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    let executable = messages.find_map(|message: Value| message["executable"].as_str().map(PathBuf::from));
    executable.filter(|_| build.status.success()).ok_or_else(|| "The provider cannot be built.".to_owned())
}

/// The configuration file that makes core use the provider in a folder, without `init`.
pub(crate) fn cli_config(folder: &Path) -> String {
    let folder = folder.display().to_string();
    format!(
        "provider_installation {{\n  dev_overrides {{\n    \"smtp-credentials/smtp\" = {folder:?}\n  }}\n  direct {{}}\n}}\n"
    )
}

/// The configuration file by which core installs the provider from a mirror, at `init`, and from nowhere else.
pub(crate) fn cli_config_of_mirror(folder: &Path) -> String {
    let folder = folder.display().to_string();
    format!("provider_installation {{\n  filesystem_mirror {{\n    path = {folder:?}\n  }}\n}}\n")
}

fn command(program: &OsString) -> Command {
    let mut command = Command::new(program);
    let vendors = VENDORS.iter().map(|vendor| format!("{}_", vendor.name.to_uppercase()));
    let foreign: Vec<_> = ["SMTP_", "TF_"].map(str::to_owned).into_iter().chain(vendors).collect();
    let foreign = |name: &str| foreign.iter().any(|prefix| name.starts_with(prefix));
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(foreign)) {
        command.env_remove(name);
    }
    command.env("CHECKPOINT_DISABLE", "1").env("TF_CLI_ARGS", "-no-color").env("TF_IN_AUTOMATION", "1");
    command.stdin(Stdio::null());
    command
}
