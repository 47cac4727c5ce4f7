//! The vendors, and what somebody else does there.

use std::collections::{BTreeMap, BTreeSet};

use sandbox::{
    Model, Sandbox, VENDORS,
    core::vendors::{self, Target},
};
use terraform_provider_smtp::framework::value::Value;

use crate::operation::Late;

/// The sandbox, and what has been done to it.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    deleted: BTreeSet<String>,
    revoked: BTreeSet<&'static str>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { sandbox: vendors::sandbox(), deleted: BTreeSet::new(), revoked: BTreeSet::new() }
    }

    /// The environment of a provider that starts now.
    pub(crate) fn env(&self) -> Vec<(&'static str, String)> {
        let mut env = self.sandbox.env();
        // Where the imitated vendor never lets a revoked login in again, it is the provider that gets another.
        let lost: Vec<_> = VENDORS.iter().filter(|vendor| self.is_revoked(vendor) && !vendor.restores_tokens).collect();
        for (name, value) in &mut env {
            if lost.iter().any(|vendor| vendor.token_variable == *name) {
                "not-the-secret".clone_into(value);
            }
        }
        env
    }

    pub(crate) fn is_revoked(&self, vendor: &Model) -> bool {
        self.revoked.contains(vendor.name)
    }

    /// Whether there is something to reset; a vendor that makes another credential with every reset needs none.
    pub(crate) fn has(&self, target: Target) -> bool {
        target.vendor.makes_successors || !self.deleted.contains(target.account())
    }

    /// Whether the credential of a state still exists.
    pub(crate) fn has_state(&self, target: Target, state: &Value) -> bool {
        match state.get("remote_version").as_str() {
            Some(id) if target.vendor.makes_successors => {
                vendors::successors(&self.sandbox).iter().any(|left| left == id)
            }
            _ => self.has(target),
        }
    }

    /// The password that the vendor accepts with this state's user name.
    pub(crate) fn password(&self, state: &Value) -> Option<String> {
        self.sandbox.hubspot().password(state.get("username").as_str()?)
    }

    pub(crate) fn delete(&mut self, target: Target) {
        target.vendor.at(&self.sandbox).delete(target.account());
        self.was_deleted(target);
    }

    /// Takes note of a credential that somebody has deleted.
    pub(crate) fn was_deleted(&mut self, target: Target) {
        if !target.vendor.makes_successors {
            self.deleted.insert(target.account().to_owned());
        }
    }

    pub(crate) fn make_again(&mut self, target: Target) {
        let account = target.account();
        if self.deleted.remove(account) {
            target.vendor.at(&self.sandbox).add(account);
        }
    }

    pub(crate) fn revoke(&mut self, vendor: &'static Model) {
        vendor.at(&self.sandbox).revoke_token();
        self.was_revoked(vendor);
    }

    /// Takes note of a token that somebody has made worthless.
    pub(crate) fn was_revoked(&mut self, vendor: &'static Model) {
        self.revoked.insert(vendor.name);
    }

    pub(crate) fn give_back(&mut self, vendor: &'static Model) {
        if self.revoked.remove(vendor.name) {
            vendor.at(&self.sandbox).restore_token();
        }
    }

    /// Lets vendors show changes late, or no longer: then what was late shows.
    pub(crate) fn show_late(&self, late: Option<Late>) {
        let Late { reads, answers } = late.unwrap_or(Late { reads: 0, answers: false });
        for target in vendors::targets() {
            target.vendor.at(&self.sandbox).show_late(target.account(), reads, answers);
        }
    }

    /// Lets nothing go wrong any more.
    pub(crate) fn calm_down(&self) {
        self.sandbox.clear_faults();
        self.sandbox.clear_smtp_faults();
        self.sandbox.leave_alone();
        self.sandbox.release();
        self.show_late(None);
    }

    /// How many resets of each credential there have been.
    pub(crate) fn resets(&self) -> BTreeMap<String, usize> {
        vendors::targets().map(|target| (target.id(), target.resets(&self.sandbox))).collect()
    }

    /// The passwords that work at this moment, and the tokens: nothing of it may be said.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let password = |target: Target| target.vendor.at(&self.sandbox).password(target.account());
        let others = VENDORS.iter().flat_map(|vendor| vendor.at(&self.sandbox).secrets());
        let all = vendors::targets().filter_map(password).chain(others);
        // A short text of the user's own may stand anywhere by chance.
        all.filter(|secret| secret.len() >= 20).collect()
    }
}
