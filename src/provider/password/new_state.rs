//! The states that an apply can store.

use crate::{
    framework::{Change, ResourceState, value::Value},
    provider::{
        attributes::{age_recipients::Storage, rotation_version},
        password::{
            names::{PASSWORD, REMOTE_VERSION, ROTATED_AT, ROTATION_VERSION, SMTP_HOST, STALE, USERNAME, VERIFIED},
            private_data::PrivateData,
            state::{rotated_at, without_unknowns},
        },
    },
    rotation::{NewCredential, Verified},
};

/// Completes the planned state with what the reset made known. `healed` counts the rotations in a row for a stale
/// password, this one included.
pub(in crate::provider) fn rotated(
    change: &Change,
    new: &NewCredential,
    healed: u32,
    storage: &Storage,
) -> ResourceState {
    let mut state = change.planned.clone();
    for (name, value) in [(REMOTE_VERSION, &new.version), (SMTP_HOST, &new.smtp_host), (USERNAME, &new.username)] {
        // Core rejects a state that differs from what was planned as known.
        if state.get(name).is_unknown() {
            state.set(name, value.clone());
        }
    }
    storage.put(&mut state, new.password.as_ref());
    state.set(ROTATED_AT, format!("{:.6}", new.rotated_at));
    state.set(ROTATION_VERSION, rotation_version::after(new.rotated_at, change.prior.get(ROTATION_VERSION)));
    state.set(STALE, false);
    let verified = match new.verified {
        Verified::LoggedIn => Value::Bool(true),
        Verified::Rejected => Value::Bool(false),
        Verified::NotChecked => Value::Null,
    };
    state.set(VERIFIED, verified);
    ResourceState { state, private: PrivateData::of_state(&change.config, new.logged_in_at.clone(), healed) }
}

/// The state after a create whose reset may have happened and whose password is lost: the planned state, with null for
/// everything that the reset would have reported, and marked stale.
///
/// Core taints this state, so the next plain apply replaces the resource and resets once more, whatever triggered the
/// first reset. If nothing were stored, core would restore the object that a create under `create_before_destroy` was
/// replacing, and after `-replace` or `replace_triggered_by` it would see nothing left to do. A create cannot see which
/// of these cases it belongs to.
pub(in crate::provider) fn leftover(change: &Change) -> ResourceState {
    let mut state = without_unknowns(change.planned.clone());
    state.set(PASSWORD, Value::Null);
    state.set(STALE, true);
    state.set(ROTATION_VERSION, rotation_version::of(rotated_at(&state)));
    ResourceState { state, private: PrivateData::of_state(&change.config, None, 0) }
}

/// The state after an update whose reset certainly replaced the stored password, while the new one is lost: the prior
/// state, marked stale. The next plan then reports it even if the vendor cannot.
pub(in crate::provider) fn outdated(change: &Change) -> ResourceState {
    let mut state = change.prior.clone();
    // Without a reset by this provider there is no stored password that could be stale.
    if !state.get(ROTATED_AT).is_null() {
        state.set(STALE, true);
    }
    ResourceState { state, private: PrivateData::of_failure(&change.private) }
}
