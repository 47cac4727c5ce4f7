//! Rotations that fail: the current credential is never touched, and the state keeps its password.

use sandbox::{Effect, Fault, Operation};
use serde_json::Value;

use super::scene::{
    A, B, CHANGED, HOSTUP, HUBSPOT, MAY_HAVE_CHANGED, NOT_CHANGED, PAIR, UNTOUCHED, hubspot, resets, rotated_twice,
    trigger, turn, vendors, works_as,
};
use crate::support::Workspace;

#[test]
fn a_refusal_leaves_everything_as_it_was() {
    for (fault, summary) in [
        (Fault::status(403).on(Operation::Reset).before(), "HubSpot denied access"),
        (Fault::status(403).on(Operation::List), "HubSpot denied access"),
        (Fault::status(401).on(Operation::List), "HubSpot refused the credentials"),
    ] {
        let Some(workspace) = rotated_twice("") else { return };
        let state = workspace.state_of(PAIR);
        workspace.write(&hubspot([A, B], &trigger("four")));
        workspace.sandbox.fault(fault);
        workspace.apply_with(&["-refresh=false"]).error().is(summary).says(&[NOT_CHANGED]);
        assert_eq!((workspace.state_of(PAIR), resets(&workspace)), (state, [2, 1, 0]));
        works_as(&workspace, A);
        heals(&workspace);
    }
}

#[test]
fn a_lost_answer_keeps_the_current_credential_and_ends_the_previous_one() {
    for (fault, summary, outcome, count) in [
        (Fault::new(Effect::Close), "The outcome of the reset is unknown", MAY_HAVE_CHANGED, 2),
        (Fault::status(500).before(), "The outcome of the reset is unknown", MAY_HAVE_CHANGED, 1),
        (Fault::new(Effect::TcpReset), "The outcome of the reset is unknown", MAY_HAVE_CHANGED, 2),
        (Fault::body("{}"), "The new password was lost", CHANGED, 2),
        (Fault::page(502).before(), "The outcome of the reset is unknown", MAY_HAVE_CHANGED, 1),
    ] {
        let Some(workspace) = rotated_twice("") else { return };
        let mut expected = workspace.state_of(PAIR);
        expected["previous"] = Value::Null;
        workspace.write(&hubspot([A, B], &trigger("four")));
        workspace.sandbox.fault(fault.on(Operation::Reset));
        let error = workspace.apply().error().is(summary);
        let error = error.says(&["Resetting the password of `hubspot/b@example.com`", outcome, UNTOUCHED]);
        let error = error.says(&["still `hubspot/a@example.com`", "`previous` is null now.", "Apply again"]);
        assert!(!error.detail.contains("no longer work"), "the password in the state works: {error:?}");
        assert_eq!((workspace.state_of(PAIR), resets(&workspace)), (expected, [2, count, 0]));
        works_as(&workspace, A);
        heals(&workspace);
    }
}

/// A pipeline reads root outputs one by one, and core stores those that are known at plan even if the apply fails.
#[test]
fn after_a_rotation_that_fails_the_outputs_still_belong_together() {
    let Some(workspace) = rotated_twice("") else { return };
    let outputs = ["username", "password", "smtp_host", "smtp_port"]
        .map(|name| format!("output \"{name}\" {{\n  value     = {PAIR}.{name}\n  sensitive = true\n}}\n"))
        .concat();
    let write = |text: &str| workspace.write(&(hubspot([A, B], &trigger(text)) + &outputs));
    write("three");
    workspace.apply().quiet();
    let stored = || {
        let text = std::fs::read_to_string(workspace.path("terraform.tfstate")).expect("the state");
        serde_json::from_str::<Value>(&text).expect("JSON")["outputs"].clone()
    };
    let before = stored();
    for fault in [Fault::status(403).on(Operation::Reset).before(), Fault::new(Effect::Close).on(Operation::Reset)] {
        write("four");
        workspace.sandbox.fault(fault);
        let failed = workspace.apply().failed();
        assert_eq!(stored(), before, "{failed}");
    }
    workspace.apply().quiet();
    let state = workspace.state_of(PAIR);
    for name in ["username", "password"] {
        assert_eq!(stored()[name]["value"], state[name]);
        assert_ne!(stored()[name]["value"], before[name]["value"]);
    }
}

