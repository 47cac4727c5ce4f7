//! What a vendor and the network can do to a reset, before the vendor has acted and after it.
//!
//! Each vendor gets one apply with one credential for every fault, so that what takes time takes it once. What a vendor
//! says of its rate limit concerns all credentials, so those faults have applies of their own.

use std::{collections::BTreeMap, time::Duration};

use sandbox::{Effect, Fault, HubSpot, KirimEmail, Model, Operation};

use crate::{
    account::Account,
    scene::{Accident, Exit, Outcome, Scene},
    support::Workspace,
    table,
};

const SECTION: &str = "## Vendors and the network";

#[test]
fn no_fault_of_a_vendor_loses_a_password_that_can_be_kept() {
    if Workspace::new().is_none() {
        return;
    }
    let seen = std::thread::scope(|scope| {
        let vendors = table::vendors(SECTION).into_iter();
        let runs: Vec<_> = vendors.map(|vendor| scope.spawn(move || at(vendor))).collect();
        let joined = runs.into_iter().map(|run| run.join().expect("the vendor's faults are survived"));
        joined.collect::<Vec<_>>()
    });
    let rows = faults().into_iter().map(|Case { fault, moment, .. }| {
        let cells = seen.iter().map(|seen| seen.get(&(fault.clone(), moment)).map_or("–".to_owned(), Outcome::cell));
        [fault.clone(), moment.to_owned()].into_iter().chain(cells).collect::<Vec<_>>()
    });
    table::rows(SECTION, &rows.collect::<Vec<_>>());
}

/// Core stores text in Unicode's composed form (NFC), and so stores another password than the one that the vendor made.
#[test]
fn a_password_that_core_stores_in_another_form_is_warned_of() {
    for (password, is_warned_of) in
        [("pa\u{308}ss-made-up", true), ("p\u{e4}ss-made-up", false), ("pass-made-up", false)]
    {
        let Some(workspace) = Workspace::new() else { return };
        let account = Account::open(HubSpot::MODEL, "newsletter", &workspace);
        workspace.sandbox.hubspot().next_password(&account.user(), password);
        workspace.write(&account.resource(""));
        workspace.keep_secret(password);
        let run = workspace.apply().succeeded();
        let summaries: Vec<_> = run.diagnostics.iter().map(|warning| warning.summary.as_str()).collect();
        let expected = if is_warned_of { vec!["The stored password may differ"] } else { vec![] };
        assert_eq!(summaries, expected);
    }
}

/// One fault at one moment.
struct Case {
    fault: String,
    moment: &'static str,
    act: Act,
    limit: Limit,
}

/// What a fault says of the vendor's rate limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Limit {
    /// Nothing.
    None,
    /// A wait that an apply has the time for.
    Short,
    /// A wait that no apply has the time for.
    Long,
}

/// What goes wrong.
enum Act {
    /// So often with the reset.
    Each(Effect, usize),
    /// An answer of 200 whose password is this JSON value.
    Password(String),
    /// So often a 2xx that is not the vendor's agreement, where a password of the caller's own is set.
    Agreed(Effect, usize),
    /// Something for which the vendor or the credential must be known; nothing where it cannot happen.
    Special(fn(&Scene, &Account) -> Option<Fault>),
}

