//! Lives a history, and holds it against the contract.

use sandbox::{
    Sandbox,
    core::{
        arguments::{Arguments, Moment},
        caller::{Action, Wish},
        contract::{self, Due},
        vendors::{self, Target},
        wire::tfplugin6::Diagnostic,
    },
};
use terraform_provider_smtp::{framework::value::Value, secret::Secret};
use tokio::runtime::Runtime;

use crate::double::{Double, Order};

/// How a resource came to be managed, and the configurations that it had since.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) start: Start,
    pub(crate) steps: Vec<Step>,
}

/// How a resource came to be managed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start {
    Nothing,
    Import(Target),
}

/// One configuration, and how it is applied.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) arguments: Arguments,
    pub(crate) wish: Wish,
    pub(crate) order: Order,
    /// Whether somebody else has reset the password since the last step.
    pub(crate) elsewhere: bool,
    /// Whether years have passed since the last step.
    pub(crate) aged: bool,
    /// The password that a vendor makes next, where it is one that makes them.
    pub(crate) password: Option<String>,
}

/// Lives a history to its end, with a destroy after it.
pub(crate) fn live(history: &History) {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let sandbox = vendors::sandbox();
        let mut double = Double::new(&sandbox);
        let mut lived = None;
        if let Start::Import(target) = history.start {
            double.import(&target.import_id(&sandbox)).await;
            lived = Some(contract::History::imported(target));
        }
        assert_eq!(vendors::resets(&sandbox), 0, "an import resets nothing");
        for step in &history.steps {
            lived = Some(take(&mut double, &sandbox, lived.as_ref(), step).await);
        }
        let resets = vendors::resets(&sandbox);
        double.destroy().await;
        assert_eq!(vendors::resets(&sandbox), resets, "a destroy resets nothing");
        assert!(vendors::successors(&sandbox).is_empty(), "a destroy revokes the key that this resource has");
    });
}

/// Plans, applies, reads and plans again; answers with the history so far.
async fn take(
    double: &mut Double<'_>,
    sandbox: &Sandbox,
    lived: Option<&contract::History>,
    step: &Step,
) -> contract::History {
    let arguments = &step.arguments;
    if let Some(lived) = lived.filter(|_| step.elsewhere) {
        double.end_planning().await;
        lived.target().reset_elsewhere(sandbox);
    }
    let mut lived = lived.cloned();
    if let Some(lived) = lived.as_mut().filter(|_| step.aged && !double.stored.state.get("rotated_at").is_null()) {
        double.stored.state.set("rotated_at", "2020-02-29T12:00:00.000000Z");
        lived.is_old = true;
    }
    if let Some(lived) = &mut lived {
        lived.is_braked = contract::is_braked(&double.stored.private);
    }
    let refreshed = lived.and_then(|lived| refreshed(&lived, &double.stored.state, sandbox));
    let lived = refreshed.as_ref().map(|(lived, _)| lived);
    let due = match step.wish {
        Wish::Configured => contract::History::due(lived, arguments),
        Wish::Replaced | Wish::Renewed => Due::New,
    };
    if let Some(password) = &step.password {
        vendors::next_password(sandbox, password);
    }
    let resets = vendors::resets(sandbox);
    let before = refreshed.as_ref().map(|(_, state)| state.clone()).unwrap_or_default();

    let plan = double.plan(&arguments.config(Moment::Plan, sandbox), step.wish).await;
    assert_eq!(vendors::resets(sandbox), resets, "neither refresh nor plan resets anything");
    assert!(double.stored.state == before, "a refresh shows what somebody else has changed, and nothing more");
    let is_new = matches!(plan.action, Action::Create | Action::Replace);
    assert_eq!(is_new, due == Due::New, "what is planned is {:?}, and due is {due:?}", plan.action);
    if due == Due::Nothing && !arguments.is_late() {
        let adopts = plan.warnings.iter().any(|warning| warning.detail.contains("adopted without a reset."));
        assert_eq!(adopts, contract::History::is_adopted(lived, arguments), "what is adopted is said at plan");
        assert!(plan.planned.get("password") == before.get("password"), "without a reset the password stays known");
    }

    let rotates = plan.warnings.iter().any(|warning| warning.summary == "A rotation is planned for a stale password");
    let asks = arguments.on_external_change.late || arguments.on_external_change.value == Some("rotate");
    assert_eq!(
        rotates,
        lived.is_some_and(|lived| lived.is_stale && !lived.is_braked) && asks,
        "why it rotates is said at plan"
    );

    let warnings = double.apply(plan, &arguments.config(Moment::Apply, sandbox), step.order).await;
    let happened = vendors::resets(sandbox) - resets;
    assert_eq!(happened, usize::from(due != Due::Nothing), "resets; due was {due:?}");
    let lived = contract::History::after(lived, arguments, due);
    assert_state(&double.stored.state, &before, arguments, due, sandbox, &lived);
    assert_keys(&double.stored.state, &warnings, sandbox);

    assert_eq!(*double.stored.state.get("rotation_due"), Value::Bool(false), "what is changed or reset is not due");
    let again = double.plan(&arguments.config(Moment::Apply, sandbox), Wish::Configured).await;
    // Where another `rotate_after` finds the password too old as well, the next refresh says so.
    assert_eq!(again.action == Action::Nothing, !lived.is_due(), "there is nothing left to do");
    assert_eq!(vendors::resets(sandbox), resets + happened);
    lived
}

