//! A certificate authority of the sandbox's own, and the certificates that its servers show.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use serde::Deserialize;
use tokio_rustls::TlsAcceptor;

/// What the SMTP server needs for TLS, and what its clients need to trust it.
pub(crate) struct Identity {
    /// The authority's certificate.
    pub ca_certificate_pem: String,
    issuer: Issuer<'static, KeyPair>,
    usual: TlsAcceptor,
}

/// Which certificate the SMTP server shows.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Showing {
    /// One whose time was over in 2021.
    Expired,
    /// One whose time begins in 2200.
    NotYetValid,
    /// One for `mail.example.org`.
    OtherHost,
    /// One of an authority that no client knows.
    UnknownAuthority,
    /// The one that is good.
    Usual,
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

impl Identity {
    /// Makes an authority and a certificate for `localhost` and `127.0.0.1`, both new.
    pub(crate) fn new() -> Result<Self, Failed> {
        let (ca_certificate, issuer) = authority("SMTP sandbox")?;
        let usual = acceptor(&valid_here()?, &issuer)?;
        Ok(Self { ca_certificate_pem: pem(&ca_certificate), issuer, usual })
    }

    /// What accepts TLS connections and shows that certificate, which is a new one unless it is the usual.
    pub(crate) fn acceptor(&self, showing: Showing) -> Result<TlsAcceptor, Failed> {
        match showing {
            Showing::Expired => {
                let mut params = valid_here()?;
                params.not_before = date_time_ymd(2020, 1, 1);
                params.not_after = date_time_ymd(2021, 1, 1);
                acceptor(&params, &self.issuer)
            }
            Showing::NotYetValid => {
                let mut params = valid_here()?;
                params.not_before = date_time_ymd(2200, 1, 1);
                params.not_after = date_time_ymd(2201, 1, 1);
                acceptor(&params, &self.issuer)
            }
            Showing::OtherHost => acceptor(&CertificateParams::new(vec!["mail.example.org".to_owned()])?, &self.issuer),
            Showing::UnknownAuthority => acceptor(&valid_here()?, &authority("Somebody")?.1),
            Showing::Usual => Ok(self.usual.clone()),
        }
    }
}

impl Identity {
    /// What accepts TLS connections with clients that show a certificate of an authority of their own.
    pub(crate) fn acceptor_for_few(&self) -> Result<TlsAcceptor, Failed> {
        let mut roots = RootCertStore::empty();
        roots.add(authority("The clients' own")?.0)?;
        let provider = Arc::new(ring::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
        accept(&valid_here()?, &self.issuer, Some(clients))
    }
}

fn valid_here() -> Result<CertificateParams, rcgen::Error> {
    CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])
}

fn acceptor(params: &CertificateParams, issuer: &Issuer<'static, KeyPair>) -> Result<TlsAcceptor, Failed> {
    accept(params, issuer, None)
}

/// What accepts TLS connections with these clients only, or with all.
fn accept(
    params: &CertificateParams,
    issuer: &Issuer<'static, KeyPair>,
    clients: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<TlsAcceptor, Failed> {
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    let private_key = PrivateKeyDer::try_from(key.serialize_der())?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    let config = match clients {
        Some(clients) => config.with_client_cert_verifier(clients),
        None => config.with_no_client_auth(),
    };
    let config = config.with_single_cert(vec![certificate.der().clone()], private_key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn authority(name: &str) -> Result<(CertificateDer<'static>, Issuer<'static, KeyPair>), rcgen::Error> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?.der().clone();
    Ok((certificate, Issuer::new(params, key)))
}

/// RFC 7468.
fn pem(certificate: &CertificateDer<'_>) -> String {
    let text = STANDARD.encode(certificate);
    let mut lines = vec!["-----BEGIN CERTIFICATE-----"];
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        lines.push(line);
        rest = more;
    }
    lines.push("-----END CERTIFICATE-----\n");
    lines.join("\n")
}
