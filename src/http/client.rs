//! One client for all vendors of a provider block, and one API for each.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::gate::Gate;
use super::limit::RateLimiter;
use super::transport::Transport;
use super::{BaseUrl, ErrorFormat};
use crate::trust::{CertificateFile, Trust};

/// What a provider block says about HTTP.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Certificates that are trusted beside the system's.
    pub ca_certificate_file: Option<CertificateFile>,
    /// The longest that one exchange may take. To the answer to a reset it gives this time from when the reset has left.
    pub request_timeout: Duration,
    /// The most requests that this client begins in a second; no limit of ours if `None` or not above 0.
    pub max_requests_per_second: Option<f64>,
    /// The `User-Agent` header.
    pub user_agent: String,
}

/// The HTTP client. It is cheap to make and to clone: no file is read and no root is loaded before the first request.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    settings: Settings,
    limit: RateLimiter,
    transport: Transport,
}

impl Client {
    /// Makes a client.
    pub fn new(settings: Settings) -> Self {
        let transport = Transport::new(Trust::new(settings.ca_certificate_file.clone()));
        Self::over(settings, transport)
    }

    /// Makes a client that looks names up like this.
    #[cfg(test)]
    pub(super) fn resolving(settings: Settings, resolver: super::dial::Resolver) -> Self {
        Self::over(settings, Transport::new(Trust::default()).resolving(resolver))
    }

    fn over(settings: Settings, transport: Transport) -> Self {
        let limit = RateLimiter::new(settings.max_requests_per_second);
        Self(Arc::new(Shared { settings, limit, transport }))
    }

    /// Makes the API at `base`, whose errors are in `error_format`.
    ///
    /// `rate_window` is the time over which it counts requests, where that is documented. It counts where the API refuses a request
    /// without saying how long to wait.
    pub fn api(&self, base: BaseUrl, error_format: &'static ErrorFormat, rate_window: Option<Duration>) -> Api {
        Api { client: self.clone(), base, error_format, gate: Arc::new(Gate::new(rate_window)) }
    }

    /// Whose certificates count to it.
    pub(crate) fn trust(&self) -> &Trust {
        self.transport().trust()
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.0.transport
    }

    pub(super) fn user_agent(&self) -> &str {
        &self.0.settings.user_agent
    }

    pub(super) fn limit(&self) -> &RateLimiter {
        &self.0.limit
    }

    pub(super) fn request_timeout(&self) -> Duration {
        self.0.settings.request_timeout
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

/// One vendor's API.
#[derive(Clone, Debug)]
pub struct Api {
    pub(super) client: Client,
    pub(super) base: BaseUrl,
    pub(super) error_format: &'static ErrorFormat,
    pub(super) gate: Arc<Gate>,
}

impl Api {
    /// The host that is called.
    pub fn host(&self) -> &str {
        self.base.host()
    }
}
