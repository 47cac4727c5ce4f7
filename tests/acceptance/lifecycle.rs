//! From the first apply to the destroy.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;

use crate::support::{ADDRESS, USER, Workspace, credential};

#[test]
fn a_create_stores_a_password_that_works() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential("rotation_trigger = \"one\""));
    let before = workspace.sandbox.hubspot().password(USER).expect("the credential has a password");

    let planned = workspace.planned();
    for (name, value) in [
        ("id", json!("hubspot/zh48wgsfld@62515.smtp.hubspot.net")),
        ("on_external_change", json!(null)),
        ("rotation_mode", json!(null)),
        ("smtp_host", json!("smtp.hubapi.com")),
        ("smtp_port", json!(587)),
        ("username", json!(USER)),
    ] {
        assert_eq!(planned[name], value, "{name} is known in the plan");
    }
    for name in ["password", "rotated_at", "rotation_version"] {
        assert_eq!(planned.get(name), None, "{name} is not known in the plan");
    }
    assert_eq!(workspace.resets(), 0);

    workspace.apply().quiet();
    assert_eq!(workspace.resets(), 1);
    workspace.working_password();
    assert!(!workspace.logs_in(&before), "the previous password is dead");
    let state = workspace.state();
    assert!(is_timestamp(state["rotated_at"].as_str().unwrap_or_default()), "{}", state["rotated_at"]);
    workspace.plan().nothing_to_do();
}

#[test]
fn the_password_is_sensitive_and_nothing_else_is() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    workspace.apply().quiet();
    let shown = workspace.json(&["show", "-json"]);
    let resource = &shown["values"]["root_module"]["resources"][0];
    assert_eq!(resource["sensitive_values"], json!({"hubspot": {}, "password": true}));
    // For people, it does not show it.
    assert!(workspace.run(&["show", "-no-color"]).succeeded().stdout.contains("(sensitive value)"));
}

#[test]
fn a_run_that_shows_a_password_is_noticed() {
    let Some(workspace) = Workspace::new() else { return };
    let output = format!("output \"password\" {{\n  value = {ADDRESS}.password\n  sensitive = true\n}}\n");
    workspace.write(&(credential("") + &output));
    workspace.apply().quiet();
    let printed = catch_unwind(AssertUnwindSafe(|| workspace.run(&["output", "-raw", "password"])));
    assert!(printed.is_err());
}

#[test]
fn a_saved_plan_applies_once() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    workspace.plan_with(&["-out=plan"]).quiet();
    workspace.apply_with(&["plan"]).quiet();
    let password = workspace.working_password();
    workspace.apply_with(&["plan"]).failed();
    assert_eq!(workspace.resets(), 1);
    assert_eq!(workspace.working_password(), password);
}

#[test]
fn without_a_refresh_everything_is_still_checked_before_the_reset() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential("rotation_trigger = \"one\""));
    workspace.apply_with(&["-refresh=false"]).quiet();
    workspace.sandbox.forget_requests();
    workspace.write(&credential("rotation_trigger = \"two\""));
    workspace.apply_with(&["-refresh=false"]).quiet();
    assert_eq!(workspace.resets(), 2);
    workspace.working_password();
    let methods: Vec<_> = workspace.sandbox.requests().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["GET", "POST"], "one look serves both halves of the replacement");
}

#[test]
fn a_tainted_resource_is_reset_once_more() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    workspace.apply().quiet();
    let before = workspace.working_password();
    workspace.run(&["taint", "-no-color", ADDRESS]).succeeded();
    workspace.apply().quiet();
    let tainted = workspace.working_password();
    assert!(!workspace.logs_in(&before));
    workspace.apply_with(&[&format!("-replace={ADDRESS}")]).quiet();
    assert!(!workspace.logs_in(&tainted));
    workspace.working_password();
    assert_eq!(workspace.resets(), 3);
    workspace.plan().nothing_to_do();
}

#[test]
fn a_resource_that_is_renamed_keeps_its_password() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    workspace.apply().quiet();
    let password = workspace.working_password();

    workspace.run(&["state", "mv", ADDRESS, "smtp_credential_password.second"]).succeeded();
    workspace.write(&credential("").replace("\"this\"", "\"second\""));
    workspace.plan().nothing_to_do();

    let moved = format!("moved {{\n  from = smtp_credential_password.second\n  to = {ADDRESS}\n}}\n");
    workspace.write(&(credential("") + &moved));
    workspace.apply().quiet();
    assert_eq!(workspace.addresses(), [ADDRESS]);
    assert_eq!(workspace.working_password(), password);
    assert_eq!(workspace.resets(), 1);
}

#[test]
fn a_destroy_leaves_the_password_as_it_is() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    workspace.apply().quiet();
    let password = workspace.working_password();
    workspace.destroy().quiet();
    assert_eq!(workspace.addresses(), [""; 0]);
    assert!(workspace.logs_in(&password));
    assert_eq!(workspace.resets(), 1);
}

#[test]
fn a_destroy_of_what_is_gone_succeeds() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    workspace.apply().quiet();
    workspace.sandbox.hubspot().delete(USER);
    workspace.destroy().succeeded();
    assert_eq!(workspace.addresses(), [""; 0]);
}

#[test]
fn a_destroy_without_refresh_needs_no_token() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    workspace.apply().quiet();
    workspace.unset("HUBSPOT_ACCESS_TOKEN");
    workspace.sandbox.forget_requests();
    workspace.destroy_with(&["-refresh=false"]).quiet();
    assert_eq!(workspace.addresses(), [""; 0]);
    assert_eq!(workspace.sandbox.requests().len(), 0);
}

#[test]
fn nothing_but_an_apply_resets() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    workspace.validate().quiet();
    workspace.plan().quiet();
    workspace.apply().quiet();
    workspace.refresh().quiet();
    workspace.plan().nothing_to_do();
    workspace.run(&["refresh", "-no-color"]).succeeded();
    assert_eq!(workspace.resets(), 1);
    workspace.working_password();
    let posts = workspace.sandbox.requests().into_iter().filter(|request| request.method == "POST").count();
    assert_eq!(posts, 1);
}

#[test]
fn another_credential_replaces_the_resource() {
    const OTHER: &str = "other@62515.smtp.hubspot.net";
    let Some(workspace) = Workspace::new() else { return };
    workspace.add_credential(OTHER);
    workspace.write(&credential(""));
    workspace.apply().quiet();
    let password = workspace.working_password();
    workspace.write(&credential("").replace(USER, OTHER));
    assert_eq!(workspace.plan().action(ADDRESS).as_deref(), Some("replace"));
    workspace.apply().quiet();
    workspace.working_password();
    assert_eq!(workspace.state()["username"], OTHER);
    assert!(workspace.logs_in(&password), "the first credential keeps its password");
    assert_eq!((workspace.resets(), workspace.sandbox.hubspot().resets(OTHER)), (1, 1));
}

/// `2026-10-01T12:00:00.000000Z`
fn is_timestamp(text: &str) -> bool {
    let form = |character: char| if character.is_ascii_digit() { '0' } else { character };
    text.chars().map(form).eq("0000-00-00T00:00:00.000000Z".chars())
}
