//! The provider's binary, built as it is released.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    Result,
    figure::{Figure, Unit, megabytes},
};

/// The released provider.
pub(crate) struct Binary(PathBuf);

impl Binary {
    /// Builds it, with the features of a release: a build of the examples adds those that tests need.
    pub(crate) fn build() -> Result<Self> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["build", "--release", "--locked", "--bin", env!("CARGO_PKG_NAME")])
            .arg("--message-format=json-render-diagnostics")
            .arg("--manifest-path")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err("the provider does not build".into());
        }
        let executable = output
            .stdout
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
            .find_map(|message| message["executable"].as_str().map(PathBuf::from));
        executable.map(Self).ok_or_else(|| "cargo names no binary".into())
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The folder that it is in.
    pub(crate) fn folder(&self) -> Result<&str> {
        self.0
            .parent()
            .and_then(Path::to_str)
            .ok_or_else(|| "the binary is in no folder that has a name in UTF-8".into())
    }

    /// Measures the file.
    pub(crate) fn size(&self) -> Result<Figure> {
        let bytes = fs::metadata(&self.0)?.len();
        Ok(Figure::once("Stripped binary", Unit::Megabytes, megabytes(bytes)).at_most(8.0))
    }
}
