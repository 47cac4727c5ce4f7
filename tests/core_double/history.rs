//! Lives a history, and holds it against the contract.

use std::fmt::Write;

use terraform_provider_smtp::{framework::value::Value, secret::Secret};
use tokio::runtime::Runtime;

use crate::{
    arguments::{Arguments, Moment},
    contract::{self, Due},
    double::{Action, Double, Order, Wish},
    sandbox::Sandbox,
    vendors::{self, Target},
    wire::tfplugin6::Diagnostic,
};

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
        assert!(vendors::live_keys(&sandbox).is_empty(), "a destroy revokes the key that this resource has");
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
    let due = match step.wish {
        Wish::Configured => contract::History::due(lived, arguments),
        Wish::Replaced => Due::New,
    };
    if let Some(password) = &step.password {
        vendors::next_password(sandbox, password);
    }
    let (resets, before) = (vendors::resets(sandbox), double.stored.state.clone());

    let plan = double.plan(&arguments.config(Moment::Plan), step.wish).await;
    assert_eq!(vendors::resets(sandbox), resets, "neither refresh nor plan resets anything");
    assert!(double.stored.state == before, "a refresh of what nobody changed changes nothing");
    let is_new = matches!(plan.action, Action::Create | Action::Replace);
    assert_eq!(is_new, due == Due::New, "what is planned is {:?}, and due is {due:?}", plan.action);
    if due == Due::Nothing && !arguments.is_late() {
        let adopts = plan.warnings.iter().any(|warning| warning.detail.starts_with("Adopted without a reset."));
        assert_eq!(adopts, contract::History::is_adopted(lived, arguments), "what is adopted is said at plan");
        assert!(plan.planned.get("password") == before.get("password"), "without a reset the password stays known");
    }

    let warnings = double.apply(plan, &arguments.config(Moment::Apply), step.order).await;
    let happened = vendors::resets(sandbox) - resets;
    assert_eq!(happened, usize::from(due != Due::Nothing), "resets; due was {due:?}");
    let lived = contract::History::after(lived, arguments, due);
    assert_state(&double.stored.state, &before, arguments, due, sandbox);
    assert_keys(&double.stored.state, &warnings, sandbox);

    let again = double.plan(&arguments.config(Moment::Apply), Wish::Configured).await;
    assert_eq!(again.action, Action::Nothing, "there is nothing left to do");
    assert_eq!(vendors::resets(sandbox), resets + happened);
    lived
}

/// The stored state is the truth.
fn assert_state(state: &Value, before: &Value, arguments: &Arguments, due: Due, sandbox: &Sandbox) {
    let target = arguments.target;
    assert_eq!(state.get("id").as_str(), Some(target.id().as_str()));
    assert_eq!(
        state.get("rotated_at") != before.get("rotated_at"),
        due != Due::Nothing,
        "`rotated_at` tells of a reset"
    );
    let stored = state.get("password").as_secret().map(Secret::for_state);
    if due == Due::Nothing {
        assert!(state.get("password") == before.get("password"), "without a reset the password stays");
    } else {
        assert_eq!(stored.is_none(), arguments.own.value.is_some(), "a password of the user's own is not stored");
    }
    if state.get("rotated_at").is_null() {
        assert!(stored.is_none(), "an import tells no password");
        return;
    }
    let (username, password) = target.login(sandbox);
    assert_eq!(state.get("username").as_str(), Some(username.as_str()));
    if let Some(stored) = stored {
        assert!(stored == password, "the stored password is the vendor's");
    } else if due != Due::Nothing {
        assert_eq!(arguments.own.value.as_ref().map(|own| &own.0), Some(&password), "the user's own was sent");
    }
    let (host, port) = target.submission().unzip();
    let host = arguments.host.value.or(host);
    let port = arguments.port.value.or(port);
    assert_eq!(state.get("smtp_host").as_str(), host);
    assert_eq!(state.get("smtp_port"), &port.into());
    let url = stored.zip(host).zip(port).map(|((password, host), port)| url(&username, password, host, port));
    let told = state.get("smtp_url").as_secret().map(|url| url.for_state().to_owned());
    assert!(told == url, "`smtp_url` is made of the other attributes");
}

/// Of the keys that resets make, only the one in state is left, and what a warning names. Whoever is warned revokes it by hand.
fn assert_keys(state: &Value, warnings: &[Diagnostic], sandbox: &Sandbox) {
    let current = state.get("remote_version").as_str();
    for id in vendors::live_keys(sandbox).iter().filter(|id| current != Some(id)) {
        assert!(
            warnings.iter().any(|warning| warning.detail.contains(&format!("`{id}`"))),
            "a key is left, and nobody is told"
        );
        sandbox.smtpd().revoke(id);
    }
}

/// The contract's `smtp_url`.
fn url(username: &str, password: &str, host: &str, port: u16) -> String {
    let scheme = if port == 465 { "smtps" } else { "smtp" };
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    format!("{scheme}://{}:{}@{host}:{port}", encoded(username), encoded(password))
}

/// RFC 3986, section 2.3: whatever is not unreserved is encoded.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => encoded.push(byte.into()),
            _ => write!(encoded, "%{byte:02X}").unwrap(),
        }
        encoded
    })
}
