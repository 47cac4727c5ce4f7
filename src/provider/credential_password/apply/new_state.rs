//! The states that an apply may end in.

use crate::{
    framework::{Change, ResourceState, value::Value},
    provider::{
        attributes::rotation_version,
        credential_password::{
            names::{PASSWORD, REMOTE_VERSION, ROTATED_AT, ROTATION_VERSION, SMTP_HOST, STALE, USERNAME, VERIFIED},
            private_data::PrivateData,
            state::{rotated_at, without_unknowns},
        },
    },
    rotation::{NewCredential, Verified},
};

/// The planned state with what the reset made known, after so many rotations in a row for a stale password.
pub(super) fn rotated(change: &Change, new: &NewCredential, healed: u32) -> ResourceState {
    let mut state = change.planned.clone();
    for (name, value) in [(REMOTE_VERSION, &new.version), (SMTP_HOST, &new.smtp_host), (USERNAME, &new.username)] {
        if state.get(name).is_unknown() {
            state.set(name, value.clone());
        }
    }
    state.set(PASSWORD, new.password.clone());
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

/// What a create leaves whose reset may have happened, and whose password nobody knows: the planned state, with nothing in what the
/// reset would have reported, and known to hold no live password.
///
/// Core stores it as tainted, so the next plain apply replaces it, which is one more reset: whatever asked for the first one. With
/// nothing stored, core would put the object back that a create under `create_before_destroy` was to replace, and after `-replace` or
/// `replace_triggered_by` it would find nothing left to do. No create can see which of these it belongs to.
pub(super) fn leftover(change: &Change) -> ResourceState {
    let mut state = without_unknowns(change.planned.clone());
    state.set(PASSWORD, Value::Null);
    state.set(STALE, true);
    state.set(ROTATION_VERSION, rotation_version::of(rotated_at(&state)));
    ResourceState { state, private: PrivateData::of_state(&change.config, None, 0) }
}

/// What an update leaves whose reset has certainly replaced the stored password: the prior state, whose next plan is to say what it is
/// up against, even where no vendor can tell.
pub(super) fn outdated(change: &Change) -> ResourceState {
    let mut state = change.prior.clone();
    if !state.get(ROTATED_AT).is_null() {
        state.set(STALE, true);
    }
    ResourceState { state, private: PrivateData::of_failure(&change.private) }
}
