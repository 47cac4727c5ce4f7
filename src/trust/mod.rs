//! Whom this process trusts beside whom the system trusts, and why it does not trust a certificate.
//!
//! One verifier judges the certificates of APIs, of proxies and of mail servers. The system's roots are read once in a process, when
//! the first connection needs them.

mod file;
mod off_thread;
mod system;
mod verifier;
mod words;

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use rustls::{
    ClientConfig,
    client::{Resumption, danger::ServerCertVerifier},
    crypto::{CryptoProvider, ring},
};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;

pub use file::CertificateFile;
use off_thread::off_thread;
use verifier::Verifier;
pub(crate) use words::{fault, names};

/// Whose certificates count. Cheap to make and to clone, and clones share what was read: nothing is before the first connection.
#[derive(Clone, Default)]
pub(crate) struct Trust(Arc<Shared>);

#[derive(Default)]
struct Shared {
    file: Option<CertificateFile>,
    verifier: OnceCell<Arc<Verifier>>,
    configs: Mutex<Vec<(Purpose, Arc<ClientConfig>)>>,
}

/// What a TLS connection is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// HTTP/1.1, by the name that RFC 7301 has for it. Later connections to a server resume the session of an earlier one.
    Http,
    /// SMTP. Each connection is judged by the certificate that it shows: what it proves is about that server.
    Smtp,
}

impl Trust {
    /// Trusts whom the system trusts, and the certificates of the user's file.
    pub(crate) fn new(file: Option<CertificateFile>) -> Self {
        Self(Arc::new(Shared { file, ..Shared::default() }))
    }

    /// What makes TLS connections. The error is in words.
    pub(crate) async fn connector(&self, purpose: Purpose) -> Result<TlsConnector, &'static str> {
        let provider = Arc::new(ring::default_provider());
        let verifier = self.0.verifier.get_or_try_init(|| self.verifier(&provider)).await?;
        let mut configs = self.0.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, config)) = configs.iter().find(|(made_for, _)| *made_for == purpose) {
            return Ok(TlsConnector::from(Arc::clone(config)));
        }
        let config = Arc::new(config(purpose, Arc::clone(verifier), provider)?);
        configs.push((purpose, Arc::clone(&config)));
        Ok(TlsConnector::from(config))
    }

    async fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<Verifier>, &'static str> {
        let system = match SYSTEM.get() {
            Some(system) => system.clone(),
            None => {
                let provider = Arc::clone(provider);
                off_thread(move || SYSTEM.get_or_init(|| system::load(provider)).clone()).await.flatten()
            }
        };
        Verifier::new(system, self.0.file.as_ref(), provider).map(Arc::new).ok_or(NO_SYSTEM_ROOTS)
    }
}

fn config(
    purpose: Purpose,
    verifier: Arc<Verifier>,
    provider: Arc<CryptoProvider>,
) -> Result<ClientConfig, &'static str> {
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| "no version of TLS can be spoken")?
        // Dangerous is what others may put here; this verifier asks the system's own.
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    // Early data could be replayed, and would be sent before the server has proven who it is.
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

/// The system's own judgement; `None` where it has no roots.
static SYSTEM: OnceLock<Option<Arc<dyn ServerCertVerifier>>> = OnceLock::new();

/// The reason where nobody's word on certificates can be had.
const NO_SYSTEM_ROOTS: &str = "the system's root certificates cannot be loaded";
