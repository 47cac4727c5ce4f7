//! What a vendor answered when it agreed.

use std::borrow::Cow;
use std::fmt;

use http::HeaderMap;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::words::{Media, Words};
use super::{Error, ErrorFormat, Finality, Kind, Outcome, Result};
use crate::secret::Shown;

/// A 2xx answer. It may hold a password: its memory is wiped when it is dropped, and nothing prints its body.
pub struct Answer {
    /// The status, from 200 to 299.
    pub status: u16,
    pub(super) media: Media,
    pub(super) body: Zeroizing<Vec<u8>>,
    /// Further texts to look for the password in, where the body is not the whole of what came.
    pub(super) beyond: Vec<Zeroizing<Vec<u8>>>,
    /// Whether the body came to its end, with nothing behind that.
    pub(super) is_whole: bool,
    /// What is wrong with it, where it is broken.
    pub(super) flaw: Option<Flaw>,
    pub(super) host: Box<str>,
    /// What has become of the password, now that the vendor has agreed.
    pub(super) outcome: Outcome,
    pub(super) request_id: Option<Shown>,
    pub(super) error_format: &'static ErrorFormat,
}

/// Why an answer is broken, and what it proves where it holds no password.
#[derive(Clone, Debug)]
pub(super) struct Flaw {
    pub(super) kind: Kind,
    pub(super) outcome: Outcome,
    pub(super) finality: Finality,
    pub(super) reason: Cow<'static, str>,
}

impl Answer {
    /// Whether its body came to the end that was announced, with nothing behind that.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// How many bytes its body has.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Whether it has no body.
    pub fn is_empty(&self) -> bool {
        self.body.trim_ascii().is_empty()
    }

    /// Whether its body, whatever its status says, is a refusal in the vendor's own words.
    pub fn is_refusal(&self) -> bool {
        self.error_format.refusal.of_refusal(self.media, &self.body) == Words::Own
    }

    /// Reads the body. An error says that it lacks the documented form, and never what it holds.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        if self.media == Media::Other {
            return Err(self.unreadable("the answer is not JSON"));
        }
        // The parser's own words echo what it read.
        serde_json::from_slice(&self.body).map_err(|_| self.unreadable("the answer does not have the documented form"))
    }

    /// The error of an answer that lacks what it should hold, such as "the answer holds no password".
    pub fn unreadable(&self, reason: impl Into<Cow<'static, str>>) -> Error {
        let error = match self.flaw.clone() {
            // What it lacks may be in what did not come.
            Some(Flaw { kind, outcome, finality, reason }) => {
                Error { finality, ..Error::new(kind, outcome, self.host.clone(), reason) }
            }
            None => Error::new(Kind::Unreadable, self.outcome, self.host.clone(), reason),
        };
        Error { status: Some(self.status), request_id: self.request_id.clone(), ..error }
    }

    /// The error of an answer that says in its body, and not by its status, that nothing was done.
    pub fn refused(&self) -> Error {
        let said = self.error_format.read(&self.body, &HeaderMap::new());
        Error {
            status: Some(self.status),
            words: said.words,
            code: said.code,
            message: said.message,
            request_id: said.request_id.or_else(|| self.request_id.clone()),
            ..Error::new(Kind::Rejected, Outcome::NotChanged, self.host.clone(), "the answer says that it failed")
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}
