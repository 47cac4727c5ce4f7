//! The fields of a target that are lists.

use std::collections::BTreeSet;

use crate::{
    framework::{
        diagnostic::{Path, Result},
        validate::invalid,
        value::Value,
    },
    vendors::{Field, Fields, Vendor},
};

/// Adds a field of an object at this path, if it is a list and set.
pub(super) fn insert(fields: &mut Fields, field: &'static Field, object: &Value, at: &Path) -> Result<()> {
    let Value::List(items) = object.get(field.name) else { return Ok(()) };
    let at = at.clone().then(field.name);
    let mut elements = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        elements.push(item.as_str().ok_or_else(|| invalid(at.clone().index(index), "must not be null"))?);
    }
    let refused = fields.insert_list(field, &elements);
    refused.map_err(|(index, words)| invalid(index.into_iter().fold(at, Path::index), words).into())
}

/// Validates the lists of a configuration that names a credential at this vendor. One with an unknown part may turn out
/// to be any.
pub(in crate::provider) fn validate(vendor: &'static Vendor, config: &Value) -> Result<()> {
    let (object, at) = (config.get(vendor.name), Path::attribute(vendor.name));
    let mut lists = vendor.target.iter().filter(|field| object.get(field.name).is_wholly_known());
    lists.try_for_each(|field| insert(&mut Fields::default(), field, object, &at))
}

/// Returns whether two values of a field mean the same although they differ: lists with the same elements, or none for
/// the default.
pub(in crate::provider) fn is_same(field: &Field, one: &Value, other: &Value) -> bool {
    let elements = |value| match value {
        &Value::Null => field.list.map(|list| list.default.iter().copied().collect()),
        Value::List(items) => items.iter().map(Value::as_str).collect::<Option<BTreeSet<_>>>(),
        _ => None,
    };
    elements(one).is_some_and(|one| elements(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendors::VENDORS;

    fn list(texts: &[&str]) -> Value {
        Value::List(texts.iter().map(|text| (*text).into()).collect())
    }

    #[test]
    fn lists_are_the_same_in_another_order_and_as_the_default() {
        let fields = VENDORS.iter().flat_map(|vendor| vendor.target);
        let field = fields.clone().find(|field| field.list.is_some()).unwrap();
        let default = || list(field.list.unwrap().default);
        for (one, other, expected) in [
            (Value::Null, default(), true),
            (default(), Value::Null, true),
            (list(&["a", "b"]), list(&["b", "a"]), true),
            (list(&["a", "b"]), list(&["b"]), false),
            (Value::Null, list(&["a"]), false),
            (Value::Null, Value::Unknown, false),
            (Value::Unknown, Value::Unknown, false),
            (list(&["a"]), Value::List(vec![Value::Unknown]), false),
            (Value::List(vec![Value::Unknown]), Value::List(vec![Value::Unknown]), false),
        ] {
            assert_eq!(is_same(field, &one, &other), expected, "{one:?} {other:?}");
        }
        let name = VENDORS[0].target[0];
        assert!(!is_same(name, &Value::Null, &Value::Null));
    }
}
