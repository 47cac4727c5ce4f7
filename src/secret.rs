//! Secret text, and the two places where it may leave this process.
//!
//! A password, a token or a key is a [`Secret`] from the moment it is read. Its memory is wiped when it is dropped, and
//! nothing prints it: neither `Debug` nor any error of this crate.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// Text that is shown to nobody but the vendor, the mail server and the state.
#[derive(Clone, Default)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the text over: its buffer is wiped now, and each copy when it is dropped.
    pub fn new(text: impl Into<String>) -> Self {
        // A buffer with room to spare would be moved, and what it leaves behind is not wiped.
        let text = Zeroizing::new(text.into());
        Self(SecretString::from(text.as_str()))
    }

    /// The text, for the wire: an HTTP request or SMTP AUTH.
    pub fn for_wire(&self) -> &str {
        self.expose()
    }

    /// The text, for an answer to core that ends up in the state.
    pub fn for_state(&self) -> &str {
        self.expose()
    }

    /// Tells whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }

    /// Applies `rule` to the text. A rule answers with words about the text and never with the text.
    pub fn check<E>(&self, rule: impl FnOnce(&str) -> Result<(), E>) -> Result<(), E> {
        rule(self.expose())
    }

    /// Replaces every occurrence of the secret in `text`.
    ///
    /// Secrets of fewer than four bytes are left: they would riddle the text with holes and tell their own length.
    pub fn scrub(&self, text: &str) -> String {
        let secret = self.expose();
        if secret.len() < 4 {
            return text.to_owned();
        }
        text.replace(secret, "[redacted]")
    }

    #[expect(clippy::disallowed_methods, reason = "the one call behind the sanctioned exposures above")]
    fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
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
    fn debug_tells_nothing_about_the_text() {
        assert_eq!(format!("{:?}", Secret::new("hunter2hunter2")), "Secret");
    }

    #[test]
    fn scrub_removes_every_occurrence() {
        let secret = Secret::new("hunter2");
        assert_eq!(secret.scrub("a hunter2 b hunter2"), "a [redacted] b [redacted]");
    }
}
