//! Why a mail server was no help, in words of ours only: what a server says is never repeated.

use std::io;

use crate::trust;

/// Why a server could not be checked or logged in at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// What went wrong, for decisions.
    pub kind: FailureKind,
    /// The code of the reply that says so, where a reply does.
    pub code: Option<u16>,
    /// What went wrong, in words that follow the server's name and a colon.
    pub reason: &'static str,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FailureKind {
    /// The server has a problem that it expects to pass: a 4xx reply, such as 421 or 454.
    Busy,
    /// The server's certificate is not to be trusted.
    Certificate,
    /// What came is no reply, or a longer one than any server has to give.
    Malformed,
    /// Over TLS the server offers neither AUTH PLAIN nor AUTH LOGIN.
    NoAuth,
    /// The server does not offer STARTTLS.
    NoStartTls,
    /// The server refused the login: 535 for a wrong user name or password, or another 5xx.
    Refused,
    /// Something on this side is missing, such as the file with certificates.
    Setup,
    /// Nothing came in time.
    TimedOut,
    /// No TLS connection could be agreed on.
    Tls,
    /// The server greeted with a 5xx reply: it wants nothing to do with us.
    TurnedAway,
    /// No connection came about, or it broke.
    Unreachable,
    /// The name of the host could not be resolved.
    Unresolved,
}

impl Failure {
    /// Tells whether it is about the user name and the password themselves (RFC 4954, section 6).
    pub fn is_wrong_password(&self) -> bool {
        self.kind == FailureKind::Refused && self.code == Some(535)
    }

    /// A failure that no reply tells.
    pub(super) fn new(kind: FailureKind, reason: &'static str) -> Self {
        Self { kind, code: None, reason }
    }

    /// A failure that a reply tells.
    pub(super) fn replied(kind: FailureKind, code: u16, reason: &'static str) -> Self {
        Self { code: Some(code), ..Self::new(kind, reason) }
    }

    /// A connection that did not come about, or broke.
    pub(super) fn of_connection(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::new(FailureKind::Unreachable, "the connection was refused"),
            io::ErrorKind::TimedOut => Self::no_connection_in_time(),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => Self::closed(),
            _ => Self::new(FailureKind::Unreachable, "the connection failed"),
        }
    }

    /// A connection that the other side closed.
    pub(super) fn closed() -> Self {
        Self::new(FailureKind::Unreachable, "the connection was closed")
    }

    /// A TLS handshake that failed. `io::Error` passes over the error that it wraps, so this looks inside.
    pub(super) fn of_handshake(error: &io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(rustls::Error::InvalidCertificate(error)) => Self::new(FailureKind::Certificate, trust::fault(error)),
            _ => Self::new(FailureKind::Tls, "no TLS connection could be agreed on"),
        }
    }

    pub(super) fn no_connection_in_time() -> Self {
        Self::new(FailureKind::TimedOut, "no connection came about in time")
    }

    pub(super) fn no_reply_in_time() -> Self {
        Self::new(FailureKind::TimedOut, "it gave no answer in time")
    }
}
