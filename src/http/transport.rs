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
    if reach == Reach::Loopback {
        builder = builder.no_proxy();
    }
    if let Some(file) = &settings.ca_certificate_file {
        let roots: Result<Vec<_>, _> = trust::read(file)?.iter().map(|der| Certificate::from_der(der)).collect();
        builder = builder.tls_certs_merge(roots.map_err(|_| trust::NO_CERTIFICATE)?);
    }
    builder.build().map_err(|_| trust::NO_SYSTEM_ROOTS)
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
