//! An authority and a certificate for this machine, in files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

/// Three PEM files, which are gone when this is dropped.
pub struct Certificates(TempDir);

impl Certificates {
    /// Makes an authority, and a key and a certificate for `localhost` and `127.0.0.1`.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "An authority of these tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let authority =
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let names = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("two names");
        let certificate = names.signed_by(&key, &authority).expect("a certificate");
        let files = Self(tempfile::tempdir().expect("a temporary directory"));
        write(&files.authority(), "CERTIFICATE", authority.der());
        write(&files.certificate(), "CERTIFICATE", certificate.der());
        write(&files.key(), "PRIVATE KEY", key.serialized_der());
        files
    }

    /// What a client has to trust.
    pub fn authority(&self) -> PathBuf {
        self.0.path().join("authority.pem")
    }

    /// What a server shows.
    pub fn certificate(&self) -> PathBuf {
        self.0.path().join("certificate.pem")
    }

    /// What a server keeps to itself.
    pub fn key(&self) -> PathBuf {
        self.0.path().join("key.pem")
    }
}

fn write(file: &Path, label: &str, der: &[u8]) {
    let encoded = STANDARD.encode(der);
    let lines: Vec<_> = encoded.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    let pem = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"));
    fs::write(file, pem).expect("a file in the temporary directory");
}
