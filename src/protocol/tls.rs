//! Mutual TLS between core and this process, with certificates that they exchange beforehand.
//!
//! Core passes its certificate in the environment and reads the server's from the handshake line. Neither is issued by
//! a CA, so the client's is compared byte for byte. It has a P-521 key, which ring does not support, so the `p521`
//! crate verifies its signatures.

use std::{error::Error, sync::Arc};

use p521::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{
        AlgorithmIdentifier, CertificateDer, InvalidSignature, PrivateKeyDer, SignatureVerificationAlgorithm, UnixTime,
        alg_id,
    },
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use tokio_rustls::TlsAcceptor;

/// The server's TLS identity.
pub(super) struct Identity {
    pub(super) acceptor: TlsAcceptor,
    /// The certificate for the handshake line.
    pub(super) certificate: CertificateDer<'static>,
}

impl Identity {
    /// Generates a key and a certificate. `client` is the only client certificate to accept.
    pub(super) fn new(client: CertificateDer<'static>) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = CertificateParams::new([SERVER_NAME.to_owned()])?.self_signed(&key)?.der().clone();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(Arc::new(PinnedClientCert::new(client)))
            .with_single_cert(vec![certificate.clone()], PrivateKeyDer::try_from(key.serialize_der())?)?;
        // Recent gRPC clients refuse a connection without ALPN.
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificate })
    }
}

/// Accepts only clients that present one certificate and prove possession of its key.
#[derive(Debug)]
struct PinnedClientCert {
    certificate: CertificateDer<'static>,
    ring: WebPkiSupportedAlgorithms,
}

impl PinnedClientCert {
    fn new(certificate: CertificateDer<'static>) -> Self {
        Self { certificate, ring: ring::default_provider().signature_verification_algorithms }
    }

    fn algorithms(&self, scheme: SignatureScheme) -> &WebPkiSupportedAlgorithms {
        if scheme == SignatureScheme::ECDSA_NISTP521_SHA512 { &P521_ALGORITHMS } else { &self.ring }
    }
}

impl ClientCertVerifier for PinnedClientCert {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        // Expiry is not checked, since core creates the certificate for this one process.
        if *end_entity == self.certificate {
            return Ok(ClientCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, self.algorithms(signature.scheme))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, self.algorithms(signature.scheme))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = vec![SignatureScheme::ECDSA_NISTP521_SHA512];
        schemes.extend(self.ring.supported_schemes());
        schemes
    }
}

/// ECDSA with P-521 and SHA-512.
#[derive(Debug)]
struct P521;

impl SignatureVerificationAlgorithm for P521 {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let verify = || {
            let signature = Signature::from_der(signature)?;
            VerifyingKey::from_sec1_bytes(public_key)?.verify(message, &signature)
        };
        verify().map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA512
    }
}

static P521_ALGORITHMS: WebPkiSupportedAlgorithms =
    WebPkiSupportedAlgorithms { all: &[&P521], mapping: &[(SignatureScheme::ECDSA_NISTP521_SHA512, &[&P521])] };

/// The name that core expects in the server's certificate, whatever the address.
const SERVER_NAME: &str = "localhost";
