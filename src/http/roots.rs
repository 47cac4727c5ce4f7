//! The certificates that a user trusts beside the system's.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use reqwest::Certificate;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Reads a PEM file. The error names the argument, and neither the path nor what lies there.
pub(super) fn read(file: &Path) -> Result<Vec<Certificate>, &'static str> {
    let mut pem = Vec::new();
    File::open(file)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut pem))
        .map_err(|_| "the file that `ca_certificate_file` names cannot be read")?;
    if pem.len() as u64 > MOST_BYTES {
        return Err("the file that `ca_certificate_file` names is too large for a list of certificates");
    }

    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .map(|certificate| usable(&certificate.ok()?))
        .collect::<Option<_>>()
        .ok_or("the file that `ca_certificate_file` names holds something that is no certificate")?;
    if certificates.is_empty() {
        return Err("the file that `ca_certificate_file` names holds no PEM certificate");
    }
    Ok(certificates)
}

/// Whether it can be a root at all is asked now, since the TLS library would name no file.
fn usable(certificate: &CertificateDer<'static>) -> Option<Certificate> {
    RootCertStore::empty().add(certificate.clone()).ok()?;
    Certificate::from_der(certificate).ok()
}

/// Four times the list that the systems ship.
const MOST_BYTES: u64 = 1024 * 1024;
