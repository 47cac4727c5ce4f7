//! Texts from outside, and the only ways to display or store them.

use std::{borrow::Borrow, fmt, ops::Deref};

use serde::{Deserialize, Deserializer};
use zeroize::Zeroize;

use super::{plain, search};

/// A raw text from a vendor, a mail server or a proxy. It can be compared and sent back, but only displayed as
/// [`Shown`] or [`Name`], and only stored as [`Name`].
#[derive(Clone, Eq, Ord, PartialEq, PartialOrd)]
pub struct Outside(String);

impl Outside {
    /// Wraps a raw text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the raw text, to compare it or to send it back. It must not be displayed or stored.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Converts the text to a name, if it is a valid one.
    pub fn name(&self) -> Option<Name> {
        Name::new(&self.0)
    }

    /// Converts the text to a host name or address, if it is a valid one.
    pub fn host(&self) -> Option<Name> {
        Name::host(&self.0)
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outside")
    }
}

/// For lookups by the raw text.
impl Borrow<str> for Outside {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Drop for Outside {
    // It may be a password in the wrong field.
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<'de> Deserialize<'de> for Outside {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// A text from outside that is safe to display: one line of visible characters, of limited length, with `[redacted]`
/// for every known secret in any encoding.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Shown(Box<str>);

impl Shown {
    /// Sanitizes a message, up to 300 characters. `None` if nothing is left.
    pub fn sentence(text: &str) -> Option<Self> {
        Self::new(text, 300)
    }

    /// Sanitizes a code or an id, up to 80 characters. `None` if nothing is left.
    pub fn token(text: &str) -> Option<Self> {
        Self::new(text, 80)
    }

    /// Appends another text in parentheses.
    #[must_use]
    pub fn with(self, other: Option<Self>) -> Self {
        match other {
            Some(other) => Self(format!("{self} ({other})").into()),
            None => self,
        }
    }

    fn new(text: &str, most: usize) -> Option<Self> {
        let (searched, shown) = (head(text, SEARCHED), head(text, SHOWN));
        match search::secrets(searched) {
            Some(mut found) => {
                found.retain(|range| range.start < shown.len());
                let end = found.last().map_or(0, |range| range.end).max(shown.len());
                plain::line(head(text, end), &found, most).map(Self)
            }
            // A text that is too complex to search might hide a secret, so nothing of it is shown.
            None => Some(Self("[redacted]".into())),
        }
    }
}

/// How much of a text is searched, in bytes. Secrets that start in the first half are found completely.
const SEARCHED: usize = 64 * 1024;

/// How much of a text may be displayed, in bytes.
const SHOWN: usize = 32 * 1024;

/// A complete name, id or version from outside: short, of visible characters, and without any known secret in any
/// encoding.
#[derive(Clone, Eq, Ord, PartialEq, PartialOrd)]
pub struct Name(Box<str>);

impl Name {
    /// Validates a name: 1 to 320 bytes (the longest address of RFC 5321), without control characters, format
    /// characters and secrets.
    pub fn new(text: &str) -> Option<Self> {
        let is_fit = (1..=320).contains(&text.len())
            && !text.chars().any(plain::is_active)
            && search::secrets(text).is_some_and(|found| found.is_empty());
        is_fit.then(|| Self(text.into()))
    }

    /// Validates a host name or address, in ASCII and without a port.
    pub fn host(text: &str) -> Option<Self> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte));
        let is_host = url::Host::parse(text).is_ok() || text.parse::<std::net::Ipv6Addr>().is_ok();
        if is_plain && is_host && text.len() <= 255 { Self::new(text) } else { None }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Deref for Shown {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.into()
    }
}

/// Returns the start of a text, up to `most` bytes.
fn head(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_name_is_taken_whole_or_not_at_all() {
        Secret::known("hunter2-of-a-name");
        for good in ["zh48wgsfld@62515.smtp.hubspot.net", "CI / CD: 100 %", "info+news@exämple.se", &"a".repeat(320)] {
            assert_eq!(Name::new(good).as_deref(), Some(good));
        }
        for bad in [
            "",
            "user hunter2-of-a-name",
            "aHVudGVyMi1vZi1hLW5hbWU",
            "hunter2%2Dof%2Da%2Dname",
            "0b0a\r\nError: made up",
            "mx\u{1b}]0;owned\u{7}",
            "a\u{202e}b",
            "a\u{200b}b",
            "a\u{2028}b",
            "a\u{85}b",
            &"a".repeat(321),
            &"0b0a".repeat(15_000),
        ] {
            assert_eq!(Name::new(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address_without_a_port() {
        for good in ["srv11.hostup.se", "localhost", "127.0.0.1", "::1", "xn--exmple-cua.se"] {
            assert_eq!(Name::host(good).as_deref(), Some(good));
        }
        for bad in [
            "",
            "mx\u{1b}]0;owned\u{7}",
            "mx.example.com:25",
            "a b",
            "exämple.se",
            "a%2eb",
            "a/b",
            "user@host",
            &"a.".repeat(200),
        ] {
            assert_eq!(Name::host(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_secret_is_found_where_the_cap_would_cut_it() {
        Secret::known("hunter2-at-the-cap");
        for before in [285, 299, 300, SHOWN - 10, SHOWN + 10, SEARCHED - 10] {
            for c in ["x", " ", "\u{200b}"] {
                let text = format!("{}hunter2-at-the-cap", c.repeat(before / c.len()));
                let shown = Shown::sentence(&text).unwrap_or_default();
                assert!(!shown.contains("hunt"), "{before} of {c:?}: {shown}");
            }
        }
    }

    #[test]
    fn what_a_vendor_says_is_not_printed_as_it_came() {
        let outside: Outside = serde_json::from_str(r#""\u001b[1mhunter""#).unwrap();
        assert_eq!(format!("{outside:?}"), "Outside");
        assert_eq!((outside.raw(), outside.name()), ("\u{1b}[1mhunter", None));
    }
}
