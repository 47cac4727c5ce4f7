//! Fetches what the servers are made of into `target/`, once and at fixed versions.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::certificates::Key;

/// Fetches `aiosmtpd`, and answers with how Python is called here and where the modules lie.
pub fn aiosmtpd() -> Result<(Command, PathBuf), String> {
    let python = ["python3", "python"].into_iter().find(|python| runs(Command::new(python).arg("--version")));
    let python = python.ok_or("neither `python3` nor `python` runs here")?;
    let modules = once("aiosmtpd", &[("requirements.txt", REQUIREMENTS)], |place| {
        let mut pip = Command::new(python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]);
        pip.args(["--only-binary", ":all:", "--target"]).arg(place);
        pip.arg("--requirement").arg(place.join("requirements.txt"));
        pip
    })?;
    Ok((Command::new(python), modules))
}

/// Fetches `smtp-server`, and answers with how Node.js is called here and where the modules lie.
pub fn smtp_server() -> Result<(Command, PathBuf), String> {
    if !runs(Command::new("node").arg("--version")) {
        return Err("`node` does not run here".to_owned());
    }
    let place = once("smtp-server", &[("package.json", PACKAGE), ("package-lock.json", LOCK)], |place| {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error", "--prefix"]).arg(place);
        npm
    })?;
    Ok((Command::new("node"), place.join("node_modules")))
}

/// A key in its two halves, in DER: PKCS #8 and `SubjectPublicKeyInfo`.
pub struct Made {
    pub private: Vec<u8>,
    pub public: Vec<u8>,
}

/// Has Node.js make a key.
pub fn key(kind: Key) -> Result<Made, String> {
    let arguments = match kind {
        Key::P521 => ["ec".to_owned(), "P-521".to_owned()],
        Key::Rsa(bits) => ["rsa".to_owned(), bits.to_string()],
    };
    let made = script("make_key.cjs", &arguments)?;
    let half = |name: &str| made[name].as_str().and_then(|half| STANDARD.decode(half).ok()).ok_or("it is no key");
    Ok(Made { private: half("private")?, public: half("public")? })
}

/// Runs one of the scripts here with Node.js, and returns the JSON that it prints.
pub fn script(name: &str, arguments: &[String]) -> Result<Value, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/smtp/peers").join(name);
    let output = Command::new("node").arg(path).args(arguments).output().map_err(|error| error.to_string())?;
    serde_json::from_slice(&output.stdout).map_err(|_| String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// Installs unless it is there already. Whoever else has the same in mind waits, in this process or another.
fn once(name: &str, manifest: &[(&str, &str)], install: impl FnOnce(&Path) -> Command) -> Result<PathBuf, String> {
    let peers = Path::new(env!("CARGO_TARGET_TMPDIR")).join("smtp-peers");
    fs::create_dir_all(&peers).map_err(|error| error.to_string())?;
    let lock = File::create(peers.join(format!("{name}.lock"))).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let place = peers.join(name);
    let installed = place.join("installed");
    let wanted: String = manifest.iter().map(|(_, content)| *content).collect();
    if fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
        return Ok(place);
    }
    let _ = fs::remove_dir_all(&place);
    let prepared = fs::create_dir(&place)
        .and_then(|()| manifest.iter().try_for_each(|(file, content)| fs::write(place.join(file), content)));
    prepared.map_err(|error| error.to_string())?;
    match install(&place).output() {
        Ok(Output { status, .. }) if status.success() => {}
        Ok(Output { stderr, .. }) => return Err(String::from_utf8_lossy(&stderr).trim().to_owned()),
        Err(error) => return Err(error.to_string()),
    }
    // Comes last, so that what was interrupted is done again.
    fs::write(installed, wanted).map_err(|error| error.to_string())?;
    Ok(place)
}

fn runs(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

const LOCK: &str = include_str!("package-lock.json");
const PACKAGE: &str = include_str!("package.json");
const REQUIREMENTS: &str = include_str!("requirements.txt");
