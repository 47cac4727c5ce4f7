//! States that other versions have written.

use std::fs;

use serde_json::Value;

use crate::support::{ADDRESS, HOSTUP, MAILBOX, Workspace, block, credential};

const FIRST: &str = include_str!("../fixtures/states/hubspot_0.1.0.tfstate");
const FIRST_OF_A_MAILBOX: &str = include_str!("../fixtures/states/hostup_0.1.0.tfstate");

#[test]
fn the_state_of_the_first_version_plans_empty() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential("rotation_trigger = \"2026-Q4\""));
    workspace.file("terraform.tfstate", FIRST);
    workspace.plan().nothing_to_do();
    workspace.refresh().succeeded();
    let state = workspace.state();
    assert_eq!(state["password"], "not-a-real-password");
    assert_eq!(state["rotation_version"], 1_795_207_372, "the seconds of `rotated_at`");
    assert_eq!([&state["rotation_mode"], &state["on_external_change"]], [&Value::Null; 2]);
    assert_eq!(state.get("smtp_url"), None);
    workspace.plan().nothing_to_do();
    assert_eq!(workspace.resets(), 0);
}

#[test]
fn a_state_with_less_and_more_in_it_is_read() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential("rotation_trigger = \"2026-Q4\""));
    let text = FIRST.replace("\"rotation_mode\": \"replace\"", "\"from_another_version\": {\"a\": [1]}");
    assert_ne!(text, FIRST);
    workspace.file("terraform.tfstate", &text);
    workspace.plan().nothing_to_do();
}

#[test]
fn a_state_of_a_newer_version_is_refused() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential("rotation_trigger = \"2026-Q4\""));
    let text = FIRST.replace("\"schema_version\": 0", "\"schema_version\": 2");
    assert_ne!(text, FIRST);
    workspace.file("terraform.tfstate", &text);
    workspace.apply().error().is("Resource instance managed by newer provider version");
    assert_eq!(fs::read_to_string(workspace.path("terraform.tfstate")).expect("the state"), text);
    assert_eq!(workspace.sandbox.requests().len(), 0);
}

#[test]
fn what_became_of_defaults_plans_nothing_and_resets_nothing() {
    let Some(workspace) = Workspace::new() else { return };
    let mailbox = |arguments: &str| {
        workspace.write(&block("this", HOSTUP, &format!("rotation_trigger = \"2026-Q4\"\n  {arguments}")));
        workspace.file("terraform.tfstate", FIRST_OF_A_MAILBOX);
    };
    mailbox("");
    workspace.plan().nothing_to_do();
    workspace.plan_with(&["-refresh=false"]).nothing_to_do();
    // What was written out then means the same now. The password was made of characters that are no default any more.
    for arguments in [
        "rotation_mode = \"replace\"\n  on_external_change = \"warn\"",
        "password_policy = {}",
        "password_policy = { length = 32, special = true }",
        "rotation_mode = \"in_place\"",
    ] {
        mailbox(arguments);
        assert_eq!(workspace.plan().quiet().action(ADDRESS).as_deref(), Some("update"), "{arguments}");
        workspace.apply().quiet();
        assert_eq!(workspace.state()["password"], "not*a!real~password");
        assert_eq!(workspace.state()["rotation_version"], 1_795_207_372);
        workspace.plan().nothing_to_do();
    }
    assert_eq!(workspace.sandbox.hostup().resets(MAILBOX), 0);
    // There is nothing to note any more, so nothing is stored for it.
    let text = fs::read_to_string(workspace.path("terraform.tfstate")).expect("the state");
    assert!(FIRST_OF_A_MAILBOX.contains("\"private\"") && !text.contains("\"private\""), "{text}");
}

#[test]
fn a_reset_after_the_upgrade_has_a_greater_version() {
    for mode in ["replace", "in_place"] {
        let Some(workspace) = Workspace::new() else { return };
        workspace.file("terraform.tfstate", FIRST_OF_A_MAILBOX);
        let arguments = format!("rotation_trigger = \"2027-Q1\"\n  rotation_mode = \"{mode}\"");
        workspace.write(&block("this", HOSTUP, &arguments));
        workspace.apply().quiet();
        assert_eq!(workspace.sandbox.hostup().resets(MAILBOX), 1);
        workspace.working_password();
        let (at, version) = (workspace.state()["rotated_at"].clone(), workspace.state()["rotation_version"].clone());
        let at: jiff::Timestamp = at.as_str().and_then(|at| at.parse().ok()).expect("a time");
        assert_eq!(version.as_i64(), Some(at.as_second()));
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn core_reports_the_use_of_the_removed_url() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.file("terraform.tfstate", FIRST);
    let output = format!("output \"url\" {{\n  value = {ADDRESS}.smtp_url\n  sensitive = true\n}}\n");
    workspace.write(&(credential("rotation_trigger = \"2026-Q4\"") + &output));
    workspace.plan().error().is("Unsupported attribute").says(&["smtp_url"]);
}
