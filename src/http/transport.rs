//! Opens connections, and explains why one could not be opened.

use std::{borrow::Cow, env, io, time::Duration};

use rustls::pki_types::ServerName;
use tokio::{net::TcpStream, time::timeout};
use url::Host;

use super::{
    base_url::{BaseUrl, Channel},
    dial::{self, Resolver},
    kept::Kept,
    proxy::Proxy,
    route::{Connection, Route},
    tunnel::{self, TunnelError},
};
use crate::trust::{self, Purpose, Trust};

/// Opens connections. Each carries a single request, or only reads. Nothing is retried or redirected here.
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

    /// Replaces the resolver.
    #[cfg(test)]
    pub(super) fn resolving(self, resolver: Resolver) -> Self {
        Self { resolver, ..self }
    }

    /// Returns the connections that reads reuse.
    pub(super) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Finds the route to an API. The error says what is wrong with a proxy in the environment.
    ///
    /// Loopback addresses are called directly, as in Go's programs: a token for them must not be sent to a proxy in
    /// clear text.
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

    /// Connects, through the route's proxy and with TLS as needed. Nothing of the request is sent.
    pub(super) async fn connect(&self, route: &Route) -> Result<Connection, ConnectError> {
        let in_time = timeout(CONNECT_TIMEOUT, self.connect_in_any_time(route)).await;
        in_time.unwrap_or(Err(TransportError::Unreachable(NO_CONNECTION_IN_TIME).into()))
    }

    async fn connect_in_any_time(&self, route: &Route) -> Result<Connection, ConnectError> {
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

    async fn tunnel(&self, proxy: &Proxy, host: &Host<String>, port: u16) -> Result<Connection, ConnectError> {
        let stream = self.dial(&proxy.host, proxy.port, Channel::Network, Leg::Proxy).await?;
        let mut stream: Connection = Box::new(stream);
        if proxy.is_tls {
            stream = self.secure(&proxy.host, stream, Leg::Proxy).await?;
        }
        tunnel::open(&mut stream, proxy, host, port).await.map_err(|refusal| match refusal {
            TunnelError::Status(407) => ConnectError::of(
                TransportError::ProxyRefused,
                "the proxy requires a user name and password (407)".to_owned(),
            ),
            // A rejection is final. Any other failure of the proxy may be temporary.
            TunnelError::Status(status @ 300..=499) => ConnectError::of(
                TransportError::ProxyRefused,
                format!("the proxy returned {status} and opened no tunnel"),
            ),
            TunnelError::Status(status) => ConnectError::of(
                TransportError::Unreachable("the connection failed"),
                format!("the proxy returned {status} and opened no tunnel"),
            ),
            TunnelError::Closed => TransportError::Unreachable("the proxy closed the connection").into(),
            TunnelError::Garbled => TransportError::Unreachable("the proxy's response is not HTTP").into(),
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
            // A name proves nothing: a resolver may return any address for it.
            addresses.retain(|address| address.ip().to_canonical().is_loopback());
            if addresses.is_empty() {
                return Err(TransportError::Setup("its name resolves to another machine, not to a loopback address"));
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

    async fn secure(&self, host: &Host<String>, stream: Connection, leg: Leg) -> Result<Connection, ConnectError> {
        let connector = self.trust.connector(Purpose::Http).await.map_err(TransportError::Setup)?;
        let name = match host {
            Host::Domain(name) => ServerName::try_from(name.clone()).ok(),
            Host::Ipv4(address) => Some(ServerName::from(std::net::IpAddr::V4(*address))),
            Host::Ipv6(address) => Some(ServerName::from(std::net::IpAddr::V6(*address))),
        };
        let name = name.ok_or(TransportError::Setup("no certificate can be valid for such a host name"))?;
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
                Err(ConnectError::of(TransportError::Certificate(fault), words + &names))
            }
            _ => Err(TransportError::Unreachable(
                leg.say("the TLS handshake failed", "the TLS handshake failed with the proxy"),
            )
            .into()),
        }
    }
}

/// A part of the route.
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
pub(super) struct ConnectError {
    pub(super) transport_error: TransportError,
    /// More detail than the kind itself.
    pub(super) words: Option<String>,
}

impl ConnectError {
    fn of(transport_error: TransportError, words: String) -> Self {
        Self { transport_error, words: Some(words) }
    }
}

impl From<TransportError> for ConnectError {
    fn from(transport_error: TransportError) -> Self {
        Self { transport_error, words: None }
    }
}

/// Why there is no complete response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TransportError {
    /// The server's certificate is not trusted.
    Certificate(&'static str),
    /// The connection ended too early, or the response is not HTTP.
    Interrupted,
    /// The proxy rejected the tunnel, for example because it requires a password.
    ProxyRefused,
    /// The provider's own setup does not work.
    Setup(&'static str),
    /// The operation was stopped.
    Stopped,
    /// It took too long.
    TimedOut,
    /// The response is too long.
    TooLarge,
    /// There was no connection.
    Unreachable(&'static str),
}

/// The reason if connecting took too long.
pub(super) const NO_CONNECTION_IN_TIME: &str = "the connection timed out";

/// How long connecting may take, including a proxy's response and the TLS handshakes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, ready},
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use http::Method;
    use tokio::net::TcpListener;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::http::{BaseUrl, Client, Error, ErrorFormat, Kind, Operation, Outcome, Settings, dial::Resolving};

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

    #[tokio::test(start_paused = true)]
    async fn a_name_that_does_not_resolve_is_tried_again_and_changed_nothing() {
        let (error, asked) =
            resolving("https://api.example.com", || Box::pin(ready(Err(io::ErrorKind::NotFound.into())))).await;
        assert_eq!((error.kind, error.outcome), (Kind::Unreachable, Outcome::NotChanged));
        assert_eq!(error.reason, "the host name could not be resolved");
        assert!(asked > 1, "it may resolve the next time");
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_does_not_resolve_in_time_changed_nothing() {
        let (error, asked) = resolving("https://api.example.com", || Box::pin(pending())).await;
        assert_eq!((error.kind, error.outcome), (Kind::Unreachable, Outcome::NotChanged));
        assert_eq!(error.reason, NO_CONNECTION_IN_TIME);
        assert!(asked > 0);
    }

    #[tokio::test(start_paused = true)]
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
