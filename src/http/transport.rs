//! The connections beneath: what reqwest is told, and what its failures mean.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use super::base_url::Reach;
use super::client::Settings;
use super::handover::HandOverLayer;
use crate::trust;
use reqwest::Certificate;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};

/// Makes the connections' settings. Nothing may be done behind our back: no redirect, no retry, no reused connection.
///
/// This machine is called directly, as Go's programs do: a token for it must not travel to a proxy in clear text.
pub(super) fn build(settings: &Settings, reach: Reach) -> Result<reqwest::Client, &'static str> {
    builder(settings, reach)?.build().map_err(|_| "the system's root certificates cannot be loaded")
}

fn builder(settings: &Settings, reach: Reach) -> Result<reqwest::ClientBuilder, &'static str> {
    // The first caller decides for the process; whoever else decides, decides for ring too.
    let _ = rustls::crypto::ring::default_provider().install_default();

    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .connector_layer(HandOverLayer)
        .default_headers(HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]))
        .http1_only()
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .user_agent(&settings.user_agent);
    if reach != Reach::Network {
        builder = builder.no_proxy();
    }
    if let Some(file) = &settings.ca_certificate_file {
        let roots: Result<Vec<_>, _> = trust::read(file)?.iter().map(|der| Certificate::from_der(der)).collect();
        builder = builder.tls_certs_merge(roots.map_err(|_| trust::NO_CERTIFICATE)?);
    }
    if reach == Reach::Clear {
        // Reading the system's roots would be most of what the process does.
        builder = builder.tls_certs_only([]);
    }
    Ok(builder)
}

/// Why there is no whole answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Trouble {
    /// The server's certificate cannot be trusted.
    Certificate(&'static str),
    /// The connection ended too early.
    Interrupted,
    /// The proxy wants a password that it did not get.
    ProxyRefused,
    /// We were asked to stop.
    Stopped,
    /// It took too long.
    TimedOut,
    /// It is longer than it may be.
    TooLarge,
    /// No connection came about.
    Unreachable(&'static str),
}

impl Trouble {
    /// Reads the failure of a connection that did not come about.
    pub(super) fn of_connecting(error: &reqwest::Error) -> Self {
        if error.is_dns() {
            return Self::Unreachable("the host name could not be resolved");
        }
        causes(error).find_map(Self::of_cause).unwrap_or(Self::Unreachable("the connection failed"))
    }

    fn of_cause(cause: &(dyn StdError + 'static)) -> Option<Self> {
        if let Some(rustls::Error::InvalidCertificate(fault)) = cause.downcast_ref() {
            return Some(Self::Certificate(trust::fault(fault)));
        }
        if cause.is::<rustls::Error>() {
            return Some(Self::Unreachable("no TLS connection could be agreed on"));
        }
        // The type is out of reach. Should its words change, the general reason is given.
        if cause.to_string() == "tunnel error: proxy authorization required" {
            return Some(Self::ProxyRefused);
        }
        match cause.downcast_ref::<io::Error>()?.kind() {
            io::ErrorKind::ConnectionRefused => Some(Self::Unreachable("the connection was refused")),
            io::ErrorKind::TimedOut => Some(Self::Unreachable(NO_CONNECTION_IN_TIME)),
            _ => None,
        }
    }
}

/// The reason of every connection that took too long.
pub(super) const NO_CONNECTION_IN_TIME: &str = "no connection came about in time";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Every cause below an error. `io::Error` passes over the error that it wraps, so this looks inside.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| error.source())
    })
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use reqwest::Method;
    use reqwest::dns::{Name, Resolve, Resolving};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::http::{BaseUrl, Client, Dialect, Error, Kind, Operation, Outcome};

    static DIALECT: Dialect = Dialect {
        refusal: crate::http::Form(&[]),
        code: &[],
        codes: &[],
        message: &[],
        fields: None,
        request_id: &[],
        unprocessed: &[],
    };

    /// A resolver that answers every question in the same way, and counts them.
    struct Resolver {
        asked: AtomicUsize,
        answer: fn() -> Resolving,
    }

    impl Resolve for Resolver {
        fn resolve(&self, _: Name) -> Resolving {
            self.asked.fetch_add(1, Ordering::SeqCst);
            (self.answer)()
        }
    }

    /// The failure of a reset at a host whose name cannot be had, and how often it was asked for.
    async fn unresolved(answer: fn() -> Resolving) -> (Error, usize) {
        let settings = Settings {
            ca_certificate_file: None,
            request_timeout: Duration::from_secs(2),
            max_requests_per_second: None,
            user_agent: "test/1".to_owned(),
        };
        let resolver = Arc::new(Resolver { asked: AtomicUsize::new(0), answer });
        let builder = builder(&settings, Reach::Network).unwrap().no_proxy().dns_resolver(Arc::clone(&resolver));
        let api = Client::over(settings, builder.build().unwrap())
            .api(BaseUrl::parse("https://api.example.com").unwrap(), &DIALECT);
        let op = Operation::new(Duration::from_secs(4), CancellationToken::new());
        let error = api.request(Method::POST, &["reset"]).reset(&op).await.unwrap_err();
        (error, resolver.asked.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn a_name_that_does_not_resolve_is_tried_again_and_changed_nothing() {
        let (error, asked) = unresolved(|| Box::pin(ready(Err("no such name".into())))).await;
        assert_eq!((error.kind, error.outcome), (Kind::Unreachable, Outcome::NotChanged));
        assert_eq!(error.reason, "the host name could not be resolved");
        assert!(asked > 1, "it may resolve the next time");
    }

    #[tokio::test]
    async fn a_name_that_does_not_resolve_in_time_changed_nothing() {
        let (error, asked) = unresolved(|| Box::pin(pending())).await;
        assert_eq!((error.kind, error.outcome), (Kind::Unreachable, Outcome::NotChanged));
        assert_eq!(error.reason, NO_CONNECTION_IN_TIME);
        assert!(asked > 0);
    }
}
