//! Deletes a resource, which is either destroyed or replaced by a create that follows.

use std::time::Duration;

use super::overlap::unidentified;
use crate::{
    framework::{Call, Private, diagnostic::Result, value::Value},
    http::Kind,
    provider::{
        attributes::target,
        credential_password::{
            CredentialPassword, diagnose,
            operation::Timed,
            private_data::{PlannedAction, PrivateData},
            state::State,
        },
        diagnostics::{
            overlap, revocation, rotation,
            vendor::{self, Step},
        },
    },
    rotation::{DeletedObject, Known, Predecessor, RotationError, Rotator},
    vendors::{Operation, PriorCredential, Target},
};

impl CredentialPassword {
    pub(in crate::provider::credential_password) async fn apply_delete(
        &self,
        call: &Call,
        prior: &Value,
        planned: &Private,
    ) -> Result<()> {
        let notes = PrivateData::from(planned);
        match &notes.action {
            Some(PlannedAction::Create(stored)) => {
                let successor = stored.as_ref().and_then(|stored| stored.target(self.connections.configured()));
                let op = Timed::Delete.operation(call, prior);
                self.delete_before_create(call, &op, prior, successor, &notes).await
            }
            Some(PlannedAction::Destroy) | None => self.destroy(call, prior).await,
        }
    }

    /// Revokes the credentials of the state if resets at their vendor create new ones. Otherwise nothing is sent and
    /// the password stays as it is.
    async fn destroy(&self, call: &Call, prior: &Value) -> Result<()> {
        // This state is about to disappear, so it no longer protects its credential from revocation.
        let (previous, current) = (self.previous(prior)?, self.predecessor(prior)?);
        if let Some(current) = &current {
            self.wait_for_successor(call, current).await?;
        }
        let op = &Timed::Delete.operation(call, prior);
        self.shared.live.release(&State::of(prior).stored);
        // The previous one first: once the current one is gone, a refresh drops the state, and the other one with it.
        let previous = previous.filter(|previous| self.may_revoke(call, previous));
        if let Some(previous) = &previous {
            let revoked = previous.revoke(op).await;
            revoked.map_err(|error| overlap::not_revoked(&previous.target, previous.id(), &error))?;
        }
        if let Some(current) = current.filter(|current| self.may_revoke(call, current)) {
            let revoked = current.revoke(op).await;
            revoked.map_err(|error| {
                let failed = vendor::failed(Step::Revoking, &current.target, &error);
                overlap::after_previous(failed, previous.as_ref().map(Predecessor::id))
            })?;
        }
        if let Some(warning) = unidentified(prior, self.connections.configured()) {
            call.warn(warning);
        }
        self.try_replaced(call, op, prior).await;
        Ok(())
    }

    /// Waits until the credential that has replaced a deposed one works everywhere. The time does not count as that of
    /// the deletion; only a stop ends the wait.
    async fn wait_for_successor(&self, call: &Call, deposed: &Predecessor) -> Result<()> {
        let op = Operation::new(Duration::MAX, call.stop.clone());
        if self.shared.settled(&op, &deposed.target.id()).await {
            return Ok(());
        }
        Err(revocation::stopped_before_settled(&deposed.target, deposed.id()).into())
    }

    /// Returns whether a destroyed credential may be revoked, and warns if it may not.
    fn may_revoke(&self, call: &Call, destroyed: &Predecessor) -> bool {
        let (target, id) = (&destroyed.target, destroyed.id());
        // A vendor may return the same credential for two resources. It must stay as long as one of them is in the
        // state.
        if self.shared.live.holds(target, &destroyed.credential) {
            call.warn(revocation::still_held(target, id));
            return false;
        }
        if self.replacements.has_rejected(&target.id()) {
            call.warn(revocation::spared(target, id));
            return false;
        }
        true
    }

