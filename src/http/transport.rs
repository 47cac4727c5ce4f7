//! The connections beneath: how one is made, and what it means that there is none.

use std::borrow::Cow;
use std::env;
use std::io;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Host;

use super::base_url::{BaseUrl, Channel};
use super::dial::{self, Resolver};
use super::kept::Kept;
use super::proxy::Proxy;
use super::route::{Connection, Route};
use super::tunnel::{self, NoTunnel};
use crate::trust::{self, Purpose, Trust};

/// Makes connections. Each carries one request, or look-ups only; nothing is done behind our back.
pub(super) struct Transport {
    trust: Trust,
    resolver: Resolver,
    kept: Kept,
}

impl Transport {
    pub(super) fn new(trust: Trust) -> Self {
        Self { trust, resolver: Resolver::default(), kept: Kept::default() }
    }

    pub(super) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// The same with names looked up otherwise.
    #[cfg(test)]
    pub(super) fn resolving(self, resolver: Resolver) -> Self {
        Self { resolver, ..self }
    }

    /// The connections that look-ups share.
    pub(super) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Finds the way to an API. The error says what is wrong with a proxy of the environment.
    ///
    /// This machine is called directly, as Go's programs do: a token for it must not travel to a proxy in clear text.
    pub(super) fn route(base: &BaseUrl) -> Result<Route, Cow<'static, str>> {
        let (host, port) = base.address();
        let proxy = match base.channel() {
            Channel::PlainLoopback | Channel::TlsLoopback => None,
            Channel::Network => Proxy::of(&|name| env::var(name), &host, port)?,
        };
        let host = match host {
            Host::Domain(name) => Host::Domain(name.to_owned()),
            Host::Ipv4(address) => Host::Ipv4(address),
            Host::Ipv6(address) => Host::Ipv6(address),
        };
        Ok(Route { host, port, channel: base.channel(), proxy })
    }

    /// Connects, through a proxy where there is one, and over TLS where the API is. Nothing of the request is sent.
    pub(super) async fn connect(&self, route: &Route) -> Result<Connection, Obstacle> {
        let in_time = timeout(CONNECT_TIMEOUT, self.connect_in_any_time(route)).await;
        in_time.unwrap_or(Err(TransportError::Unreachable(NO_CONNECTION_IN_TIME).into()))
    }

    async fn connect_in_any_time(&self, route: &Route) -> Result<Connection, Obstacle> {
        let Route { host, port, channel, proxy } = route;
        let stream: Connection = match proxy {
            Some(proxy) => self.tunnel(proxy, host, *port).await?,
            None => Box::new(self.dial(host, *port, *channel, Leg::Direct).await?),
        };
        match channel {
            Channel::PlainLoopback => Ok(stream),
            Channel::TlsLoopback | Channel::Network => self.secure(host, stream, Leg::Direct).await,
        }
    }

    async fn tunnel(&self, proxy: &Proxy, host: &Host<String>, port: u16) -> Result<Connection, Obstacle> {
        let stream = self.dial(&proxy.host, proxy.port, Channel::Network, Leg::Proxy).await?;
        let mut stream: Connection = Box::new(stream);
        if proxy.is_tls {
            stream = self.secure(&proxy.host, stream, Leg::Proxy).await?;
        }
        tunnel::open(&mut stream, proxy, host, port).await.map_err(|refusal| match refusal {
            NoTunnel::Status(407) => Obstacle::of(
                TransportError::ProxyRefused,
                "the proxy asks for a user name and password (407)".to_owned(),
            ),
            // A refusal stays one; what a proxy could not do now, it may do later.
            NoTunnel::Status(status @ 300..=499) => {
                Obstacle::of(TransportError::ProxyRefused, format!("the proxy answered {status} and opened no tunnel"))
            }
            NoTunnel::Status(status) => Obstacle::of(
                TransportError::Unreachable("the connection failed"),
                format!("the proxy answered {status} and opened no tunnel"),
            ),
            NoTunnel::Closed => TransportError::Unreachable("the proxy closed the connection").into(),
            NoTunnel::Garbled => TransportError::Unreachable("what the proxy answered is not HTTP").into(),
        })?;
        Ok(stream)
    }

    async fn dial(
        &self,
        host: &Host<String>,
        port: u16,
        channel: Channel,
        leg: Leg,
    ) -> Result<TcpStream, TransportError> {
        let mut addresses = self.resolver.addresses(host, port).await;
        if addresses.is_empty() {
            return Err(TransportError::Unreachable(
                leg.say("the host name could not be resolved", "the proxy's host name could not be resolved"),
            ));
        }
        if channel != Channel::Network {
            // A name proves nothing: whoever answers for it may send it anywhere.
            addresses.retain(|address| address.ip().to_canonical().is_loopback());
            if addresses.is_empty() {
                return Err(TransportError::Setup(
                    "its name leads to another machine, not to a loopback address of this one",
                ));
            }
        }
        dial::connect(&addresses).await.map_err(|error| match error.kind() {
            io::ErrorKind::ConnectionRefused => TransportError::Unreachable(
                leg.say("the connection was refused", "the connection to the proxy was refused"),
            ),
            io::ErrorKind::TimedOut => TransportError::Unreachable(NO_CONNECTION_IN_TIME),
            _ => TransportError::Unreachable(leg.say("the connection failed", "the connection to the proxy failed")),
        })
    }

    async fn secure(&self, host: &Host<String>, stream: Connection, leg: Leg) -> Result<Connection, Obstacle> {
        let connector = self.trust.connector(Purpose::Http).await.map_err(TransportError::Setup)?;
        let name = match host {
            Host::Domain(name) => ServerName::try_from(name.clone()).ok(),
            Host::Ipv4(address) => Some(ServerName::from(std::net::IpAddr::V4(*address))),
            Host::Ipv6(address) => Some(ServerName::from(std::net::IpAddr::V6(*address))),
        };
        let name = name.ok_or(TransportError::Setup("no certificate can be for a host of such a name"))?;
        let error = match connector.connect(name, stream).await {
            Ok(stream) => return Ok(Box::new(stream)),
            Err(error) => error,
        };
        match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(rustls::Error::InvalidCertificate(error)) => {
                let fault = leg.say(trust::fault(error), "the proxy's certificate is not trusted");
                let words = match leg {
                    Leg::Direct => fault.to_owned(),
                    Leg::Proxy => trust::fault(error).replacen("its", "the proxy's", 1),
                };
                let names = trust::names(error).map(|names| format!(": it names {names}")).unwrap_or_default();
                Err(Obstacle::of(TransportError::Certificate(fault), words + &names))
            }
            _ => Err(TransportError::Unreachable(
                leg.say("no TLS connection could be agreed on", "no TLS connection could be agreed on with the proxy"),
            )
            .into()),
        }
    }
}

