//! The root certificates for mail servers: the system's and those of the user's file.

use tokio_rustls::TlsConnector;

use super::{Failure, FailureKind};
use crate::trust::{CertificateFile, Purpose, Trust};

/// The root certificates. Cheap to create and to clone: nothing is read before the first connection.
#[derive(Clone, Debug, Default)]
pub struct Roots(Trust);

impl Roots {
    /// Trusts the system's roots and the certificates of the user's file.
    pub fn new(file: Option<CertificateFile>) -> Self {
        Self(Trust::new(file))
    }

    /// Shares the roots and the verifier of the HTTP client.
    pub(crate) fn shared_with(trust: &Trust) -> Self {
        Self(trust.clone())
    }

    /// Returns the TLS connector. Fails if there are no roots.
    pub(super) async fn connector(&self) -> Result<TlsConnector, Failure> {
        self.0.connector(Purpose::Smtp).await.map_err(|reason| Failure::new(FailureKind::Setup, reason))
    }
}
