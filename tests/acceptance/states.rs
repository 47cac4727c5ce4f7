//! States that other versions have written.

use std::fs;

use serde_json::Value;

use crate::support::{Workspace, credential};

const FIRST: &str = include_str!("../fixtures/states/hubspot_0.1.0.tfstate");

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
