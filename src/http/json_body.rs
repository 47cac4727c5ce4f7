//! The texts and the JSON that a request sends.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// A text in a request's body.
#[derive(Clone, Debug)]
pub enum BodyText {
    /// Not secret, such as a grant type, a role or a name. It may appear in a vendor's message.
    Open(String),
    /// Secret, such as a password or a token.
    Secret(Secret),
}

impl BodyText {
    pub(super) fn for_wire(&self) -> &str {
        match self {
            Self::Open(text) => text,
            Self::Secret(secret) => secret.for_wire(),
        }
    }
}

impl From<&str> for BodyText {
    fn from(text: &str) -> Self {
        Self::Open(text.to_owned())
    }
}

impl From<Secret> for BodyText {
    fn from(secret: Secret) -> Self {
        Self::Secret(secret)
    }
}

/// JSON of any depth, in which a text may be secret.
#[derive(Clone, Debug)]
pub enum Json {
    /// A list.
    Array(Vec<Json>),
    /// An object. Its fields are sent in the order of their names.
    Object(BTreeMap<String, Json>),
    /// A number, a boolean or null.
    Plain(serde_json::Value),
    /// A text.
    Text(BodyText),
}

impl Json {
    /// Returns all texts in it, in no certain order.
    pub(super) fn texts(&self) -> Vec<&BodyText> {
        match self {
            Self::Array(items) => items.iter().flat_map(Self::texts).collect(),
            Self::Object(fields) => fields.values().flat_map(Self::texts).collect(),
            Self::Plain(_) => Vec::new(),
            Self::Text(text) => vec![text],
        }
    }

    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.room()));
        // Keys are strings and numbers come from a parser, so it always serializes.
        let _ = serde_json::to_writer(&mut *bytes, self);
        bytes
    }

    /// Returns an upper bound for the encoded size in bytes, because a growing buffer would leave copies behind.
    fn room(&self) -> usize {
        match self {
            Self::Array(items) => items.iter().map(|item| item.room() + 1).sum::<usize>() + 2,
            Self::Object(fields) => {
                fields.iter().map(|(name, field)| name.len() * 6 + 4 + field.room()).sum::<usize>() + 2
            }
            Self::Plain(value) => value.to_string().len(),
            Self::Text(text) => text.for_wire().len() * 6 + 2,
        }
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Array(items) => items.serialize(serializer),
            Self::Object(fields) => fields.serialize(serializer),
            Self::Plain(value) => value.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text.for_wire()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(|number| Json::Plain(number.into())),
            any::<bool>().prop_map(|flag| Json::Plain(flag.into())),
            Just(Json::Plain(serde_json::Value::Null)),
            any::<String>().prop_map(|text| Json::Text(BodyText::Open(text))),
            any::<String>().prop_map(|text| Json::Text(BodyText::Secret(Secret::new(text)))),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
                prop::collection::btree_map(any::<String>(), inner, 0..4).prop_map(Json::Object),
            ]
        })
    }

    #[test]
    fn a_secret_may_be_at_any_depth() {
        let secret = Json::Text(Secret::new("hunter2\"").into());
        let item = Json::Object([("a".to_owned(), Json::Array(vec![Json::Plain(1.into()), secret]))].into());
        assert_eq!(*item.encode(), br#"{"a":[1,"hunter2\""]}"#);
        assert!(!format!("{item:?}").contains("hunter2"));
        assert!(matches!(item.texts()[..], [BodyText::Secret(_)]));
    }

    proptest! {
        #[test]
        fn the_buffer_never_grows(json in json()) {
            let bytes = json.encode();
            prop_assert!(bytes.len() <= json.room());
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
        }
    }
}
