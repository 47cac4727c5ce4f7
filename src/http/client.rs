//! One client for all vendors of a provider block, and one API for each.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::Method;

use super::base_url::Reach;
use super::limit::Limit;
use super::{BaseUrl, Dialect, Request, transport};

/// What a provider block says about HTTP.
#[derive(Clone, Debug)]
pub struct Settings {
    /// PEM certificates that are trusted beside the system's.
    pub ca_certificate_file: Option<PathBuf>,
    /// The longest that one exchange may take, from connecting to the last byte of the answer.
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
    limit: Limit,
    clear: OnceLock<Built>,
    loopback: OnceLock<Built>,
    network: OnceLock<Built>,
}

type Built = Result<reqwest::Client, &'static str>;

impl Client {
    /// Makes a client.
    pub fn new(settings: Settings) -> Self {
        let limit = Limit::new(settings.max_requests_per_second);
        let [clear, loopback, network] = [(); 3].map(|()| OnceLock::new());
        Self(Arc::new(Shared { settings, limit, clear, loopback, network }))
    }

    /// Makes a client whose connections to the network are these.
    #[cfg(test)]
    pub(super) fn over(settings: Settings, network: reqwest::Client) -> Self {
        let client = Self::new(settings);
        let _ = client.0.network.set(Ok(network));
        client
    }

    /// Makes the API at `base`, whose errors are told in `dialect`.
    pub fn api(&self, base: BaseUrl, dialect: &'static Dialect) -> Api {
        Api { client: self.clone(), base, dialect }
    }

    /// The connections, made with the first request. The error is in words.
    pub(super) fn transport(&self, reach: Reach) -> Built {
        let built = match reach {
            Reach::Clear => &self.0.clear,
            Reach::Loopback => &self.0.loopback,
            Reach::Network => &self.0.network,
        };
        built.get_or_init(|| transport::build(&self.0.settings, reach)).clone()
    }

    pub(super) fn limit(&self) -> &Limit {
        &self.0.limit
    }

    pub(super) fn request_timeout(&self) -> Duration {
        self.0.settings.request_timeout
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What lies below would print the proxies, with their passwords.
        f.debug_struct("Client").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

/// One vendor's API.
#[derive(Clone, Debug)]
pub struct Api {
    pub(super) client: Client,
    pub(super) base: BaseUrl,
    pub(super) dialect: &'static Dialect,
}

impl Api {
    /// Begins a request to the path that these segments make below the base URL. Each is encoded as a whole.
    pub fn request(&self, method: Method, path: &[&str]) -> Request {
        Request::new(self.clone(), method, path)
    }

    /// The host that is called.
    pub fn host(&self) -> &str {
        self.base.host()
    }
}
