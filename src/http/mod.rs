//! The HTTP client that all vendors share: what may be sent again, and what may not.
//!
//! A [`Client`] makes an [`Api`] for a vendor's base URL, an `Api` makes [`Request`]s, and a request is sent in one of two
//! ways. [`Request::read`] may send it any number of times. [`Request::reset`] sends it again only when the earlier one
//! is proven unprocessed, because the answer to a reset is the only copy of the new password.
//!
//! The way of a request through the files:
//!
//! - `request` puts it together, with `path` for the part of the URL that names a credential, and `message` for its bytes;
//! - `retry` is the one loop around it;
//! - `gate` lets it leave when the vendor takes it, with `retry_after` for the vendor's own word on when, and `limit` for ours;
//! - `exchange` sends it once, over a connection that `transport` makes, with `dial`, `proxy`, `no_proxy` and `tunnel`; `kept` has those
//!   that look-ups share;
//! - `arriving` reads what comes back, `framing` finds its end, and `salvage` the password where it is broken;
//! - `words` knows whether a response is in the vendor's own words, and `classify` judges it, or that there was none;
//! - `error_format` reads what a vendor says, and shows it as [`Shown`](crate::secret::Shown) words only.
//!
//! Every failure is an [`Error`], which says with its [`Outcome`] what has become of the password.

mod answer;
mod arriving;
mod base_url;
mod classify;
mod client;
mod dial;
mod error;
mod error_format;
mod exchange;
mod framing;
mod gate;
mod json;
mod kept;
mod limit;
mod lookup;
mod message;
mod no_proxy;
mod operation;
mod path;
mod proxy;
mod random;
mod request;
mod retry;
mod retry_after;
mod route;
mod salvage;
mod transport;
mod tunnel;
mod words;

pub use http::Method;

pub use answer::Answer;
pub use base_url::BaseUrl;
pub use client::{Api, Client, Settings};
pub use error::{Error, Finality, Kind, Outcome, Result};
pub use error_format::{ErrorFormat, FieldErrors};
pub use operation::Operation;
pub use request::{BodyText, Request};
pub use words::{Agreement, Form, Mark, Words};

pub use crate::trust::CertificateFile;
