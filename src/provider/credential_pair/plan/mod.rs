//! Plans a create or an update: a pure function of the configuration and the prior state.

mod turn;

use self::turn::Turn;
use super::{targets::Targets, validate};
use crate::{
    framework::{
        Call,
        diagnostic::{Diagnostic, Result},
        plan::Draft,
        value::Value,
    },
    provider::{
        attributes::{age_recipients, configured::Configured, rotate_after},
        diagnostics::{mail_server, pair},
        password::{
            names::{
                CURRENT, ID, PREVIOUS, REMOTE_VERSION, ROTATED_AT, ROTATION_DUE, ROTATION_VERSION, SMTP_HOST,
                SMTP_PORT, STALE, USERNAME, VERIFIED, VERIFY,
            },
            private_data::PrivateData,
            state::State,
            triggers::{self, ResetMode, StalePassword},
        },
        settings::{Connection, Connections},
    },
    vendors::{SmtpDefaults, Target, Vendor},
};

/// Finishes a drafted plan. Fails if the configured vendor login could not carry out the planned rotation. Nothing is
/// sent.
pub(super) fn plan(connections: &Connections, call: &Call, draft: &mut Draft) -> Result<()> {
    // Values that were unknown when core validated may be known, and invalid, by now.
    let configured = connections.configured();
    let found = validate::configured(&draft.config, configured);
    if found.has_errors() {
        return Err(found);
    }
    let decision = finish(draft, configured)?;
    if let Some(target) = decision.resets {
        match connections.to(target.vendor) {
            Connection::Ready(api) => {
                // Only a warning: the reset itself does not depend on the server.
                if let (Some(other), true) = (api.smtp_host_of_login(), draft.config.get(SMTP_HOST).is_null()) {
                    call.warn(mail_server::another_smtp_host(&target, other));
                }
            }
            Connection::Refused(diagnostic) => return Err(diagnostic.into()),
            // Core plans again at apply, when the settings are known.
            Connection::Unknown => {}
        }
    }
    decision.warnings.into_iter().for_each(|warning| call.warn(warning));
    Ok(())
}

/// The result of a plan.
#[derive(Debug)]
pub(super) struct Decision {
    /// The credential that the apply resets; `None` if there is none, or it is not known yet.
    pub(super) resets: Option<Target>,
    /// The warnings to report.
    pub(super) warnings: Vec<Diagnostic>,
}

