//! The error of a call to a vendor, with the outcome for the password.

use std::{borrow::Cow, fmt, time::Duration};

use super::words::Origin;
use crate::secret::Shown;

/// A result whose error includes the outcome for the password.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed operation. Everything in it may be shown: it holds no secret, no URL and no body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error {
    /// The kind of failure, for decisions.
    pub kind: Kind,
    /// The outcome for the password.
    pub outcome: Outcome,
    /// Whether the vendor may still be processing the request.
    pub finality: Finality,
    /// The host that was called; empty if none was.
    pub host: Box<str>,
    /// The status of the response, if there was one.
    pub status: Option<u16>,
    /// Whether the response is in the vendor's format.
    pub words: Origin,
    /// The vendor's error code.
    pub code: Option<Shown>,
    /// The vendor's error message.
    pub message: Option<Shown>,
    /// The vendor's id of the request, for support requests.
    pub request_id: Option<Shown>,
    /// What went wrong, to follow a colon: "the connection was refused".
    pub reason: Cow<'static, str>,
    /// How long the vendor asked to wait.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// Creates an error without any information from the vendor.
    pub fn new(kind: Kind, outcome: Outcome, host: impl Into<Box<str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            outcome,
            finality: Finality::InFlight,
            host: host.into(),
            status: None,
            words: Origin::default(),
            code: None,
            message: None,
            request_id: None,
            reason: reason.into(),
            retry_after: None,
        }
    }
}

impl Error {
    /// Marks the outcome as unknown: the vendor has responded, but what it shows does not confirm it.
    #[must_use]
    pub fn unconfirmed(self) -> Self {
        Self { outcome: Outcome::MayHaveChanged, ..self }
    }

    /// Returns whether there was a response that was not in the vendor's format.
    pub fn is_foreign(&self) -> bool {
        self.status.is_some() && self.words == Origin::Foreign
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.host.is_empty() {
            write!(f, "{}: ", self.host)?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Error {}

/// The outcome of an operation for the password.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    /// The password certainly was not changed.
    NotChanged,
    /// The request was sent, and its result is unknown.
    MayHaveChanged,
    /// The vendor accepted the reset.
    Changed,
}

impl Outcome {
    /// Returns the sentence that states this outcome in every diagnostic.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NotChanged => "The password was not changed.",
            Self::MayHaveChanged => "The password may have been changed.",
            Self::Changed => "The password was changed.",
        }
    }
}

/// Whether the vendor may still process a request after the exchange has ended.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Finality {
    /// The vendor itself has responded, or never received the request. Nothing more will happen.
    Final,
    /// The vendor may still act: there was no response, or one that may come from something in between.
    InFlight,
}

/// The kind of failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The server's certificate is not trusted.
    Certificate,
    /// 409: the request conflicts with the credential's current state.
    Conflict,
    /// The vendor's data contradicts the state, so no conclusion is possible.
    Contradiction,
    /// 403: the provider's login lacks a permission.
    Forbidden,
    /// The connection ended before the response was complete.
    Interrupted,
    /// There is nothing to log in with, or a source of credentials does not work. Nothing was sent to the vendor.
    NoLogin,
    /// The vendor allows no further credential. Nothing was changed.
    NoRoom,
    /// 404 in the vendor's format: the resource does not exist.
    NotFound,
    /// A 2xx response that is not the success that the API's description asks for.
    NotDescribed,
    /// The response is not in the API's format: a wrong base URL, or a response from something in between.
    NotTheApi,
    /// The credential to replace is the one that the provider logs in with. Nothing was sent.
    OwnLogin,
    /// The API has no list of the account's credentials, or none that names them.
    NoList,
    /// 429: too many requests, and not enough time left to wait.
    RateLimited,
    /// A redirect, which is never followed.
    Redirected,
    /// Any other 4xx, or a 2xx whose body reports an error.
    Rejected,
    /// The provider's own configuration cannot work. Nothing was sent.
    Setup,
    /// The operation was stopped, by core or by a signal.
    Stopped,
    /// There was no response in time.
    TimedOut,
    /// The response is longer than any response of this API should be.
    TooLarge,
    /// 401: the provider's login is not accepted.
    Unauthorized,
    /// The vendor is unavailable: 408, 5xx, or a status of its own with that meaning.
    Unavailable,
    /// There was no connection.
    Unreachable,
    /// The response does not have the documented form.
    Unreadable,
}
