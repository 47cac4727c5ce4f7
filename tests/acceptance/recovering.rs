//! The guide for operators: after every kind of accident, its commands do what it says.

use std::{collections::BTreeSet, fs, path::Path};

use sandbox::{Fault, Operation};

use crate::support::{HUBSPOT, Run, SMTPD, USER, Workspace, block};

const ADDRESS: &str = "smtp_credential_password.newsletter";

/// The commands of the guide that a test here follows.
const HERE: [&str; 8] = [
    "cp terraform.tfstate.backup before.tfstate",
    "cp terraform.tfstate.backup terraform.tfstate",
    "terraform apply",
    "terraform apply -replace=smtp_credential_password.newsletter",
    "terraform destroy -refresh=false",
    "terraform show -json before.tfstate",
    "terraform state push -force before.tfstate",
    "terraform state rm smtp_credential_password.newsletter",
];

/// Those that are followed where a state cannot be written, in `tests/faults/state_faults.rs`.
const AMONG_THE_FAULTS: [&str; 2] =
    ["terraform state push -force printed.tfstate", "terraform state push errored.tfstate"];

#[test]
fn every_command_of_the_guide_is_tried() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides/recovering.md");
    let guide = fs::read_to_string(guide).expect("the guide");
    let blocks = guide.split("```shell\n").skip(1).filter_map(|rest| rest.split("```").next());
    let commands: BTreeSet<_> = blocks.flat_map(str::lines).collect();
    assert_eq!(commands, HERE.into_iter().chain(AMONG_THE_FAULTS).collect());
}

#[test]
fn after_an_error_another_apply_heals() {
    for (moment, resets) in [(Fault::status(500).before(), 1), (Fault::status(500), 2)] {
        let Some(workspace) = with(HUBSPOT, "rotation_trigger = \"one\"\n  rotation_mode = \"in_place\"") else {
            return;
        };
        follow(&workspace, "terraform apply").succeeded();
        write(&workspace, HUBSPOT, "rotation_trigger = \"two\"\n  rotation_mode = \"in_place\"");
        workspace.sandbox.fault(moment.on(Operation::Reset));
        follow(&workspace, "terraform apply").failed();
        follow(&workspace, "terraform apply").succeeded();
        assert_eq!(workspace.resets(), 1 + resets);
        workspace.working_password_of(ADDRESS);
    }
}

#[test]
fn an_old_password_is_had_from_the_backup() {
    let Some(workspace) = with(HUBSPOT, "rotation_trigger = \"one\"") else { return };
    follow(&workspace, "terraform apply").succeeded();
    let old = workspace.working_password_of(ADDRESS);
    write(&workspace, HUBSPOT, "rotation_trigger = \"two\"");
    workspace.sandbox.fault(Fault::status(403).on(Operation::Reset).before());
    follow(&workspace, "terraform apply").failed();
    assert!(workspace.addresses().is_empty(), "core has removed it from the state");

    fs::copy(workspace.path("terraform.tfstate.backup"), workspace.path("before.tfstate")).expect("a backup");
    let shown = workspace.json(&["show", "-json", "before.tfstate"]);
    let resources = shown["values"]["root_module"]["resources"].as_array().expect("resources");
    assert_eq!(resources[0]["values"]["password"], *old);
    assert!(workspace.logs_in(&old));

    follow(&workspace, "terraform state push -force before.tfstate").succeeded();
    assert_eq!(workspace.working_password_of(ADDRESS), old);
    follow(&workspace, "terraform apply").succeeded();
    assert_eq!(workspace.resets(), 2);
    assert_ne!(workspace.working_password_of(ADDRESS), old);
}

