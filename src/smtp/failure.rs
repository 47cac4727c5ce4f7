//! Why an SMTP check failed. Only the codes of a server's replies are shown, never its text.

use std::{borrow::Cow, io};

use rustls::{AlertDescription, PeerIncompatible};

use super::reply::{Enhanced, Reply};
use crate::trust;

/// Why a check or a login failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// The kind of failure, for decisions.
    pub kind: FailureKind,
    /// The code of the reply, if there was one.
    pub code: Option<u16>,
    /// The enhanced status code of the reply, if it has one.
    pub enhanced: Option<Enhanced>,
    /// What went wrong, to follow a colon.
    pub reason: Cow<'static, str>,
}

/// The kind of failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FailureKind {
    /// The server has a temporary problem: a 4xx reply, such as 421 or 454.
    Busy,
    /// The server's certificate is not trusted.
    Certificate,
    /// The server requires a client certificate.
    ClientCertificate,
    /// The server rejected the login with a 5xx reply that is not about the password.
    Denied,
    /// The server closed the session right after the TLS handshake.
    EndedAfterTls,
    /// The server rejected EHLO.
    HelloRefused,
    /// The server sent something that is not an SMTP reply, is too long, or came before the command.
    Malformed,
    /// The server rejected the mechanism without checking the password.
    Mechanism,
    /// Over TLS the server offers neither AUTH PLAIN nor AUTH LOGIN.
    NoAuth,
    /// The server does not offer STARTTLS.
    NoStartTls,
    /// The server rejected the user name or the password.
    Refused,
    /// The client cannot be set up, for example without root certificates.
    Setup,
    /// There was no reply in time.
    TimedOut,
    /// The TLS handshake failed.
    Tls,
    /// The server and this client have no TLS version, cipher suite or key type in common.
    TlsMismatch,
    /// The server rejected the connection: it greeted with a 5xx reply.
    TurnedAway,
    /// There was no connection, or it broke.
    Unreachable,
    /// The name of the host could not be resolved.
    Unresolved,
}

impl Failure {
    /// Returns whether the user name or the password was rejected (RFC 4954, section 6).
    pub fn is_wrong_password(&self) -> bool {
        self.kind == FailureKind::Refused
    }

    /// Returns whether an AUTH command was rejected, for any reason. Servers lock out clients after too many of these.
    pub fn is_refused_login(&self) -> bool {
        matches!(self.kind, FailureKind::Denied | FailureKind::Mechanism | FailureKind::Refused)
    }

    /// Returns whether the problem is temporary, so that a retry makes sense.
    pub fn is_busy(&self) -> bool {
        matches!(self.kind, FailureKind::Busy | FailureKind::EndedAfterTls)
    }

    /// Refines a failure that is the first reply over TLS.
    pub(super) fn after_tls(self) -> Self {
        if self.code != Some(421) {
            return self;
        }
        let reason = "it closed the session right after the TLS handshake, as servers do that are overloaded or \
            require a client certificate";
        Self { kind: FailureKind::EndedAfterTls, reason: reason.into(), ..self }
    }

    /// Creates a failure without a reply.
    pub(super) fn new(kind: FailureKind, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, code: None, enhanced: None, reason: reason.into() }
    }

    /// Creates a failure from a reply.
    pub(super) fn replied(kind: FailureKind, reply: &Reply, reason: &'static str) -> Self {
        Self { code: Some(reply.code), enhanced: reply.enhanced(), ..Self::new(kind, reason) }
    }

    /// Creates the failure for a 4xx reply.
    pub(super) fn busy(reply: &Reply) -> Self {
        Self::replied(FailureKind::Busy, reply, "it is temporarily unavailable")
    }

    /// Returns the reply, unless it is a 4xx.
    pub(super) fn unless_busy(reply: Reply) -> Result<Reply, Self> {
        match reply.code {
            400..=499 => Err(Self::busy(&reply)),
            _ => Ok(reply),
        }
    }

    /// Creates the failure for a reply that does not fit the command.
    pub(super) fn unexpected(reply: &Reply) -> Self {
        Self::replied(FailureKind::Malformed, reply, "this reply does not fit the command")
    }

    /// Creates the failure for a connection that failed or broke. With TLS 1.3 a server may reject the client as late
    /// as after the handshake.
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

    /// Creates the failure for a connection that the server closed.
    pub(super) fn closed() -> Self {
        Self::new(FailureKind::Unreachable, "the connection was closed")
    }

    /// Creates the failure for a failed TLS handshake.
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
            // This client has no certificate, so all of these mean that one is required. Servers differ in which they
            // send.
            rustls::Error::AlertReceived(Alert::CertificateRequired | Alert::NoCertificate | Alert::BadCertificate) => {
                Self::new(ClientCertificate, "it requires a client certificate")
            }
            rustls::Error::AlertReceived(Alert::ProtocolVersion)
            | rustls::Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
            ) => Self::new(TlsMismatch, "it does not support TLS 1.2 or later"),
            rustls::Error::AlertReceived(Alert::HandshakeFailure) => Self::new(
                TlsMismatch,
                "it aborted the TLS handshake, as servers do that have no cipher suite or key type in common with the \
                 client, or that require a client certificate",
            ),
            rustls::Error::AlertReceived(Alert::InsufficientSecurity) | rustls::Error::PeerIncompatible(_) => {
                Self::new(TlsMismatch, "it has no cipher suite or key type in common with this client")
            }
            _ => no_tls(),
        }
    }

    pub(super) fn no_connection_in_time() -> Self {
        Self::new(FailureKind::TimedOut, "the connection timed out")
    }

    pub(super) fn no_reply_in_time() -> Self {
        Self::new(FailureKind::TimedOut, "it did not reply in time")
    }
}

/// Finds the TLS error inside an `io::Error`. Its `source` would skip the error that it wraps.
fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

fn no_tls() -> Failure {
    Failure::new(FailureKind::Tls, "the TLS handshake failed")
}
