//! The setting `ca_certificate_file`. It is read when the provider is configured, so mistakes show before anything is
//! sent.

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

/// Reads the file named in the configuration, or else in the environment.
pub(super) async fn read(
    config: &Value,
    from_environment: Option<String>,
) -> Result<Option<CertificateFile>, Diagnostic> {
    let configured = config.get(CA_CERTIFICATE_FILE).as_str().map(str::to_owned);
    let is_configured = configured.is_some();
    let Some(path) = configured.or(from_environment) else { return Ok(None) };
    // An empty variable was filtered out before, so this is an explicit setting.
    let words = if path.is_empty() {
        "must not be empty; omit it to trust only the system's certificates".to_owned()
    // A common mistake, and a key might be among it, so the value must not be quoted.
    } else if path.contains(PEM) {
        "is a certificate but must be the path of a file. Write the certificate to a file and set its path".to_owned()
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

/// Quotes a path. What does not look like a path is not shown, since it might be a private key.
fn quoted(path: &str) -> String {
    let is_path = path.chars().count() <= LONGEST_PATH && !path.chars().any(char::is_control);
    if is_path { format!(" `{path}`") } else { String::new() }
}

fn hint(path: &str) -> &'static str {
    if path == "~" || path.starts_with("~/") {
        ". `~` is not expanded here; use `pathexpand(\"~/…\")` in a configuration, and leave it unquoted in a shell"
    } else {
        ""
    }
}

/// The beginning of a PEM-encoded certificate or key.
const PEM: &str = "-----BEGIN";

const LONGEST_PATH: usize = 300;
