//! The attribute `previous` in the states that an apply stores.

use crate::{
    framework::{Change, ResourceState, value::Value},
    provider::{
        attributes::retire_previous,
        credential_password::{names::PREVIOUS, private_data::PrivateData, state::State},
    },
    rotation::NewCredential,
    vendors::Target,
};

/// Sets the `previous` of a new state, if the plan leaves it open: the credential that the reset has replaced.
pub(super) fn set_previous(state: &mut Value, target: &Target, change: &Change, new: &NewCredential) {
    if state.get(PREVIOUS).is_unknown() {
        let replaced = State::of(&change.prior).stored.credential;
        state.set(PREVIOUS, retire_previous::after(target, &replaced, new.version.as_deref()));
    }
}

/// The state before an update, once the credential that it has as the previous one is revoked.
pub(super) fn without_previous(change: &Change) -> ResourceState {
    let mut state = change.prior.clone();
    state.set(PREVIOUS, Value::Null);
    ResourceState { state, private: PrivateData::of_failure(&change.private) }
}