/// Finishes a drafted plan: fills in the computed attributes and decides which credential is current after the apply.
///
/// The apply resets a credential if and only if `rotated_at` is planned as unknown, and then the one that is planned as
/// current. Whatever may turn out otherwise when every value is known is planned unknown.
pub(super) fn finish(draft: &mut Draft, configured: Configured) -> Result<Decision> {
    let targets = Targets::of(&draft.planned, configured)?;
    let asked = triggers::evaluate(draft, targets.vendor, ResetMode::InPlace);
    let is_new = draft.prior.is_null();
    let known = State::of(&draft.prior);
    let prior_id = (!is_new).then_some(known.current);
    let is_certain = is_new || triggers::is_certain(&draft.config);
    let turn = Turn::next(&targets, prior_id.as_deref(), asked.mode != ResetMode::None, is_certain);
    let resets = !matches!(turn, Turn::Stay(_));
    // Whether the apply, which knows every value, is certain to decide as this plan does.
    let is_decided = turn != Turn::Undecided;
    let current = turn.target(&targets).cloned();

    let prior = &draft.prior;
    let kept = |name: &str, is_kept: bool| if is_kept { prior.get(name).clone() } else { Value::Unknown };
    // Core stores a root output whose value is known at plan even where the apply fails. So what belongs to the new
    // password is only known once the reset has succeeded: before that, an output would put it next to the old one.
    let settled = |name: &str, value: Value| {
        if is_new || !resets || *prior.get(name) == value { value } else { Value::Unknown }
    };
    let username =
        current.as_ref().and_then(|target| (target.vendor.username)(&target.fields)).map(|name| Value::from(&*name));
    let version = match targets.vendor {
        Some(vendor) if !vendor.reports_version => Value::Null,
        _ => kept(REMOTE_VERSION, !resets),
    };
    let was_configured = PrivateData::from(&draft.private).smtp_host_was_configured;
    let (host, port) = targets.vendor.map_or((Some(Value::Unknown), Value::Unknown), server);
    let host = host.unwrap_or_else(|| {
        let is_kept = !resets || current.as_ref().is_some_and(|target| is_same_account(prior, target));
        kept(SMTP_HOST, is_kept && !was_configured && !prior.is_null())
    });
    let previous = match turn {
        _ if prior.is_null() => Value::Null,
        Turn::Stay(_) => prior.get(PREVIOUS).clone(),
        Turn::Undecided => Value::Unknown,
        // A password that is known not to work is no previous one to rely on.
        Turn::Reset(_) if known.is_stale => Value::Null,
        Turn::Reset(_) => prior_id.clone().into(),
    };

    let planned = &mut draft.planned;
    planned.set(ID, targets.id().map_or(Value::Unknown, Value::from));
    planned.set(CURRENT, current.as_ref().map_or(Value::Unknown, |target| target.id().into()));
    planned.set(PREVIOUS, previous);
    planned.set(USERNAME, username.map_or_else(|| kept(USERNAME, !resets), |username| settled(USERNAME, username)));
    planned.set(REMOTE_VERSION, version);
    let due = rotate_after::planned(prior, planned, resets);
    planned.set(ROTATION_DUE, due);
    if draft.config.get(SMTP_HOST).is_null() {
        planned.set(SMTP_HOST, settled(SMTP_HOST, host));
    }
    if draft.config.get(SMTP_PORT).is_null() {
        planned.set(SMTP_PORT, settled(SMTP_PORT, port));
    }
    if resets {
        age_recipients::plan_reset(planned, false);
        planned.set(ROTATED_AT, Value::Unknown);
        planned.set(ROTATION_VERSION, Value::Unknown);
        // If the apply may decide not to reset, it then keeps the prior `stale` and `verified`. Core only accepts that
        // for values that are planned unknown.
        let or_unknown = |value: Value, is_kept: bool| if is_decided || is_kept { value } else { Value::Unknown };
        planned.set(STALE, or_unknown(Value::Bool(false), *prior.get(STALE) == Value::Bool(false)));
        let is_unverified = planned.get(VERIFY).is_null();
        let verified = or_unknown(Value::Null, prior.get(VERIFIED).is_null());
        planned.set(VERIFIED, if is_unverified { verified } else { Value::Unknown });
    }
    draft.private = PrivateData::of_plan(draft, current.as_ref(), asked.heals).into();
    // A reset sends what would otherwise only be adopted, so there is nothing to warn about.
    let adopted = asked.adopted.iter().filter(|_| !resets).map(pair::adoption);
    let id = prior_id.unwrap_or_default();
    let stale = asked.stale.map(|stale| match stale {
        StalePassword::Rotated => pair::rotation(&id),
        StalePassword::Exhausted(rotations) => pair::rotations_exhausted(&id, rotations),
    });
    // Only a moved state has a single element, so this is said once, with the move.
    let moved = Targets::of(&draft.prior, configured).ok().filter(|before| before.elements.len() == 1);
    let is_unknown = moved.is_some() && !resets && !age_recipients::has_password(&draft.prior);
    let unknown = is_unknown.then(|| pair::moved_without_password(&id));
    let warnings = adopted.chain(stale).chain(unknown).collect();
    Ok(Decision { resets: current.filter(|_| resets), warnings })
}

/// Returns a plan's values with those of the credential that takes over, as far as they are known without a request.
/// The plan leaves them unknown only because the reset may fail.
pub(super) fn settled(planned: &Value, target: &Target) -> Value {
    let (host, port) = server(target.vendor);
    let username = (target.vendor.username)(&target.fields).map(|name| Value::from(&*name));
    let mut settled = planned.clone();
    for (name, value) in [(USERNAME, username), (SMTP_HOST, host), (SMTP_PORT, Some(port))] {
        if let Some(value) = value.filter(|_| planned.get(name).is_unknown()) {
            settled.set(name, value);
        }
    }
    settled
}

/// Returns the submission host, `None` if the vendor alone does not decide it, and the port.
fn server(vendor: &Vendor) -> (Option<Value>, Value) {
    match vendor.smtp {
        SmtpDefaults::At { host, port } => (Some(host.into()), port.into()),
        SmtpDefaults::Of { port, .. } | SmtpDefaults::ByRegion { port, .. } | SmtpDefaults::Reported { port } => {
            (None, port.into())
        }
        SmtpDefaults::Undocumented => (Some(Value::Null), Value::Null),
    }
}

/// Returns whether a credential is in the same account as the current one of a state. A vendor that reports submission
/// servers reports them by account.
fn is_same_account(prior: &Value, target: &Target) -> bool {
    let known = State::of(prior);
    let current = Targets::of(prior, Configured::default()).ok().and_then(|targets| targets.named(&known.current));
    current.is_some_and(|current| {
        let is_same = |field| current.fields.text(field) == target.fields.text(field);
        current.vendor.name == target.vendor.name && target.vendor.scope.iter().all(|field| is_same(field))
    })
}
