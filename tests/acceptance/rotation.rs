//! When a password is reset, and when it is not.

use serde_json::{Value, json};

use crate::support::{ADDRESS, Workspace, credential, resource};

const IN_PLACE: &str = "rotation_mode = \"in_place\"";
const CREATE_FIRST: &str = "lifecycle { create_before_destroy = true }";

#[test]
fn a_changed_trigger_replaces_and_resets_once() {
    rotates("", "replace");
}

#[test]
fn a_changed_trigger_creates_first_if_so_configured() {
    rotates(CREATE_FIRST, "replace");
}

#[test]
fn a_changed_trigger_updates_in_place() {
    rotates(IN_PLACE, "update");
}

/// Only in a pair, whose `id` has two ids, does a comma separate anything.
#[test]
fn a_user_name_may_contain_a_comma() {
    let Some(workspace) = Workspace::new() else { return };
    let user = "news,letter@example.com";
    workspace.add_credential(user);
    for trigger in ["one", "two"] {
        workspace.write(&resource("this", user, &format!("rotation_trigger = \"{trigger}\"\n  {IN_PLACE}")));
        workspace.apply().quiet();
        assert!(workspace.logs_in_as(user, workspace.state()["password"].as_str().expect("a password")));
    }
    assert_eq!(
        (workspace.sandbox.hubspot().resets(user), workspace.state()["id"].as_str()),
        (2, Some("hubspot/news,letter@example.com"))
    );
    workspace.plan().nothing_to_do();
}

#[test]
fn in_place_rotates_what_must_not_be_destroyed() {
    let Some(workspace) = Workspace::new() else { return };
    let guarded = |arguments: &str| credential(&format!("{arguments}\n  lifecycle {{ prevent_destroy = true }}"));
    workspace.write(&guarded("rotation_trigger = \"one\""));
    workspace.apply().quiet();
    workspace.write(&guarded("rotation_trigger = \"two\""));
    workspace.apply().error().is("Instance cannot be destroyed");
    assert_eq!(workspace.resets(), 1);
    workspace.write(&guarded(&format!("rotation_trigger = \"two\"\n  {IN_PLACE}")));
    workspace.apply().quiet();
    assert_eq!(workspace.resets(), 2);
    workspace.working_password();
}

#[test]
fn a_trigger_that_is_not_known_yet_counts_as_a_change() {
    let Some(workspace) = Workspace::new() else { return };
    for (mode, action) in [("", "replace"), (IN_PLACE, "update")] {
        workspace.write(&late_trigger("one", "same", mode));
        workspace.apply().quiet();
        let resets = workspace.resets();
        workspace.write(&late_trigger("two", "same", mode));
        let plan = workspace.plan().quiet();
        assert_eq!(plan.action(ADDRESS).as_deref(), Some(action));
        workspace.apply().quiet();
        assert_eq!(workspace.resets(), resets + 1, "{action}");
        workspace.working_password();
        assert_eq!(workspace.state()["rotation_trigger"], "two");
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn in_place_a_trigger_that_turns_out_equal_resets_nothing() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&late_trigger("one", "before", IN_PLACE));
    workspace.apply().quiet();
    let state = workspace.state();
    workspace.write(&late_trigger("one", "after", IN_PLACE));
    assert_eq!(workspace.plan().action(ADDRESS).as_deref(), Some("update"));
    workspace.apply().quiet();
    assert_eq!(workspace.resets(), 1);
    assert_eq!(workspace.state(), state);
    workspace.plan().nothing_to_do();
}

#[test]
fn settings_that_reset_nothing_keep_the_password_known() {
    let Some(workspace) = Workspace::new() else { return };
    let trigger = "rotation_trigger = \"one\"";
    workspace.write(&credential(trigger));
    workspace.apply().quiet();
    let password = workspace.working_password();
    let rotated_at = workspace.state()["rotated_at"].clone();
    for (argument, attribute, value) in [
        (IN_PLACE, "rotation_mode", json!("in_place")),
        (
            "timeouts = { create = \"90s\" }",
            "timeouts",
            json!({"create": "90s", "delete": null, "read": null, "update": null}),
        ),
        ("smtp_host = \"smtp-eu1.hubapi.com\"", "smtp_host", json!("smtp-eu1.hubapi.com")),
        ("smtp_port = 465", "smtp_port", json!(465)),
        // Each of them is removed by the next, and the vendor's own come back.
        ("", "smtp_port", json!(587)),
    ] {
        workspace.write(&credential(&format!("{trigger}\n  {argument}")));
        let planned = workspace.planned();
        assert_eq!(planned["password"], password, "{attribute}");
        assert_eq!(planned[attribute], value);
        workspace.apply_with(&["plan"]).quiet();
        assert_eq!(workspace.state()[attribute], value);
        assert_eq!(workspace.state()["rotated_at"], rotated_at, "{attribute}");
        workspace.plan().nothing_to_do();
    }
    assert_eq!(workspace.state()["smtp_host"], "smtp.hubapi.com");
    assert_eq!(workspace.state()["timeouts"], Value::Null);
    assert_eq!(workspace.resets(), 1);
    assert_eq!(workspace.working_password(), password);
}

/// Creates, changes the trigger, removes it; each time the plan says so, one reset happens and the old password is
/// dead.
fn rotates(arguments: &str, action: &str) {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(&format!("rotation_trigger = \"one\"\n  {arguments}")));
    workspace.apply().quiet();
    for (resets, trigger) in [(2, "rotation_trigger = \"two\""), (3, "")] {
        let (password, rotated_at) = (workspace.working_password(), workspace.state()["rotated_at"].clone());
        workspace.write(&credential(&format!("{trigger}\n  {arguments}")));
        assert_eq!(workspace.plan().quiet().action(ADDRESS).as_deref(), Some(action));
        workspace.apply().quiet();
        assert_eq!(workspace.resets(), resets);
        assert_ne!(workspace.working_password(), password);
        assert_ne!(workspace.state()["rotated_at"], rotated_at);
        assert!(!workspace.logs_in(&password), "the old password is dead");
        workspace.plan().nothing_to_do();
    }
}

/// A trigger that is known only when `terraform_data` has been applied: a changed `input` changes it, a changed
/// `replacement` leaves it as it was.
fn late_trigger(input: &str, replacement: &str, mode: &str) -> String {
    let data = format!(
        "resource \"terraform_data\" \"version\" {{\n  input = \"{input}\"\n  triggers_replace = \"{replacement}\"\n}}\n"
    );
    data + &credential(&format!("rotation_trigger = terraform_data.version.output\n  {mode}"))
}
