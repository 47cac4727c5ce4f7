//! Which program plans and applies.

use std::{
    env,
    ffi::OsString,
    process::{Command, Stdio},
};

use crate::Result;

/// A Terraform or an OpenTofu.
pub(crate) struct Program(OsString);

impl Program {
    /// Takes the one in `TF_ACC_TERRAFORM_PATH`, or else `terraform` or `tofu` from the `PATH`.
    pub(crate) fn find() -> Result<Self> {
        let known = || ["terraform", "tofu"].map(OsString::from).to_vec();
        let candidates = env::var_os("TF_ACC_TERRAFORM_PATH").map_or_else(known, |chosen| vec![chosen]);
        let found = candidates.into_iter().map(Self).find(|program| program.version().is_ok());
        found.ok_or_else(|| {
            "the benchmark needs Terraform (https://developer.hashicorp.com/terraform/install) or OpenTofu \
             (https://opentofu.org/docs/intro/install): put it on the PATH or name it in TF_ACC_TERRAFORM_PATH"
                .into()
        })
    }

    /// Starts to write a command.
    pub(crate) fn command(&self) -> Command {
        Command::new(&self.0)
    }

    /// Its name and version, such as `Terraform v1.11.4`.
    pub(crate) fn version(&self) -> Result<String> {
        let mut command = self.command();
        // It would complain of a configuration file that is not there.
        let output = command.arg("version").env_remove("TF_CLI_CONFIG_FILE").stderr(Stdio::null()).output()?;
        let text = String::from_utf8(output.stdout)?;
        match text.lines().next() {
            Some(line) if output.status.success() => Ok(line.to_owned()),
            _ => Err("the program tells no version".into()),
        }
    }
}
