//! Extracts single values from JSON, even if the rest of it is not as expected.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::pointer;
use crate::secret::{Outside, Secret};

/// Finds the value at a JSON pointer in a complete document, whatever follows it.
pub(super) fn find<T: Leaf>(body: &[u8], pointer: &str) -> Option<T> {
    let (found, is_whole) = look(body, pointer);
    found.filter(|_| is_whole)
}

/// Finds the value at a JSON pointer. Also returns whether the document is complete.
pub(super) fn look<T: Leaf>(body: &[u8], pointer: &str) -> (Option<T>, bool) {
    let (mut found, path) = (None, pointer::steps(pointer).collect::<Vec<_>>());
    let mut json = serde_json::Deserializer::from_slice(body);
    let is_whole = Find { path: &path, found: &mut found }.deserialize(&mut json).is_ok();
    (found, is_whole)
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

struct Find<'a, T> {
    path: &'a [Cow<'a, str>],
    found: &'a mut Option<T>,
}

impl<T> Find<'_, T> {
    fn take(self, leaf: Option<T>) {
        if self.path.is_empty() && leaf.is_some() {
            *self.found = leaf;
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
        while let Some(key) = map.next_key::<String>()? {
            match self.path {
                [first, rest @ ..] if key == *first => {
                    map.next_value_seed(Find { path: rest, found: &mut *self.found })?;
                }
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        self.take(T::of_other());
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
            if items.next_element_seed(Find { path: rest, found: &mut *self.found })?.is_none() {
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

    fn visit_i64<E>(self, _: i64) -> std::result::Result<(), E> {
        self.take(T::of_other());
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<(), E> {
        self.take(T::of_text(text));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> std::result::Result<(), E> {
        self.take(T::of_number(number));
        Ok(())
    }

    fn visit_unit<E>(self) -> std::result::Result<(), E> {
        Ok(())
    }
}
