//! Conditions on the JSON of a response.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{
    json::{NUMBER, Written, written},
    pointer,
};

/// A value that a response has to have.
///
/// The value is compared as text: numbers as the response writes them, so that 1.0 is not 1, booleans and null as JSON
/// does. Only an exponent may be written otherwise: `1E3` is `1e+3`. In the pointer, `*` stands for every element of a
/// list or an object, of which there has to be at least one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Condition {
    /// The place of the value, as a JSON pointer.
    pub pointer: &'static str,
    /// The value.
    pub value: &'static str,
}

impl Condition {
    /// Returns whether a complete JSON document fulfills the condition.
    pub(super) fn holds(&self, body: &[u8]) -> bool {
        let path: Vec<_> = pointer::steps(self.pointer).collect();
        let mut seen = Seen { some: false, all: true };
        let mut json = serde_json::Deserializer::from_slice(body);
        let look = Look { path: &path, value: self.value, seen: &mut seen };
        // Up to the end: what is cut off or followed by more is not what the API has sent.
        look.deserialize(&mut json).and_then(|()| json.end()).is_ok() && seen.some && seen.all
    }
}

/// Returns whether a complete JSON document fulfills all of several conditions.
pub(super) fn hold(conditions: &[Condition], body: &[u8]) -> bool {
    conditions.iter().all(|condition| condition.holds(body))
}

/// What was found at the place of a condition.
struct Seen {
    /// Whether there was a value.
    some: bool,
    /// Whether every value was the expected one.
    all: bool,
}

struct Look<'a> {
    path: &'a [Cow<'a, str>],
    value: &'a str,
    seen: &'a mut Seen,
}

impl Look<'_> {
    fn see(&mut self, is_value: impl FnOnce(&str) -> bool) {
        let is_value = self.path.is_empty() && is_value(self.value);
        self.seen.some = true;
        self.seen.all &= is_value;
    }

    /// Returns how to look into an element; `None` if the path leads elsewhere.
    fn at(&mut self, is_here: impl FnOnce(&str) -> bool) -> Option<Look<'_>> {
        match self.path {
            [first, rest @ ..] if first == "*" || is_here(first) => {
                Some(Look { path: rest, value: self.value, seen: &mut *self.seen })
            }
            _ => None,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let (mut is_missing, mut number) = (true, None);
        while let Some(key) = map.next_key::<String>()? {
            if self.path.is_empty() && key == NUMBER {
                number = written(&mut map)?;
            } else if let Some(look) = self.at(|first| first == key) {
                map.next_value_seed(look)?;
                is_missing = false;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        match number {
            Some(Written(text)) => {
                self.see(|value| value == *text || exponent(value).is_some_and(|value| value == *text));
            }
            None => self.seen.all &= !is_missing,
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let mut is_missing = true;
        for index in 0_usize.. {
            let read = match self.at(|first| first == index.to_string()) {
                Some(look) => {
                    let read = items.next_element_seed(look)?;
                    is_missing &= read.is_none();
                    read
                }
                None => items.next_element::<IgnoredAny>()?.map(drop),
            };
            if read.is_none() {
                break;
            }
        }
        self.seen.all &= !is_missing;
        Ok(())
    }

    fn visit_bool<E>(mut self, flag: bool) -> Result<(), E> {
        self.see(|value| value == if flag { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E>(mut self, number: i64) -> Result<(), E> {
        self.see(|value| value == number.to_string());
        Ok(())
    }

    fn visit_str<E>(mut self, text: &str) -> Result<(), E> {
        self.see(|value| value == text);
        Ok(())
    }

    fn visit_u64<E>(mut self, number: u64) -> Result<(), E> {
        self.see(|value| value == number.to_string());
        Ok(())
    }

    fn visit_unit<E>(mut self) -> Result<(), E> {
        self.see(|value| value == "null");
        Ok(())
    }
}

/// Returns a number with an exponent in the form in which the parser passes it on.
fn exponent(value: &str) -> Option<String> {
    let number = value.contains(['e', 'E']).then(|| serde_json::from_str::<serde_json::Number>(value).ok())?;
    number.map(|number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_about_one_value_or_about_every_element() {
        let cpanel = r#"{"status": 1, "errors": null, "data": {"ok": true, "score": 1.5}}"#;
        let mailcow = r#"[{"type": "success", "msg": ["a"]}, {"type": "success"}]"#;
        let mixed = r#"[{"type": "success"}, {"type": "danger"}]"#;
        for (pointer, value, body, expected) in [
            ("/status", "1", cpanel, true),
            ("/status", "0", cpanel, false),
            ("/status", "1.0", cpanel, false),
            ("/errors", "null", cpanel, true),
            ("/errors", "", cpanel, false),
            ("/data/ok", "true", cpanel, true),
            ("/data/ok", "false", cpanel, false),
            ("/data/score", "1.5", cpanel, true),
            ("/data/score", "1.50", cpanel, false),
            ("/data/score", "2", cpanel, false),
            ("/a", "1.0", r#"{"a": 1.0}"#, true),
            ("/a", "1", r#"{"a": 1.0}"#, false),
            ("/a", "-2.50", r#"{"a": -2.50}"#, true),
            ("/a", "1e3", r#"{"a": 1e3}"#, true),
            ("/a", "1E3", r#"{"a": 1e+3}"#, true),
            ("/a", "1000", r#"{"a": 1e3}"#, false),
            ("/a", "elephant", r#"{"a": 1e3}"#, false),
            ("/a", "123456789012345678901234567890", r#"{"a": 123456789012345678901234567890}"#, true),
            ("/*/a", "0.5", r#"[{"a": 0.5}, {"a": 0.5}]"#, true),
            ("/*/a", "0.5", r#"[{"a": 0.5}, {"a": 0.6}]"#, false),
            ("/a/b", "1.0", r#"{"a": 1.0}"#, false),
            ("/data", "{}", cpanel, false),
            ("/data/none", "1", cpanel, false),
            ("/status/more", "1", cpanel, false),
            ("/*/type", "success", mailcow, true),
            ("/*/type", "danger", mailcow, false),
            ("/*/type", "success", mixed, false),
            ("/*/type", "danger", mixed, false),
            ("/0/type", "success", mixed, true),
            ("/1/type", "danger", mixed, true),
            ("/2/type", "danger", mixed, false),
            ("/*/type", "success", r#"[{"type": "success"}, {}]"#, false),
            ("/*/type", "success", r#"[{"type": "success"}, []]"#, false),
            ("/*/type", "success", r#"[{"type": "success"}, "success"]"#, false),
            ("/*/type", "success", "[]", false),
            ("/*/type", "success", r#"{"a": {"type": "success"}}"#, true),
            ("", "ok", r#""ok""#, true),
            ("", "ok", "ok", false),
            ("/a", "b", r#"{"a": "c", "a": "b"}"#, false),
            ("/a", "b", r#"{"a": "b"} and more"#, false),
            ("/a", "b", r#"{"a": "b""#, false),
            ("/a", "b", "<html></html>", false),
            ("/a", "b", "", false),
        ] {
            let condition = Condition { pointer, value };
            assert_eq!(condition.holds(body.as_bytes()), expected, "{pointer} = {value} in {body}");
        }
    }
}
