//! The HTTP client that all vendors share. It decides which requests may be repeated.
//!
//! A [`Client`] creates an [`Api`] for a vendor's base URL, an `Api` creates [`Request`]s, and a request is sent in one
//! of three ways. [`Request::read`] may repeat it freely. [`Request::set`] repeats it if the outcome is unknown,
//! because setting the same password twice is harmless. [`Request::reset`] repeats it only if the vendor certainly has
//! not processed it, because the response to a reset is the only copy of the new password.
//!
//! A request passes through these files:
//!
//! - `request` builds it, with `json_body` for what it sends, `path` for the part of the URL that identifies a
//!   credential, and `message` for its bytes;
//! - `sign` signs each try of it, where a vendor wants that;
//! - `retry` is the only retry loop;
//! - `gate` waits for the vendor's rate limit, with `retry_after` for its headers, and `limit` for the user's own
//!   limit;
//! - `exchange` sends it once, over a connection that `transport` opens with `dial`, `proxy`, `no_proxy` and `tunnel`;
//!   `kept` holds those that reads reuse;
//! - `arriving` reads the response into buffers of `wiped`, `framing` finds its end, and `salvage` finds the password
//!   in a broken one;
//! - `syntax` rewrites a response in XML as JSON, with `xml`;
//! - `words` decides whether a response is in the vendor's format, and `classify` what it proves;
//! - `error_format` parses a vendor's errors, and exposes them only as [`Shown`](crate::secret::Shown).
//!
//! Every failure is an [`Error`] with the [`Outcome`] for the password.

mod answer;
mod arriving;
mod base_url;
mod classify;
mod client;
mod condition;
mod dial;
mod error;
mod error_format;
mod exchange;
mod framing;
mod gate;
mod json;
mod json_body;
mod kept;
mod limit;
mod lookup;
mod message;
mod no_proxy;
mod operation;
mod path;
pub(crate) mod pointer;
mod proxy;
mod random;
mod request;
mod retry;
mod retry_after;
mod route;
mod salvage;
mod sign;
mod syntax;
mod transport;
mod tunnel;
mod wiped;
mod words;
mod xml;

pub use http::{HeaderName, Method};

pub use answer::Answer;
pub use base_url::BaseUrl;
pub use client::{Api, Client, Settings};
pub use condition::Condition;
pub use error::{Error, Finality, Kind, Outcome, Result};
pub use error_format::{ErrorFormat, FieldErrors};
pub use json_body::{BodyText, Json};
pub use operation::Operation;
pub use request::Request;
pub use sign::{Sign, Unsigned};
pub use words::{Agreement, Form, Mark, Origin};

pub use crate::trust::CertificateFile;
