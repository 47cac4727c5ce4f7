//! Replacements, which create again: the first credential is reset.

use sandbox::{Effect, Fault, Operation};
use serde_json::Value;

use super::scene::{
    A, B, HUBSPOT, MAY_HAVE_CHANGED, NOT_CHANGED, PAIR, hubspot, resets, trigger, turn, works_as, workspace,
};

const REPLACE: &str = "-replace=smtp_credential_pair.this";

#[test]
fn a_replacement_resets_the_first_and_warns_if_that_is_the_current_one() {
    let Some(workspace) = workspace() else { return };
    workspace.write(&hubspot([A, B], &trigger("one")));
    workspace.apply().quiet();
    let warning = workspace.apply_with(&[REPLACE]).warning().is("The replacement resets the current credential");
    warning.says(&["`hubspot/a@example.com`", "change `rotation_trigger` instead"]);
    assert_eq!((turn(&workspace), resets(&workspace)), ((HUBSPOT.id(A).into(), Value::Null), [2, 0, 0]));
    works_as(&workspace, A);

    workspace.write(&hubspot([A, B], &trigger("two")));
    workspace.apply().quiet();
    let password = works_as(&workspace, B);
    workspace.apply_with(&[REPLACE]).quiet();
    works_as(&workspace, A);
    assert!(workspace.logs_in_as(B, &password));
    workspace.plan().nothing_to_do();
}

/// The state does not know its password, but every sender has it.
#[test]
fn a_replacement_after_an_import_warns_that_it_resets_the_current_credential() {
    let Some(workspace) = workspace() else { return };
    workspace.write(&hubspot([A, B], ""));
    let id = format!("{},{}", HUBSPOT.id(A), HUBSPOT.id(B));
    workspace.run(&["import", "-no-color", "-input=false", PAIR, &id]).succeeded();
    let warning = workspace.apply_with(&[REPLACE]).warning().is("The replacement resets the current credential");
    warning.says(&["`hubspot/a@example.com`", "change `rotation_trigger` instead"]);
    assert_eq!((turn(&workspace), resets(&workspace)), ((HUBSPOT.id(A).into(), Value::Null), [1, 0, 0]));
    works_as(&workspace, A);
}

#[test]
fn a_replacement_that_cannot_work_keeps_the_resource() {
    let Some(workspace) = workspace() else { return };
    for text in ["one", "two"] {
        workspace.write(&hubspot([A, B], &trigger(text)));
        workspace.apply().quiet();
    }
    let state = workspace.state_of(PAIR);
    workspace.sandbox.hubspot().delete(A);
    let error = workspace.apply_with(&[REPLACE, "-refresh=false"]).error();
    error.is("HubSpot does not know this credential").says(&[NOT_CHANGED]);
    assert_eq!(workspace.state_of(PAIR), state);
    works_as(&workspace, B);
}

#[test]
fn a_create_whose_answer_is_lost_is_healed_by_the_next_apply() {
    let Some(workspace) = workspace() else { return };
    workspace.write(&hubspot([A, B], &trigger("one")));
    workspace.sandbox.fault(Fault::new(Effect::Close).on(Operation::Reset));
    let error = workspace.apply().error().is("The outcome of the reset is unknown");
    error.says(&[MAY_HAVE_CHANGED, "without a password, and tainted"]);
    let left = workspace.state_of(PAIR);
    assert_eq!((&left["password"], &left["stale"]), (&Value::Null, &Value::Bool(true)));
    // There is no password that the replacement could end.
    workspace.apply().quiet();
    works_as(&workspace, A);
    assert_eq!(resets(&workspace), [2, 0, 0]);
    workspace.plan().nothing_to_do();
}

#[test]
fn a_second_half_that_fails_says_where_the_password_is() {
    let Some(workspace) = workspace() else { return };
    for text in ["one", "two"] {
        workspace.write(&hubspot([A, B], &trigger(text)));
        workspace.apply().quiet();
    }
    let password = works_as(&workspace, B);
    workspace.sandbox.fault(Fault::status(403).on(Operation::Reset).before());
    let error = workspace.apply_with(&[REPLACE]).error().is("HubSpot denied access");
    error.says(&[NOT_CHANGED, "the state's backup", "A changed `rotation_trigger` would have kept it"]);
    assert!(workspace.logs_in_as(B, &password));
    let backup = std::fs::read_to_string(workspace.path("terraform.tfstate.backup")).expect("a backup");
    assert!(backup.contains(&password));
    workspace.apply().quiet();
    works_as(&workspace, A);
}
