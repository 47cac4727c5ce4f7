//! What went wrong, and what has become of the password.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::words::Words;
use crate::secret::Shown;

/// A result whose error tells what has become of the password.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed operation, in words that may be shown: no secret, no URL, no body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error {
    /// What kind of failure it is, for decisions.
    pub kind: Kind,
    /// What has become of the password.
    pub outcome: Outcome,
    /// Whether the vendor may still be at work on what was sent.
    pub finality: Finality,
    /// The host that was called; empty where none was.
    pub host: Box<str>,
    /// The status of the answer, where there was one.
    pub status: Option<u16>,
    /// Whose words the answer is in.
    pub words: Words,
    /// The vendor's own code for the failure.
    pub code: Option<Shown>,
    /// The vendor's own words.
    pub message: Option<Shown>,
    /// The vendor's id of the request, for its support.
    pub request_id: Option<Shown>,
    /// Our own words, such as "the connection was refused": to follow a colon, without a full stop.
    pub reason: Cow<'static, str>,
    /// How long the vendor asked to wait.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// Makes an error with nothing of a vendor's in it, and so without proof of how the request ended there.
    pub fn new(kind: Kind, outcome: Outcome, host: impl Into<Box<str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            outcome,
            finality: Finality::InFlight,
            host: host.into(),
            status: None,
            words: Words::default(),
            code: None,
            message: None,
            request_id: None,
            reason: reason.into(),
            retry_after: None,
        }
    }
}

impl Error {
    /// Whether there was an answer and it was not in the vendor's own words.
    pub fn is_in_other_words(&self) -> bool {
        self.status.is_some() && self.words == Words::Other
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

/// What has become of the password when an operation ends.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    /// It is proven that nothing was changed.
    NotChanged,
    /// The request was sent, and nobody knows what became of it.
    MayHaveChanged,
    /// The vendor accepted the reset.
    Changed,
}

impl Outcome {
    /// The sentence that every error ends with, word for word.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NotChanged => "The password was not changed.",
            Self::MayHaveChanged => "The password may have been changed.",
            Self::Changed => "The password was changed.",
        }
    }
}

/// Whether the vendor may still be at work on a request when its exchange has ended.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Finality {
    /// The vendor itself has answered, or never got the request: it will do nothing more.
    Final,
    /// It may still act: no answer came, or one that something in between may have given.
    InFlight,
}

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The server's certificate cannot be trusted.
    Certificate,
    /// 409: something stands in the way.
    Conflict,
    /// What the vendor shows contradicts what the state holds, so nothing may be concluded from it.
    Contradiction,
    /// 403: the credentials lack a right.
    Forbidden,
    /// The connection ended before a whole answer was there.
    Interrupted,
    /// 404 in the vendor's own words: what was asked for does not exist.
    NotFound,
    /// The answer is not in the words of this API: a wrong base URL, or something in between that answers in its place.
    NotTheApi,
    /// What is to be replaced is what we are logged in with. Nothing was sent.
    OwnLogin,
    /// 429: too many requests, and no time left to wait.
    RateLimited,
    /// A redirect, which is never followed.
    Redirected,
    /// Any other 4xx, or a 2xx whose body refuses.
    Rejected,
    /// Our own configuration cannot work. Nothing was sent.
    Setup,
    /// Core, or whoever started it, asked to stop.
    Stopped,
    /// There was no answer in time.
    TimedOut,
    /// The answer is longer than any answer of this API.
    TooLarge,
    /// 401: the credentials are not accepted.
    Unauthorized,
    /// The vendor cannot answer now: 408, 5xx, or a status of its own with that meaning.
    Unavailable,
    /// No connection came about.
    Unreachable,
    /// The answer does not have the documented form.
    Unreadable,
}