    /// Tries the password of a deposed object, if the create that has replaced it is to prove that it no longer works.
    async fn try_replaced(&self, call: &Call, op: &Operation, prior: &Value) {
        let (Ok(target), Some(login)) = (target::known(prior, self.connections.configured()), State::of(prior).login())
        else {
            return;
        };
        let notice = self.shared.try_replaced(op, &target.id(), &login, self.connections.roots()).await;
        if let Some(notice) = notice {
            call.warn(rotation::notice(&target, &notice));
        }
    }

    /// Checks that the create of the same replacement can succeed, makes room for it if there is none, and records which
    /// credentials that create has to revoke. The old password is still valid, so it must not leave the state before
    /// these checks pass.
    async fn delete_before_create(
        &self,
        call: &Call,
        op: &Operation,
        prior: &Value,
        successor: Option<Target>,
        notes: &PrivateData,
    ) -> Result<()> {
        let (previous, current) = (self.previous(prior)?, self.predecessor(prior)?);
        let (before, known) = (target::known(prior, self.connections.configured())?, State::of(prior));
        let is_named = successor.is_some();
        let target = successor.unwrap_or_else(|| before.clone());
        let is_same_vendor = target.vendor.name == before.vendor.name;
        let credential = if is_same_vendor { known.stored.credential.clone() } else { PriorCredential::default() };
        let id = target.id();
        let is_same = id == before.id();
        let held = previous.as_ref().filter(|_| is_same_vendor).map(|previous| previous.credential.clone());
        let rotator = self.rotator(target, credential.clone(), Known { previous: held.clone(), ..Known::default() })?;
        // If this fails, the replacement ends here, and the old password stays in the state.
        rotator.check(op).await.map_err(|error| diagnose(&rotator.target, &error))?;
        let makes_room = self.makes_room(call, op, &rotator, previous.as_ref().filter(|_| is_same)).await?;
        if let Some(endpoint) = &notes.endpoint {
            let checked = rotator.check_endpoint(op, endpoint).await;
            checked.map_err(|error| diagnose(&rotator.target, &error))?;
        }
        // Last, because nothing may fail once it is revoked: the state would still name it.
        if let Some(previous) = previous.as_ref().filter(|_| makes_room) {
            let revoked = previous.revoke(op).await;
            revoked.map_err(|error| overlap::not_revoked(&previous.target, previous.id(), &error))?;
        }
        let predecessors: Vec<_> = previous.filter(|_| !makes_room).into_iter().chain(current).collect();
        for predecessor in predecessors.iter().filter(|_| !is_named) {
            call.warn(revocation::successor_unknown(&predecessor.target, predecessor.id()));
        }
        if let Some(warning) = unidentified(prior, self.connections.configured()) {
            call.warn(warning);
        }
        // What the state knows of the old credential only helps the create if both are the same credential.
        let same = Known {
            credential,
            login: known.login(),
            previous_password: known.previous_password(notes.logged_in_at.clone()),
            previous: held,
            is_previous_revoked: makes_room,
        };
        self.shared.live.release(&known.stored);
        let deleted = DeletedObject {
            predecessors,
            known: if is_same { same } else { Known::default() },
            is_named,
            healed: notes.healed_after(),
        };
        self.replacements.deleted(id, deleted);
        Ok(())
    }

    /// Checks that there is room for the create. Returns whether `previous` has to be revoked first, as the replacement
    /// does in any case.
    async fn makes_room(
        &self,
        call: &Call,
        op: &Operation,
        rotator: &Rotator,
        previous: Option<&Predecessor>,
    ) -> Result<bool> {
        let Err(error) = rotator.check_room(op, None).await else { return Ok(false) };
        let is_full = matches!(&error, RotationError::Checking(error) if error.kind == Kind::NoRoom);
        if let Some(previous) = previous.filter(|_| is_full)
            && rotator.check_room(op, Some(&previous.credential)).await.is_ok()
            && !self.is_still_held(call, previous)
        {
            return Ok(true);
        }
        Err(diagnose(&rotator.target, &error))
    }
}
