//! Refreshes the resource: do the credentials exist, and does the stored password of the current one still work?

use super::{CredentialPair, targets::Targets};
use crate::{
    framework::{
        Call, ResourceState,
        diagnostic::{Diagnostic, Result},
        value::Value,
    },
    provider::{
        attributes::age_recipients,
        diagnostics::{
            pair, pair_gone,
            vendor::{self, Step},
        },
        password::{
            names::{PREVIOUS, STALE},
            operation::Timed,
            refresh::{Refreshed, Refresher, missing_host},
            state::{OnExternalChange, State},
        },
        settings::Connection,
    },
    rotation::{Drift, ProbeResult},
    smtp::Server,
    text::is_same_name,
    vendors::{Found, Operation, Presence, PriorCredential, Target, VendorApi},
};

impl CredentialPair {
    pub(super) async fn refresh(&self, call: &Call, prior: ResourceState) -> Result<Option<ResourceState>> {
        let targets = Targets::of(&prior.state, self.connections.configured())?;
        let known = State::of(&prior.state);
        let id = &known.current;
        let Some(current) = targets.named(id) else {
            let detail = "The state does not say which credential is the current one.";
            return Err(Diagnostic::error("Unknown credential", detail).into());
        };
        let others: Vec<_> =
            targets.elements.iter().flatten().filter(|target| !is_same_name(&target.id(), id)).collect();
        let api = match self.connections.to(current.vendor) {
            Connection::Ready(api) => api,
            // A refresh is optional, so unknown settings leave the state as it is instead of failing the plan.
            Connection::Unknown => return Ok(Some(prior)),
            Connection::Refused(diagnostic) => return Err(diagnostic.into()),
        };
        let op = Timed::Read.operation(call, &prior.state);
        let found = presence(&op, &*api, &current, &known.stored.credential).await?;
        let mut gone = Vec::new();
        for other in &others {
            if presence(&op, &*api, other, &PriorCredential::default()).await?.is_none() {
                gone.push(*other);
            }
        }
        let mut refreshed = match found {
            Some(found) => {
                let host = missing_host(&op, &*api, &current, &prior.state).await?;
                let compare = |reported: &str, stored: &str| api.compare(reported, stored);
                let drift = Drift::of_version(&known.stored, found.version.as_deref(), compare);
                let refresher =
                    Refresher { shared: &self.shared, probes: &self.probes, roots: self.connections.roots() };
                let Refreshed { state, now, probed } =
                    refresher.found(&op, &current, prior, (found, host), drift).await;
                warnings(&current, id, &now, probed.as_ref()).for_each(|warning| call.warn(warning));
                for other in &gone {
                    call.warn(pair_gone::other_gone(other));
                }
                state
            }
            // Both are gone. A moved state has only one credential, and the configuration may name another.
            None if !others.is_empty() && gone.len() == others.len() => {
                call.warn(pair_gone::both_gone(&current, &gone, age_recipients::has_password(&prior.state)));
                return Ok(None);
            }
            None => {
                call.warn(pair_gone::current_gone(&current));
                let mut prior = prior;
                prior.state.set(STALE, true);
                prior
            }
        };
        let is_gone = |previous: &str| gone.iter().any(|other| is_same_name(&other.id(), previous));
        if known.previous.as_deref().is_some_and(is_gone) {
            refreshed.state.set(PREVIOUS, Value::Null);
        } else if let Some(previous) = self.lost_previous(&op, &targets, &known).await {
            call.warn(pair_gone::previous_gone(&previous));
            refreshed.state.set(PREVIOUS, Value::Null);
        }
        Ok(Some(refreshed))
    }

    /// Looks up the previous credential of a state that has left the list, and returns it if it is gone.
    ///
    /// The list decides what the pair needs. So where this one cannot be looked up, such as with a login of its vendor
    /// that the configuration no longer has, that is no reason to fail a plan.
    async fn lost_previous(&self, op: &Operation, targets: &Targets, known: &State) -> Option<Target> {
        let previous = known.previous.as_deref().filter(|id| targets.position(id).is_none())?;
        let previous = targets.named(previous)?;
        let Connection::Ready(api) = self.connections.to(previous.vendor) else { return None };
        let found = presence(op, &*api, &previous, &PriorCredential::default()).await;
        matches!(found, Ok(None)).then_some(previous)
    }
}

/// Returns what the vendor reports of a credential; `None` if it is gone.
async fn presence(
    op: &Operation,
    api: &dyn VendorApi,
    target: &Target,
    prior: &PriorCredential,
) -> Result<Option<Found>> {
    match api.read(op, &target.fields, prior).await {
        Ok(Presence::Found(found)) => Ok(Some(found)),
        Ok(Presence::Gone) => Ok(None),
        Err(error) => Err(vendor::failed(Step::Reading, target, &error).into()),
    }
}

/// Returns the warnings of a refresh. A rejected login replaces the warning of a stale password, since it says more,
/// and is silenced with it.
fn warnings(
    target: &Target,
    id: &str,
    known: &State,
    probed: Option<&(Server, ProbeResult)>,
) -> impl Iterator<Item = Diagnostic> {
    let is_silenced = known.on_external_change == OnExternalChange::Ignore;
    let of_login = probed.and_then(|(server, probe)| pair::probed(target, server, probe, is_silenced));
    let stale = known.warns_of_staleness().then(|| pair::stale(id));
    let is_refused = probed.is_some_and(|(_, probe)| probe.drift() == Drift::Confirmed);
    let warnings = if is_refused { [stale.and(of_login), None] } else { [of_login, stale] };
    warnings.into_iter().flatten()
}
