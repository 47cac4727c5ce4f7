//! Refreshes the state of a credential that exists.

use super::{
    names::{ROTATION_DUE, SMTP_HOST, STALE, VERIFIED},
    private_data::PrivateData,
    state::{State, completed},
};
use crate::{
    clock,
    framework::{ResourceState, diagnostic::Result, value::Value},
    provider::{
        attributes::rotate_after,
        diagnostics::vendor::{self, Step},
    },
    rotation::{Drift, LoginProbes, ProbeResult, Shared, SmtpEndpoint},
    secret::Name,
    smtp::{Roots, Server},
    vendors::{Found, Operation, SmtpDefaults, Target, VendorApi},
};

/// What refreshes of one resource type need.
pub(in crate::provider) struct Refresher<'a> {
    pub(in crate::provider) shared: &'a Shared,
    pub(in crate::provider) probes: &'a LoginProbes,
    pub(in crate::provider) roots: Roots,
}

/// The state after a refresh, and what its warnings depend on.
pub(in crate::provider) struct Refreshed {
    pub(in crate::provider) state: ResourceState,
    /// The same state, typed.
    pub(in crate::provider) now: State,
    /// The login with the stored password; `None` if there was none.
    pub(in crate::provider) probed: Option<(Server, ProbeResult)>,
}

impl Refresher<'_> {
    /// Refreshes the state of an existing credential, and tries its password if `verify.on_refresh` is set.
    pub(in crate::provider) async fn found(
        &self,
        op: &Operation,
        target: &Target,
        prior: ResourceState,
        (found, host): (Found, Option<Name>),
        by_version: Drift,
    ) -> Refreshed {
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
        Refreshed { state: ResourceState { state, private }, now: State { is_stale, ..known }, probed }
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
        let server = endpoint.server(self.roots.clone())?;
        let (username, password) = (known.stored.credential.username.as_deref()?, known.password.as_ref()?);
        let has_logged_in = known.has_logged_in(logged_in_at, endpoint);
        let login = (&*target.id(), username, password);
        let probe = self.probes.probe(op, &self.shared.logins, &server, login, has_logged_in).await?;
        Some((server, probe))
    }
}

/// Fetches the submission host if the vendor reports it and the state has none.
pub(in crate::provider) async fn missing_host(
    op: &Operation,
    api: &dyn VendorApi,
    target: &Target,
    state: &Value,
) -> Result<Option<Name>> {
    match target.vendor.smtp {
        SmtpDefaults::ByRegion { .. } | SmtpDefaults::Reported { .. } if state.get(SMTP_HOST).is_null() => {
            let host = api.smtp_host(op, &target.fields).await;
            host.map_err(|error| vendor::failed(Step::Reading, target, &error).into())
        }
        _ => Ok(None),
    }
}
