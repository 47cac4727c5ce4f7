//! The setting `ca_certificate_file`: read when the provider is configured, so that a mistake in it shows before anything is sent.

use std::path::Path;

use crate::{
    framework::{
        diagnostic::{self, Diagnostic},
        value::Value,
    },
    vendors::CertificateFile,
};

pub(super) const CA_CERTIFICATE_FILE: &str = "ca_certificate_file";
pub(super) const CA_CERTIFICATE_FILE_ENV: &str = "SMTP_CA_CERTIFICATE_FILE";

/// Reads the file that the configuration names, or else the environment.
pub(super) async fn read(
    config: &Value,
    from_environment: Option<String>,
) -> Result<Option<CertificateFile>, Diagnostic> {
    let configured = config.get(CA_CERTIFICATE_FILE).as_str().map(str::to_owned);
    let is_configured = configured.is_some();
    let Some(path) = configured.or(from_environment) else { return Ok(None) };
    let words = if path.is_empty() {
        "must not be empty; leave it out to trust the system's certificates alone".to_owned()
    } else if path.contains(PEM) {
        "holds a certificate, and must be the path of a file that holds it. Write it to a file, and give the file's path".to_owned()
    } else {
        match CertificateFile::read_in_time(Path::new(&path)).await {
            Ok(file) => return Ok(Some(file)),
            Err(words) => format!("names the file{}, which {words}{}", quoted(&path), hint(&path)),
        }
    };
    Err(if is_configured {
        Diagnostic::error(
            format!("Invalid value for `{CA_CERTIFICATE_FILE}`"),
            format!("The value of `{CA_CERTIFICATE_FILE}` {words}."),
        )
        .at(diagnostic::Path::attribute(CA_CERTIFICATE_FILE))
    } else {
        Diagnostic::error(
            format!("Invalid value in `{CA_CERTIFICATE_FILE_ENV}`"),
            format!("The environment variable `{CA_CERTIFICATE_FILE_ENV}` {words}."),
        )
    })
}

/// A path that may be shown: what is not one may be anything, a key among it.
fn quoted(path: &str) -> String {
    let is_path = path.chars().count() <= LONGEST_PATH && !path.chars().any(char::is_control);
    if is_path { format!(" `{path}`") } else { String::new() }
}

fn hint(path: &str) -> &'static str {
    if path == "~" || path.starts_with("~/") {
        ". Nothing replaces `~` here; `pathexpand(\"~/…\")` does in a configuration, and a shell does outside quotes"
    } else {
        ""
    }
}

/// How text begins that is a certificate or a key itself.
const PEM: &str = "-----BEGIN";

const LONGEST_PATH: usize = 300;