/// At every vendor, what is lost is the other credential's.
#[test]
fn a_lost_answer_never_costs_the_password_in_the_state() {
    for vendor in vendors() {
        let Some(workspace) = Workspace::new() else { return };
        for user in [A, B] {
            vendor.open(&workspace, user);
        }
        workspace.write(&vendor.pair([A, B], &trigger("one")));
        workspace.apply().quiet();
        let state = workspace.state_of(PAIR);
        workspace.write(&vendor.pair([A, B], &trigger("two")));
        // HostUp's request is repeated, since it carries the password.
        workspace.sandbox.fault(Fault::new(Effect::Close).on(Operation::Reset).times(9));
        let error = workspace.apply().error().says(&[UNTOUCHED]);
        assert!([MAY_HAVE_CHANGED, CHANGED].iter().any(|outcome| error.detail.contains(outcome)), "{error:?}");
        workspace.sandbox.clear_faults();
        assert_eq!(workspace.state_of(PAIR), state);
        works_as(&workspace, A);
        workspace.apply().quiet();
        works_as(&workspace, B);
        assert_eq!(turn(&workspace), (vendor.id(B).into(), vendor.id(A).into()));
        workspace.plan().nothing_to_do();
    }
}

/// The list changes with a rotation that fails: the credential that was previous was not touched.
#[test]
fn a_previous_credential_that_was_not_to_be_reset_stays() {
    let Some(workspace) = rotated_twice("") else { return };
    let state = workspace.state_of(PAIR);
    workspace.write(&hubspot([A, super::scene::C], &trigger("four")));
    workspace.sandbox.fault(Fault::new(Effect::Close).on(Operation::Reset));
    let error = workspace.apply().error().says(&["`hubspot/c@example.com`", UNTOUCHED]);
    assert!(!error.detail.contains("`previous` is null"), "{error:?}");
    assert_eq!(workspace.state_of(PAIR), state);
    workspace.apply().quiet();
    works_as(&workspace, super::scene::C);
    assert_eq!(turn(&workspace).1, HUBSPOT.id(A));
}

/// One mailbox has two ids: the list may call the previous credential by the other one than the state does.
#[test]
fn a_lost_answer_ends_the_previous_credential_under_its_other_id_too() {
    let Some(workspace) = Workspace::new() else { return };
    let [_, other_b] = [A, B].map(|user| workspace.add_mailbox(user));
    for text in ["one", "two", "three"] {
        workspace.write(&HOSTUP.pair([A, B], &trigger(text)));
        workspace.apply().quiet();
    }
    assert_eq!(turn(&workspace), (HOSTUP.id(A).into(), HOSTUP.id(B).into()));
    workspace.write(&HOSTUP.pair([A, &other_b], &trigger("four")));
    workspace.sandbox.fault(Fault::new(Effect::Close).on(Operation::Reset).times(9));
    workspace.apply().error().says(&[UNTOUCHED, "`previous` is null now."]);
    workspace.sandbox.clear_faults();
    assert_eq!(turn(&workspace), (HOSTUP.id(A).into(), Value::Null));
    works_as(&workspace, A);
}

/// Insists that the next apply rotates to B, and that A keeps its password.
#[track_caller]
fn heals(workspace: &Workspace) {
    let password = works_as(workspace, A);
    workspace.apply().quiet();
    works_as(workspace, B);
    assert!(workspace.logs_in_as(A, &password));
    assert_eq!(turn(workspace), (HUBSPOT.id(B).into(), HUBSPOT.id(A).into()));
    workspace.plan().nothing_to_do();
}
