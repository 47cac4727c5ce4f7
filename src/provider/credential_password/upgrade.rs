//! Upgrades states of earlier schema versions.

use super::{
    names::{ON_EXTERNAL_CHANGE, REPLACE, ROTATION_DUE, ROTATION_MODE, ROTATION_VERSION, WARN},
    schema::VERSION,
    state::rotated_at,
};
use crate::{framework::value::Value, provider::attributes::rotation_version};

/// Converts a state that `version` of the schema wrote to the current one.
///
/// Before version 1, unset arguments were stored with their default, and there was neither `rotation_due` nor
/// `rotation_version`.
pub(super) fn state(version: i64, mut state: Value) -> Value {
    if version >= VERSION || state.is_null() {
        return state;
    }
    for (name, default) in [(ON_EXTERNAL_CHANGE, WARN), (ROTATION_MODE, REPLACE)] {
        if state.get(name).as_str() == Some(default) {
            state.set(name, Value::Null);
        }
    }
    let version = rotation_version::of(rotated_at(&state));
    state.set(ROTATION_DUE, false);
    state.set(ROTATION_VERSION, version);
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        framework::value::Number,
        provider::credential_password::names::{IN_PLACE, ROTATE, ROTATED_AT},
    };

    fn stored(mode: &str, setting: &str) -> Value {
        Value::object([
            (ON_EXTERNAL_CHANGE, Value::from(setting)),
            (ROTATED_AT, "1970-01-01T00:00:10.500000Z".into()),
            (ROTATION_MODE, mode.into()),
            (ROTATION_VERSION, Value::Null),
        ])
    }

    #[test]
    fn only_states_of_the_first_version_have_their_defaults_removed() {
        for (mode, setting, expected) in [
            (REPLACE, WARN, [Value::Null, Value::Null]),
            (IN_PLACE, WARN, [IN_PLACE.into(), Value::Null]),
            (REPLACE, ROTATE, [Value::Null, ROTATE.into()]),
        ] {
            let upgraded = state(0, stored(mode, setting));
            assert_eq!([ROTATION_MODE, ON_EXTERNAL_CHANGE].map(|name| upgraded.get(name).clone()), expected);
            assert_eq!(upgraded.get(ROTATION_VERSION), &Number::from(10).into());
            assert_eq!(upgraded.get(ROTATION_DUE), &false.into());
            assert_eq!(state(VERSION, stored(mode, setting)), stored(mode, setting));
        }
        assert_eq!(state(0, Value::Null), Value::Null);
    }
}
