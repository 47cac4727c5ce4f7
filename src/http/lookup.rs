//! Single values out of an answer, however odd the rest of it is.
//!
//! The answer to a reset is the only copy of the password. So a password is taken wherever it stands where the vendor documents it:
//! beside fields that have changed their type, before garbage, and from the last of several fields of one name; and where the response
//! is broken, in whatever has come of it.

use super::json::{Leaf, look};
use super::salvage::documents;
use super::{Answer, Error, Finality, Kind, Outcome, Result};
use crate::secret::{Outside, Secret};

impl Answer {
    /// The password at `path`; an error where there is none, or an empty one.
    ///
    /// A whole body that is no JSON object at all is not this vendor's: something in between may have answered, and then nobody knows
    /// what became of the password.
    pub fn password(&self, path: &[&str]) -> Result<Secret> {
        self.secret(path).ok_or_else(|| {
            let lost = self.unreadable("the answer holds no password");
            match self.outcome {
                Outcome::Changed if self.is_whole && !self.begins_an_object() => Error {
                    kind: Kind::NotTheApi,
                    outcome: Outcome::MayHaveChanged,
                    finality: Finality::InFlight,
                    ..lost
                },
                _ => lost,
            }
        })
    }

    fn begins_an_object(&self) -> bool {
        let body = self.body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&self.body);
        body.trim_ascii_start().first() == Some(&b'{')
    }

    /// The text at `path`, if it is not empty.
    pub fn secret(&self, path: &[&str]) -> Option<Secret> {
        self.find(path).filter(|secret: &Secret| !secret.is_empty())
    }

    /// The text at `path` that is no secret.
    pub fn text(&self, path: &[&str]) -> Option<Outside> {
        self.find(path)
    }

    /// The whole number at `path`.
    pub fn number(&self, path: &[&str]) -> Option<u64> {
        self.find(path)
    }

    /// Whether it is true or false at `path`.
    pub fn flag(&self, path: &[&str]) -> Option<bool> {
        self.find(path)
    }

    fn find<T: Leaf>(&self, path: &[&str]) -> Option<T> {
        let texts = std::iter::once(&self.body).chain(&self.beyond);
        // What was found before the text stops being JSON still counts.
        texts.flat_map(|text| documents(text)).find_map(|document| look(document.bytes, path).0)
    }
}
