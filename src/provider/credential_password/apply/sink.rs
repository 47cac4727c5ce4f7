//! Where a rotation of an apply puts what it knows: into the new state, and among the warnings.

use super::new_state;
use crate::{
    framework::{Call, Change, NewState},
    provider::{credential_password::private_data::PrivateData, diagnostics},
    rotation::{NewCredential, Notice, Sink},
    vendors::Target,
};

/// What core gets from one apply.
pub(super) struct ApplySink<'a> {
    pub(super) call: &'a Call,
    pub(super) change: &'a Change,
    pub(super) new: &'a NewState,
    pub(super) target: &'a Target,
}

impl Sink for ApplySink<'_> {
    fn doubt(&self) {
        // An update that fails leaves the state as it was, with whatever has asked for it.
        self.new.doubt(self.change.prior.is_null().then(|| new_state::leftover(self.change)));
    }

    fn settle(&self) {
        self.new.settle();
    }

    fn store(&self, new: &NewCredential) {
        let healed = PrivateData::from(&self.change.private).healed_after();
        self.new.set(new_state::rotated(self.change, new, healed));
    }

    fn notice(&self, notice: Notice) {
        self.call.warn(diagnostics::rotation::notice(self.target, &notice));
    }
}
