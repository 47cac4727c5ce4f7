//! Secret text, the two places where it may leave this process, and the one exit for texts from outside.
//!
//! A password, a token or a key is a [`Secret`] from the moment it is read. Its memory is wiped when it is dropped, and
//! nothing prints it: neither `Debug` nor any error of this crate. Where it enters, it is [remembered](Secret::known).
//!
//! What a vendor, a mail server or a proxy says is an [`Outside`] until it leaves: as [`Shown`] words, without whatever of it is
//! secret or would act on a terminal, or as a [`Name`], which is such a text whole or not at all.
//!
//! - `known` remembers the secrets of this process;
//! - `search` finds them in a text, with `layer`, `graph`, `step`, `escapes`, `names` and `binary` for the encodings that a program may have used;
//! - `plain` knows what is no visible text, and drops it;
//! - `outside` puts these together.

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

    /// Takes the text over, and remembers it for as long as the process lasts: no text from outside is shown with it.
    ///
    /// For every secret that enters: from core, from the environment, from an answer, or made here.
    pub fn known(text: impl Into<String>) -> Self {
        let secret = Self::new(text);
        secret.remember();
        secret
    }

    /// Remembers the secret for as long as the process lasts. Costs a look-up where it is known already.
    ///
    /// One of fewer than four bytes is not: it would riddle every text with holes, and tell its own length.
    pub fn remember(&self) {
        known::remember(self.expose());
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
}
