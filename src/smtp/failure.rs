//! Why a mail server was no help, in words of ours only: of what a server says, the codes are shown and nothing else.

use std::{borrow::Cow, io};

use rustls::{AlertDescription, PeerIncompatible};

use super::reply::{Enhanced, Reply};
use crate::trust;

/// Why a server could not be checked or logged in at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// What went wrong, for decisions.
    pub kind: FailureKind,
    /// The code of the reply that says so, where a reply does.
    pub code: Option<u16>,
    /// The enhanced status code of that reply, where it has one.
    pub enhanced: Option<Enhanced>,
    /// What went wrong, in words that follow the server's name and a colon.
    pub reason: Cow<'static, str>,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FailureKind {
    /// The server has a problem that it expects to pass: a 4xx reply, such as 421 or 454.
    Busy,
    /// The server's certificate is not to be trusted.
    Certificate,
    /// The server demands a certificate of the client.
    ClientCertificate,
    /// The server refused the login with a 5xx reply that is not about the password.
    Denied,
    /// The server ended the session right after TLS was agreed on.
    EndedAfterTls,
    /// The server refused EHLO.
    HelloRefused,
    /// What came is no reply, or a longer one than any server has to give, or it came before it was asked for.
    Malformed,
    /// The server refused the mechanism, and has not looked at the password.
    Mechanism,
    /// Over TLS the server offers neither AUTH PLAIN nor AUTH LOGIN.
    NoAuth,
    /// The server does not offer STARTTLS.
    NoStartTls,
    /// The server refused the user name or the password.
    Refused,
    /// Something on this side is missing, such as the file with certificates.
    Setup,
    /// Nothing came in time.
    TimedOut,
    /// No TLS connection could be agreed on.
    Tls,
    /// The server and this client have no version of TLS, no cipher suite or no kind of key in common.
    TlsMismatch,
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
        self.kind == FailureKind::Refused
    }

    /// Tells whether it is an AUTH command that was refused, whatever for. Servers lock out clients for too many of these.
    pub fn is_refused_login(&self) -> bool {
        matches!(self.kind, FailureKind::Denied | FailureKind::Mechanism | FailureKind::Refused)
    }

    /// Tells whether the server asks for patience.
    pub fn is_busy(&self) -> bool {
        matches!(self.kind, FailureKind::Busy | FailureKind::EndedAfterTls)
    }

    /// The failure, in a session whose first reply over TLS is this.
    pub(super) fn after_tls(self) -> Self {
        if self.code != Some(421) {
            return self;
        }
        let reason = "it ended the session right after TLS was agreed on, as servers do that are overloaded, or that demand a certificate \
                      of the client";
        Self { kind: FailureKind::EndedAfterTls, reason: reason.into(), ..self }
    }

    /// A failure that no reply tells.
    pub(super) fn new(kind: FailureKind, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, code: None, enhanced: None, reason: reason.into() }
    }

    /// A failure that a reply tells.
    pub(super) fn replied(kind: FailureKind, reply: &Reply, reason: &'static str) -> Self {
        Self { code: Some(reply.code), enhanced: reply.enhanced(), ..Self::new(kind, reason) }
    }

    /// A 4xx reply.
    pub(super) fn busy(reply: &Reply) -> Self {
        Self::replied(FailureKind::Busy, reply, "it cannot answer at the moment")
    }

    /// The reply, unless it is a 4xx.
    pub(super) fn unless_busy(reply: Reply) -> Result<Reply, Self> {
        match reply.code {
            400..=499 => Err(Self::busy(&reply)),
            _ => Ok(reply),
        }
    }

    /// A reply that has no place there.
    pub(super) fn unexpected(reply: &Reply) -> Self {
        Self::replied(FailureKind::Malformed, reply, "that is no answer to what it was asked")
    }

    /// A connection that did not come about, or broke. With TLS 1.3 a server may refuse the client after the handshake only.
    pub(super) fn of_connection(error: &io::Error) -> Self {
        match (tls_error(error), error.kind()) {
            (Some(error), _) => Self::of_tls(error),
            (None, io::ErrorKind::ConnectionRefused) => {
                Self::new(FailureKind::Unreachable, "the connection was refused")
            }
            (None, io::ErrorKind::TimedOut) => Self::no_connection_in_time(),
            (None, io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof) => {
                Self::closed()
            }
            _ => Self::new(FailureKind::Unreachable, "the connection failed"),
        }
    }

    /// A connection that the other side closed.
    pub(super) fn closed() -> Self {
        Self::new(FailureKind::Unreachable, "the connection was closed")
    }

    /// A TLS handshake that failed.
    pub(super) fn of_handshake(error: &io::Error) -> Self {
        tls_error(error).map_or_else(no_tls, Self::of_tls)
    }

    fn of_tls(error: &rustls::Error) -> Self {
        use AlertDescription as Alert;
        use FailureKind::{Certificate, ClientCertificate, TlsMismatch};
        match error {
            rustls::Error::InvalidCertificate(error) if trust::is_of_another_kind(error) => {
                Self::new(TlsMismatch, trust::fault(error))
            }
            rustls::Error::InvalidCertificate(error) => Self::new(Certificate, trust::fault(error)),
            // This client shows none, so that all of them are about there being none. Servers differ in which they send.
            rustls::Error::AlertReceived(Alert::CertificateRequired | Alert::NoCertificate | Alert::BadCertificate) => {
                Self::new(ClientCertificate, "it demands a certificate of the client")
            }
            rustls::Error::AlertReceived(Alert::ProtocolVersion)
            | rustls::Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
            ) => Self::new(TlsMismatch, "it speaks no version of TLS from 1.2 on"),
            rustls::Error::AlertReceived(Alert::HandshakeFailure) => Self::new(
                TlsMismatch,
                "it broke the TLS handshake off, as servers do that have no cipher suite or no kind of key in common with the client, or \
                 that demand a certificate of the client",
            ),
            rustls::Error::AlertReceived(Alert::InsufficientSecurity) | rustls::Error::PeerIncompatible(_) => {
                Self::new(TlsMismatch, "it has no cipher suite or no kind of key in common with this client")
            }
            _ => no_tls(),
        }
    }

    pub(super) fn no_connection_in_time() -> Self {
        Self::new(FailureKind::TimedOut, "no connection came about in time")
    }

    pub(super) fn no_reply_in_time() -> Self {
        Self::new(FailureKind::TimedOut, "it gave no answer in time")
    }
}

/// What TLS has to say. `io::Error` passes over the error that it wraps, so this looks inside.
fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

fn no_tls() -> Failure {
    Failure::new(FailureKind::Tls, "no TLS connection could be agreed on")
}
