//! Credentials that a reset replaces by new ones: which of them a state has, when they are revoked, and how a rotation
//! is undone.

use super::{Failed, previous::without_previous, rotate};
use crate::{
    framework::{
        Call, Change, NewState,
        diagnostic::{Diagnostic, Diagnostics, Result},
        value::Value,
    },
    http::Outcome,
    provider::{
        attributes::{configured::Configured, retire_previous, target},
        credential_password::{CredentialPassword, state::State},
        diagnostics::{overlap, revocation},
        password::new_state,
    },
    rotation::{Predecessor, Rotated, Rotator, StoredCredential},
    vendors::{Operation, PriorCredential, ResetKind},
};

impl CredentialPassword {
    /// Resets the password of an existing resource by an update.
    pub(super) async fn rotate_in_place(
        &self,
        call: &Call,
        op: &Operation,
        change: &Change,
        new: &NewState,
        rotator: &Rotator,
    ) -> Result<()> {
        // Before the reset, because an error must not come between the reset and the state.
        let predecessor = self.predecessor(&change.prior)?;
        let previous = self.previous(&change.prior)?.filter(|previous| !self.is_still_held(call, previous));
        let ended = previous.as_ref().map(|previous| previous.id().to_owned());
        let rotated = rotate(rotator, call, op, change, new, previous).await.map_err(|failed| {
            let Failed { outcome, diagnostic } = failed;
            // The stored password is certainly invalid now. If resets create new credentials, it still works.
            if outcome == Outcome::Changed && rotator.target.vendor.reset_kind == ResetKind::InPlace {
                new.set(new_state::outdated(change));
            }
            diagnostic
        })?;
        match rotated {
            Rotated::Stored(verified) => {
                let predecessor = predecessor.filter(|_| !retire_previous::keeps_previous(&change.planned));
                if let Some(predecessor) = predecessor {
                    self.revoke(call, op, &predecessor, &rotator.target, verified).await;
                }
                if let Some(warning) = unidentified(&change.prior, self.connections.configured()) {
                    call.warn(warning);
                }
                Ok(())
            }
            Rotated::Refused(refused) => {
                // The old state first: whatever happens next, it has the password that works.
                new.set(without_previous(change));
                let revoked = rotator.revoke_refused(op, &refused).await;
                let undone = overlap::undone(&rotator.target, &refused, revoked.as_ref().err());
                Err(overlap::after_previous(undone, ended.as_deref()).into())
            }
        }
    }

    /// Revokes the previous credential of a state.
    pub(super) async fn revoke_previous(&self, call: &Call, op: &Operation, state: &Value) -> Result<()> {
        let Some(previous) = self.previous(state)? else { return Ok(()) };
        if self.is_still_held(call, &previous) {
            return Ok(());
        }
        let revoked = previous.revoke(op).await;
        revoked.map_err(|error| Diagnostics::from(overlap::not_revoked(&previous.target, previous.id(), &error)))
    }

    /// Returns the credential of a state if its vendor creates a new one with every reset.
    pub(super) fn predecessor(&self, state: &Value) -> Result<Option<Predecessor>> {
        let target = target::known(state, self.connections.configured())?;
        let StoredCredential { credential, rotated_at: made_at } = State::of(state).stored;
        match target.vendor.reset_kind {
            ResetKind::NewCredential if credential.version.is_some() => {
                Ok(Some(Predecessor { api: self.connections.api(target.vendor)?, target, credential, made_at }))
            }
            ResetKind::InPlace | ResetKind::NewCredential => Ok(None),
        }
    }

    /// Returns the previous credential of a state, if there is one that still works.
    pub(super) fn previous(&self, state: &Value) -> Result<Option<Predecessor>> {
        let target = target::known(state, self.connections.configured())?;
        let Some(credential) = retire_previous::of(&target, state) else { return Ok(None) };
        Ok(Some(Predecessor { api: self.connections.api(target.vendor)?, target, credential, made_at: None }))
    }

    /// Returns whether another state of this run holds a credential, and warns that it is therefore not revoked.
    pub(super) fn is_still_held(&self, call: &Call, previous: &Predecessor) -> bool {
        let is_held = self.shared.live.holds(&previous.target, &previous.credential);
        if is_held {
            call.warn(revocation::still_held(&previous.target, previous.id()));
        }
        is_held
    }
}

/// Returns the warning for a state that is given up and whose credential cannot be revoked, because the vendor did not
/// return its id.
pub(super) fn unidentified(state: &Value, configured: Configured) -> Option<Diagnostic> {
    let target = target::known(state, configured).ok()?;
    let PriorCredential { version, username } = State::of(state).stored.credential;
    let makes_another = target.vendor.reset_kind == ResetKind::NewCredential;
    username.filter(|_| makes_another && version.is_none()).map(|username| overlap::unidentified(&target, &username))
}
