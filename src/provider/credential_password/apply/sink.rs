//! Passes the results of a rotation to core: to the new state, and to the warnings.

use super::previous::{set_previous, without_previous};
use crate::{
    framework::{Call, Change, NewState},
    provider::{
        attributes::age_recipients::Storage,
        diagnostics,
        password::{new_state, private_data::PrivateData},
    },
    rotation::{NewCredential, Notice, Sink},
    vendors::Target,
};

/// The results of one apply.
pub(super) struct ApplySink<'a> {
    pub(super) call: &'a Call,
    pub(super) change: &'a Change,
    pub(super) new: &'a NewState,
    pub(super) target: &'a Target,
    /// How the password is stored, prepared before the reset.
    pub(super) storage: &'a Storage,
}

impl Sink for ApplySink<'_> {
    fn revoked(&self) {
        self.new.set(without_previous(self.change));
    }

    fn doubt(&self) {
        // A failed update keeps the prior state, so its trigger is still pending and the next plan resets again.
        self.new.doubt(self.change.prior.is_null().then(|| new_state::leftover(self.change)));
    }

    fn settle(&self) {
        self.new.settle();
    }

    fn store(&self, new: &NewCredential) {
        let healed = PrivateData::from(&self.change.private).healed_after();
        let mut rotated = new_state::rotated(self.change, new, healed, self.storage);
        set_previous(&mut rotated.state, self.target, self.change, new);
        self.new.set(rotated);
    }

    fn notice(&self, notice: Notice) {
        self.call.warn(diagnostics::rotation::notice(self.target, &notice));
    }
}
