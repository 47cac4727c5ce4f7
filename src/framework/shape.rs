//! The shapes of values, by which they are encoded and decoded.

use super::{
    schema::{Attribute, Type},
    value::Value,
};
use crate::secret::Secret;

/// The shape that a value must have.
#[derive(Clone, Copy)]
pub(super) enum Shape<'s> {
    Bool,
    Number,
    String(Text),
    List(&'s Type, Text),
    Object(&'s [Attribute], Text),
    Objects(&'s [Attribute], Text),
    Map(&'s Type, Text),
}

/// Whether strings are decoded as secrets.
#[derive(Clone, Copy)]
pub(super) enum Text {
    Shown,
    Secret,
}

impl<'s> Shape<'s> {
    /// Returns the shape of a whole configuration or state.
    pub(super) fn root(attributes: &'s [Attribute]) -> Self {
        Self::Object(attributes, Text::Shown)
    }

    /// Returns the shape of an attribute. Everything inside a secret object is secret too.
    pub(super) fn attribute(attribute: &'s Attribute, parent: Text) -> Self {
        // Core hides a sensitive object as a whole, so the same must hold for its parts here.
        Self::new(&attribute.r#type, if attribute.is_secret() { Text::Secret } else { parent })
    }

    pub(super) fn new(r#type: &'s Type, text: Text) -> Self {
        match r#type {
            Type::Bool => Self::Bool,
            Type::Number => Self::Number,
            Type::String => Self::String(text),
            Type::List(element) => Self::List(element, text),
            Type::Object(attributes) | Type::Block(attributes) => Self::Object(attributes, text),
            Type::Objects(attributes) => Self::Objects(attributes, text),
            Type::Map(element) => Self::Map(element, text),
        }
    }

    /// Returns the mistake of a value with any other shape.
    pub(super) fn mismatch(self) -> &'static str {
        match self {
            Self::Bool => "is not a bool",
            Self::Number => "is not a number",
            Self::String(_) => "is not a string",
            Self::List(..) | Self::Objects(..) => "is not a list",
            Self::Map(..) => "is not a map",
            Self::Object(..) => "is not an object",
        }
    }
}

impl Text {
    /// Creates a value from a string. Secrets are remembered, since a vendor may repeat them in a response.
    pub(super) fn value(self, text: &str) -> Value {
        match self {
            Self::Shown => Value::String(text.to_owned()),
            Self::Secret => Value::Secret(Secret::known(text)),
        }
    }
}
