//! An authority and certificates for this machine, in files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

use super::{foreign, install};

/// Whose key a certificate is for that ring cannot make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Key {
    /// ECDSA with P-521.
    P521,
    /// RSA of so many bits.
    Rsa(u16),
}

/// PEM files, which are gone when this is dropped.
pub struct Certificates {
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Certificates {
    /// Makes an authority, and a key and a certificate for `localhost` and `127.0.0.1`.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, foreign::AUTHORITY);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let authority =
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let names = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("two names");
        let certificate = names.signed_by(&key, &authority).expect("a certificate");
        let folder = tempfile::tempdir().expect("a temporary directory");
        let files = Self { folder, authority };
        write(&files.authority(), "CERTIFICATE", files.authority.der());
        write(&files.certificate(), "CERTIFICATE", certificate.der());
        write(&files.key(), "PRIVATE KEY", key.serialized_der());
        files
    }

    /// Makes another key, of a kind that ring does not know, and a certificate for it by the same authority.
    ///
    /// Node.js makes the key: ring makes no RSA key and knows nothing of P-521.
    pub fn for_another_key(&self, kind: Key) -> Result<[PathBuf; 2], String> {
        let name = format!("{kind:?}");
        let [certificate, key] =
            ["certificate", "key"].map(|what| self.folder.path().join(format!("{name}-{what}.pem")));
        let made = install::key(kind)?;
        write(&certificate, "CERTIFICATE", &foreign::certificate(&made.public, self.authority.key()));
        write(&key, "PRIVATE KEY", &made.private);
        Ok([certificate, key])
    }

    /// What a client has to trust.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// What a server shows.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// What a server keeps to itself.
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }
}

fn write(file: &Path, label: &str, der: &[u8]) {
    let encoded = STANDARD.encode(der);
    let lines: Vec<_> = encoded.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    let pem = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"));
    fs::write(file, pem).expect("a file in the temporary directory");
}
