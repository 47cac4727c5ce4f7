//! `rotate_after`: a password is reset once a refresh has found it too old.

use std::fs;

use crate::{
    smtpd::ORDERS,
    support::{ADDRESS, Workspace, credential},
};

/// Long ago.
const THEN: &str = "2020-02-29T12:00:00.000000Z";
const IN_PLACE: &str = "rotation_mode = \"in_place\"";

#[test]
fn what_is_too_old_is_rotated_once() {
    for order in ORDERS {
        let Some(workspace) = with("90d", order) else { return };
        workspace.plan().nothing_to_do();
        let password = workspace.working_password();
        age(&workspace);
        let plan = workspace.plan().quiet();
        let action = if order == IN_PLACE { "update" } else { "replace" };
        assert_eq!(plan.action(ADDRESS).as_deref(), Some(action), "{order}");
        assert_eq!(workspace.resets(), 1, "a plan resets nothing");
        workspace.apply().quiet();
        assert_eq!(workspace.resets(), 2, "{order}");
        assert_ne!(workspace.working_password(), password);
        assert!(!workspace.logs_in(&password), "the old password is dead");
        assert_eq!(workspace.state()["rotation_due"], false);
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn without_a_refresh_only_what_an_earlier_one_has_found_counts() {
    for order in ORDERS {
        let Some(workspace) = with("90d", order) else { return };
        age(&workspace);
        workspace.plan_with(&["-refresh=false"]).nothing_to_do();
        workspace.refresh().quiet();
        assert_eq!(workspace.state()["rotation_due"], true, "{order}");
        assert_eq!(workspace.resets(), 1, "a refresh resets nothing");
        workspace.apply_with(&["-refresh=false"]).quiet();
        assert_eq!((workspace.resets(), &workspace.state()["rotation_due"]), (2, &false.into()), "{order}");
        workspace.working_password();
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_change_of_the_age_rotates_nothing_and_the_next_refresh_decides() {
    for order in ["", IN_PLACE] {
        let Some(workspace) = with("90d", order) else { return };
        let password = workspace.working_password();
        age(&workspace);
        workspace.refresh().quiet();
        for (other, is_due) in [("rotate_after = \"30d\"", true), ("", false), ("rotate_after = \"48h\"", true)] {
            workspace.write(&credential(&format!("{other}\n  {order}")));
            assert_eq!(workspace.planned()["password"], password, "{other}");
            workspace.apply_with(&["plan"]).quiet();
            assert_eq!(workspace.state()["rotation_due"], false, "{other}");
            workspace.refresh().quiet();
            assert_eq!(workspace.state()["rotation_due"], is_due, "{other}");
        }
        assert_eq!(workspace.resets(), 1, "{order}");
        workspace.write(&credential(&format!("rotate_after = \"36500d\"\n  {order}")));
        workspace.apply().quiet();
        workspace.plan().nothing_to_do();
        assert_eq!((workspace.resets(), workspace.working_password()), (1, password), "{order}");
    }
}

#[test]
fn an_age_that_is_not_known_yet_may_rotate() {
    let late = |age: &str, replacement: &str| {
        let data = format!(
            "resource \"terraform_data\" \"age\" {{\n  input = {age}\n  triggers_replace = \"{replacement}\"\n}}\n"
        );
        data + &credential(&format!("rotate_after = terraform_data.age.output\n  {IN_PLACE}"))
    };
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&late("\"90d\"", "one"));
    workspace.apply().quiet();
    // What is not due is not rotated, whatever the age turns out to be.
    workspace.write(&late("\"90d\"", "two"));
    workspace.apply().quiet();
    assert_eq!(workspace.resets(), 1);
    for (age_now, replacement, resets) in
        [("\"90d\"", "three", 2), ("\"30d\"", "four", 2), ("null", "five", 2), ("\"90d\"", "six", 2)]
    {
        age(&workspace);
        workspace.write(&late(age_now, replacement));
        assert_eq!(workspace.plan().quiet().action(ADDRESS).as_deref(), Some("update"), "{age_now}");
        workspace.apply().quiet();
        assert_eq!((workspace.resets(), &workspace.state()["rotation_due"]), (resets, &false.into()), "{age_now}");
        workspace.working_password();
    }
}

#[test]
fn age_and_a_changed_trigger_are_one_reset() {
    for order in ORDERS {
        let Some(workspace) = with("90d", order) else { return };
        age(&workspace);
        workspace.write(&credential(&format!("rotate_after = \"90d\"\n  rotation_trigger = \"two\"\n  {order}")));
        workspace.apply().quiet();
        assert_eq!(workspace.resets(), 2, "{order}");
        workspace.working_password();
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn what_must_not_be_destroyed_is_rotated_in_place() {
    let guarded = |order: &str| format!("lifecycle {{ prevent_destroy = true }}\n  {order}");
    let Some(workspace) = with("90d", &guarded("")) else { return };
    age(&workspace);
    workspace.plan().error().is("Instance cannot be destroyed");
    workspace.write(&credential(&format!("rotate_after = \"90d\"\n  {}", guarded(IN_PLACE))));
    workspace.apply().quiet();
    assert_eq!(workspace.resets(), 2);
    workspace.working_password();
}

#[test]
fn what_this_provider_has_never_reset_is_not_due() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential("rotate_after = \"1h\""));
    workspace.import(&format!("hubspot/{}", crate::support::USER)).succeeded();
    assert_eq!(workspace.state()["rotation_due"], false);
    workspace.apply().quiet();
    assert_eq!((workspace.resets(), &workspace.state()["rotation_due"]), (0, &false.into()));
    workspace.plan().nothing_to_do();
}

#[test]
fn a_rotation_that_fails_stays_due() {
    let Some(workspace) = with("90d", IN_PLACE) else { return };
    let password = workspace.working_password();
    age(&workspace);
    workspace.sandbox.fault(sandbox::Fault::status(400).on(sandbox::Operation::Reset).before());
    workspace.apply().error().says(&["The password was not changed."]);
    assert_eq!(workspace.working_password(), password);
    workspace.apply().quiet();
    assert_eq!(workspace.resets(), 2);
    workspace.working_password();
    workspace.plan().nothing_to_do();
}

#[test]
fn what_is_no_age_is_refused_at_its_line() {
    let Some(workspace) = Workspace::new() else { return };
    for text in ["", "0", "90", "0d", "59m", "3599s", "-90d", "-1h", "1.5d", "1d12h", "90 days", "soon", "1w"] {
        let line = format!("rotate_after = \"{text}\"");
        workspace.write(&credential(&line));
        let error = workspace.validate().error().is("Invalid value for `rotate_after`").points_at(&line);
        error.says(&["must be whole days such as `90d`", "of at least `1h`"]);
    }
    for text in ["99999999999999999999d", "213503982334602d", "99999999999999999999h"] {
        workspace.write(&credential(&format!("rotate_after = \"{text}\"")));
        workspace.validate().error().is("Invalid value for `rotate_after`");
    }
    workspace.write(&credential("rotate_after = \"90m\""));
    workspace.validate().quiet();
    assert_eq!(workspace.requests(), [""; 0]);
}

/// A workspace in which the password was made with this `rotate_after`.
fn with(after: &str, order: &str) -> Option<Workspace> {
    let workspace = Workspace::new()?;
    workspace.write(&credential(&format!("rotate_after = \"{after}\"\n  {order}")));
    workspace.apply().quiet();
    assert_eq!(workspace.state()["rotation_due"], false, "a new password is not due");
    Some(workspace)
}

/// Makes the password in the state an old one.
fn age(workspace: &Workspace) {
    age_of(workspace, ADDRESS);
}

/// Makes the password of a resource in the state an old one.
pub(crate) fn age_of(workspace: &Workspace, address: &str) {
    let made = workspace.state_of(address)["rotated_at"].as_str().expect("a time").to_owned();
    let text = fs::read_to_string(workspace.path("terraform.tfstate")).expect("the state");
    workspace.file("terraform.tfstate", &text.replace(&made, THEN));
    assert_eq!(workspace.state_of(address)["rotated_at"], THEN);
}
