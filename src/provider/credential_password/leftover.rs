//! What a create leaves behind whose reset may have happened, and whose password nobody knows.
//!
//! Core stores it as tainted, so the next plain apply replaces it, which is one more reset: whatever asked for the first one. With
//! nothing stored, core would put the object back that a create under `create_before_destroy` was to replace, and after `-replace` or
//! `replace_triggered_by` it would find nothing left to do. No create can see which of these it belongs to.

use super::{
    notes::Notes,
    schema::{PASSWORD, ROTATION_VERSION, STALE},
    version,
};
use crate::framework::{Change, ResourceState, value::Value};

/// The planned state, with nothing in what the reset would have told, and known to hold no live password.
pub(super) fn of(change: &Change) -> ResourceState {
    let mut state = without_unknowns(change.planned.clone());
    state.set(PASSWORD, Value::Null);
    state.set(STALE, true);
    state.set(ROTATION_VERSION, version::of(&state));
    ResourceState { state, private: Notes::of_state(&change.config, None, 0) }
}

/// The value with null in place of all that is unknown.
pub(super) fn without_unknowns(value: Value) -> Value {
    match value {
        Value::Object(mut attributes) => {
            for value in attributes.values_mut() {
                *value = without_unknowns(std::mem::take(value));
            }
            Value::Object(attributes)
        }
        Value::Unknown => Value::Null,
        known => known,
    }
}
