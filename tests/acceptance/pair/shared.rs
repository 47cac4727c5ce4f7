//! Credentials that two resources, or two runs, hold.

use sandbox::{Effect, Fault, Operation};

use super::scene::{A, B, hubspot, resets, said, trigger, works_as, workspace};
use crate::{
    process::Running,
    support::{self, ADDRESS},
};

#[test]
fn a_credential_of_a_pair_that_another_resource_resets_in_the_same_run_is_warned_about() {
    let Some(workspace) = workspace() else { return };
    let write = |text: &str, single: &str| {
        workspace.write(&(hubspot([A, B], &trigger(text)) + &support::resource("this", single, &trigger(text))));
    };
    write("one", A);
    let run = workspace.apply().succeeded();
    let warning = said(&run, "Two resources reset the same credential");
    let warning = warning.says(&["`hubspot/a@example.com`", "the last reset wins", "The password was changed."]);
    let winner = warning.address.expect("a warning is about a resource");
    workspace.working_password_of(&winner);
    assert_eq!(resets(&workspace)[0], 2);
}

#[test]
fn a_credential_that_is_reset_in_the_same_run_is_not_called_previous() {
    let Some(workspace) = workspace() else { return };
    let single =
        |text: &str| support::resource("this", A, &format!("{}\n  rotation_mode = \"in_place\"", trigger(text)));
    workspace.write(&hubspot([A, B], &trigger("one")));
    workspace.apply().quiet();
    workspace.write(&(hubspot([A, B], &trigger("one")) + &single("one")));
    workspace.apply().quiet();
    // The pair is applied after the single credential.
    let arguments = format!("{}\n  depends_on = [{ADDRESS}]", trigger("two"));
    workspace.write(&(hubspot([A, B], &arguments) + &single("two")));
    let run = workspace.apply().succeeded();
    said(&run, "The previous credential no longer works")
        .says(&["`hubspot/a@example.com`", "although `previous` names it"]);
    works_as(&workspace, B);
    workspace.working_password();
    workspace.plan().nothing_to_do();
}

/// Two runs with one state each: the current credential of both is never touched, so nothing that works is lost.
#[test]
fn two_runs_on_one_pair_never_touch_the_current_credential() {
    let Some(workspace) = workspace() else { return };
    workspace.write(&hubspot([A, B], &trigger("one")));
    workspace.apply().quiet();
    let password = works_as(&workspace, A);
    std::fs::copy(workspace.path("terraform.tfstate"), workspace.path("other.tfstate")).expect("a copy");
    workspace.write(&hubspot([A, B], &trigger("two")));
    workspace.sandbox.fault(Fault::new(Effect::Stall).on(Operation::Reset).before());
    let first = Running::start(&workspace, &["apply", "-json", "-auto-approve", "-input=false"]);
    assert!(workspace.sandbox.wait_for_stalled(1));
    let arguments = ["apply", "-json", "-auto-approve", "-input=false", "-state=other.tfstate"];
    let second = workspace.command(&arguments).output().expect("the program starts");
    workspace.sandbox.release();
    let first = first.wait();
    workspace.judge(&arguments, &second).succeeded();
    let arguments: Vec<_> = first.arguments.iter().map(String::as_str).collect();
    workspace.judge(&arguments, &first.output).quiet();
    assert_eq!(resets(&workspace), [1, 2, 0]);
    assert!(workspace.logs_in_as(A, &password));
    // The last reset wins, and it is this state's.
    works_as(&workspace, B);
}
