//! A directory with one configuration, in which core runs as a user runs it.

use std::{
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{Result, binary::Binary, program::Program, sandbox::Sandbox};

/// A configuration and its state.
pub(crate) struct Workspace<'a> {
    program: &'a Program,
    directory: TempDir,
    sandbox: &'a Sandbox,
}

impl<'a> Workspace<'a> {
    /// Writes the configuration into a directory of its own, where core takes the provider from `binary` with no `init`.
    pub(crate) fn new(
        program: &'a Program,
        binary: &Binary,
        sandbox: &'a Sandbox,
        configuration: &str,
    ) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        fs::write(directory.path().join("main.tf"), configuration)?;
        fs::write(directory.path().join(CLI_CONFIG), cli_config(binary.folder()?))?;
        Ok(Self { program, directory, sandbox })
    }

    /// Applies.
    pub(crate) fn apply(&self) -> Result<()> {
        self.run(&["apply", "-auto-approve", "-input=false", "-no-color"]).map(drop)
    }

    /// Plans, which takes this long. It is an error where there is something to do.
    pub(crate) fn plan(&self) -> Result<Duration> {
        self.run(&["plan", "-detailed-exitcode", "-input=false", "-no-color"])
    }

    fn run(&self, arguments: &[&str]) -> Result<Duration> {
        let directory = self.directory.path();
        let mut command = self.program.command();
        command
            .args(arguments)
            .current_dir(directory)
            .env_clear()
            .env("CHECKPOINT_DISABLE", "1")
            .env("HOME", directory)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TF_CLI_CONFIG_FILE", directory.join(CLI_CONFIG))
            .env("TMPDIR", directory)
            .envs(self.sandbox.env())
            .stdin(Stdio::null());

        let start = Instant::now();
        let output = command.output()?;
        let took = start.elapsed();
        if output.status.success() {
            return Ok(took);
        }
        let [told, complained] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        Err(format!("`{}` ended with {}\n{told}{complained}", arguments.join(" "), output.status).into())
    }
}

fn cli_config(folder: &str) -> String {
    format!(
        "provider_installation {{\n  dev_overrides {{\n    \"smtp-credentials/smtp\" = {folder:?}\n  }}\n  direct {{}}\n}}\n"
    )
}

const CLI_CONFIG: &str = "cli.tfrc";
