//! Values of Terraform's language.

use std::fmt;

pub use super::{
    number::Number,
    object::{self, Name},
};
use crate::secret::{self, Secret};

/// The attributes of an object.
pub type Object = object::Object<Value>;

/// A value, which may be null or unknown at any depth.
///
/// `Debug` prints types and attribute names but no content, since any value may be secret to its user.
#[derive(Clone, Default, PartialEq)]
pub enum Value {
    /// Not set.
    #[default]
    Null,
    /// Known after apply.
    Unknown,
    /// `true` or `false`.
    Bool(bool),
    /// A number of any size.
    Number(Number),
    /// A string that may be shown.
    String(String),
    /// A string of a sensitive or write-only attribute.
    Secret(Secret),
    /// A list, set or tuple.
    List(Vec<Value>),
    /// An object with every attribute of its type.
    Object(Object),
}

static NULL: Value = Value::Null;
static UNKNOWN: Value = Value::Unknown;

impl Value {
    /// Creates an object from names and values.
    pub fn object<N: Into<Name>>(attributes: impl IntoIterator<Item = (N, Self)>) -> Self {
        Self::Object(attributes.into_iter().collect())
    }

    /// Returns whether the value is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns whether the value is unknown as a whole. A known object or list may still have unknown parts.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Returns whether neither the value nor any part of it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::List(items) => items.iter().all(Self::is_wholly_known),
            Self::Object(attributes) => attributes.values().all(Self::is_wholly_known),
            _ => true,
        }
    }

    /// Returns an attribute of an object. It is unknown if the object is, and null if there is no such attribute or
    /// object.
    pub fn get(&self, name: &str) -> &Self {
        match self {
            Self::Object(attributes) => attributes.get(name).unwrap_or(&NULL),
            // Nothing is known about the parts of an unknown object, not even whether they are set.
            Self::Unknown => &UNKNOWN,
            _ => &NULL,
        }
    }

    /// Sets an attribute of an object. Does nothing if the value is not an object.
    pub fn set(&mut self, name: impl Into<Name>, value: impl Into<Self>) {
        if let Self::Object(attributes) = self {
            attributes.insert(name, value.into());
        }
    }

    /// Returns the string, unless it is a secret.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the number.
    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The attributes of an object.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(attributes) => Some(attributes),
            _ => None,
        }
    }

    /// Returns the secret string.
    pub fn as_secret(&self) -> Option<&Secret> {
        match self {
            Self::Secret(secret) => Some(secret),
            _ => None,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Unknown => f.write_str("Unknown"),
            Self::Bool(_) => f.write_str("Bool"),
            Self::Number(_) => f.write_str("Number"),
            Self::String(_) => f.write_str("String"),
            Self::Secret(_) => f.write_str("Secret"),
            Self::List(items) => f.debug_list().entries(items).finish(),
            Self::Object(attributes) => attributes.fmt(f),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<secret::Name> for Value {
    fn from(name: secret::Name) -> Self {
        Self::String(name.into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u16> for Value {
    fn from(value: u16) -> Self {
        Self::Number(Number::from(i64::from(value)))
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl From<Secret> for Value {
    fn from(secret: Secret) -> Self {
        Self::Secret(secret)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_of_an_unknown_object_is_unknown() {
        assert!(Value::Unknown.get("a").is_unknown());
        assert!(Value::Null.get("a").is_null());
        assert_eq!(Value::object([("a", true.into())]).get("a"), &Value::Bool(true));
    }

    #[test]
    fn one_unknown_part_makes_the_whole_not_wholly_known() {
        let value = Value::object([("a", Value::List(vec![Value::Unknown]))]);
        assert!(!value.is_unknown());
        assert!(!value.is_wholly_known());
    }

    #[test]
    fn debug_prints_kinds_and_names_only() {
        let value = Value::object([("a", "content".into()), ("b", Secret::new("hidden").into())]);
        assert_eq!(format!("{value:?}"), r#"{"a": String, "b": Secret}"#);
    }
}
