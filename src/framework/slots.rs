//! Objects that are being read.

use super::{
    schema::Attribute,
    value::{Object, Value},
};

/// An object that is being read, attribute by attribute, in whatever order they come.
pub(super) struct Slots<'s> {
    attributes: &'s [Attribute],
    values: Vec<Option<Value>>,
}

impl<'s> Slots<'s> {
    /// Begins an object with these attributes.
    pub(super) fn new(attributes: &'s [Attribute]) -> Self {
        Self { attributes, values: attributes.iter().map(|_| None).collect() }
    }

    /// Where the attribute of that name belongs.
    pub(super) fn find(&self, name: &[u8]) -> Option<(usize, &'s Attribute)> {
        self.attributes.iter().enumerate().find(|(_, attribute)| attribute.name.as_bytes() == name)
    }

    /// Puts a value into its place, and answers with whatever stood there.
    pub(super) fn fill(&mut self, place: usize, value: Value) -> Option<Value> {
        self.values.get_mut(place).and_then(|slot| slot.replace(value))
    }

    /// Ends the object. What was not read gets the value that `missing` says.
    pub(super) fn finish(self, mut missing: impl FnMut(&'s Attribute) -> Value) -> Object {
        let mut values = self.values.into_iter();
        Object::of(self.attributes, |attribute| values.next().flatten().unwrap_or_else(|| missing(attribute)))
    }
}
