//! The submission server at which a password is tried.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::smtp::{Roots, Security, Server};

/// A submission server at which a password is tried.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct SmtpEndpoint {
    /// The host; `None` if the vendor has to be asked for it.
    pub(crate) host: Option<String>,
    pub(crate) port: u16,
    pub(crate) security: Security,
    /// How long to keep trying a new password, and how long to retry a busy server before a reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<Duration>,
}

/// Endpoints are equal if they are the same server, whatever the timeout.
impl PartialEq for SmtpEndpoint {
    fn eq(&self, other: &Self) -> bool {
        (&self.host, self.port, self.security) == (&other.host, other.port, other.security)
    }
}

impl Eq for SmtpEndpoint {}

impl SmtpEndpoint {
    /// Fills in the host that the vendor reported, if none was configured.
    pub(crate) fn at(self, reported: Option<&str>) -> Self {
        Self { host: self.host.or_else(|| reported.map(str::to_owned)), ..self }
    }

    /// Returns the same server without the timeout, which says nothing about where a password has logged in.
    pub(crate) fn without_timeout(self) -> Self {
        Self { timeout: None, ..self }
    }

    /// Returns how long to keep trying a new password.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout.unwrap_or(DEFAULT_TIMEOUT)
    }

    /// Returns the server; `None` if its host is not known.
    pub(crate) fn server(&self, roots: Roots) -> Option<Server> {
        Some(Server::new(self.host.as_deref()?, self.port, self.security, roots))
    }
}

/// The default of [`SmtpEndpoint::timeout`].
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_survives_the_way_through_core() {
        for timeout in [None, Some(Duration::from_millis(1500))] {
            let endpoint = SmtpEndpoint { host: None, port: 587, security: Security::Tls, timeout };
            let text = serde_json::to_string(&endpoint).unwrap();
            let read: SmtpEndpoint = serde_json::from_str(&text).unwrap();
            assert_eq!((&read, read.timeout), (&endpoint, timeout), "{text}");
        }
    }
}
