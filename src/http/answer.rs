//! A successful response of a vendor.

use std::{borrow::Cow, fmt};

use http::HeaderMap;
use serde::de::{DeserializeOwned, DeserializeSeed};
use zeroize::Zeroizing;

use super::{
    error::{Error, Finality, Kind, Outcome, Result},
    error_format::ErrorFormat,
    words::{Agreement, Media, Origin},
};
use crate::secret::{Secret, Shown};

/// A 2xx response. It may hold a password: its memory is wiped when it is dropped, and its body is never printed.
pub struct Answer {
    /// The status, from 200 to 299.
    pub status: u16,
    pub(super) media: Media,
    pub(super) body: Zeroizing<Vec<u8>>,
    /// Further texts to search for the password, if the response is broken.
    pub(super) beyond: Vec<Zeroizing<Vec<u8>>>,
    /// Whether the body is complete and nothing follows it.
    pub(super) is_whole: bool,
    /// What is wrong with the response, if it is broken.
    pub(super) flaw: Option<BrokenResponse>,
    pub(super) host: Box<str>,
    /// The outcome for the password, now that the vendor has accepted the request.
    pub(super) outcome: Outcome,
    pub(super) request_id: Option<Shown>,
    pub(super) error_format: &'static ErrorFormat,
}

/// Why a response is broken, and what that proves if it holds no password.
#[derive(Clone, Debug)]
pub(super) struct BrokenResponse {
    pub(super) kind: Kind,
    pub(super) outcome: Outcome,
    pub(super) finality: Finality,
    pub(super) reason: Cow<'static, str>,
}

impl Answer {
    /// Returns whether the body is complete and nothing follows it.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Returns the length of the body in bytes.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Returns whether the body is empty or only white space.
    pub fn is_empty(&self) -> bool {
        self.body.trim_ascii().is_empty()
    }

    /// Returns whether the body is an error in the vendor's format, although the status is a success.
    pub fn is_refusal(&self) -> bool {
        self.error_format.refusal.of_refusal(self.media, &self.body) == Origin::Vendor
    }

    /// Returns whether the body is in the form of the API's errors, whatever its media type is.
    pub fn reports_error(&self) -> bool {
        self.error_format.refusal.is_said_in(&self.body)
    }

    /// Parses the body as JSON. The error says that it is not as documented, and never quotes it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        if !self.media.may_be_json() {
            return Err(self.unreadable("the response is not JSON"));
        }
        // The parser's errors quote their input.
        serde_json::from_slice(&self.body)
            .map_err(|_| self.unreadable("the response does not have the documented form"))
    }

    /// Parses the body as JSON with a seed, which says what is kept of it. The error is that of [`json`](Self::json).
    pub fn json_with<T>(&self, seed: impl for<'de> DeserializeSeed<'de, Value = T>) -> Result<T> {
        if !self.media.may_be_json() {
            return Err(self.unreadable("the response is not JSON"));
        }
        let mut json = serde_json::Deserializer::from_slice(&self.body);
        let value = seed.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
        // The parser's errors quote their input.
        value.map_err(|_| self.unreadable("the response does not have the documented form"))
    }

    /// Returns whether the response is the documented success.
    pub fn agrees(&self, agreement: &Agreement) -> bool {
        agreement.of(self.status, self.media, &self.body, &self.error_format.refusal) == Origin::Vendor
    }

    /// Returns whether the response says that nothing was changed.
    pub fn is_refusal_of(&self, agreement: &Agreement) -> bool {
        agreement.is_refusal(&self.body)
    }

    /// Returns a body that is not JSON but a text, without white space around it; `None` if it is empty or anything else.
    pub fn plain_text(&self) -> Option<Secret> {
        let text = str::from_utf8(&self.body).ok().filter(|_| self.media == Media::Unsaid)?.trim();
        (!text.is_empty()).then(|| Secret::new(text))
    }

    /// Creates the error for a response that lacks something, such as "the response has no password".
    pub fn unreadable(&self, reason: impl Into<Cow<'static, str>>) -> Error {
        let error = match self.flaw.clone() {
            // What is missing may be in the part that was not received.
            Some(BrokenResponse { kind, outcome, finality, reason }) => {
                Error { finality, ..Error::new(kind, outcome, self.host.clone(), reason) }
            }
            // After a complete response nothing more happens.
            None => Error {
                finality: if self.is_whole { Finality::Final } else { Finality::InFlight },
                ..Error::new(Kind::Unreadable, self.outcome, self.host.clone(), reason)
            },
        };
        Error { status: Some(self.status), request_id: self.request_id.clone(), ..error }
    }

    /// Adds the vendor's code and message to an error, if the body is in the form of the API's errors: nothing in between
    /// writes that, so the API is done with the request.
    pub fn with_message(&self, error: Error) -> Error {
        if !self.reports_error() {
            return error;
        }
        let Error { words, code, message, request_id, .. } = self.refused();
        Error { words, code, message, request_id, finality: Finality::Final, ..error }
    }

    /// Creates the error for a response whose body reports a failure although the status is a success.
    pub fn refused(&self) -> Error {
        let said = self.error_format.read(&self.body, Media::Unsaid, &HeaderMap::new());
        Error {
            status: Some(self.status),
            words: said.words,
            code: said.code,
            message: said.message,
            request_id: said.request_id.or_else(|| self.request_id.clone()),
            ..Error::new(Kind::Rejected, Outcome::NotChanged, self.host.clone(), "the response reports a failure")
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}
