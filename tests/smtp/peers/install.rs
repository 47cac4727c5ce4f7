//! Fetches what the servers are made of into `target/`, once and at fixed versions.

#[path = "../../support/fetch.rs"]
mod fetch;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use self::fetch::{npm, once, runs};
use super::certificates::Key;

/// Fetches `aiosmtpd`, and answers with how Python is called here and where the modules lie.
pub fn aiosmtpd() -> Result<(Command, PathBuf), String> {
    let python = ["python3", "python"].into_iter().find(|python| runs(Command::new(python).arg("--version")));
    let python = python.ok_or("neither `python3` nor `python` runs here")?;
    let modules = once("smtp-peers", "aiosmtpd", &[("requirements.txt", REQUIREMENTS)], |place| {
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
    let manifest = [("package.json", PACKAGE), ("package-lock.json", LOCK)];
    let place = once("smtp-peers", "smtp-server", &manifest, npm)?;
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

const LOCK: &str = include_str!("package-lock.json");
const PACKAGE: &str = include_str!("package.json");
const REQUIREMENTS: &str = include_str!("requirements.txt");
