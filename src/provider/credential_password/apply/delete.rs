//! A deletion: of a resource that is destroyed, or of one that another create replaces.

use crate::{
    framework::{Call, Private, diagnostic::Result, value::Value},
    provider::{
        attributes::target,
        credential_password::{
            CredentialPassword, diagnose,
            operation::Timed,
            private_data::{PlannedAction, PrivateData},
            state::State,
        },
        diagnostics::{
            revocation,
            vendor::{self, Step},
        },
    },
    rotation::{DeletedObject, Known},
    vendors::{Operation, PriorCredential, Target},
};

impl CredentialPassword {
    pub(in crate::provider::credential_password) async fn apply_delete(
        &self,
        call: &Call,
        prior: &Value,
        planned: &Private,
    ) -> Result<()> {
        let op = Timed::Delete.operation(call, prior);
        let notes = PrivateData::from(planned);
        match &notes.action {
            Some(PlannedAction::Create(stored)) => {
                let successor = stored.as_ref().and_then(target::StoredTarget::target);
                self.delete_before_create(call, &op, prior, successor, &notes).await
            }
            Some(PlannedAction::Destroy) | None => self.destroy(call, &op, prior).await,
        }
    }

    /// Leaves a password as it is, and revokes a credential that this resource made.
    async fn destroy(&self, call: &Call, op: &Operation, prior: &Value) -> Result<()> {
        let Some(predecessor) = self.predecessor(prior)? else { return Ok(()) };
        self.shared.live.release(&State::of(prior).stored);
        let (target, id) = (&predecessor.target, predecessor.id());
        if self.shared.live.holds(target, &predecessor.credential) {
            call.warn(revocation::still_held(target, id));
        } else if self.replacements.has_rejected(&target.id()) {
            call.warn(revocation::spared(target, id));
        } else {
            let revoked = predecessor.revoke(op).await;
            revoked.map_err(|error| vendor::failed(Step::Revoking, target, &error))?;
        }
        Ok(())
    }

    /// Checks that the create of the same replacement can work, and leaves to it what it is to revoke. Until then the old password, which
    /// is still valid, must not leave the state.
    async fn delete_before_create(
        &self,
        call: &Call,
        op: &Operation,
        prior: &Value,
        successor: Option<Target>,
        notes: &PrivateData,
    ) -> Result<()> {
        let predecessor = self.predecessor(prior)?;
        if let (None, Some(predecessor)) = (&successor, &predecessor) {
            call.warn(revocation::left_to_its_successor(&predecessor.target, predecessor.id()));
        }
        let (before, known) = (target::known(prior)?, State::of(prior));
        let is_named = successor.is_some();
        let target = successor.unwrap_or_else(|| before.clone());
        let is_same_vendor = target.vendor.name == before.vendor.name;
        let credential = if is_same_vendor { known.stored.credential.clone() } else { PriorCredential::default() };
        let id = target.id();
        let rotator = self.rotator(target, credential.clone(), Known::default())?;
        rotator.check(op).await.map_err(|error| diagnose(&rotator.target, &error))?;
        if let Some(endpoint) = &notes.endpoint {
            let checked = rotator.check_endpoint(op, endpoint).await;
            checked.map_err(|error| diagnose(&rotator.target, &error))?;
        }
        let previous_password = known.previous_password(notes.logged_in_at.clone());
        let same = Known { credential, previous_password };
        let is_same = id == before.id();
        self.shared.live.release(&known.stored);
        let deleted = DeletedObject {
            predecessor,
            known: if is_same { same } else { Known::default() },
            is_named,
            healed: notes.healed_after(),
        };
        self.replacements.deleted(id, deleted);
        Ok(())
    }
}