/// Which part of the way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Leg {
    Direct,
    Proxy,
}

impl Leg {
    fn say(self, direct: &'static str, proxy: &'static str) -> &'static str {
        match self {
            Self::Direct => direct,
            Self::Proxy => proxy,
        }
    }
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) struct Obstacle {
    pub(super) trouble: TransportError,
    /// More than the trouble itself says.
    pub(super) words: Option<String>,
}

impl Obstacle {
    fn of(trouble: TransportError, words: String) -> Self {
        Self { trouble, words: Some(words) }
    }
}

impl From<TransportError> for Obstacle {
    fn from(trouble: TransportError) -> Self {
        Self { trouble, words: None }
    }
}

/// Why there is no whole answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TransportError {
    /// The server's certificate cannot be trusted.
    Certificate(&'static str),
    /// The connection ended too early, or what came over it is not HTTP.
    Interrupted,
    /// The proxy refuses, for instance because it wants a password that it did not get.
    ProxyRefused,
    /// Something on this side cannot work.
    Setup(&'static str),
    /// We were asked to stop.
    Stopped,
    /// It took too long.
    TimedOut,
    /// It is longer than it may be.
    TooLarge,
    /// No connection came about.
    Unreachable(&'static str),
}

/// The reason of every connection that took too long.
pub(super) const NO_CONNECTION_IN_TIME: &str = "no connection came about in time";

/// How long connecting may take, with a proxy's answer and the TLS handshakes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::Method;
    use tokio::net::TcpListener;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::http::dial::Resolving;
    use crate::http::{BaseUrl, Client, Error, ErrorFormat, Kind, Operation, Outcome, Settings};

    static DIALECT: ErrorFormat = ErrorFormat {
        refusal: crate::http::Form(&[]),
        code: &[],
        codes: &[],
        message: &[],
        fields: None,
        request_id: &[],
        unprocessed: &[],
    };

    /// The failure of a reset at a host whose name is looked up like this, and how often it was.
    async fn resolving(base: &str, answer: impl Fn() -> Resolving + Send + Sync + 'static) -> (Error, usize) {
        let settings = Settings {
            ca_certificate_file: None,
            request_timeout: Duration::from_secs(2),
            max_requests_per_second: None,
            user_agent: "test/1".to_owned(),
        };
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let resolver = Resolver::new(move |_, _| {
            count.fetch_add(1, Ordering::SeqCst);
            answer()
        });
        let api = Client::resolving(settings, resolver).api(BaseUrl::parse(base).unwrap(), &DIALECT, None);
        let op = Operation::new(Duration::from_secs(4), CancellationToken::new());
        let error = api.request(Method::POST, &["reset"]).reset(&op).await.unwrap_err();
        (error, asked.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn a_name_that_does_not_resolve_is_tried_again_and_changed_nothing() {
        let (error, asked) =
            resolving("https://api.example.com", || Box::pin(ready(Err(io::ErrorKind::NotFound.into())))).await;
        assert_eq!((error.kind, error.outcome), (Kind::Unreachable, Outcome::NotChanged));
        assert_eq!(error.reason, "the host name could not be resolved");
        assert!(asked > 1, "it may resolve the next time");
    }

    #[tokio::test]
    async fn a_name_that_does_not_resolve_in_time_changed_nothing() {
        let (error, asked) = resolving("https://api.example.com", || Box::pin(pending())).await;
        assert_eq!((error.kind, error.outcome), (Kind::Unreachable, Outcome::NotChanged));
        assert_eq!(error.reason, NO_CONNECTION_IN_TIME);
        assert!(asked > 0);
    }

    #[tokio::test]
    async fn localhost_that_is_another_machine_gets_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for scheme in ["http", "https"] {
            // An address for documentation (RFC 5737), which no connection may be tried to.
            let (error, asked) = resolving(&format!("{scheme}://localhost:{port}"), move || {
                Box::pin(ready(Ok(vec![([192, 0, 2, 7], port).into()])))
            })
            .await;
            assert_eq!((error.kind, error.outcome, asked), (Kind::Setup, Outcome::NotChanged, 1), "{error}");
            assert!(error.reason.contains("another machine"), "{error}");
        }
    }
}
