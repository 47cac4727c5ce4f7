//! Decodes values from JSON, the format in which core stores states.
//!
//! A state may be older than the schema that it is read with, so decoding is lenient: missing attributes are null and
//! unknown ones are dropped. Strings go straight into their values, without an intermediate tree that would hold plain
//! copies of secrets.

use std::{cell::RefCell, fmt};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{
    decode_error::DecodeError,
    diagnostic::Step,
    number::Number,
    schema::Attribute,
    shape::{Shape, Text},
    slots::Slots,
    value::{Object, Value},
};

/// Decodes a value. A missing attribute is null, at every depth.
pub fn decode(bytes: &[u8], attributes: &[Attribute]) -> Result<Value, DecodeError> {
    read(bytes, Shape::root(attributes))
}

/// Decodes the value of a single attribute.
pub fn decode_one(bytes: &[u8], attribute: &Attribute) -> Result<Value, DecodeError> {
    read(bytes, Shape::attribute(attribute, Text::Shown))
}

fn read(bytes: &[u8], shape: Shape<'_>) -> Result<Value, DecodeError> {
    let malformed = RefCell::default();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = Reader { shape, malformed: &malformed }.deserialize(&mut json);
    value.and_then(|value| json.end().map(|()| value)).map_err(|error| match malformed.take() {
        // A syntax error reaches the readers too, and they record it as a value of the wrong type. The path is right,
        // but the mistake is that it is not JSON.
        Some(malformed) if error.is_data() => malformed,
        Some(malformed) => DecodeError { fault: NOT_JSON, ..malformed },
        None => DecodeError::new(NOT_JSON),
    })
}

/// Decodes one value.
///
/// The errors of `serde_json` quote their input, so they are never passed on. Instead the innermost reader records the
/// mistake in `malformed`, and each reader around it prepends its step.
#[derive(Clone, Copy)]
struct Reader<'r> {
    shape: Shape<'r>,
    malformed: &'r RefCell<Option<DecodeError>>,
}

impl<'r> Reader<'r> {
    fn with(self, shape: Shape<'r>) -> Self {
        Self { shape, ..self }
    }

    fn note(self, fault: &'static str) {
        self.malformed.borrow_mut().get_or_insert(DecodeError::new(fault));
    }

    fn add(self, step: Step) {
        self.malformed.replace_with(|malformed| malformed.take().map(|malformed| malformed.within(step)));
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        // `get_or_insert` keeps the first mistake, which the innermost reader has recorded with its own shape.
        json.deserialize_option(self).inspect_err(|_| self.note(self.shape.mismatch()))
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        match self.shape {
            Shape::Bool => bool::deserialize(json).map(Value::Bool),
            Shape::Number => {
                let number = serde_json::Number::deserialize(json)?;
                Number::parse(number.as_str()).map(Value::Number).ok_or_else(|| D::Error::custom(self.shape.mismatch()))
            }
            Shape::String(text) => json.deserialize_str(text),
            Shape::List(element, text) => json.deserialize_seq(List(self.with(Shape::new(element, text)))),
            Shape::Objects(attributes, text) => json.deserialize_seq(List(self.with(Shape::Object(attributes, text)))),
            Shape::Object(attributes, text) => json.deserialize_map(Members { attributes, text, reader: self }),
            Shape::Map(element, text) => json.deserialize_map(Elements(self.with(Shape::new(element, text)))),
        }
    }
}

impl Visitor<'_> for Text {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(self.value(text))
    }
}

/// Decodes the elements of a list.
struct List<'r>(Reader<'r>);

impl<'de> Visitor<'de> for List<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut json: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        for index in 0.. {
            match json.next_element_seed(self.0).inspect_err(|_| self.0.add(Step::Index(index)))? {
                Some(item) => items.push(item),
                None => break,
            }
        }
        Ok(Value::List(items))
    }
}

/// Decodes the elements of a map.
struct Elements<'r>(Reader<'r>);

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut json: A) -> Result<Value, A::Error> {
        let mut elements = Object::default();
        while let Some(name) = json.next_key::<String>()? {
            let at = || Step::Attribute(name.clone().into());
            let value = json.next_value_seed(self.0).inspect_err(|_| self.0.add(at()))?;
            if elements.insert(name.clone(), value).is_some() {
                self.0.note("is there twice");
                self.0.add(at());
                return Err(A::Error::custom("duplicate"));
            }
        }
        Ok(Value::Object(elements))
    }
}

/// Decodes the attributes of an object.
struct Members<'r> {
    attributes: &'r [Attribute],
    text: Text,
    reader: Reader<'r>,
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut json: A) -> Result<Value, A::Error> {
        let mut slots = Slots::new(self.attributes);
        while let Some(found) = json.next_key_seed(Named(&slots))? {
            let Some((place, attribute)) = found else {
                json.next_value::<IgnoredAny>()?;
                continue;
            };
            let reader = self.reader.with(Shape::attribute(attribute, self.text));
            let at = || Step::Attribute(attribute.name.clone());
            let value = json.next_value_seed(reader).inspect_err(|_| reader.add(at()))?;
            if slots.fill(place, value).is_some() {
                reader.note("is there twice");
                reader.add(at());
                return Err(A::Error::custom("duplicate"));
            }
        }
        Ok(Value::Object(slots.finish(|_| Value::Null)))
    }
}

/// Decodes the name of an attribute, and returns its slot.
struct Named<'r, 's>(&'r Slots<'s>);

impl<'de, 's> DeserializeSeed<'de> for Named<'_, 's> {
    type Value = Option<(usize, &'s Attribute)>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'s> Visitor<'_> for Named<'_, 's> {
    type Value = Option<(usize, &'s Attribute)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.find(name.as_bytes()))
    }
}

const NOT_JSON: &str = "is not valid JSON";
