//! Extra trust anchors, and explanations why a certificate is not trusted.
//!
//! One verifier checks the certificates of APIs, proxies and mail servers. The system's roots are loaded once per
//! process, when a connection first needs them.

mod file;
mod key;
mod off_thread;
mod system;
mod verifier;
mod words;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    ClientConfig,
    client::Resumption,
    crypto::{CryptoProvider, ring},
};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;

pub use file::CertificateFile;
use verifier::Verifier;
pub(crate) use words::{fault, is_of_another_kind, names};

/// The trusted certificates. Cheap to create and to clone. Nothing is read before the first connection, and clones
/// share what was read.
#[derive(Clone, Default)]
pub(crate) struct Trust(Arc<Shared>);

#[derive(Default)]
struct Shared {
    file: Option<CertificateFile>,
    verifier: OnceCell<Arc<Verifier>>,
    configs: Mutex<Vec<(Purpose, Arc<ClientConfig>)>>,
}

/// The purpose of a TLS connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// HTTP/1.1, negotiated with ALPN (RFC 7301). Connections may resume earlier sessions.
    Http,
    /// SMTP. Sessions are not resumed: each login must be checked against the certificate of that connection.
    Smtp,
}

impl Trust {
    /// Trusts the system's roots and the certificates of the user's file.
    pub(crate) fn new(file: Option<CertificateFile>) -> Self {
        Self(Arc::new(Shared { file, ..Shared::default() }))
    }

    /// Returns the TLS connector. Fails if there are no roots.
    pub(crate) async fn connector(&self, purpose: Purpose) -> Result<TlsConnector, &'static str> {
        let provider = Arc::new(ring::default_provider());
        let verifier = self.0.verifier.get_or_try_init(|| self.verifier(&provider)).await?;
        // One configuration per purpose, because sessions can only be resumed within the same one.
        let mut configs = self.0.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, config)) = configs.iter().find(|(made_for, _)| *made_for == purpose) {
            return Ok(TlsConnector::from(Arc::clone(config)));
        }
        let config = Arc::new(config(purpose, Arc::clone(verifier), provider)?);
        configs.push((purpose, Arc::clone(&config)));
        Ok(TlsConnector::from(config))
    }

    /// Where the user's file may be all that is needed, the system's roots are not read before a certificate asks for
    /// them.
    async fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<Verifier>, &'static str> {
        let by_file = self.0.file.as_ref().and_then(|file| Verifier::of_file(file, provider));
        let verifier = match by_file {
            Some(by_file) => by_file,
            None => Verifier::of_system(system::verifier(provider).await.ok_or(NO_SYSTEM_ROOTS)?, provider),
        };
        Ok(Arc::new(verifier))
    }
}

fn config(
    purpose: Purpose,
    verifier: Arc<Verifier>,
    provider: Arc<CryptoProvider>,
) -> Result<ClientConfig, &'static str> {
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| "no TLS version is available")?
        // `dangerous()` allows any verifier; this one is built on the platform's.
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    // Early data could be replayed, and would be sent before the server is authenticated.
    config.enable_early_data = false;
    match purpose {
        Purpose::Http => config.alpn_protocols = vec![b"http/1.1".to_vec()],
        Purpose::Smtp => config.resumption = Resumption::disabled(),
    }
    Ok(config)
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").field("file", &self.0.file).finish_non_exhaustive()
    }
}

/// The error if there is nothing to verify certificates with.
const NO_SYSTEM_ROOTS: &str = "the system's root certificates cannot be loaded";

/// RFC 7468.
#[cfg(test)]
fn pem(certificate: &[u8]) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine as _};

    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64_STANDARD.encode(certificate))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use rustls::{
        HandshakeKind, ServerConfig, SupportedProtocolVersion,
        pki_types::{PrivateKeyDer, ServerName},
        version::{TLS12, TLS13},
    };
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// How two connections to one server, one after the other, came to be.
    async fn handshakes(purpose: Purpose, version: &'static SupportedProtocolVersion) -> [Option<HandshakeKind>; 2] {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(pem(cert.der()).as_bytes()).unwrap();
        let mut server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap())
            .unwrap();
        // It would take it.
        server.max_early_data_size = u32::MAX;
        let (acceptor, trust) =
            (TlsAcceptor::from(Arc::new(server)), Trust::new(CertificateFile::read(file.path()).ok()));

        let mut kinds = [None; 2];
        for kind in &mut kinds {
            let (ours, theirs) = duplex(64 * 1024);
            let acceptor = acceptor.clone();
            let task = tokio::spawn(async move {
                let mut stream = acceptor.accept(theirs).await.unwrap();
                stream.write_all(b"x").await.unwrap();
                stream.shutdown().await.unwrap();
            });
            let connector = trust.clone().connector(purpose).await.unwrap();
            let mut stream = connector.connect(ServerName::try_from("localhost").unwrap(), ours).await.unwrap();
            assert_eq!(stream.read_u8().await.unwrap(), b'x');
            assert!(!stream.get_ref().1.is_early_data_accepted());
            *kind = stream.get_ref().1.handshake_kind();
            task.await.unwrap();
        }
        kinds
    }

    #[tokio::test]
    async fn a_session_is_resumed_at_an_api_and_at_no_mail_server() {
        for version in [&TLS12, &TLS13] {
            let [first, second] = handshakes(Purpose::Http, version).await;
            assert_eq!((first, second), (Some(HandshakeKind::Full), Some(HandshakeKind::Resumed)), "{version:?}");
            assert_eq!(handshakes(Purpose::Smtp, version).await, [Some(HandshakeKind::Full); 2], "{version:?}");
        }
    }
}
