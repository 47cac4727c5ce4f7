//! Whom this process trusts beside whom the system trusts, and why it does not trust a certificate.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustls::CertificateError;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Reads a PEM file. The error names the argument, and neither the path nor what lies there.
pub(crate) fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let mut pem = Vec::new();
    File::open(file)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut pem))
        .map_err(|_| "the file that `ca_certificate_file` names cannot be read")?;
    if pem.len() as u64 > MOST_BYTES {
        return Err("the file that `ca_certificate_file` names is too large for a list of certificates");
    }

    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .map(|certificate| certificate.ok().filter(is_usable))
        .collect::<Option<_>>()
        .ok_or(NO_CERTIFICATE)?;
    if certificates.is_empty() {
        return Err("the file that `ca_certificate_file` names holds no PEM certificate");
    }
    Ok(certificates)
}

/// Says what is wrong with a server's certificate, in words that end a sentence.
pub(crate) fn fault(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another host"
        }
        CertificateError::UnknownIssuer => "its certificate is from an authority that is not trusted here",
        _ => "its certificate is not valid",
    }
}

/// The reason where a file holds anything else.
pub(crate) const NO_CERTIFICATE: &str =
    "the file that `ca_certificate_file` names holds something that is no certificate";

/// The reason where nobody's word on certificates can be had.
pub(crate) const NO_SYSTEM_ROOTS: &str = "the system's root certificates cannot be loaded";

/// Whether it can be a root at all is asked now, since the TLS library would name no file.
fn is_usable(certificate: &CertificateDer<'static>) -> bool {
    RootCertStore::empty().add(certificate.clone()).is_ok()
}

/// Four times the list that the systems ship.
const MOST_BYTES: u64 = 1024 * 1024;
