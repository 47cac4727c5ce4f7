//! Applies a plan: a create resets the first credential, an update resets the one that is not in use.

mod delete;
mod sink;

use std::sync::Arc;

use self::sink::PairSink;
use super::{
    CredentialPair, plan,
    targets::{self, Targets},
};
use crate::{
    framework::{
        Call, Change, NewState, ResourceState,
        diagnostic::{Diagnostic, Result},
        value::Value,
    },
    provider::{
        attributes::{age_recipients, configured::Configured},
        diagnostics::{
            pair::{self, Kept},
            pair_gone, rotation,
            vendor::{self, Step},
        },
        password::{
            names::{PREVIOUS, ROTATED_AT, SMTP_HOST},
            operation::Timed,
            private_data::PrivateData,
            request,
            state::State,
        },
    },
    rotation::{Known, Request, RotationError, Rotator, Spared, Verified},
    text::is_same_name,
    vendors::{Operation, Presence, PriorCredential, Target},
};

impl CredentialPair {
    pub(super) async fn apply_create(&self, call: &Call, change: &Change, new: &NewState) -> Result<()> {
        let op = Timed::Create.operation(call, &change.planned);
        let (targets, target) = planned(change, self.connections.configured())?;
        // Before the reset, because it can fail, and nothing may fail after it.
        let storage = age_recipients::prepare(&change.planned)?;
        let id = target.id();
        let known = self.replacements.known(&id);
        let spared = self.spared(call, &op, change, &targets, &target).await?;
        let rotator = self.rotator(target, PriorCredential::default(), known)?;
        let private = PrivateData::of_second_half(&change.private, self.replacements.healed(&id));
        let change = &Change { private, ..change.clone() };
        let sink = PairSink::storing(call, change, new, &rotator.target, &storage);
        match rotate(&rotator, &op, change, spared, &sink).await {
            Ok(verified) => {
                self.replacements.created(&id, verified);
                Ok(())
            }
            Err(error) => {
                let is_second_half = self.replacements.failed(&id).is_some();
                let failed = rotation::failed(&rotator.target, &error);
                Err(pair::of_create(failed, error.outcome(), is_second_half).into())
            }
        }
    }

    pub(super) async fn apply_update(&self, call: &Call, change: &Change, new: &NewState) -> Result<()> {
        let op = Timed::Update.operation(call, &change.planned);
        let (targets, target) = planned(change, self.connections.configured())?;
        // This is how the plan marks a reset.
        if change.planned.get(ROTATED_AT).is_unknown() {
            let change = &Change { planned: plan::settled(&change.planned, &target), ..change.clone() };
            // Boxed, because it is large, and an apply without a reset needs none of it.
            return Box::pin(self.take_turns(call, &op, change, new, &targets, target)).await;
        }
        let notes = PrivateData::from(&change.private);
        let mut state = change.planned.clone();
        // An update without a reset has only one unknown: the submission host of a vendor that reports it.
        if state.get(SMTP_HOST).is_unknown() {
            let credential = State::of(&change.prior).stored.credential;
            let rotator = self.rotator(target, credential, Known::default())?;
            let host = rotator.smtp_host(&op).await.map_err(|error| rotation::failed(&rotator.target, &error))?;
            state.set(SMTP_HOST, host);
        }
        new.set(ResourceState {
            state,
            private: PrivateData::of_state(&change.config, notes.logged_in_at.clone(), notes.healed),
        });
        Ok(())
    }

    /// Resets `target`, which is not in use, and makes it the current credential. With `verify`, only after its new
    /// password has logged in. Whatever happens, the current credential is not touched.
    async fn take_turns(
        &self,
        call: &Call,
        op: &Operation,
        change: &Change,
        new: &NewState,
        targets: &Targets,
        target: Target,
    ) -> Result<()> {
        let storage = age_recipients::prepare(&change.planned)?;
        let spared = self.spared(call, op, change, targets, &target).await?;
        // The state knows nothing of this credential, so there is no previous password to ask about.
        let rotator = self.rotator(target, PriorCredential::default(), Known::default())?;
        let target = &rotator.target;
        let State { current, previous, .. } = State::of(&change.prior);
        let may_be_reset = |id: &str| targets.named(id).is_none_or(|previous| targets::may_be_same(&previous, target));
        let ends_previous = previous.is_some_and(|id| may_be_reset(&id));
        let kept = Kept { current: &current, ends_previous };
        let sink = PairSink::switching(call, change, new, target, &storage, kept_state(change, ends_previous));
        match rotate(&rotator, op, change, spared, &sink).await {
            Ok(verified) if sink.has_switched(verified) => {
                sink.report();
                self.warn_of_previous(call, change);
                Ok(())
            }
            Ok(_) => {
                // This ends the doubt: the reset has happened, so a crash from here on leaves nothing unknown.
                new.set(kept_state(change, ends_previous));
                Err(pair::not_proven(target, kept, &sink.into_notices()).into())
            }
            Err(RotationError::Reset(lost)) => Err(pair::failed(target, kept, &lost).into()),
            Err(RotationError::Spared(spared)) if targets.position(&spared.id).is_none() => {
                Err(pair::same_as_current(target, &spared).into())
            }
            Err(error) => Err(rotation::failed(target, &error).into()),
        }
    }

