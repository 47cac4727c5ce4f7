//! Signatures: some vendors authorize a request by a signature over all of it.

use std::{fmt, time::SystemTime};

use http::{HeaderName, Method};
use url::Url;

use crate::secret::Secret;

/// Signs requests.
pub trait Sign: fmt::Debug + Send + Sync {
    /// Returns the headers that authorize one try. Called before each try, because a signature is valid for minutes.
    fn sign(&self, unsigned: &Unsigned<'_>) -> Vec<(HeaderName, Secret)>;
}

/// What a signature is made of.
#[derive(Debug)]
pub struct Unsigned<'a> {
    /// The method.
    pub method: &'a Method,
    /// The URL, whose host and port are the `Host` header.
    pub url: &'a Url,
    /// The `Host` header.
    pub host: &'a str,
    /// The `Content-Type` header; empty if there is none.
    pub content_type: &'a str,
    /// The body.
    pub body: &'a [u8],
    /// The time of the try.
    pub now: SystemTime,
}