type Seen = BTreeMap<(String, &'static str), Outcome>;

/// Lets every fault happen at one vendor.
fn at(vendor: &'static Model) -> Seen {
    let runs = [Limit::None, Limit::Short, Limit::Long].into_iter();
    runs.flat_map(|limit| together(vendor, faults().into_iter().filter(|case| case.limit == limit).collect())).collect()
}

/// Lets these faults happen in one apply.
fn together(vendor: &'static Model, cases: Vec<Case>) -> Seen {
    let workspace = Workspace::new().expect("there was a program a moment ago");
    let account = |number| Account::open(vendor, &format!("case-{number}"), &workspace);
    let accounts: Vec<_> = (0..cases.len()).map(account).collect();
    let head = "provider \"smtp\" {\n  request_timeout = \"4s\"\n}\n";
    let arguments = "rotation_mode = \"in_place\"\n  timeouts = { update = \"40s\" }";
    let scene = Scene::rotating(workspace, accounts, head, arguments);
    let happened: Vec<_> =
        scene.accounts.iter().zip(&cases).map(|(account, case)| case.happens_to(account, &scene)).collect();
    let run = scene.start_with(&["-refresh=false"]);
    // Short waits are waited for.
    let ends = if cases.iter().all(|case| case.limit == Limit::Short) { Exit::Success } else { Exit::Failure };
    let outcomes = scene.survives(Accident::of(run.wait(), ends));
    let seen = cases.into_iter().zip(outcomes).zip(happened).filter(|(_, happened)| *happened);
    seen.map(|((case, after), _)| ((case.fault, case.moment), after)).collect()
}

impl Case {
    /// Scripts the fault, and returns whether it can happen at this vendor.
    fn happens_to(&self, account: &Account, scene: &Scene) -> bool {
        let fault = match &self.act {
            Act::Each(effect, times) => Some(Fault::new(effect.clone()).times(*times)),
            Act::Password(json) => Some(Fault::body((account.vendor.reset_response)(json))),
            Act::Agreed(effect, times) => {
                account.vendor.takes_passwords.then(|| Fault::new(effect.clone()).times(*times))
            }
            Act::Special(script) => script(scene, account),
        };
        let Some(fault) = fault else { return false };
        let fault = fault.on(Operation::Reset).of(&account.user());
        scene.workspace.sandbox.fault(if self.moment == BEFORE { fault.before() } else { fault });
        true
    }
}

const BEFORE: &str = "before";
const AFTER: &str = "after";

/// Every fault, in the order of the table.
fn faults() -> Vec<Case> {
    let case = |fault: &str, moment, act| Case { fault: fault.to_owned(), moment, act, limit: Limit::None };
    let once = |fault: &str, moment, effect| case(fault, moment, Act::Each(effect, 1));
    let limited = |value: &str, times| {
        let headers = BTreeMap::from([("Retry-After".to_owned(), value.to_owned())]);
        Act::Each(Effect::Status { status: 429, headers, body: None }, times)
    };
    let redirect = |status, location: &str| Effect::Redirect { status, location: location.to_owned() };
    let mut faults = Vec::new();

    for moment in [BEFORE, AFTER] {
        for (fault, effect) in [
            ("the connection is closed", Effect::Close),
            ("the connection is reset", Effect::TcpReset),
            ("no response arrives in time; the vendor acts anyway", Effect::Stall),
            ("an invalid status line", Effect::StatusLine("what".to_owned())),
            ("a status line of HTTP/9.9", Effect::StatusLine("HTTP/9.9 200 OK".to_owned())),
        ] {
            faults.push(once(fault, moment, effect));
        }
        faults.push(case("the connection is closed, four times", moment, Act::Each(Effect::Close, 4)));
        for status in [408, 500, 502, 503, 504] {
            faults.push(once(&status.to_string(), moment, plain(status)));
        }
        faults.push(case("503, four times", moment, Act::Each(plain(503), 4)));
        for status in [301, 302, 303] {
            faults.push(once(&status.to_string(), moment, redirect(status, "/elsewhere")));
        }
    }
    for (fault, status, location) in [
        ("307 to the same host", 307, "/elsewhere"),
        ("307 to another host", 307, "http://localhost:1/"),
        ("308 to the same host", 308, "/elsewhere"),
        ("308 to another host", 308, "http://localhost:1/"),
    ] {
        faults.push(once(fault, BEFORE, redirect(status, location)));
    }
    for status in [400, 401, 403, 409, 423, 425] {
        faults.push(once(&status.to_string(), BEFORE, plain(status)));
    }
    faults.push(case("404 of a web server", BEFORE, Act::Special(|_, _| Some(Fault::page(404)))));
    faults.push(Case { limit: Limit::Short, ..once("429", BEFORE, plain(429)) });
    for value in ["0", "1", "-1", "99999", "Thu, 01 Jan 1970 00:00:00 GMT", "soon"] {
        let limit = if value == "99999" { Limit::Long } else { Limit::Short };
        faults.push(Case { limit, ..case(&format!("429 with `Retry-After: {value}`"), BEFORE, limited(value, 1)) });
    }
    faults.push(Case { limit: Limit::Short, ..case("429 with `Retry-After: 1`, twice", BEFORE, limited("1", 2)) });
    faults.push(case(
        "the old password, the token and escape sequences in an error's text",
        BEFORE,
        Act::Special(indiscreet),
    ));

    for (fault, effect) in [
        ("the head, then nothing", Effect::HeadThenStall),
        ("the body is cut off", Effect::Truncate(1)),
        ("one byte in a quarter of a second", Effect::Drip(Duration::from_millis(250))),
        ("a body of 10 GB", Effect::HugeBody(10_000_000_000)),
        ("a body without an end", Effect::EndlessBody),
        ("`Content-Length` says too much", Effect::ContentLength(9999)),
        ("`Content-Length` says too little", Effect::ContentLength(5)),
        (
            "`Content-Encoding: gzip`, not asked for and not true",
            Effect::Header("Content-Encoding".into(), "gzip".into()),
        ),
    ] {
        faults.push(once(fault, AFTER, effect));
    }
    for (fault, body) in [
        ("200 without a body", ""),
        ("200 with a page of HTML", "<html></html>"),
        ("200 with `null`", "null"),
        ("200 with `{}`", "{}"),
    ] {
        faults.push(case(
            fault,
            AFTER,
            Act::Each(Effect::Body { content_type: "text/html".into(), bytes: body.into() }, 1),
        ));
    }
    faults.extend(no_agreements());
    for (fault, password) in [
        ("a password that is null", "null".to_owned()),
        ("a password that is a number", "12345".to_owned()),
        ("an empty password", "\"\"".to_owned()),
        ("a password of 1 MB", format!("\"{}\"", "x".repeat(1 << 20))),
        ("a password with half a surrogate pair", "\"\\ud800\"".to_owned()),
    ] {
        faults.push(case(fault, AFTER, Act::Password(password)));
    }
    for (fault, script) in [
        ("a password with control characters", control_characters as fn(&Scene, &Account) -> Option<Fault>),
        ("two passwords in one response, the second is right", two_passwords),
        ("`success: false`, nothing done", |scene, account| denied(scene, account, sandbox::Denial::Bare)),
        ("`success: false` with a password", |scene, account| denied(scene, account, sandbox::Denial::WithPassword)),
        ("the response names another user", another_user),
    ] {
        faults.push(case(fault, AFTER, Act::Special(script)));
    }
    faults
}

/// A 2xx that `HostUp` does not document, once and for as often as a request is sent.
fn no_agreements() -> Vec<Case> {
    let case = |fault: &str, moment, act| Case { fault: fault.to_owned(), moment, act, limit: Limit::None };
    let mut faults = Vec::new();
    for (fault, effect) in [
        ("200 with a page of HTML, nothing else", said(200, "text/html", "<html>Under maintenance</html>")),
        ("200 with a problem", said(200, "application/problem+json", r#"{"title": "Down", "status": 200}"#)),
        ("200 with a captive portal's JSON", said(200, "application/json", r#"{"login_url": "http://portal/"}"#)),
        ("202 with the documented body", said(202, "application/json", r#"{"email": "someone@example.com"}"#)),
        ("203 with the documented body", said(203, "application/json", r#"{"email": "someone@example.com"}"#)),
        ("204", said(204, "application/json", "")),
    ] {
        for moment in [BEFORE, AFTER] {
            faults.push(case(fault, moment, Act::Agreed(effect.clone(), 1)));
            faults.push(case(&format!("{fault}, four times"), moment, Act::Agreed(effect.clone(), 4)));
        }
    }
    faults
}

fn plain(status: u16) -> Effect {
    Effect::Status { status, headers: BTreeMap::new(), body: None }
}

/// An answer that the vendor does not give.
fn said(status: u16, media: &str, body: &str) -> Effect {
    let headers = BTreeMap::from([("Content-Type".to_owned(), media.to_owned())]);
    Effect::Status { status, headers, body: Some(body.to_owned()) }
}

/// Nothing goes wrong with the delivery.
fn delivered() -> Fault {
    Fault::new(Effect::Delay(Duration::ZERO))
}

fn indiscreet(scene: &Scene, account: &Account) -> Option<Fault> {
    let sandbox = &scene.workspace.sandbox;
    let token = account.at(sandbox).token();
    let password = account.password(sandbox)?;
    let words = format!("\\u001b[31mnot {password} with {token}\\r\\n\\u0007");
    let body = format!("{{\"detail\":\"{words}\",\"message\":\"{words}\",\"code\":\"{password}\"}}");
    let headers = BTreeMap::from([("Content-Type".to_owned(), "application/problem+json".to_owned())]);
    Some(Fault::new(Effect::Status { status: 400, headers, body: Some(body) }))
}

fn control_characters(scene: &Scene, account: &Account) -> Option<Fault> {
    next_password(scene, account, &format!("{} \u{1}\u{7f}\t\"\\ end", account.user()))?;
    Some(delivered())
}

fn two_passwords(scene: &Scene, account: &Account) -> Option<Fault> {
    let password = format!("right-{}", account.user());
    next_password(scene, account, &password)?;
    let both = format!("\"wrong\",\"new_password\":\"{password}\",\"password\":\"{password}\"");
    Some(Fault::body((account.vendor.reset_response)(&both)))
}

/// Lets the vendor make this password next; nothing where the caller makes it, or where it is not known
/// whose is made next.
fn next_password(scene: &Scene, account: &Account, password: &str) -> Option<()> {
    let vendor = account.vendor.makes_passwords().then(|| account.at(&scene.workspace.sandbox))?;
    vendor.next_password(&account.user(), password);
    Some(())
}

fn denied(scene: &Scene, account: &Account, denial: sandbox::Denial) -> Option<Fault> {
    (account.vendor == KirimEmail::MODEL)
        .then(|| scene.workspace.sandbox.kirim_email().deny(&account.user(), denial))?;
    Some(delivered())
}

fn another_user(scene: &Scene, account: &Account) -> Option<Fault> {
    account.at(&scene.workspace.sandbox).answer_as(&account.user(), "other@example.com")?;
    Some(delivered())
}