    /// Warns if another resource of this run has reset the credential that was current until now. Its id is planned as
    /// the previous one, and core does not accept another value. If another resource does so later, that one warns.
    fn warn_of_previous(&self, call: &Call, change: &Change) {
        let configured = self.connections.configured();
        let previous = State::of(&change.planned).previous;
        let previous = previous.and_then(|id| Targets::of(&change.prior, configured).ok()?.named(&id));
        if let Some(previous) = previous
            && let Ok(api) = self.connections.api(previous.vendor)
            && self.shared.leave(&previous, &api)
        {
            call.warn(pair::previous_reset(&previous));
        }
    }

    /// Returns the credentials that a reset of `target` must not touch, if their user names are known: the current one,
    /// and the other one in the list.
    async fn spared(
        &self,
        call: &Call,
        op: &Operation,
        change: &Change,
        targets: &Targets,
        target: &Target,
    ) -> Result<Vec<Spared>> {
        let configured = self.connections.configured();
        let State { current, stored, .. } = State::of(&change.prior);
        let current = Targets::of(&change.prior, configured).ok().and_then(|targets| targets.named(&current));
        let current = current.filter(|current| current.vendor.name == target.vendor.name);
        let username = stored.credential.username;
        let known = current.as_ref().zip(username).map(|(current, username)| Spared { id: current.id(), username });
        let is_known = |other: &Target| {
            let is_current = |current: &Target| is_same_name(&current.id(), &other.id());
            known.is_some() && current.as_ref().is_some_and(is_current)
        };
        let mut spared: Vec<_> = known.iter().cloned().collect();
        for other in targets.elements.iter().flatten().filter(|other| other.id() != target.id()) {
            if is_known(other) {
                continue;
            }
            let api = self.connections.api(other.vendor)?;
            match api.read(op, &other.fields, &PriorCredential::default()).await {
                Ok(Presence::Found(found)) => {
                    spared.extend(found.username.map(|name| Spared { id: other.id(), username: name.into() }));
                }
                Ok(Presence::Gone) => call.warn(pair_gone::other_missing(other)),
                Err(error) => return Err(vendor::failed(Step::Checking, other, &error).into()),
            }
        }
        Ok(spared)
    }

    fn rotator(&self, target: Target, credential: PriorCredential, known: Known) -> Result<Rotator> {
        let (api, roots) = (self.connections.api(target.vendor)?, self.connections.roots());
        Ok(Rotator { shared: Arc::clone(&self.shared), target, api, roots, credential, known })
    }
}

/// Returns the list of an approved plan, and the credential that it makes the current one.
fn planned(change: &Change, configured: Configured) -> Result<(Targets, Target)> {
    let targets = Targets::of(&change.planned, configured)?;
    let Some(current) = targets.named(&State::of(&change.planned).current) else {
        let detail = "An argument that identifies a credential is not known yet. The password was not changed.";
        return Err(Diagnostic::error("Unknown credential", detail).into());
    };
    Ok((targets, current))
}

/// The state after an update whose reset may have happened, and whose new password is not the current one: the prior
/// state, in which the credential that may have been reset is no longer the previous one.
fn kept_state(change: &Change, ends_previous: bool) -> ResourceState {
    let mut state = change.prior.clone();
    if ends_previous {
        state.set(PREVIOUS, Value::Null);
    }
    ResourceState { state, private: PrivateData::of_failure(&change.private) }
}

async fn rotate(
    rotator: &Rotator,
    op: &Operation,
    change: &Change,
    spared: Vec<Spared>,
    sink: &PairSink<'_>,
) -> std::result::Result<Verified, RotationError> {
    let request = request::of(&rotator.target, change)?;
    // It asks for nothing to be undone: the state keeps the current credential instead.
    let rotated = rotator.rotate(op, Request { spared, ..request }, sink).await?;
    Ok(rotated.verified())
}
