//! Objects that are being decoded.

use super::{
    schema::Attribute,
    value::{Object, Value},
};

/// An object that is being decoded attribute by attribute, in any order.
pub(super) struct Slots<'s> {
    attributes: &'s [Attribute],
    values: Vec<Option<Value>>,
}

impl<'s> Slots<'s> {
    /// Starts an object with these attributes.
    pub(super) fn new(attributes: &'s [Attribute]) -> Self {
        Self { attributes, values: attributes.iter().map(|_| None).collect() }
    }

    /// Finds the slot of an attribute by name.
    pub(super) fn find(&self, name: &[u8]) -> Option<(usize, &'s Attribute)> {
        self.attributes.iter().enumerate().find(|(_, attribute)| attribute.name.as_bytes() == name)
    }

    /// Fills a slot, and returns its previous value.
    pub(super) fn fill(&mut self, place: usize, value: Value) -> Option<Value> {
        self.values.get_mut(place).and_then(|slot| slot.replace(value))
    }

    /// Finishes the object. Empty slots get their value from `missing`.
    pub(super) fn finish(self, mut missing: impl FnMut(&'s Attribute) -> Value) -> Object {
        let mut values = self.values.into_iter();
        Object::of(self.attributes, |attribute| values.next().flatten().unwrap_or_else(|| missing(attribute)))
    }
}
