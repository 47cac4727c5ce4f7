//! What identifies the object in a state.

use super::targets::{SEPARATOR, Targets, other};
use crate::{
    framework::value::Value,
    provider::{
        attributes::{configured::Configured, import_id},
        password::state::State,
    },
};

/// Returns the import id of a state: that of the current credential comes first, whatever the order of the list.
pub(super) fn of(state: &Value, configured: Configured) -> Option<String> {
    let targets = Targets::of(state, configured).ok()?;
    let current = targets.position(&State::of(state).current)?;
    let ids = [current, other(current)].map(|place| import_id::of(targets.element(place)?, None));
    ids.into_iter().collect::<Option<Vec<_>>>().map(|ids| ids.join(SEPARATOR))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        provider::password::names::CURRENT,
        vendors::{ResetKind, VENDORS},
    };

    #[test]
    fn the_current_credential_comes_first() {
        let vendor = VENDORS.iter().find(|vendor| vendor.reset_kind == ResetKind::InPlace && vendor.target.len() == 1);
        let vendor = vendor.unwrap();
        let element = |name: &str| Value::object([(vendor.target[0].name, name.into())]);
        let id = |name: &str| format!("{}/{name}", vendor.name);
        let state = |names: &[&str], current: Value| {
            let list = Value::List(names.iter().map(|name| element(name)).collect());
            Value::object([(vendor.name, list), (CURRENT, current)])
        };
        for (names, current, expected) in [
            (&["a@x", "b@x"][..], id("a@x"), Some(["a@x", "b@x"])),
            (&["a@x", "b@x"], id("b@x"), Some(["b@x", "a@x"])),
            // A moved state has no second credential yet, and a failed rotation may leave a list without the current one.
            (&["a@x"], id("a@x"), None),
            (&["a@x", "b@x"], id("c@x"), None),
        ] {
            let expected = expected.map(|ids| ids.map(id).join(SEPARATOR));
            assert_eq!(of(&state(names, current.into()), Configured::default()), expected);
        }
        assert_eq!(of(&state(&["a@x", "b@x"], Value::Null), Configured::default()), None);
        assert_eq!(of(&Value::Null, Configured::default()), None);
    }
}
