//! Credentials that two resources, or two runs, hold.

use sandbox::{Effect, Fault, Operation};

use super::scene::{A, B, KIRIM_EMAIL, PAIR, hubspot, resets, said, trigger, works_as, workspace};
use crate::{
    process::Running,
    support::{self, ADDRESS, Workspace},
};

const APPLY: [&str; 4] = ["apply", "-json", "-auto-approve", "-input=false"];
const OTHER_STATE: &str = "-state=other.tfstate";
const STALE: &str = "The stored password is stale";

#[test]
fn a_reset_of_a_pairs_credential_by_another_resource_in_the_run_is_a_warning() {
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

/// In the other order the pair cannot know, so the other resource warns.
#[test]
fn a_reset_of_what_a_pair_of_the_same_run_calls_previous_is_warned_about() {
    let Some(workspace) = workspace() else { return };
    workspace.write(&hubspot([A, B], &trigger("one")));
    workspace.apply().quiet();
    let single = support::resource("this", A, &format!("depends_on = [{PAIR}]"));
    workspace.write(&(hubspot([A, B], &trigger("two")) + &single));
    let warning = workspace.apply().warning().is("The previous credential of a pair was reset");
    warning.says(&["`hubspot/a@example.com`", "although its `previous` names it", "The password was changed."]);
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
    workspace.write(&hubspot([A, B], &trigger("two")));
    two_runs(&workspace);
    assert_eq!(resets(&workspace), [1, 2, 0]);
    assert!(workspace.logs_in_as(A, &password));
    // The last reset wins, and it is this state's.
    works_as(&workspace, B);
}

/// At a vendor that reports changes, the run whose reset was the first of the two is warned, and has the other
/// credential to go on.
#[test]
fn of_two_runs_on_one_pair_the_one_that_loses_is_warned_and_goes_on() {
    let Some(workspace) = kirim_email() else { return };
    workspace.write(&KIRIM_EMAIL.pair([A, B], &trigger("one")));
    workspace.apply().quiet();
    let first = works_as(&workspace, A);
    workspace.write(&KIRIM_EMAIL.pair([A, B], &trigger("two")));
    two_runs(&workspace);
    assert!(workspace.logs_in_as(A, &first));
    let kept = works_as(&workspace, B);
    workspace.plan().nothing_to_do();

    swap_states(&workspace);
    let warning = workspace.plan().warning().is(STALE);
    warning.says(&["the other credential is then reset and takes over"]);
    workspace.write(&KIRIM_EMAIL.pair([A, B], &trigger("three")));
    workspace.apply().succeeded();
    works_as(&workspace, A);
    workspace.plan().nothing_to_do();
    assert!(workspace.logs_in_as(B, &kept), "what the winner has still works");
}

#[test]
fn two_runs_with_one_state_wait_for_each_other_or_fail() {
    let Some(workspace) = workspace() else { return };
    workspace.write(&hubspot([A, B], &trigger("one")));
    workspace.apply().quiet();
    workspace.write(&hubspot([A, B], &trigger("two")));
    workspace.sandbox.fault(Fault::new(Effect::Stall).on(Operation::Reset).before());
    let first = Running::start(&workspace, &APPLY);
    assert!(workspace.sandbox.wait_for_stalled(1));
    let second = workspace.command(&APPLY).output().expect("the program starts");
    workspace.sandbox.release();
    let first = first.wait();
    workspace.judge(&APPLY, &second).error().is("Error acquiring the state lock");
    workspace.judge(&APPLY, &first.output).quiet();
    works_as(&workspace, B);
    assert_eq!(resets(&workspace), [1, 1, 0]);
    workspace.plan().nothing_to_do();
}

/// Each of the two resources notices that the other one has reset what it holds, and nothing else that works is lost.
#[test]
fn a_credential_of_a_pair_that_another_run_resets_is_noticed_by_both() {
    let Some(workspace) = kirim_email() else { return };
    let pair = |text: &str| workspace.write(&KIRIM_EMAIL.pair([A, B], &trigger(text)));
    let target = format!("{} = {}", KIRIM_EMAIL.name(), KIRIM_EMAIL.element(A));
    let single = || workspace.write(&support::block("this", &target, ""));
    single();
    workspace.apply().quiet();
    swap_states(&workspace);
    pair("one");
    workspace.apply().quiet();
    let password = works_as(&workspace, A);

    swap_states(&workspace);
    single();
    workspace.plan().warning().is(STALE);
    workspace.apply_with(&[&format!("-replace={ADDRESS}")]).succeeded();
    assert!(!workspace.logs_in_as(A, &password), "the last reset wins");
    let password = workspace.working_password();

    swap_states(&workspace);
    pair("one");
    workspace.plan().warning().is(STALE).says(&["the other credential is then reset and takes over"]);
    pair("two");
    workspace.apply().succeeded();
    works_as(&workspace, B);
    workspace.plan().nothing_to_do();

    swap_states(&workspace);
    single();
    workspace.plan().nothing_to_do();
    assert_eq!(workspace.working_password(), password, "the rotation has left it alone");
}

/// Puts another state in place of the workspace's, and keeps that.
fn swap_states(workspace: &Workspace) {
    let [own, other, between] =
        ["terraform.tfstate", "other.tfstate", "between.tfstate"].map(|name| workspace.path(name));
    for (from, to) in [(&own, &between), (&other, &own), (&between, &other)] {
        if from.exists() {
            std::fs::rename(from, to).expect("a state can be renamed");
        }
    }
}

/// Lets two runs rotate at once, each with a state of its own. That of the workspace resets last.
#[track_caller]
fn two_runs(workspace: &Workspace) {
    std::fs::copy(workspace.path("terraform.tfstate"), workspace.path("other.tfstate")).expect("a copy");
    workspace.sandbox.fault(Fault::new(Effect::Stall).on(Operation::Reset).before());
    let first = Running::start(workspace, &APPLY);
    assert!(workspace.sandbox.wait_for_stalled(1));
    let arguments = [&APPLY[..], &[OTHER_STATE]].concat();
    let second = workspace.command(&arguments).output().expect("the program starts");
    workspace.sandbox.release();
    let first = first.wait();
    workspace.judge(&arguments, &second).succeeded();
    workspace.judge(&APPLY, &first.output).quiet();
}

fn kirim_email() -> Option<Workspace> {
    let workspace = Workspace::new()?;
    for user in [A, B] {
        KIRIM_EMAIL.open(&workspace, user);
    }
    Some(workspace)
}
