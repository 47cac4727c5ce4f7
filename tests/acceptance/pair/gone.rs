//! Credentials that are gone, and passwords that somebody else has changed.

use serde_json::{Value, json};

use super::scene::{
    A, B, C, HOSTUP, HUBSPOT, KIRIM_EMAIL, NOT_CHANGED, PAIR, hubspot, resets, rotated_twice, said, trigger, turn,
    works_as, workspace,
};
use crate::support::Workspace;

#[test]
fn without_the_other_one_a_refresh_warns_and_a_rotation_fails_before_the_reset() {
    let Some(workspace) = rotated_twice("") else { return };
    workspace.sandbox.hubspot().delete(B);
    let warning = workspace.refresh().warning().is("The other credential does not exist");
    warning.says(&["Reading `hubspot/b@example.com`", "a rotation to the other one fails", NOT_CHANGED]);
    assert_eq!(turn(&workspace), (HUBSPOT.id(A).into(), Value::Null));
    let state = workspace.state_of(PAIR);
    workspace.write(&hubspot([A, B], &trigger("four")));
    let run = workspace.apply().failed();
    said(&run, "HubSpot does not know this credential").says(&["Checking `hubspot/b@example.com`", NOT_CHANGED]);
    assert_eq!((workspace.state_of(PAIR), resets(&workspace)[0]), (state, 2));
    works_as(&workspace, A);
    // Another one takes its place.
    workspace.write(&hubspot([A, C], &trigger("four")));
    workspace.apply().succeeded();
    works_as(&workspace, C);
    workspace.plan().nothing_to_do();
}

/// `previous` says that it still works, whether or not the list still has it.
#[test]
fn the_previous_credential_is_looked_up_when_it_has_left_the_list() {
    let Some(workspace) = rotated_twice("") else { return };
    workspace.write(&hubspot([A, C], &trigger("three")));
    workspace.apply().quiet();
    assert_eq!(turn(&workspace), (HUBSPOT.id(A).into(), HUBSPOT.id(B).into()));
    workspace.plan().nothing_to_do();

    workspace.sandbox.hubspot().delete(B);
    let warning = workspace.refresh().warning().is("The previous credential does not exist");
    warning.says(&["Reading `hubspot/b@example.com`", "`previous` becomes null", NOT_CHANGED]);
    assert_eq!(turn(&workspace), (HUBSPOT.id(A).into(), Value::Null));
    works_as(&workspace, A);
    workspace.plan().nothing_to_do();
}

/// The pair does not need it, so nothing of it may fail a plan.
#[test]
fn a_previous_credential_that_cannot_be_looked_up_stays() {
    let Some(mut workspace) = rotated_twice("") else { return };
    for user in [A, B] {
        HOSTUP.open(&workspace, user);
    }
    workspace.write(&HOSTUP.pair([A, B], &trigger("three")));
    workspace.apply().quiet();
    let previous = Value::from(HUBSPOT.id(A));
    assert_eq!(turn(&workspace), (HOSTUP.id(A).into(), previous.clone()));

    workspace.sandbox.hubspot().delete(A);
    workspace.set("HUBSPOT_ACCESS_TOKEN", "a-token-that-was-revoked");
    workspace.plan().nothing_to_do();
    workspace.unset("HUBSPOT_ACCESS_TOKEN");
    workspace.plan().nothing_to_do();
    assert_eq!(turn(&workspace).1, previous);
}

/// Such an apply resets a credential, so the text of a refresh would be untrue.
#[test]
fn an_apply_that_resets_another_credential_warns_of_the_one_that_does_not_exist() {
    let Some(workspace) = workspace() else { return };
    for users in [[A, "nobody@example.com"], [B, "nobody@example.com"]] {
        workspace.write(&hubspot(users, ""));
        let run = workspace.apply_with(&["-refresh=false"]).succeeded();
        let warning = said(&run, "The other credential does not exist");
        let warning = warning.says(&[
            "Checking `hubspot/nobody@example.com`",
            "This apply resets another credential",
            "a later rotation to this one fails",
        ]);
        assert!(!warning.detail.contains(NOT_CHANGED), "{}", warning.detail);
        works_as(&workspace, users[0]);
    }
    assert_eq!(resets(&workspace), [1, 1, 0]);
}

