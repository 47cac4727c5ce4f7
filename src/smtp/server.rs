//! A mail server, with the check and the login.

use std::{collections::VecDeque, fmt, net::SocketAddr, time::Duration};

use rustls::pki_types::ServerName;
use serde::{Deserialize, Serialize};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout},
};
use tokio_rustls::client::TlsStream;

use super::{Extent, Failure, FailureKind, Roots, Tried, login::Mechanism, session::Session, wire::PATIENCE};
use crate::secret::{Secret, Shown};

/// How a connection becomes TLS.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// The connection starts in plaintext and must be upgraded with STARTTLS.
    StartTls,
    /// The connection uses TLS from the first byte.
    Tls,
}

/// A submission server. Connections are direct, since HTTP proxies are not for SMTP.
#[derive(Clone, Debug)]
pub struct Server {
    host: String,
    port: u16,
    security: Security,
    roots: Roots,
}

/// A login with the server's reply, in a session that still has to be closed.
#[derive(Debug)]
#[must_use = "the session must be closed with QUIT"]
pub struct Login {
    /// The result of the login. It stands even if closing the session fails.
    pub answer: Result<(), Failure>,
    session: Option<Session<TlsStream<TcpStream>>>,
}

impl Login {
    /// Closes the session with QUIT, and returns the result of the login.
    ///
    /// If the reply to QUIT is one to AUTH, the earlier reply was not, so the result is unknown.
    pub async fn leave(self) -> Result<(), Failure> {
        if let Some(mut session) = self.session
            && let Some(code @ (432 | 454 | 530 | 534 | 535 | 538)) = session.quit().await
            && self.answer.is_ok()
        {
            let reason = "it replied before the command was sent";
            return Err(Failure { code: Some(code), ..Failure::new(FailureKind::Malformed, reason) });
        }
        self.answer
    }
}

impl Server {
    /// Creates a server. Nothing is resolved and nothing is sent.
    pub fn new(host: &str, port: u16, security: Security, roots: Roots) -> Self {
        // Normalize the name, since the certificate is checked against it. An invalid name fails when it is resolved.
        let host = match url::Host::parse(host) {
            Ok(url::Host::Domain(name)) => name,
            Ok(url::Host::Ipv4(address)) => address.to_string(),
            Ok(url::Host::Ipv6(address)) => address.to_string(),
            Err(_) => host.to_owned(),
        };
        Self { host, port, security, roots }
    }

    /// Checks that a login is possible: connects, sets up TLS, looks for AUTH PLAIN or LOGIN, and quits.
    ///
    /// AUTH is not sent. The timeouts are ten seconds to connect, a minute for the greeting, and half a minute for
    /// every other step. Dropping the future aborts the session.
    pub async fn check(&self) -> Result<(), Failure> {
        let (mut session, _) = self.open().await?;
        session.quit().await;
        Ok(())
    }

    /// Logs in with the first mechanism that accepts the password, and quits. No mail is sent.
    ///
    /// The timeout for the reply to a login is a minute; the others are as in [`Server::check`]. Dropping the future
    /// aborts the session.
    pub async fn login(&self, username: &str, password: &Secret) -> Result<(), Failure> {
        self.log_in(username, password).await.leave().await
    }

    /// Logs in and returns before the session is closed, so a caller who then runs out of time still has the result.
    ///
    /// A failure is that of the last mechanism that checked the password, or else that of the last one that was
    /// rejected.
    pub async fn log_in(&self, username: &str, password: &Secret) -> Login {
        self.log_in_again(username, password, Extent::Every, &mut Tried::default()).await
    }

