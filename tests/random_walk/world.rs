//! The vendors, and what somebody else does there.

use std::collections::BTreeSet;

use sandbox::{
    HostUp, HubSpot, KeyState, KirimEmail, Sandbox,
    core::vendors::{self, Target, Which},
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
        if self.is_revoked("smtpd") {
            // The imitated vendor never lets a revoked key in again.
            env.retain(|(name, _)| *name != "SMTPD_API_SECRET");
            env.push(("SMTPD_API_SECRET", "not-the-secret".to_owned()));
        }
        env
    }

    pub(crate) fn is_revoked(&self, vendor: &str) -> bool {
        self.revoked.contains(vendor)
    }

    /// Whether there is something to reset; a vendor that makes another credential with every reset needs none.
    pub(crate) fn has(&self, target: Target) -> bool {
        matches!(target, Target::Smtpd(_)) || !self.deleted.contains(target.account())
    }

    /// Whether the credential of a state still exists.
    pub(crate) fn has_state(&self, target: Target, state: &Value) -> bool {
        match (target, state.get("remote_version").as_str()) {
            (Target::Smtpd(_), Some(id)) => {
                self.sandbox.smtpd().keys().iter().any(|key| key.id == id && key.state == KeyState::Active)
            }
            _ => self.has(target),
        }
    }

    /// The password that the vendor lets in with this state's user name.
    pub(crate) fn password(&self, state: &Value) -> Option<String> {
        self.sandbox.hubspot().password(state.get("username").as_str()?)
    }

    pub(crate) fn delete(&mut self, target: Target) {
        self.sandbox.vendors().named(target.vendor()).delete(target.account());
        self.was_deleted(target);
    }

    /// Takes note of a credential that somebody has deleted.
    pub(crate) fn was_deleted(&mut self, target: Target) {
        if !matches!(target, Target::Smtpd(_)) {
            self.deleted.insert(target.account().to_owned());
        }
    }

    pub(crate) fn make_again(&mut self, target: Target) {
        let account = target.account();
        if !self.deleted.remove(account) {
            return;
        }
        match target {
            Target::HostUp(_) => drop(self.sandbox.hostup().add_mailbox(HostUp::ACCOUNT_ID, account)),
            Target::HubSpot(_) => drop(self.sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, account)),
            Target::KirimEmail(_) => {
                let guid = target.fields()[1].1;
                self.sandbox.kirim_email().add_credential(KirimEmail::DOMAIN, guid, account);
            }
            Target::Smtpd(_) => {}
        }
    }

    pub(crate) fn revoke(&mut self, vendor: &'static str) {
        self.sandbox.vendors().named(vendor).revoke_token();
        self.was_revoked(vendor);
    }

    /// Takes note of a token that somebody has made worthless.
    pub(crate) fn was_revoked(&mut self, vendor: &'static str) {
        self.revoked.insert(vendor);
    }

    pub(crate) fn give_back(&mut self, vendor: &'static str) {
        if !self.revoked.remove(vendor) {
            return;
        }
        self.sandbox.vendors().named(vendor).restore_token();
    }

    /// Lets vendors show changes late, or no longer: then what was late shows.
    pub(crate) fn show_late(&self, late: Option<Late>) {
        let Late { reads, answers } = late.unwrap_or(Late { reads: 0, answers: false });
        for target in vendors::targets().filter(|target| matches!(target, Target::KirimEmail(_))) {
            self.sandbox.kirim_email().show_late(target.account(), reads);
            self.sandbox.kirim_email().answer_late(target.account(), answers);
        }
        self.sandbox.smtpd().list_late(reads);
    }

    /// The passwords that work at this moment, and the tokens: nothing of it may be said.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let names = vendors::targets().filter(|target| !matches!(target, Target::Smtpd(Which::First | Which::Second)));
        let passwords = names.filter_map(|target| self.sandbox.hubspot().password(target.account()));
        let keys = self.sandbox.smtpd().keys().into_iter().map(|key| key.secret);
        let tokens = ["hostup", "hubspot", "kirim_email"].map(|vendor| self.sandbox.vendors().named(vendor).token());
        let all = passwords.chain(keys).chain(tokens.map(str::to_owned));
        // A short text of the user's own may stand anywhere by chance.
        all.filter(|secret| secret.len() >= 20).collect()
    }
}
