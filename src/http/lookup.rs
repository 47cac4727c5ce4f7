//! Extracts single values from a response, even if the rest of it is not as expected.
//!
//! The response to a reset is the only copy of the password. So the password is found at its documented place even if
//! other fields have changed their type, if garbage follows, or if a field occurs several times (the last one wins). If
//! the response is broken, everything that was received is searched.

use super::{
    answer::Answer,
    error::{Error, Finality, Kind, Outcome, Result},
    json::{Leaf, look},
    pointer,
    salvage::documents,
};
use crate::secret::{Outside, Secret};

/// A string or an integer, as text.
struct TextOrNumber(Outside);

impl Leaf for TextOrNumber {
    fn of_text(text: &str) -> Option<Self> {
        Outside::of_text(text).map(Self)
    }

    fn of_number(number: u64) -> Option<Self> {
        Some(Self(Outside::new(number.to_string())))
    }
}

/// A password that was sent as a number. One with an exponent is not what was sent, since that is not kept as written.
struct Digits(Secret);

impl Leaf for Digits {
    fn of_written(text: &str) -> Option<Self> {
        (!text.contains('e')).then(|| Self(Secret::known(text)))
    }
}

/// Anything but null and false.
struct Something;

impl Leaf for Something {
    fn of_text(_: &str) -> Option<Self> {
        Some(Self)
    }

    fn of_number(_: u64) -> Option<Self> {
        Some(Self)
    }

    fn of_flag(flag: bool) -> Option<Self> {
        flag.then_some(Self)
    }

    fn of_other() -> Option<Self> {
        Some(Self)
    }
}

impl Answer {
    /// Returns the password at a JSON pointer. Fails if there is none or it is empty.
    ///
    /// A complete body that is not a JSON object does not come from this vendor but from something in between, so the
    /// outcome for the password is unknown.
    pub fn password(&self, pointer: &str) -> Result<Secret> {
        self.secret(pointer).ok_or_else(|| {
            let lost = self.unreadable("the response has no password");
            match self.outcome {
                Outcome::Changed if self.is_whole && !self.begins_as(pointer) => Error {
                    kind: Kind::NotTheApi,
                    outcome: Outcome::MayHaveChanged,
                    finality: Finality::InFlight,
                    ..lost
                },
                _ => lost,
            }
        })
    }

    /// Returns whether the body begins with an object, or with a list where the pointer begins with an index.
    fn begins_as(&self, pointer: &str) -> bool {
        let in_list = pointer::steps(pointer).next().is_some_and(|step| step.parse::<usize>().is_ok());
        let body = self.body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&self.body);
        match body.trim_ascii_start().first() {
            Some(b'{') => true,
            Some(b'[') => in_list,
            _ => false,
        }
    }

    /// Returns the secret string at a JSON pointer, unless it is empty.
    pub fn secret(&self, pointer: &str) -> Option<Secret> {
        self.find(pointer).filter(|secret: &Secret| !secret.is_empty())
    }

    /// Returns the number at a JSON pointer as a secret, with the digits as they are written.
    pub fn secret_number(&self, pointer: &str) -> Option<Secret> {
        self.find(pointer).map(|Digits(secret)| secret)
    }

    /// Returns the string at a JSON pointer, which is not a secret.
    pub fn text(&self, pointer: &str) -> Option<Outside> {
        self.find(pointer)
    }

    /// Returns the string or the integer at a JSON pointer, as text.
    pub fn text_or_number(&self, pointer: &str) -> Option<Outside> {
        self.find(pointer).map(|TextOrNumber(text)| text)
    }

    /// Returns what leads to the next page of a list, at a JSON pointer; `None` at the end, where there is nothing, null,
    /// false or an empty text. Fails if there is anything else: half a list says nothing about what it lacks.
    pub fn next_page(&self, pointer: &str) -> Result<Option<Outside>> {
        match self.text_or_number(pointer) {
            Some(next) => Ok(Some(next).filter(|next| !next.raw().is_empty())),
            None if self.find::<Something>(pointer).is_some() => {
                Err(self.unreadable("the next-page cursor is neither a string nor a number"))
            }
            None => Ok(None),
        }
    }

    /// Returns the integer at a JSON pointer.
    pub fn number(&self, pointer: &str) -> Option<u64> {
        self.find(pointer)
    }

    /// Returns the boolean at a JSON pointer.
    pub fn flag(&self, pointer: &str) -> Option<bool> {
        self.find(pointer)
    }

    fn find<T: Leaf>(&self, pointer: &str) -> Option<T> {
        let texts = std::iter::once(&self.body).chain(&self.beyond);
        // A value that was found before the JSON breaks off is valid.
        texts.flat_map(|text| documents(text)).find_map(|document| look(document.bytes, pointer).0)
    }
}
