//! What the readers and writers of values ask of a schema.

use super::{
    schema::{Attribute, Type},
    value::Value,
};
use crate::secret::Secret;

/// The form that a value must have.
#[derive(Clone, Copy)]
pub(super) enum Shape<'s> {
    Bool,
    Number,
    String(Text),
    List(&'s Type, Text),
    Object(&'s [Attribute], Text),
    Objects(&'s [Attribute], Text),
}

/// What becomes of text.
#[derive(Clone, Copy)]
pub(super) enum Text {
    Shown,
    Secret,
}

impl<'s> Shape<'s> {
    /// The shape of a whole configuration or state.
    pub(super) fn root(attributes: &'s [Attribute]) -> Self {
        Self::Object(attributes, Text::Shown)
    }

    /// The shape of an attribute. What lies in a secret object is as secret as the object.
    pub(super) fn attribute(attribute: &'s Attribute, parent: Text) -> Self {
        Self::new(&attribute.r#type, if attribute.is_secret() { Text::Secret } else { parent })
    }

    pub(super) fn new(r#type: &'s Type, text: Text) -> Self {
        match r#type {
            Type::Bool => Self::Bool,
            Type::Number => Self::Number,
            Type::String => Self::String(text),
            Type::List(element) => Self::List(element, text),
            Type::Object(attributes) => Self::Object(attributes, text),
            Type::Objects(attributes) => Self::Objects(attributes, text),
        }
    }

    /// What is wrong with a value of any other shape.
    pub(super) fn mismatch(self) -> &'static str {
        match self {
            Self::Bool => "is not a bool",
            Self::Number => "is not a number",
            Self::String(_) => "is not a string",
            Self::List(..) | Self::Objects(..) => "is not a list",
            Self::Object(..) => "is not an object",
        }
    }
}

impl Text {
    /// Makes a value of text. A secret is remembered: whatever core sends may be what a vendor repeats.
    pub(super) fn value(self, text: &str) -> Value {
        match self {
            Self::Shown => Value::String(text.to_owned()),
            Self::Secret => Value::Secret(Secret::known(text)),
        }
    }
}
