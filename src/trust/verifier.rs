//! Verifies server certificates.

use std::{fmt, sync::Arc};

use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};

use super::{CertificateFile, key::rsa_bits, system::verifier_in_handshake, words::AnotherSize};

/// Trusts the certificates in the user's file, those issued by CAs in it, and those that the system trusts.
pub(super) struct Verifier {
    listed: Vec<CertificateDer<'static>>,
    by_file: Option<Arc<WebPkiServerVerifier>>,
    by_system: Option<Arc<dyn ServerCertVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    /// Trusts a file, and the system for certificates that the file does not cover; `None` if no certificate in the
    /// file is usable as a root.
    pub(super) fn of_file(file: &CertificateFile, provider: &Arc<CryptoProvider>) -> Option<Self> {
        let listed = file.certificates().to_vec();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(listed.iter().cloned());
        let by_file =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build().ok()?;
        Some(Self { listed, by_file: Some(by_file), by_system: None, provider: Arc::clone(provider) })
    }

    /// Trusts only the system.
    pub(super) fn of_system(by_system: Arc<dyn ServerCertVerifier>, provider: &Arc<CryptoProvider>) -> Self {
        Self { listed: Vec::new(), by_file: None, by_system: Some(by_system), provider: Arc::clone(provider) }
    }

    fn system(&self) -> Option<Arc<dyn ServerCertVerifier>> {
        self.by_system.clone().or_else(|| verifier_in_handshake(&self.provider))
    }

    /// Verifies a certificate that is in the file itself: only its name and its validity period.
    fn judge_listed(
        &self,
        certificate: &CertificateDer<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        let mut itself = RootCertStore::empty();
        itself.add(certificate.clone().into_owned())?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        // The validity period is checked first. Every other error, such as that it is a CA certificate, is irrelevant
        // here.
        let judged = verify_server_cert_signed_by_trust_anchor(&parsed, &itself, &[], now, algorithms);
        if let Err(Error::InvalidCertificate(
            error @ (CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }
            | CertificateError::BadEncoding),
        )) = judged
        {
            return Err(error.into());
        }
        verify_server_name(&parsed, name)?;
        Ok(ServerCertVerified::assertion())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // A listed certificate is trusted directly, even if it is neither self-signed nor a CA.
        if self.listed.iter().any(|listed| listed == certificate) {
            return self.judge_listed(certificate, name, now);
        }
        let unknown = || Err(CertificateError::UnknownIssuer.into());
        let by_file =
            self.by_file.as_ref().map(|by| by.verify_server_cert(certificate, intermediates, name, ocsp, now));
        let by_file = by_file.unwrap_or_else(unknown);
        if by_file.is_ok() {
            return by_file;
        }
        // Not earlier: the user's file often decides, and the first read of the system's roots delays the handshake.
        let by_system = self.system().map(|by| by.verify_server_cert(certificate, intermediates, name, ocsp, now));
        match by_system.unwrap_or_else(unknown) {
            // If both reject it, the error of the one that knows the issuer is more specific.
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => by_file,
            by_system => by_system,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
            .map_err(|error| explained(error, certificate))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
            .map_err(|error| explained(error, certificate))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Refines the error for a bad handshake signature: the TLS library reports every RSA key of an unsupported size as a
/// bad signature.
fn explained(error: Error, certificate: &CertificateDer<'_>) -> Error {
    let bits = || rsa_bits(&ParsedCertificate::try_from(certificate).ok()?.subject_public_key_info());
    match error {
        Error::InvalidCertificate(CertificateError::BadSignature) if bits().is_some_and(AnotherSize::is_of) => {
            CertificateError::Other(OtherError(Arc::new(AnotherSize))).into()
        }
        error => error,
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("listed", &self.listed.len()).finish_non_exhaustive()
    }
}
