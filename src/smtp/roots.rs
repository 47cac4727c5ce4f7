//! Whose certificates a mail server may show: the system's roots, and those of the user's file.

use tokio_rustls::TlsConnector;

use super::{Failure, FailureKind};
use crate::trust::{CertificateFile, Purpose, Trust};

/// The roots of trust. Cheap to make and to clone: nothing is read before the first connection.
#[derive(Clone, Debug, Default)]
pub struct Roots(Trust);

impl Roots {
    /// Trusts whom the system trusts, and the certificates of the user's file.
    pub fn new(file: Option<CertificateFile>) -> Self {
        Self(Trust::new(file))
    }

    /// Trusts whom somebody else trusts, with one verifier for both.
    pub(crate) fn shared_with(trust: &Trust) -> Self {
        Self(trust.clone())
    }

    /// What makes TLS connections.
    pub(super) async fn connector(&self) -> Result<TlsConnector, Failure> {
        self.0.connector(Purpose::Smtp).await.map_err(|reason| Failure::new(FailureKind::Setup, reason))
    }
}
