//! Whose certificates a mail server may show: the system's roots, and those of the user's file.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use rustls::{ClientConfig, crypto::ring};
use rustls_platform_verifier::Verifier;
use tokio_rustls::TlsConnector;

use super::{Failure, FailureKind};
use crate::trust;

/// The roots of trust. Cheap to make and to clone: nothing is read before the first connection.
#[derive(Clone)]
pub struct Roots(Arc<Shared>);

struct Shared {
    file: Option<PathBuf>,
    connector: OnceLock<Result<TlsConnector, &'static str>>,
}

impl Roots {
    /// Trusts whom the system trusts, and the certificates of a PEM file.
    pub fn new(file: Option<PathBuf>) -> Self {
        Self(Arc::new(Shared { file, connector: OnceLock::new() }))
    }

    /// What makes TLS connections.
    pub(super) fn connector(&self) -> Result<TlsConnector, Failure> {
        let connector = self.0.connector.get_or_init(|| self.0.connector());
        connector.clone().map_err(|reason| Failure::new(FailureKind::Setup, reason))
    }
}

impl Default for Roots {
    /// Trusts whom the system trusts.
    fn default() -> Self {
        Self::new(None)
    }
}

impl Shared {
    fn connector(&self) -> Result<TlsConnector, &'static str> {
        let extra = self.file.as_deref().map(trust::read).transpose()?.unwrap_or_default();
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider));
        let verifier = verifier.map_err(|_| trust::NO_SYSTEM_ROOTS)?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| "no version of TLS can be spoken")?
            // Dangerous is what others may put here; this verifier is the system's own.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roots").field("file", &self.0.file).finish_non_exhaustive()
    }
}
