//! Passes the results of a rotation to core: to the new state, and to the warnings.

use std::sync::{Mutex, PoisonError};

use crate::{
    framework::{Call, Change, NewState, ResourceState},
    provider::{
        attributes::{VERIFY, age_recipients::Storage},
        diagnostics::{pair, rotation},
        password::{new_state, private_data::PrivateData},
    },
    rotation::{NewCredential, Notice, Sink, Verified},
    vendors::Target,
};

/// The results of one apply.
pub(super) struct PairSink<'a> {
    call: &'a Call,
    change: &'a Change,
    new: &'a NewState,
    target: &'a Target,
    /// How the password is stored, prepared before the reset.
    storage: &'a Storage,
    /// The state until there is a new password; for a create that is a leftover without one.
    doubtful: ResourceState,
    /// Whether the new password must log in before it is stored.
    is_proof_needed: bool,
    notices: Mutex<Vec<Notice>>,
}

impl<'a> PairSink<'a> {
    /// For a create. There is nothing to keep, so the new password is stored at once.
    pub(super) fn storing(
        call: &'a Call,
        change: &'a Change,
        new: &'a NewState,
        target: &'a Target,
        storage: &'a Storage,
    ) -> Self {
        let doubtful = new_state::leftover(change);
        Self { call, change, new, target, storage, doubtful, is_proof_needed: false, notices: Mutex::default() }
    }

    /// For an update. With `verify`, the state keeps the current credential until the new password has logged in.
    /// `kept` is the state that is true until then.
    pub(super) fn switching(
        call: &'a Call,
        change: &'a Change,
        new: &'a NewState,
        target: &'a Target,
        storage: &'a Storage,
        kept: ResourceState,
    ) -> Self {
        let is_proof_needed = !change.planned.get(VERIFY).is_null();
        Self { call, change, new, target, storage, doubtful: kept, is_proof_needed, notices: Mutex::default() }
    }

    /// Returns whether a new credential takes over once its login has ended like this.
    pub(super) fn has_switched(&self, verified: Verified) -> bool {
        !self.is_proof_needed || verified == Verified::LoggedIn
    }

    /// Warns of what was noticed.
    pub(super) fn report(&self) {
        for notice in self.lock().drain(..) {
            self.call.warn(rotation::notice(self.target, &notice));
        }
    }

    /// Returns what was noticed.
    pub(super) fn into_notices(self) -> Vec<Notice> {
        self.notices.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Notice>> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for PairSink<'_> {
    fn doubt(&self) {
        self.new.doubt(Some(self.doubtful.clone()));
    }

    fn settle(&self) {
        self.new.settle();
    }

    fn store(&self, new: &NewCredential) {
        if self.has_switched(new.verified) {
            let healed = PrivateData::from(&self.change.private).healed_after();
            self.new.set(new_state::rotated(self.change, new, healed, self.storage));
        }
    }

    fn notice(&self, notice: Notice) {
        if self.is_proof_needed {
            // Whether the new password takes over is not known yet, and every warning says what the state holds.
            self.lock().push(notice);
        } else {
            let verification = pair::not_verified(self.target, &notice);
            self.call.warn(verification.unwrap_or_else(|| rotation::notice(self.target, &notice)));
        }
    }
}