#[test]
fn without_the_current_credential_it_is_stale_and_the_other_takes_over() {
    for (setting, text) in [("", "two"), ("on_external_change = \"rotate\"", "one")] {
        let Some(workspace) = workspace() else { return };
        let write = |text: &str| workspace.write(&hubspot([A, B], &format!("{}\n  {setting}", trigger(text))));
        write("one");
        workspace.apply().quiet();
        workspace.sandbox.hubspot().delete(A);
        let warning = workspace.refresh().warning().is("The current credential does not exist");
        warning.says(&["Reading `hubspot/a@example.com`", "Change `rotation_trigger`", NOT_CHANGED]);
        assert_eq!(workspace.state_of(PAIR)["stale"], true);
        write(text);
        workspace.apply().succeeded();
        works_as(&workspace, B);
        assert_eq!(turn(&workspace), (HUBSPOT.id(B).into(), Value::Null), "what is gone works no longer");
        let warning = workspace.plan().warning().is("The other credential does not exist");
        warning.says(&["`hubspot/a@example.com`"]);
    }
}

#[test]
fn without_both_the_resource_is_gone() {
    let Some(workspace) = workspace() else { return };
    workspace.write(&hubspot([A, B], ""));
    workspace.apply().quiet();
    for user in [A, B] {
        workspace.sandbox.hubspot().delete(user);
    }
    let warning = workspace.refresh().warning().is("Both credentials do not exist");
    let [a, b] = [A, B].map(|user| format!("`{}`", HUBSPOT.id(user)));
    warning.says(&[&a, &b, "removed from the state together with its password", "earlier versions", NOT_CHANGED]);
    assert_eq!(workspace.addresses(), [""; 0]);
}

/// There is no password to lose, but without a warning nobody would know why the next plan is a create.
#[test]
fn without_both_an_imported_resource_is_gone_with_a_warning_too() {
    let Some(workspace) = workspace() else { return };
    let [a, b] = [A, B].map(|user| HUBSPOT.id(user));
    workspace.write(&hubspot([A, B], ""));
    workspace.run(&["import", "-no-color", "-input=false", PAIR, &format!("{b},{a}")]).succeeded();
    for user in [A, B] {
        workspace.sandbox.hubspot().delete(user);
    }
    let warning = workspace.refresh().warning().is("Both credentials do not exist");
    warning.says(&[&format!("Reading `{b}` and `{a}`"), "removed from the state.", NOT_CHANGED]);
    assert_eq!(workspace.addresses(), [""; 0]);
}

#[test]
fn a_current_credential_that_was_reset_externally_is_stale() {
    let Some(workspace) = Workspace::new() else { return };
    for user in [A, B] {
        KIRIM_EMAIL.open(&workspace, user);
    }
    let write = |arguments: &str| workspace.write(&KIRIM_EMAIL.pair([A, B], arguments));
    write(&trigger("one"));
    workspace.apply().quiet();
    // A reset of the other one is nobody's matter.
    workspace.sandbox.kirim_email().reset_elsewhere(B);
    workspace.plan().nothing_to_do();
    workspace.sandbox.kirim_email().reset_elsewhere(A);
    let warning = workspace.refresh().warning().is("The stored password is stale");
    warning.says(&["`kirim_email/example.com/", "the other credential is then reset and takes over"]);
    assert_eq!(workspace.state_of(PAIR)["stale"], true);

    write(&format!("{}\n  on_external_change = \"rotate\"", trigger("one")));
    let run = workspace.plan().succeeded();
    said(&run, "A rotation is planned for a stale password").says(&["is not touched"]);
    workspace.apply().succeeded();
    works_as(&workspace, B);
    let state = workspace.state_of(PAIR);
    assert_eq!((&state["stale"], &state["previous"]), (&json!(false), &Value::Null));
    workspace.plan().nothing_to_do();
}