/// What a refresh should make of it; nothing where it is gone.
fn refreshed(lived: &contract::History, state: &Value, sandbox: &Sandbox) -> Option<(contract::History, Value)> {
    let target = lived.target();
    let key = state.get("remote_version").as_str();
    let is_there = || vendors::successors(sandbox).iter().any(|id| key == Some(id));
    if target.vendor.makes_successors && !is_there() {
        return None;
    }
    let (_, live) = target.login(sandbox);
    let is_stale = contract::is_stale(state, target, Some(&live), sandbox.smtp_port());
    let stored = state.get("password").as_secret().map(Secret::for_state);
    let is_live = stored.map_or(lived.is_live, |stored| stored == live);
    let mut state = state.clone();
    state.set("stale", is_stale);
    state.set("rotation_due", lived.is_due());
    let mut lived = lived.clone();
    if stored.is_some() && is_live && contract::is_tried(&state, sandbox.smtp_port()) {
        state.set("verified", true);
        lived.is_braked = false;
    }
    if target.vendor.shows_changes && state.get("remote_version") != &Value::Null && is_live {
        lived.is_braked = false;
    }
    (lived.is_stale, lived.is_live) = (is_stale, is_live);
    Some((lived, state))
}

/// The stored state is the truth.
fn assert_state(
    state: &Value,
    before: &Value,
    arguments: &Arguments,
    due: Due,
    sandbox: &Sandbox,
    lived: &contract::History,
) {
    let target = arguments.target;
    assert_eq!(state.get("id").as_str(), Some(target.id().as_str()));
    assert_eq!(state.get("rotated_at") != before.get("rotated_at"), due != Due::Nothing, "`rotated_at` shows a reset");
    let stored = state.get("password").as_secret().map(Secret::for_state);
    if due == Due::Nothing {
        assert!(state.get("password") == before.get("password"), "without a reset the password stays");
    } else {
        assert_eq!(stored.is_none(), arguments.own.value.is_some(), "a password of the user's own is not stored");
    }
    assert_eq!(*state.get("stale"), Value::Bool(lived.is_stale));
    let verified = match (due, &arguments.verify.value) {
        (Due::Nothing, _) => before.get("verified").clone(),
        (_, None) => Value::Null,
        (_, Some(verify)) if verify.timeout == "1s" && *state.get("verified") == Value::Bool(false) => false.into(),
        (_, Some(_)) => true.into(),
    };
    assert_eq!(*state.get("verified"), verified, "`verified` is about the last reset's login");
    if state.get("rotated_at").is_null() {
        assert!(stored.is_none(), "an import returns no password");
        return;
    }
    let (username, password) = target.login(sandbox);
    assert_eq!(state.get("username").as_str(), Some(username.as_str()));
    if let Some(stored) = stored {
        assert_eq!(stored == password, lived.is_live, "the stored password is the vendor's, unless somebody else's is");
    } else if due != Due::Nothing {
        assert_eq!(arguments.own.value.as_ref().map(|own| &own.0), Some(&password), "the user's own was sent");
    }
    let (host, port) = target.vendor.submission.unzip();
    let host = arguments.host.value.or(host);
    let port = arguments.port.value.or(port);
    assert_eq!(state.get("smtp_host").as_str(), host);
    assert_eq!(state.get("smtp_port"), &port.into());
}

/// Of the keys that resets make, only the one in state is left, and what a warning names. The user revokes it
/// by hand.
fn assert_keys(state: &Value, warnings: &[Diagnostic], sandbox: &Sandbox) {
    let current = state.get("remote_version").as_str();
    for id in vendors::successors(sandbox).iter().filter(|id| current != Some(id)) {
        assert!(
            warnings.iter().any(|warning| warning.detail.contains(&format!("`{id}`"))),
            "a key is left that no warning names"
        );
        sandbox.smtpd().revoke(id);
    }
}
