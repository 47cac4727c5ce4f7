//! The HTTP client that all vendors of a provider block share, and the API of each vendor.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    base_url::BaseUrl, error_format::ErrorFormat, gate::Gate, limit::RateLimiter, syntax::Syntax, transport::Transport,
};
use crate::trust::{CertificateFile, Trust};

/// The HTTP settings of a provider block.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Certificates to trust in addition to the system's.
    pub ca_certificate_file: Option<CertificateFile>,
    /// The timeout of one exchange. For a reset it starts when the request has been sent.
    pub request_timeout: Duration,
    /// The maximum number of requests per second; unlimited if `None` or not above 0.
    pub max_requests_per_second: Option<f64>,
    /// The `User-Agent` header.
    pub user_agent: String,
}

/// The HTTP client. Cheap to create and to clone: no file is read before the first request.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    settings: Settings,
    limit: RateLimiter,
    transport: Transport,
}

impl Client {
    /// Creates a client.
    pub fn new(settings: Settings) -> Self {
        let transport = Transport::new(Trust::new(settings.ca_certificate_file.clone()));
        Self::over(settings, transport)
    }

    /// Creates a client with another resolver.
    #[cfg(test)]
    pub(super) fn resolving(settings: Settings, resolver: super::dial::Resolver) -> Self {
        Self::over(settings, Transport::new(Trust::default()).resolving(resolver))
    }

    fn over(settings: Settings, transport: Transport) -> Self {
        let limit = RateLimiter::new(settings.max_requests_per_second);
        Self(Arc::new(Shared { settings, limit, transport }))
    }

    /// Creates the API at `base`, which reports errors in `error_format`.
    ///
    /// `rate_window` is the documented window of the API's rate limit. It is used if the API rejects a request without
    /// saying how long to wait.
    pub fn api(&self, base: BaseUrl, error_format: &'static ErrorFormat, rate_window: Option<Duration>) -> Api {
        let gate = Arc::new(Gate::new(rate_window));
        Api { client: self.clone(), base, error_format, syntax: Syntax::Json, gate }
    }

    /// Returns the certificates that this client trusts.
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
    pub(super) syntax: Syntax,
    pub(super) gate: Arc<Gate>,
}

impl Api {
    /// Returns another API over the same client, with limits of its own, such as the host that grants tokens for this
    /// one.
    #[must_use]
    pub fn at(&self, base: BaseUrl, error_format: &'static ErrorFormat) -> Self {
        self.client.api(base, error_format, None)
    }

    /// Returns the host of the API.
    pub fn host(&self) -> &str {
        self.base.host()
    }

    /// Expects responses in XML. Their elements are read like the fields of JSON, those called `member` like a list, and
    /// all of them by JSON pointers that begin with the document's element.
    #[must_use]
    pub fn in_xml(self) -> Self {
        Self { syntax: Syntax::Xml, ..self }
    }
}
