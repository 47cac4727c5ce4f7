//! Secrets, the only ways in which they may leave this process, and the sanitizing of texts from outside.
//!
//! A password, a token or a key is a [`Secret`] from the moment it is read. Its memory is wiped when it is dropped, and
//! neither `Debug` nor any error of this crate prints it. Every secret that enters the process is
//! [remembered](Secret::known).
//!
//! A text from a vendor, a mail server or a proxy is an [`Outside`]. To be displayed it becomes a [`Shown`], from which
//! secrets and terminal sequences are removed. To be stored it becomes a [`Name`], which is rejected if it contains any
//! of these.
//!
//! - `known` holds the secrets of this process;
//! - `search` finds them in a text, with `layer`, `graph`, `step`, `escapes`, `names` and `binary` for encoded ones;
//! - `plain` removes invisible characters and terminal sequences;
//! - `outside` combines these.

mod binary;
mod escapes;
mod graph;
mod known;
mod layer;
mod names;
mod outside;
mod plain;
mod search;
mod step;

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

pub use outside::{Name, Outside, Shown};

/// A text that only the vendor, the mail server and the state may receive.
#[derive(Clone, Default)]
pub struct Secret(SecretString);

impl Secret {
    /// Creates a secret. The original buffer is wiped now, and each copy when it is dropped.
    pub fn new(text: impl Into<String>) -> Self {
        // A buffer with spare capacity would be reallocated, and the old one would not be wiped.
        let text = Zeroizing::new(text.into());
        Self(SecretString::from(text.as_str()))
    }

    /// Creates a secret and remembers it for the lifetime of the process, so that it is redacted from texts from
    /// outside.
    ///
    /// To be used for every secret that enters the process, from core, the environment or a response, or that is
    /// generated.
    pub fn known(text: impl Into<String>) -> Self {
        let secret = Self::new(text);
        secret.remember();
        secret
    }

    /// Remembers the secret for the lifetime of the process. Remembering it again costs one lookup.
    ///
    /// Secrets of fewer than four bytes are not remembered: redacting them would make every text unreadable and reveal
    /// their length.
    pub fn remember(&self) {
        known::remember(self.expose());
    }

    /// Remembers the value of a header, and what follows a scheme or a name in it: a response may repeat the token alone,
    /// as in `cpanel user:token` or `Token token="…"`.
    pub fn remember_header(&self) {
        self.remember();
        for (at, separator) in self.expose().match_indices([' ', ':', '=', '"']) {
            let rest = self.expose()[at + separator.len()..].trim_matches('"');
            if rest.len() >= SHORTEST_TOKEN {
                known::remember(rest);
            }
        }
    }

    /// Returns the text to send it, in an HTTP request or SMTP AUTH.
    pub fn for_wire(&self) -> &str {
        self.expose()
    }

    /// Returns the text to store it in the state.
    pub fn for_state(&self) -> &str {
        self.expose()
    }

    /// Returns whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }

    /// Applies `rule` to the text. The error of a rule must not quote the text.
    pub fn check<E>(&self, rule: impl FnOnce(&str) -> Result<(), E>) -> Result<(), E> {
        rule(self.expose())
    }

    #[expect(clippy::disallowed_methods, reason = "the one call behind the sanctioned exposures above")]
    fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The length in bytes from which a part of a header is taken for a token.
const SHORTEST_TOKEN: usize = 8;

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        // Not in constant time: both sides come from this process, so nobody can measure it.
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_text() {
        assert_eq!(format!("{:?}", Secret::new("hunter2hunter2")), "Secret");
    }
}