    /// Logs in as one of several tries, and records in `tried` what it shows.
    pub async fn log_in_again(&self, username: &str, password: &Secret, extent: Extent, tried: &mut Tried) -> Login {
        let mut left: Option<VecDeque<Mechanism>> = None;
        let mut judgement: Option<Failure> = None;
        loop {
            let (mut session, offered) = match self.open().await {
                Ok(opened) => opened,
                Err(failure) => return Login { answer: Err(failure), session: None },
            };
            let left = left.get_or_insert_with(|| tried.next(&offered, extent).into());
            let mut is_fresh = true;
            while let Some(&mechanism) = left.front() {
                let Err(failure) = session.log_in(mechanism, username, password).await else {
                    tried.worked(mechanism);
                    return Login { answer: Ok(()), session: Some(session) };
                };
                if !failure.is_refused_login() {
                    if is_fresh {
                        return Login { answer: Err(failure), session: Some(session) };
                    }
                    // Many servers close the session after a rejection. The next mechanism then gets a new session.
                    break;
                }
                is_fresh = false;
                left.pop_front();
                if !tried.note(mechanism, &failure, extent) {
                    left.clear();
                }
                if failure.is_wrong_password() || !judgement.as_ref().is_some_and(Failure::is_wrong_password) {
                    judgement = Some(failure);
                }
            }
            if left.is_empty() {
                return Login { answer: Err(judgement.unwrap_or_else(no_mechanism)), session: Some(session) };
            }
        }
    }

    async fn open(&self) -> Result<(Session<TlsStream<TcpStream>>, Vec<Mechanism>), Failure> {
        let stream = self.connect().await?;
        let address = stream.local_addr().ok().map(|address| address.ip());
        let opened = match self.security {
            Security::StartTls => {
                let mut clear = Session::on(stream, address);
                clear.greeting().await?;
                let mut session = Session::on(self.secure(clear.start_tls().await?).await?, address);
                session.mechanisms().await.map(|offered| (session, offered))
            }
            Security::Tls => {
                let mut session = Session::on(self.secure(stream).await?, address);
                match session.greeting().await {
                    Ok(()) => session.mechanisms().await.map(|offered| (session, offered)),
                    Err(failure) => Err(failure),
                }
            }
        };
        opened.map_err(Failure::after_tls)
    }

    /// Connects to the first address that accepts a connection. The addresses share the timeout, so a silent one does
    /// not use it up.
    async fn connect(&self) -> Result<TcpStream, Failure> {
        let end = Instant::now() + TO_CONNECT;
        let addresses: Vec<SocketAddr> = match timeout(TO_CONNECT, lookup_host((&*self.host, self.port))).await {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(_)) => Vec::new(),
            Err(_) => return Err(Failure::no_connection_in_time()),
        };
        let mut last = Failure::new(FailureKind::Unresolved, "the host name could not be resolved");
        for (tried, address) in (0..).zip(&addresses) {
            // What an address does not use of its share goes to those after it.
            let left = u32::try_from(addresses.len()).unwrap_or(u32::MAX).saturating_sub(tried).max(1);
            let share: Duration = end.saturating_duration_since(Instant::now()) / left;
            last = match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => Failure::of_connection(&error),
                Err(_) => Failure::no_connection_in_time(),
            };
        }
        Err(last)
    }

    async fn secure(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, Failure> {
        let name = ServerName::try_from(self.host.clone());
        let name = name
            .map_err(|_| Failure::new(FailureKind::Certificate, "no certificate can be valid for such a host name"))?;
        let secured = timeout(PATIENCE, self.roots.connector().await?.connect(name, stream)).await;
        secured.map_err(|_| Failure::no_reply_in_time())?.map_err(|error| Failure::of_handshake(&error))
    }
}

impl fmt::Display for Server {
    /// Writes the host and the port. The host is sanitized, because release 0.1.0 stored it as the vendor sent it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (Shown::sentence(&self.host).unwrap_or_default(), self.port);
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// How long connecting may take, including name resolution.
const TO_CONNECT: Duration = Duration::from_secs(10);

fn no_mechanism() -> Failure {
    Failure::new(FailureKind::NoAuth, "it offers no supported mechanism")
}
