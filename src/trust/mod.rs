//! Whom this process trusts beside whom the system trusts, and why it does not trust a certificate.
//!
//! One verifier judges the certificates of APIs, of proxies and of mail servers. The system's roots are read once in a process, when
//! the first connection needs them.

mod file;
mod key;
mod off_thread;
mod verifier;
mod words;

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use rustls::{ClientConfig, crypto::ring};
use tokio_rustls::TlsConnector;

pub use file::CertificateFile;
use off_thread::off_thread;
use verifier::{System, Verifier};
pub(crate) use words::{fault, is_of_another_kind, names};

/// Whose certificates count. Cheap to make and to clone: nothing is read before the first connection.
#[derive(Clone, Default)]
pub(crate) struct Trust(Arc<Shared>);

#[derive(Default)]
struct Shared {
    file: Option<CertificateFile>,
    config: OnceLock<ClientConfig>,
}

impl Trust {
    /// Trusts whom the system trusts, and the certificates of the user's file.
    pub(crate) fn new(file: Option<CertificateFile>) -> Self {
        Self(Arc::new(Shared { file, config: OnceLock::new() }))
    }

    /// What makes TLS connections for these protocols (RFC 7301). The error is in words.
    pub(crate) async fn connector(&self, protocols: &[&[u8]]) -> Result<TlsConnector, &'static str> {
        let config = if let Some(config) = self.0.config.get() {
            config
        } else {
            let config = self.config().await?;
            self.0.config.get_or_init(|| config)
        };
        let mut config = config.clone();
        config.alpn_protocols = protocols.iter().map(|&protocol| protocol.to_owned()).collect();
        Ok(TlsConnector::from(Arc::new(config)))
    }

    async fn config(&self) -> Result<ClientConfig, &'static str> {
        let system = match SYSTEM.get() {
            Some(system) => system.clone(),
            None => off_thread(|| SYSTEM.get_or_init(verifier::system).clone()).await.flatten(),
        };
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new(system, self.0.file.as_ref(), &provider).ok_or(NO_SYSTEM_ROOTS)?;
        Ok(ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| "no version of TLS can be spoken")?
            // Dangerous is what others may put here; this verifier asks the system's own.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth())
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").field("file", &self.0.file).finish_non_exhaustive()
    }
}

/// The system's own judgement; `None` where it has no roots.
static SYSTEM: OnceLock<Option<Arc<System>>> = OnceLock::new();

/// The reason where nobody's word on certificates can be had.
const NO_SYSTEM_ROOTS: &str = "the system's root certificates cannot be loaded";
