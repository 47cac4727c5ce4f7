//! Applies a plan: creates and updates reset the password, deletions revoke it where the vendor can.

mod delete;
mod overlap;
mod previous;
mod sink;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::sink::ApplySink;
use super::{
    CredentialPassword, diagnose,
    names::{PASSWORD_WO, PREVIOUS, ROTATED_AT, SMTP_HOST},
    operation::Timed,
    private_data::PrivateData,
    state::State,
};
use crate::{
    framework::{
        Call, Change, NewState, ResourceState,
        diagnostic::{Diagnostic, Result},
    },
    http::Outcome,
    provider::{
        attributes::{age_recipients, password_policy, retire_previous, target},
        diagnostics::{self, lost_reset, revocation, vendor},
        password::request,
    },
    rotation::{Created, Known, Predecessor, Request, Rotated, RotationError, Rotator, Verified},
    vendors::{Operation, PriorCredential, Target},
};

impl CredentialPassword {
    pub(super) async fn apply_create(&self, call: &Call, change: &Change, new: &NewState) -> Result<()> {
        let target = target::known(&change.planned, self.connections.configured())?;
        let op = Timed::Create.operation(call, &change.planned);
        let id = target.id();
        let rotator = self.rotator(target, PriorCredential::default(), self.replacements.known(&id))?;
        let private = PrivateData::of_second_half(&change.private, self.replacements.healed(&id));
        let change = Change { private, ..change.clone() };
        let rotated = rotate(&rotator, call, &op, &change, new, None).await;
        let rotated = rotated.map_err(|failed| {
            let predecessors = self.replacements.failed(&id);
            let ids = predecessors.as_ref().map(|all| ids(all));
            let failed = lost_reset::of_create(failed.diagnostic, failed.outcome, ids.as_deref());
            let ended = rotator.known.previous.as_ref().filter(|_| rotator.known.is_previous_revoked);
            diagnostics::overlap::after_previous(failed, ended.and_then(|ended| ended.version.as_deref()))
        })?;
        // A create has nothing to go back to, so it does not ask for a refused credential to be undone.
        // The deletion half of a replacement left its credential for this create to revoke.
        let Created { verified, revoked, waiting } = self.replacements.created(&id, rotated.verified());
        for predecessor in waiting {
            call.warn(revocation::successor_pending(&rotator.target, &predecessor));
        }
        for predecessor in revoked {
            self.revoke(call, &op, &predecessor, &rotator.target, verified).await;
        }
        Ok(())
    }

    pub(super) async fn apply_update(&self, call: &Call, change: &Change, new: &NewState) -> Result<()> {
        let op = Timed::Update.operation(call, &change.planned);
        let (prior, notes) = (State::of(&change.prior), PrivateData::from(&change.private));
        let rotator = || {
            let previous = self.previous(&change.prior)?.map(|previous| previous.credential);
            let credential = prior.stored.credential.clone();
            let previous_password = prior.previous_password(notes.logged_in_at.clone());
            let known = Known {
                credential: credential.clone(),
                login: prior.login(),
                previous_password,
                previous,
                is_previous_revoked: false,
            };
            self.rotator(target::known(&change.planned, self.connections.configured())?, credential, known)
        };
        // This is how the plan marks a reset.
        if change.planned.get(ROTATED_AT).is_unknown() {
            return self.rotate_in_place(call, &op, change, new, &rotator()?).await;
        }
        let mut state = change.planned.clone();
        // An update without a reset has only one unknown: the submission host of a vendor that reports it.
        if !state.is_wholly_known() {
            let rotator = rotator()?;
            let host = if state.get(SMTP_HOST).is_unknown() {
                rotator.smtp_host(&op).await.map_err(|error| diagnose(&rotator.target, &error))?
            } else {
                None
            };
            state.set(SMTP_HOST, host);
        }
        // What `retire_previous` no longer keeps is revoked before it leaves the state.
        if state.get(PREVIOUS).is_null() {
            self.revoke_previous(call, &op, &change.prior).await?;
        }
        new.set(ResourceState {
            state,
            private: PrivateData::of_state(&change.config, notes.logged_in_at.clone(), notes.healed),
        });
        Ok(())
    }

    fn rotator(&self, target: Target, credential: PriorCredential, known: Known) -> Result<Rotator> {
        let (api, roots) = (self.connections.api(target.vendor)?, self.connections.roots());
        Ok(Rotator { shared: Arc::clone(&self.shared), target, api, roots, credential, known })
    }

    /// Revokes the replaced credential, once the new password is stored. A failure is only a warning.
    async fn revoke(
        &self,
        call: &Call,
        op: &Operation,
        predecessor: &Predecessor,
        successor: &Target,
        verified: Verified,
    ) {
        if let Some(kept) = predecessor.revoke_after_reset(op, &self.shared, successor, verified).await {
            call.warn(diagnostics::rotation::kept(predecessor, &kept));
        }
    }
}

/// A failed rotation, as it is reported to the user.
struct Failed {
    outcome: Outcome,
    diagnostic: Diagnostic,
}

/// Carries out the rotation that `change` plans, after revoking `revokes`. Its result goes to `new` before this
/// returns.
async fn rotate(
    rotator: &Rotator,
    call: &Call,
    op: &Operation,
    change: &Change,
    new: &NewState,
    revokes: Option<Predecessor>,
) -> std::result::Result<Rotated, Failed> {
    let target = &rotator.target;
    let ended = revokes.as_ref().map(|previous| previous.id().to_owned());
    let failed = |error: &RotationError| Failed {
        outcome: error.outcome(),
        diagnostic: diagnostics::rotation::failed(target, error),
    };
    // A plan may have been made before it was known.
    if let Some(diagnostic) = password_policy::own_too_long(target.vendor, change.config.get(PASSWORD_WO)) {
        return Err(Failed { outcome: Outcome::NotChanged, diagnostic });
    }
    let request = request::of(target, change).map_err(|error| failed(&error))?;
    let undoes_refusal = !change.prior.is_null() && retire_previous::keeps_previous(&change.planned);
    let request = Request { revokes, undoes_refusal, ..request };
    let storage = age_recipients::prepare(&change.planned);
    let storage = storage.map_err(|diagnostic| Failed { outcome: Outcome::NotChanged, diagnostic })?;
    let sink = ApplySink { call, change, new, target, storage: &storage };
    // Boxed, because it keeps what a rotation has prepared.
    Box::pin(rotator.rotate(op, request, &sink)).await.map_err(|error| {
        let Failed { outcome, diagnostic } = failed(&error);
        // Any other error comes before the revocation, or is that of the revocation.
        let ended = ended.filter(|_| matches!(error, RotationError::Reset(_)));
        Failed { outcome, diagnostic: diagnostics::overlap::after_previous(diagnostic, ended.as_deref()) }
    })
}

fn ids(predecessors: &[Predecessor]) -> Vec<String> {
    predecessors.iter().map(|predecessor| vendor::stored(predecessor.id()).to_string()).collect()
}
