//! Extracts single values from JSON, even if the rest of it is not as expected.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use super::pointer;
use crate::secret::{Outside, Secret};

/// Finds the value at a JSON pointer in a complete document, whatever follows it.
pub(super) fn find<T: Leaf>(body: &[u8], pointer: &str) -> Option<T> {
    let (found, is_whole) = look(body, pointer);
    found.filter(|_| is_whole)
}

/// Finds the value at a JSON pointer. Also returns whether the document is complete. A number counts only in a complete
/// document: the first half of one is a number, too.
pub(super) fn look<T: Leaf>(body: &[u8], pointer: &str) -> (Option<T>, bool) {
    let (mut seen, path) = (Seen::default(), pointer::steps(pointer).collect::<Vec<_>>());
    let mut json = serde_json::Deserializer::from_slice(body);
    let is_whole = Find { path: &path, seen: &mut seen }.deserialize(&mut json).is_ok();
    (seen.found.filter(|_| is_whole || !seen.is_number), is_whole)
}

/// Returns whether a text is exactly one complete JSON document of any type.
pub(super) fn is_document(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// A type of value that can be extracted.
pub(super) trait Leaf: Sized {
    fn of_text(_: &str) -> Option<Self> {
        None
    }

    fn of_number(_: u64) -> Option<Self> {
        None
    }

    /// Of a number of any kind, as it is written. Only an exponent may be written otherwise: always `e`, with a sign.
    fn of_written(_: &str) -> Option<Self> {
        None
    }

    fn of_flag(_: bool) -> Option<Self> {
        None
    }

    /// Of an object, a list, or a number that is negative or a fraction.
    fn of_other() -> Option<Self> {
        None
    }
}

impl Leaf for Secret {
    fn of_text(text: &str) -> Option<Self> {
        Some(Self::known(text))
    }
}

impl Leaf for Outside {
    fn of_text(text: &str) -> Option<Self> {
        Some(Self::new(text))
    }
}

impl Leaf for u64 {
    fn of_number(number: u64) -> Option<Self> {
        Some(number)
    }
}

impl Leaf for bool {
    fn of_flag(flag: bool) -> Option<Self> {
        Some(flag)
    }
}

/// A number that is not a 64-bit integer, as it is written.
pub(super) struct Written(pub(super) Zeroizing<String>);

impl Leaf for Written {
    fn of_text(text: &str) -> Option<Self> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.e".contains(&byte));
        is_number.then(|| Self(Zeroizing::new(text.to_owned())))
    }
}

/// The parser passes such a number on as a map with this one key.
pub(super) const NUMBER: &str = "$serde_json::private::Number";

/// Reads the value of the key [`NUMBER`]. `None` if it is not a number: an object may have such a key, too.
pub(super) fn written<'de, A: MapAccess<'de>>(map: &mut A) -> std::result::Result<Option<Written>, A::Error> {
    let mut seen = Seen::default();
    map.next_value_seed(Find { path: &[], seen: &mut seen })?;
    Ok(seen.found)
}

/// What was found at a pointer.
struct Seen<T> {
    found: Option<T>,
    is_number: bool,
}

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self { found: None, is_number: false }
    }
}

struct Find<'a, T> {
    path: &'a [Cow<'a, str>],
    seen: &'a mut Seen<T>,
}

impl<T> Find<'_, T> {
    fn take(self, leaf: Option<T>) {
        self.take_any(leaf, false);
    }

    fn take_number(self, leaf: Option<T>) {
        self.take_any(leaf, true);
    }

    fn take_any(self, leaf: Option<T>, is_number: bool) {
        if self.path.is_empty() && leaf.is_some() {
            *self.seen = Seen { found: leaf, is_number };
        }
    }
}

impl<'de, T: Leaf> DeserializeSeed<'de> for Find<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Leaf> Visitor<'de> for Find<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    // To the end, since the last of several equal keys is the one that most parsers use.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        let mut number = None;
        while let Some(key) = map.next_key::<String>()? {
            match self.path {
                [first, rest @ ..] if key == *first => {
                    map.next_value_seed(Find { path: rest, seen: &mut *self.seen })?;
                }
                [] if key == NUMBER => number = written(&mut map)?,
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        match number.and_then(|Written(text)| T::of_written(&text)) {
            Some(number) => self.take_number(Some(number)),
            None => self.take(T::of_other()),
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<(), A::Error> {
        if let [first, rest @ ..] = self.path
            && let Ok(index) = first.parse::<usize>()
        {
            for _ in 0..index {
                if items.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(());
                }
            }
            if items.next_element_seed(Find { path: rest, seen: &mut *self.seen })?.is_none() {
                return Ok(());
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        self.take(T::of_other());
        Ok(())
    }

    fn visit_bool<E>(self, flag: bool) -> std::result::Result<(), E> {
        self.take(T::of_flag(flag));
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> std::result::Result<(), E> {
        self.take(T::of_other());
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> std::result::Result<(), E> {
        let text = Zeroizing::new(number.to_string());
        self.take_number(T::of_written(&text).or_else(T::of_other));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<(), E> {
        self.take(T::of_text(text));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> std::result::Result<(), E> {
        let text = Zeroizing::new(number.to_string());
        self.take_number(T::of_number(number).or_else(|| T::of_written(&text)));
        Ok(())
    }

    fn visit_unit<E>(self) -> std::result::Result<(), E> {
        Ok(())
    }
}