/// `kill -9` of core while it writes its local state leaves a file of no bytes: core truncates the file before it
/// writes.
#[test]
fn an_empty_state_file_is_restored_from_the_backup_before_anything_else() {
    let Some(workspace) = with(HUBSPOT, "rotation_trigger = \"one\"\n  rotation_mode = \"in_place\"") else { return };
    follow(&workspace, "terraform apply").succeeded();
    write(&workspace, HUBSPOT, "rotation_trigger = \"two\"\n  rotation_mode = \"in_place\"");
    follow(&workspace, "terraform apply").succeeded();
    workspace.file("terraform.tfstate", "");
    // Without the backup, core knows of no resource and would create it again.
    assert_eq!(workspace.plan().action(ADDRESS).as_deref(), Some("create"));

    fs::copy(workspace.path("terraform.tfstate.backup"), workspace.path("terraform.tfstate")).expect("a backup");
    assert!(!workspace.state_of(ADDRESS)["password"].is_null());
    follow(&workspace, "terraform apply").succeeded();
    assert_eq!(workspace.resets(), 3, "one reset for the password that was lost");
    workspace.working_password_of(ADDRESS);
}

#[test]
fn a_password_that_does_not_work_is_reset_once_more() {
    let Some(workspace) = with(HUBSPOT, "") else { return };
    let id = format!("hubspot/{USER}");
    workspace.run(&["import", "-no-color", "-input=false", ADDRESS, &id]).succeeded();
    assert!(workspace.state_of(ADDRESS)["password"].is_null());
    follow(&workspace, "terraform apply -replace=smtp_credential_password.newsletter").succeeded();
    assert_eq!(workspace.resets(), 1);
    workspace.working_password_of(ADDRESS);
}

#[test]
fn a_revoked_token_blocks_a_destroy_at_its_refresh_and_nowhere_else() {
    let Some(workspace) = with(HUBSPOT, "") else { return };
    follow(&workspace, "terraform apply").succeeded();
    let password = workspace.working_password_of(ADDRESS);
    workspace.sandbox.hubspot().revoke_token(workspace.sandbox.hubspot().access_token());
    workspace.destroy().error().is("HubSpot refused the credentials");
    assert_eq!(workspace.working_password_of(ADDRESS), password);
    follow(&workspace, "terraform destroy -refresh=false").succeeded();
    assert!(workspace.addresses().is_empty());
    assert!(workspace.logs_in(&password), "a destroy leaves the credential as it is");
}

#[test]
fn a_key_that_cannot_be_revoked_can_be_removed_from_the_state() {
    let Some(mut workspace) = with(SMTPD, "") else { return };
    follow(&workspace, "terraform apply").succeeded();
    workspace.keep_secret("not-the-secret-at-all");
    workspace.set("SMTPD_API_SECRET", "not-the-secret-at-all");
    follow(&workspace, "terraform destroy -refresh=false").failed();
    workspace.working_password_of(ADDRESS);
    follow(&workspace, "terraform state rm smtp_credential_password.newsletter").succeeded();
    assert!(workspace.addresses().is_empty());
}

#[test]
fn a_credential_in_two_states_is_taken_out_of_one() {
    let Some(workspace) = with(HUBSPOT, "") else { return };
    follow(&workspace, "terraform apply").succeeded();
    let old = workspace.working_password_of(ADDRESS);
    workspace.apply_with(&["-state=other.tfstate"]).succeeded();
    assert!(!workspace.logs_in(&old));
    follow(&workspace, "terraform state rm smtp_credential_password.newsletter").succeeded();
    assert_eq!(workspace.resets(), 2, "it resets nothing");
    assert_eq!(workspace.plan_with(&["-state=other.tfstate"]).status, Some(0), "the other state has nothing to do");
}

/// A workspace with one resource, under the name that the guide uses.
fn with(target: &str, arguments: &str) -> Option<Workspace> {
    let workspace = Workspace::new()?;
    write(&workspace, target, arguments);
    Some(workspace)
}

fn write(workspace: &Workspace, target: &str, arguments: &str) {
    workspace.write(&block("newsletter", target, arguments));
}

/// Does what the guide says; where a person would answer questions, there are none.
#[track_caller]
fn follow(workspace: &Workspace, command: &str) -> Run {
    assert!(HERE.contains(&command), "the guide says no such thing");
    let words: Vec<_> = command.split(' ').skip(1).collect();
    let unasked: &[&str] = match words[0] {
        "apply" | "destroy" => &["-no-color", "-auto-approve", "-input=false"],
        _ => &[],
    };
    let (action, options) = words.split_at(1);
    workspace.run(&[action, unasked, options].concat())
}
