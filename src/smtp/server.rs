//! One mail server, and the two things that are done there.

use std::{fmt, net::SocketAddr, time::Duration};

use rustls::pki_types::ServerName;
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout},
};
use tokio_rustls::client::TlsStream;

use super::{Failure, FailureKind, Roots, login::Mechanism, reply::PATIENCE, session::Session};
use crate::secret::{Secret, Shown};

/// How a connection becomes TLS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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
    pub async fn leave(self) -> Result<(), Failure> {
        if let Some(mut session) = self.session {
            session.quit().await;
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
    /// No byte of AUTH is sent. Every step takes at most ten seconds; what is dropped is cut off.
    pub async fn check(&self) -> Result<(), Failure> {
        let (mut session, _) = self.open().await?;
        session.quit().await;
        Ok(())
    }

    /// Logs in and leaves. No mail is sent.
    ///
    /// Every step takes at most ten seconds; what is dropped is cut off.
    pub async fn login(&self, username: &str, password: &Secret) -> Result<(), Failure> {
        self.log_in(username, password).await.leave().await
    }

    /// Logs in, and answers before leave is taken, so that whoever runs out of time then still has the answer.
    pub async fn log_in(&self, username: &str, password: &Secret) -> Login {
        match self.open().await {
            Ok((mut session, mechanism)) => {
                let answer = session.log_in(mechanism, username, password).await;
                Login { answer, session: Some(session) }
            }
            Err(failure) => Login { answer: Err(failure), session: None },
        }
    }

    async fn open(&self) -> Result<(Session<TlsStream<TcpStream>>, Mechanism), Failure> {
        let stream = self.connect().await?;
        let mut session = match self.security {
            Security::StartTls => {
                let mut clear = Session::on(stream);
                clear.greeting().await?;
                Session::on(self.secure(clear.start_tls().await?).await?)
            }
            Security::Tls => {
                let mut session = Session::on(self.secure(stream).await?);
                session.greeting().await?;
                session
            }
        };
        let mechanism = session.mechanism().await?;
        Ok((session, mechanism))
    }

    /// Connects to the first address that answers. All of them share the time, so that one that is silent does not use it up.
    async fn connect(&self) -> Result<TcpStream, Failure> {
        let end = Instant::now() + PATIENCE;
        let addresses: Vec<SocketAddr> = match timeout(PATIENCE, lookup_host((&*self.host, self.port))).await {
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
