//! The attributes of an object.

use std::{borrow::Cow, fmt};

use super::schema::Attribute;

/// The name of an attribute. Names from a schema are static, so cloning them is free.
pub type Name = Cow<'static, str>;

/// The attributes of an object. Each name occurs once, and the order has no meaning.
///
/// An object has a few dozen attributes at most, for which a linear search is faster than a tree or a hash map.
#[derive(Clone)]
pub struct Object<V>(Vec<(Name, V)>);

impl<V> Default for Object<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> Object<V> {
    /// Creates an object with every attribute of a schema.
    pub fn of<'s>(attributes: &'s [Attribute], mut value: impl FnMut(&'s Attribute) -> V) -> Self {
        Self(attributes.iter().map(|attribute| (attribute.name.clone(), value(attribute))).collect())
    }

    /// Returns the value of an attribute.
    pub fn get(&self, name: &str) -> Option<&V> {
        self.0.iter().find_map(|(known, value)| (known == name).then_some(value))
    }

    /// Sets an attribute, and returns its previous value.
    pub fn insert(&mut self, name: impl Into<Name>, value: V) -> Option<V> {
        let name = name.into();
        if let Some((_, old)) = self.0.iter_mut().find(|(known, _)| *known == name) {
            return Some(std::mem::replace(old, value));
        }
        self.0.push((name, value));
        None
    }

    /// Iterates over names and values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &V)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Iterates over the values.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// Iterates over the values mutably.
    pub fn values_mut(&mut self) -> impl ExactSizeIterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }
}

impl<N: Into<Name>, V> FromIterator<(N, V)> for Object<V> {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(attributes: I) -> Self {
        let mut object = Self::default();
        for (name, value) in attributes {
            object.insert(name, value);
        }
        object
    }
}

impl<V: PartialEq> PartialEq for Object<V> {
    fn eq(&self, other: &Self) -> bool {
        // Names are unique, so equal lengths and one direction suffice.
        self.0.len() == other.0.len() && self.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

impl<V: fmt::Debug> fmt::Debug for Object<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::{schema::Type, slots::Slots, value::Value};

    fn object<const N: usize>(attributes: [(&'static str, bool); N]) -> Object<Value> {
        attributes.into_iter().map(|(name, value)| (name, value.into())).collect()
    }

    #[test]
    fn the_order_of_the_attributes_means_nothing() {
        assert_eq!(object([("a", true), ("b", false)]), object([("b", false), ("a", true)]));
        assert_ne!(object([("a", true), ("b", false)]), object([("a", false), ("b", false)]));
        assert_ne!(object([("a", true)]), object([("b", true)]));
        assert_ne!(object([("a", true)]), object([("a", true), ("b", true)]));
    }

    #[test]
    fn a_name_is_there_once() {
        let mut object = object([("a", true), ("b", true), ("a", false)]);
        assert_eq!(object.insert("b", Value::Null), Some(true.into()));
        assert_eq!(object.insert("c", Value::Null), None);
        assert_eq!(object.iter().collect::<Vec<_>>(), [("a", &false.into()), ("b", &Value::Null), ("c", &Value::Null)]);
    }

    #[test]
    fn what_is_read_finds_its_place_and_the_rest_is_filled_in() {
        let attributes = ["a", "b", "c"].map(|name| Attribute::optional(name, Type::Bool, ""));
        let mut slots = Slots::new(&attributes);
        let (place, attribute) = slots.find(b"b").unwrap();
        assert_eq!(attribute.name, "b");
        assert_eq!(slots.fill(place, true.into()), None);
        assert_eq!(slots.fill(place, false.into()), Some(true.into()));
        assert!(slots.find(b"d").is_none());
        let read = slots.finish(|attribute| if attribute.name == "c" { Value::Unknown } else { Value::Null });
        assert_eq!(read.values().collect::<Vec<_>>(), [&Value::Null, &false.into(), &Value::Unknown]);
    }
}
