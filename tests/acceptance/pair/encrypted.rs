//! `age_recipients`: the password of a pair is encrypted before it is stored.

use sandbox::{SmtpFault, Stage};
use serde_json::Value;

use super::{
    moved::moved,
    scene::{A, B, HUBSPOT, KIRIM_EMAIL, PAIR, UNTOUCHED, hubspot, resets, trigger, turn, vendors, workspace},
};
use crate::{
    encrypted::CI,
    encrypted_lifecycle::{TEAM, opened, to},
    support::{self, Workspace},
};

#[test]
fn every_turn_stores_an_encrypted_password_that_works() {
    for vendor in vendors() {
        let Some(workspace) = Workspace::new() else { return };
        let mut old = None;
        for user in [A, B] {
            vendor.open(&workspace, user);
        }
        for (text, user) in [("one", A), ("two", B), ("three", A)] {
            workspace.write(&vendor.pair([A, B], &format!("{}\n  {}", trigger(text), to(&[TEAM[0]]))));
            workspace.apply().quiet();
            let password = opened(&workspace, PAIR, TEAM[1]);
            assert!(workspace.logs_in_as(user, &password), "{vendor:?}");
            if let Some((user, password)) = old.replace((user, password)) {
                assert!(workspace.logs_in_as(user, &password), "{vendor:?}: the previous password still works");
            }
            workspace.plan().nothing_to_do();
        }
    }
}

#[test]
fn other_recipients_rotate_to_the_other_credential_and_the_same_ones_do_not() {
    let Some(workspace) = workspace() else { return };
    let write = |recipients: &str| workspace.write(&hubspot([A, B], recipients));
    write("");
    workspace.apply().quiet();
    let clear = workspace.working_password_of(PAIR);
    for (recipients, user, expected) in
        [(to(&[TEAM[0], CI[0]]), B, [1, 1, 0]), (to(&[CI[0], TEAM[0]]), B, [1, 1, 0]), (to(&[TEAM[0]]), A, [2, 1, 0])]
    {
        write(&recipients);
        workspace.apply().quiet();
        assert!(workspace.logs_in_as(user, &opened(&workspace, PAIR, TEAM[1])));
        assert_eq!(resets(&workspace), expected, "{recipients}");
        workspace.plan().nothing_to_do();
    }
    assert!(!workspace.logs_in_as(A, &clear), "what was in the state is of no use any more");
    write("");
    workspace.apply().quiet();
    workspace.working_password_of(PAIR);
    assert_eq!((&workspace.state_of(PAIR)["encrypted_password"], resets(&workspace)), (&Value::Null, [2, 2, 0]));
}

#[test]
fn after_an_import_recipients_are_adopted_and_the_next_turn_encrypts() {
    let Some(workspace) = workspace() else { return };
    let ids = [A, B].map(|user| HUBSPOT.id(user)).join(",");
    let write = |text: &str| workspace.write(&hubspot([A, B], &format!("{text}\n  {}", to(&[TEAM[0]]))));
    write("");
    workspace.run(&["import", "-no-color", "-input=false", PAIR, &ids]).succeeded();
    workspace.plan().warning().is("No reset after the import");
    workspace.apply().succeeded();
    let state = workspace.state_of(PAIR);
    assert_eq!([&state["password"], &state["encrypted_password"]], [&Value::Null; 2]);
    assert_eq!(resets(&workspace), [0; 3]);
    for text in ["one", "two"] {
        write(&trigger(text));
        workspace.apply().succeeded();
    }
    assert!(workspace.logs_in_as(B, &opened(&workspace, PAIR, TEAM[1])));
    assert_eq!(resets(&workspace), [0, 1, 0]);
    workspace.plan().nothing_to_do();
}

#[test]
fn a_password_logs_in_before_it_is_encrypted_and_a_refused_one_replaces_none() {
    let Some(mut workspace) = workspace() else { return };
    workspace.trust_mail_server();
    let verify =
        format!("verify = {{ host = \"127.0.0.1\", port = {}, timeout = \"10s\" }}", workspace.sandbox.smtp_port());
    let write = |text: &str| {
        let arguments = [trigger(text), verify.clone(), to(&[TEAM[0]])].join("\n  ");
        workspace.write(&hubspot([A, B], &arguments));
    };
    for (text, user) in [("one", A), ("two", B)] {
        write(text);
        workspace.apply().quiet();
        assert!(workspace.logs_in_as(user, &opened(&workspace, PAIR, TEAM[1])));
        assert_eq!(workspace.state_of(PAIR)["verified"], true);
        workspace.plan().nothing_to_do();
    }
    let before = workspace.state_of(PAIR)["encrypted_password"].clone();
    workspace.sandbox.smtp_fault(SmtpFault::reply(Stage::Login, "535 5.7.8 No").always());
    write("three");
    workspace.apply().error().is("The new password did not log in").says(&[UNTOUCHED]);
    workspace.sandbox.clear_smtp_faults();
    assert_eq!(workspace.state_of(PAIR)["encrypted_password"], before);
    assert!(workspace.logs_in_as(B, &opened(&workspace, PAIR, TEAM[1])));
    workspace.apply().quiet();
    assert!(workspace.logs_in_as(A, &opened(&workspace, PAIR, TEAM[1])));
}

#[test]
fn an_external_reset_is_followed_by_an_encrypted_password_of_the_other_one() {
    let Some(workspace) = Workspace::new() else { return };
    for user in [A, B] {
        KIRIM_EMAIL.open(&workspace, user);
    }
    let write = |text: &str| workspace.write(&KIRIM_EMAIL.pair([A, B], &format!("{text}\n  {}", to(&[TEAM[0]]))));
    write("");
    workspace.apply().quiet();
    workspace.sandbox.kirim_email().reset_elsewhere(A);
    workspace.plan().warning().is("The stored password is stale");
    write("on_external_change = \"rotate\"");
    workspace.apply().succeeded();
    workspace.apply().succeeded();
    assert!(workspace.logs_in_as(B, &opened(&workspace, PAIR, TEAM[1])));
    workspace.plan().nothing_to_do();
}

#[test]
fn an_encrypted_password_moves_into_a_pair() {
    let Some(workspace) = Workspace::with_moved_between_types() else { return };
    for user in [A, B] {
        workspace.add_credential(user);
    }
    workspace.write(&support::resource("this", A, &to(&[TEAM[0]])));
    workspace.apply().quiet();
    let single = workspace.state()["encrypted_password"].clone();
    workspace.write(&(hubspot([A, B], &to(&[TEAM[0]])) + &moved()));
    workspace.apply().quiet();
    assert_eq!(workspace.state_of(PAIR)["encrypted_password"], single);
    assert!(workspace.logs_in_as(A, &opened(&workspace, PAIR, TEAM[1])));
    assert_eq!((turn(&workspace).1, resets(&workspace)), (Value::Null, [1, 0, 0]));
    workspace.plan().nothing_to_do();
}

#[test]
fn invalid_recipients_are_refused_before_anything_is_reset() {
    let Some(workspace) = workspace() else { return };
    for bad in ["age_recipients = []", "age_recipients = [\"age1pq1\"]", "age_recipients = [null]"] {
        workspace.write(&hubspot([A, B], bad));
        workspace.validate().error().points_at(bad);
    }
    let line = format!("{}\n  verify = {{ on_refresh = true }}", to(&[TEAM[0]]));
    workspace.write(&hubspot([A, B], &line));
    workspace.validate().error().says(&["conflicts with `age_recipients`"]);
    assert_eq!(workspace.requests(), [""; 0]);
}
