//! The folder and the environment in which Terraform or `OpenTofu` runs here.

use std::{fs, path::Path, process::Output};

use tempfile::TempDir;

use crate::core::{Core, cli_config};

/// A temporary folder with the configuration, in which core uses the provider just built.
pub(super) struct Workspace<'a> {
    core: &'a Core,
    folder: TempDir,
    env: Vec<(&'static str, String)>,
}

impl<'a> Workspace<'a> {
    /// Lays out the folder; `env` is what the provider gets to see beside the usual.
    pub(super) fn new(core: &'a Core, provider: &Path, env: &[(&'static str, String)]) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("There is no temporary folder: {error}."))?;
        let write =
            |name: &str, text: &str| fs::write(folder.path().join(name), text).map_err(|error| error.to_string());
        write("main.tf", include_str!("main.tf"))?;
        write(CLI_CONFIG, &cli_config(provider.parent().unwrap_or(provider)))?;
        Ok(Self { core, folder, env: env.to_vec() })
    }

    /// Runs core and tells what it wrote to stdout; with an override in place there is nothing to `init`.
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

const CLI_CONFIG: &str = "cli.tfrc";
