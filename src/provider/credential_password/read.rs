//! Refreshes the resource: does the credential exist, and does its stored password still work?

use super::{
    CredentialPassword,
    names::PREVIOUS,
    operation::Timed,
    state::{OnExternalChange, State},
};
use crate::{
    clock,
    framework::{
        Call, ResourceState,
        diagnostic::{Diagnostic, Result},
        value::Value,
    },
    http::Kind,
    provider::{
        attributes::{age_recipients, retire_previous, target},
        diagnostics::{
            self, overlap,
            vendor::{self, Step},
        },
        password::refresh::{Refreshed, Refresher, missing_host},
        settings::Connection,
    },
    rotation::{Drift, ProbeResult},
    smtp::Server,
    vendors::{Operation, Presence, Target, VendorApi},
};

impl CredentialPassword {
    pub(super) async fn refresh(&self, call: &Call, prior: ResourceState) -> Result<Option<ResourceState>> {
        let target = target::known(&prior.state, self.connections.configured())?;
        let api = match self.connections.to(target.vendor) {
            Connection::Ready(api) => api,
            // A refresh is optional, so unknown settings leave the state as it is instead of failing the plan.
            Connection::Unknown => return Ok(Some(prior)),
            Connection::Refused(diagnostic) => return Err(diagnostic.into()),
        };
        let op = Timed::Read.operation(call, &prior.state);
        let known = State::of(&prior.state);
        let may_be_unseen = target.vendor.may_be_unseen(known.stored.rotated_at, clock::now());
        match api.read(&op, &target.fields, &known.stored.credential).await {
            Ok(Presence::Found(found)) => {
                let mut prior = prior;
                // It may be as new as the current one, and as late.
                if !may_be_unseen && self.previous_is_gone(&op, &*api, &target, &prior.state).await? {
                    prior.state.set(PREVIOUS, Value::Null);
                }
                let host = missing_host(&op, &*api, &target, &prior.state).await?;
                let compare = |reported: &str, stored: &str| api.compare(reported, stored);
                let drift = Drift::of_version(&known.stored, found.version.as_deref(), compare);
                let refresher =
                    Refresher { shared: &self.shared, probes: &self.probes, roots: self.connections.roots() };
                let Refreshed { state, now, probed } = refresher.found(&op, &target, prior, (found, host), drift).await;
                warnings(&target, &now, probed.as_ref()).for_each(|warning| call.warn(warning));
                Ok(Some(state))
            }
            Ok(Presence::Gone) if may_be_unseen => {
                call.warn(vendor::unseen(&target));
                Ok(Some(prior))
            }
            // A list that is empty, and would be an error later.
            Err(error) if may_be_unseen && error.kind == Kind::Contradiction => {
                call.warn(vendor::unseen(&target));
                Ok(Some(prior))
            }
            Ok(Presence::Gone) => {
                // Without a password nothing is lost, so the removal needs no warning.
                if age_recipients::has_password(&prior.state) {
                    call.warn(vendor::dropped(&target));
                }
                // Nobody else knows of it. If it cannot be looked up, it may still be valid.
                if let Some(id) = retire_previous::of(&target, &prior.state).and_then(|previous| previous.version)
                    && !matches!(self.previous_is_gone(&op, &*api, &target, &prior.state).await, Ok(true))
                {
                    call.warn(overlap::left_behind(&target, &id));
                }
                Ok(None)
            }
            Err(error) => Err(vendor::failed(Step::Reading, &target, &error).into()),
        }
    }

    /// Returns whether the vendor no longer has the previous credential of a state.
    async fn previous_is_gone(
        &self,
        op: &Operation,
        api: &dyn VendorApi,
        target: &Target,
        state: &Value,
    ) -> Result<bool> {
        let Some(previous) = retire_previous::of(target, state) else { return Ok(false) };
        let presence = api.read(op, &target.fields, &previous).await;
        let presence = presence.map_err(|error| vendor::failed(Step::Reading, target, &error))?;
        Ok(presence == Presence::Gone)
    }
}

/// Returns the warnings of a refresh. A rejected login replaces the warning of a stale password, since it says more,
/// and is silenced with it.
fn warnings(
    target: &Target,
    known: &State,
    probed: Option<&(Server, ProbeResult)>,
) -> impl Iterator<Item = Diagnostic> {
    let is_silenced = known.on_external_change == OnExternalChange::Ignore;
    let of_login = probed.and_then(|(server, probe)| diagnostics::drift::probed(target, server, probe, is_silenced));
    let stale = known.warns_of_staleness().then(|| diagnostics::drift::stale(&known.id));
    let is_refused = probed.is_some_and(|(_, probe)| probe.drift() == Drift::Confirmed);
    let warnings = if is_refused { [stale.and(of_login), None] } else { [of_login, stale] };
    warnings.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::attributes::configured::Configured;
    use crate::{
        framework::value::Value,
        provider::password::names::{IGNORE, ON_EXTERNAL_CHANGE, ROTATE, ROTATED_AT, STALE},
        smtp::{Failure, FailureKind, Roots, Security},
    };

    fn summaries(setting: &str, is_stale: bool, probe: ProbeResult) -> Vec<String> {
        let named = Value::object([("hubspot", Value::object([("user_name", "a@b".into())]))]);
        let target = target::of(&named, Configured::default()).unwrap().unwrap();
        let server = Server::new("mail.example.com", 587, Security::StartTls, Roots::default());
        let known = State::of(&Value::object([
            (ON_EXTERNAL_CHANGE, setting.into()),
            (ROTATED_AT, "2026-01-01T00:00:00.000000Z".into()),
            (STALE, is_stale.into()),
        ]));
        let probed = (server, probe);
        warnings(&target, &known, Some(&probed)).map(|warning| warning.summary.to_string()).collect()
    }

    #[test]
    fn a_refused_login_is_reported_as_often_as_a_stale_password() {
        const STALE: &str = "The stored password is stale";
        const REFUSED: &str = "The stored password is refused";
        const NEVER: &str = "The stored password has never logged in";
        const NOT_TRIED: &str = "The stored password was not verified";
        let failure = |kind| Failure { kind, code: None, enhanced: None, reason: "a test".into() };
        let refused = || failure(FailureKind::Refused);
        for (setting, is_stale, probe, expected) in [
            ("warn", true, ProbeResult::Rejected(refused()), &[REFUSED][..]),
            (ROTATE, true, ProbeResult::Rejected(refused()), &[]),
            (IGNORE, true, ProbeResult::Rejected(refused()), &[]),
            ("warn", true, ProbeResult::RejectedWithoutProof(refused()), &[NEVER, STALE]),
            ("warn", false, ProbeResult::RejectedWithoutProof(refused()), &[NEVER]),
            (ROTATE, true, ProbeResult::RejectedWithoutProof(refused()), &[NEVER]),
            (IGNORE, true, ProbeResult::RejectedWithoutProof(refused()), &[]),
            ("warn", true, ProbeResult::NotTried(failure(FailureKind::Busy)), &[NOT_TRIED, STALE]),
            (IGNORE, true, ProbeResult::NotTried(failure(FailureKind::Busy)), &[NOT_TRIED]),
            ("warn", false, ProbeResult::Skipped, &[NOT_TRIED]),
            ("warn", false, ProbeResult::LoggedIn, &[]),
        ] {
            assert_eq!(summaries(setting, is_stale, probe), expected, "{setting} {is_stale}");
        }
    }
}
