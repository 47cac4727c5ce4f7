//! Core's side of mutual TLS: a certificate like the one that go-plugin makes, for P-521 and signed by itself.
//!
//! Neither ring nor rcgen knows P-521, so the key is the `p521` crate's, and the certificate is put together here.

use std::{
    fmt::{self, Write},
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use p521::ecdsa::{Signature, SigningKey, VerifyingKey, signature::Signer as _};
use rustls::{
    ClientConfig, ConfigBuilder, Error, RootCertStore, SignatureAlgorithm, SignatureScheme,
    client::WantsClientCert,
    crypto::ring,
    pki_types::CertificateDer,
    sign::{self, CertifiedKey, Signer, SingleCertAndKey},
};

use crate::der::{der, oid, sequence};

/// A certificate and its key.
pub struct Identity {
    key: Arc<Key>,
    certificate: CertificateDer<'static>,
}

impl Identity {
    pub fn new() -> Self {
        let key = Key::generate();
        Self { certificate: key.certificate(), key: Arc::new(key) }
    }

    /// This certificate with another key, as a thief of the certificate would have it.
    pub fn with_another_key(&self) -> Self {
        Self { key: Arc::new(Key::generate()), certificate: self.certificate.clone() }
    }

    /// The certificate as it is written in `PLUGIN_CLIENT_CERT`.
    pub fn pem(&self) -> String {
        let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
        for line in STANDARD.encode(&self.certificate).as_bytes().chunks(64) {
            writeln!(pem, "{}", String::from_utf8_lossy(line)).unwrap();
        }
        pem + "-----END CERTIFICATE-----\n"
    }

    /// TLS that shows this identity and accepts `server` alone.
    pub fn config(&self, server: CertificateDer<'static>) -> ClientConfig {
        let shown = CertifiedKey::new(vec![self.certificate.clone()], self.key.clone());
        over_h2(builder(server).with_client_cert_resolver(Arc::new(SingleCertAndKey::from(shown))))
    }
}

/// TLS that shows no certificate.
pub fn anonymous(server: CertificateDer<'static>) -> ClientConfig {
    over_h2(builder(server).with_no_client_auth())
}

fn builder(server: CertificateDer<'static>) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(server).unwrap();
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
}

fn over_h2(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

struct Key(SigningKey);

impl Key {
    fn generate() -> Self {
        // The order of the curve is just below 2^521, so 520 random bits are a key.
        let mut scalar = [0; 66];
        ring::default_provider().secure_random.fill(&mut scalar[1..]).unwrap();
        Self(SigningKey::from_slice(&scalar).unwrap())
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.0.sign(message);
        signature.to_der().as_bytes().to_vec()
    }

    /// An X.509 certificate (RFC 5280, section 4.1) with an authority's basic constraints, as go-plugin's has.
    fn certificate(&self) -> CertificateDer<'static> {
        let algorithm = sequence(&[&oid(ECDSA_WITH_SHA512)]);
        let name = sequence(&[&der(0x31, &[&sequence(&[&oid(COMMON_NAME), &der(0x0c, &[b"localhost"])])])]);
        let validity = sequence(&[&der(0x17, &[b"200101000000Z"]), &der(0x17, &[b"491231235959Z"])]);
        let point = VerifyingKey::from(&self.0).to_sec1_point(false);
        let public_key =
            sequence(&[&sequence(&[&oid(EC_PUBLIC_KEY), &oid(SECP521R1)]), &der(0x03, &[&[0], point.as_bytes()])]);
        let authority = der(0x04, &[&sequence(&[&der(0x01, &[&[0xff]])])]);
        let constraints = sequence(&[&oid(BASIC_CONSTRAINTS), &der(0x01, &[&[0xff]]), &authority]);
        let extensions = der(0xa3, &[&sequence(&[&constraints])]);
        let version = der(0xa0, &[&der(0x02, &[&[2]])]);
        let serial = der(0x02, &[&[1]]);

        let parts: [&[u8]; 8] = [&version, &serial, &algorithm, &name, &validity, &name, &public_key, &extensions];
        let to_be_signed = sequence(&parts);
        let signature = der(0x03, &[&[0], &self.signature(&to_be_signed)]);
        sequence(&[&to_be_signed, &algorithm, &signature]).into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl sign::SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SCHEME).then(|| Box::new(Self(self.0.clone())) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.signature(message))
    }

    fn scheme(&self) -> SignatureScheme {
        SCHEME
    }
}

const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ECDSA_WITH_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const SCHEME: SignatureScheme = SignatureScheme::ECDSA_NISTP521_SHA512;
const SECP521R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
