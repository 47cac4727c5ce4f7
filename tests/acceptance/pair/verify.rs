//! With `verify` a new password takes over only when it has logged in.

use std::time::Duration;

use sandbox::{Meanwhile, SmtpFault, Stage};
use serde_json::{Value, json};

use super::scene::{
    A, B, CHANGED, HUBSPOT, NOT_CHANGED, PAIR, UNTOUCHED, hubspot, resets, said, trigger, turn, works_as,
};
use crate::{process::Running, support::Workspace};

const NEVER: Duration = Duration::MAX;

fn trusting() -> Option<Workspace> {
    let mut workspace = super::scene::workspace()?;
    workspace.trust_mail_server();
    Some(workspace)
}

fn write(workspace: &Workspace, text: &str, settings: &str) {
    let port = workspace.sandbox.smtp_port();
    let verify = format!("verify = {{ host = \"127.0.0.1\", port = {port}, {settings} }}");
    workspace.write(&hubspot([A, B], &format!("{}\n  {verify}", trigger(text))));
}

#[test]
fn a_new_password_has_logged_in_before_it_takes_over() {
    let Some(workspace) = trusting() else { return };
    for (text, user) in [("one", A), ("two", B), ("three", A)] {
        write(&workspace, text, "");
        workspace.apply().quiet();
        works_as(&workspace, user);
        assert_eq!(workspace.state_of(PAIR)["verified"], true);
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_password_that_does_not_log_in_does_not_take_over() {
    let Some(workspace) = trusting() else { return };
    for text in ["one", "two", "three"] {
        write(&workspace, text, "timeout = \"10s\"");
        workspace.apply().quiet();
    }
    let before = workspace.state_of(PAIR);
    assert_eq!(before["previous"], HUBSPOT.id(B));
    workspace.sandbox.propagate_after(NEVER, Meanwhile::NoPassword);
    write(&workspace, "four", "timeout = \"10s\"");
    let error = workspace.apply().error().is("The new password did not log in");
    let error =
        error.says(&["`hubspot/b@example.com`", "replied 535", CHANGED, "still `hubspot/a@example.com`", UNTOUCHED]);
    error.says(&["`previous` is null now.", "Apply again"]);
    let mut expected = before.clone();
    expected["previous"] = Value::Null;
    assert_eq!((workspace.state_of(PAIR), resets(&workspace)), (expected, [2, 2, 0]));
    works_as(&workspace, A);

    workspace.sandbox.propagate_at_once();
    workspace.apply().quiet();
    works_as(&workspace, B);
    assert_eq!(turn(&workspace).1, HUBSPOT.id(A));
    assert!(workspace.logs_in_as(A, before["password"].as_str().expect("a password")));
    workspace.plan().nothing_to_do();
}

#[test]
fn an_interrupt_while_it_is_tried_keeps_the_current_credential() {
    let Some(workspace) = trusting() else { return };
    write(&workspace, "one", "");
    workspace.apply().quiet();
    let before = workspace.state_of(PAIR);
    workspace.sandbox.propagate_after(NEVER, Meanwhile::NoPassword);
    write(&workspace, "two", "timeout = \"10m\"");
    let logins = workspace.sandbox.logins().len();
    let run = Running::start(&workspace, &["apply", "-json", "-auto-approve", "-input=false"]);
    while workspace.sandbox.logins().len() == logins {
        std::thread::yield_now();
    }
    run.signal_group("INT");
    let ended = run.wait();
    let arguments: Vec<_> = ended.arguments.iter().map(String::as_str).collect();
    let run = workspace.judge(&arguments, &ended.output).failed();
    said(&run, "The new password was not verified").says(&["interrupted or timed out", CHANGED, UNTOUCHED]);
    assert_eq!((workspace.state_of(PAIR), resets(&workspace)), (before, [1, 1, 0]));
    works_as(&workspace, A);
}

#[test]
fn a_server_that_cannot_be_used_is_noticed_before_the_reset() {
    let Some(workspace) = trusting() else { return };
    write(&workspace, "one", "timeout = \"10s\"");
    workspace.apply().quiet();
    let before = workspace.state_of(PAIR);
    workspace.sandbox.smtp_fault(SmtpFault::reply(Stage::Banner, "554 5.7.1 Go away").always());
    write(&workspace, "two", "timeout = \"10s\"");
    workspace.apply().error().is("The mail server rejected the connection").says(&[NOT_CHANGED]);
    workspace.sandbox.clear_smtp_faults();
    assert_eq!((workspace.state_of(PAIR), resets(&workspace)), (before, [1, 0, 0]));
}

#[test]
fn at_create_a_password_that_does_not_log_in_is_a_warning() {
    let Some(workspace) = trusting() else { return };
    workspace.sandbox.propagate_after(NEVER, Meanwhile::NoPassword);
    write(&workspace, "one", "timeout = \"10s\"");
    let warning = workspace.apply().warning().is("The new password did not log in");
    warning.says(&[CHANGED, "The state is up to date.", "change `rotation_trigger`: the other credential"]);
    assert_eq!(workspace.state_of(PAIR)["verified"], json!(false));
    workspace.plan().nothing_to_do();
    workspace.sandbox.propagate_at_once();
    works_as(&workspace, A);
}
