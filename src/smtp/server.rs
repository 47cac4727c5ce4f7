//! One mail server, and the two things that are done there.

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
    /// It starts in clear and goes on after STARTTLS, or not at all.
    StartTls,
    /// It is TLS from its first byte.
    Tls,
}

/// A submission server. It is called directly: a proxy for HTTP is none for SMTP.
#[derive(Clone, Debug)]
pub struct Server {
    host: String,
    port: u16,
    security: Security,
    roots: Roots,
}

/// A login that was answered, in a session that is still to be left.
#[derive(Debug)]
#[must_use = "a server is left with QUIT"]
pub struct Login {
    /// What the server said. Nothing that comes after it takes it back.
    pub answer: Result<(), Failure>,
    session: Option<Session<TlsStream<TcpStream>>>,
}

impl Login {
    /// Takes leave.
    ///
    /// A reply to AUTH that comes in reply to QUIT shows that the one before it was none, and that nothing is known.
    pub async fn leave(self) -> Result<(), Failure> {
        if let Some(mut session) = self.session
            && let Some(code @ (432 | 454 | 530 | 534 | 535 | 538)) = session.quit().await
            && self.answer.is_ok()
        {
            let reason = "it answered before it was asked";
            return Err(Failure { code: Some(code), ..Failure::new(FailureKind::Malformed, reason) });
        }
        self.answer
    }
}

impl Server {
    /// Names a server. Nothing is looked up and nothing is sent.
    pub fn new(host: &str, port: u16, security: Security, roots: Roots) -> Self {
        // The name that the certificate has to hold; what is no name at all fails when it is looked up.
        let host = match url::Host::parse(host) {
            Ok(url::Host::Domain(name)) => name,
            Ok(url::Host::Ipv4(address)) => address.to_string(),
            Ok(url::Host::Ipv6(address)) => address.to_string(),
            Err(_) => host.to_owned(),
        };
        Self { host, port, security, roots }
    }

    /// Checks that a login can be tried: connects, agrees on TLS, looks for AUTH PLAIN or LOGIN, and leaves.
    ///
    /// No byte of AUTH is sent. A connection is waited for ten seconds, the greeting a minute, every other step half a minute; what is
    /// dropped is cut off.
    pub async fn check(&self) -> Result<(), Failure> {
        let (mut session, _) = self.open().await?;
        session.quit().await;
        Ok(())
    }

    /// Logs in by whichever mechanism takes the password, and leaves. No mail is sent.
    ///
    /// The word on a login is waited for a minute, every other step as in [`Server::check`]; what is dropped is cut off.
    pub async fn login(&self, username: &str, password: &Secret) -> Result<(), Failure> {
        self.log_in(username, password).await.leave().await
    }

    /// Logs in, and returns before leave is taken, so that a caller who runs out of time then still has the answer.
    ///
    /// The judgement is that of the last mechanism that looked at the password, or else of the last that was refused.
    pub async fn log_in(&self, username: &str, password: &Secret) -> Login {
        self.log_in_again(username, password, Extent::Every, &mut Tried::default()).await
    }

    /// Logs in as one of several times, and notes in `tried` what that shows.
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
                    // Many close a session after a refusal. The next mechanism then gets one of its own.
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

    /// Connects to the first address that answers. All of them share the time, so that one that is silent does not use it up.
    async fn connect(&self) -> Result<TcpStream, Failure> {
        let end = Instant::now() + TO_CONNECT;
        let addresses: Vec<SocketAddr> = match timeout(TO_CONNECT, lookup_host((&*self.host, self.port))).await {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(_)) => Vec::new(),
            Err(_) => return Err(Failure::no_connection_in_time()),
        };
        let mut last = Failure::new(FailureKind::Unresolved, "the host name could not be resolved");
        for (tried, address) in (0..).zip(&addresses) {
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
        let name = name.map_err(|_| Failure::new(FailureKind::Certificate, "no certificate can be for such a host"))?;
        let secured = timeout(PATIENCE, self.roots.connector().await?.connect(name, stream)).await;
        secured.map_err(|_| Failure::no_reply_in_time())?.map_err(|error| Failure::of_handshake(&error))
    }
}

impl fmt::Display for Server {
    /// Writes the host and the port. A state may hold a host that an earlier release took from a vendor as it came.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (Shown::sentence(&self.host).unwrap_or_default(), self.port);
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// How long a connection may take, the look-up of the host included.
const TO_CONNECT: Duration = Duration::from_secs(10);

fn no_mechanism() -> Failure {
    Failure::new(FailureKind::NoAuth, "it offers no way to log in")
}
