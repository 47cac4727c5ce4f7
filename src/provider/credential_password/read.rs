//! Refreshes the resource: does the credential exist, and does its stored password still work?

use super::{
    CredentialPassword,
    names::{PREVIOUS, ROTATION_DUE, SMTP_HOST, STALE, VERIFIED},
    operation::Timed,
    private_data::PrivateData,
    state::{OnExternalChange, State, completed},
};
use crate::{
    clock,
    framework::{
        Call, ResourceState,
        diagnostic::{Diagnostic, Result},
        value::Value,
    },
    provider::{
        attributes::{retire_previous, rotate_after, target},
        diagnostics::{
            self, overlap,
            vendor::{self, Step},
        },
        settings::Connection,
    },
    rotation::{Drift, ProbeResult, SmtpEndpoint},
    secret::Name,
    smtp::Server,
    vendors::{Found, Operation, Presence, SmtpDefaults, Target, VendorApi},
};

impl CredentialPassword {
    pub(super) async fn refresh(&self, call: &Call, prior: ResourceState) -> Result<Option<ResourceState>> {
        let target = target::known(&prior.state)?;
        let api = match self.connections.to(target.vendor) {
            Connection::Ready(api) => api,
            // A refresh is optional, so unknown settings leave the state as it is instead of failing the plan.
            Connection::Unknown => return Ok(Some(prior)),
            Connection::Refused(diagnostic) => return Err(diagnostic.into()),
        };
        let op = Timed::Read.operation(call, &prior.state);
        let known = State::of(&prior.state);
        match api.read(&op, &target.fields, &known.stored.credential).await {
            Ok(Presence::Found(found)) => {
                let mut prior = prior;
                if self.previous_is_gone(&op, &*api, &target, &prior.state).await? {
                    prior.state.set(PREVIOUS, Value::Null);
                }
                let host = missing_host(&op, &*api, &target, &prior.state).await?;
                let compare = |reported: &str, stored: &str| api.compare(reported, stored);
                let drift = Drift::of_version(&known.stored, found.version.as_deref(), compare);
                Ok(Some(self.found(call, &op, &target, prior, (found, host), drift).await))
            }
            Ok(Presence::Gone) => {
                // Without a password nothing is lost, so the removal needs no warning.
                if known.password.is_some() {
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

    /// Refreshes the state of an existing credential, and tries its password if `verify.on_refresh` is set.
    async fn found(
        &self,
        call: &Call,
        op: &Operation,
        target: &Target,
        prior: ResourceState,
        (found, host): (Found, Option<Name>),
        by_version: Drift,
    ) -> ResourceState {
        let mut state = completed(prior.state, found, host);
        let known = State::of(&state);
        // A password that is known to be stale is not tried: servers lock out clients that fail too often.
        let probed = match by_version {
            Drift::Confirmed => None,
            Drift::Absent | Drift::Unknown => {
                self.probe(op, target, &known, PrivateData::from(&prior.private).logged_in_at.as_ref()).await
            }
        };
        let by_login = probed.as_ref().map(|(_, probe)| probe.drift()).unwrap_or_default();
        // A rejected login outweighs an unchanged version: the vendor may report a change late.
        let drift = by_version.max(by_login);
        let is_stale = drift.is_stale(known.is_stale);
        state.set(STALE, is_stale);
        let is_due = rotate_after::is_due(&state, known.stored.rotated_at, clock::now());
        state.set(ROTATION_DUE, is_due);
        let mut private = prior.private;
        if by_login == Drift::Absent {
            state.set(VERIFIED, true);
            private = PrivateData::of_login(&private, known.endpoint.clone());
        }
        if drift == Drift::Absent {
            private = PrivateData::of_live(&private);
        }
        let now = State { is_stale, ..known };
        warnings(target, &now, probed.as_ref()).for_each(|warning| call.warn(warning));
        ResourceState { state, private }
    }

    /// Logs in with the password of a state, if `verify.on_refresh` is set and everything needed for a login is known.
    /// A failed login does not fail the refresh.
    async fn probe(
        &self,
        op: &Operation,
        target: &Target,
        known: &State,
        logged_in_at: Option<&SmtpEndpoint>,
    ) -> Option<(Server, ProbeResult)> {
        let endpoint = known.endpoint.as_ref().filter(|_| known.probes_on_refresh)?;
        let server = endpoint.server(self.connections.roots())?;
        let (username, password) = (known.stored.credential.username.as_deref()?, known.password.as_ref()?);
        let has_logged_in = known.has_logged_in(logged_in_at, endpoint);
        let login = (&*target.id(), username, password);
        let probe = self.probes.probe(op, &self.shared.logins, &server, login, has_logged_in).await?;
        Some((server, probe))
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

/// Fetches the submission host if the vendor reports it and the state has none.
async fn missing_host(op: &Operation, api: &dyn VendorApi, target: &Target, state: &Value) -> Result<Option<Name>> {
    match target.vendor.smtp {
        SmtpDefaults::Reported { .. } if state.get(SMTP_HOST).is_null() => {
            let host = api.smtp_host(op, &target.fields).await;
            host.map_err(|error| vendor::failed(Step::Reading, target, &error).into())
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        provider::credential_password::names::{IGNORE, ON_EXTERNAL_CHANGE, ROTATE, ROTATED_AT},
        smtp::{Failure, FailureKind, Roots, Security},
    };

    fn summaries(setting: &str, is_stale: bool, probe: ProbeResult) -> Vec<String> {
        let named = Value::object([("hubspot", Value::object([("user_name", "a@b".into())]))]);
        let target = target::of(&named).unwrap().unwrap();
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
