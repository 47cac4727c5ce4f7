//! From a single credential to a pair, with a `moved` block.

use serde_json::Value;

use super::scene::{A, B, C, HOSTUP, NOT_CHANGED, PAIR, resets, trigger, turn, vendors, works_as};
use crate::support::{self, ADDRESS, SMTPD, Workspace};

pub(super) fn moved() -> String {
    format!("moved {{\n  from = {ADDRESS}\n  to   = {PAIR}\n}}\n")
}

#[test]
fn a_single_credential_becomes_a_pairs_current_one_and_keeps_its_password() {
    for vendor in vendors() {
        let Some(workspace) = Workspace::with_moved_between_types() else { return };
        for user in [A, B] {
            vendor.open(&workspace, user);
        }
        let target = format!("{} = {}", vendor.name(), vendor.element(A));
        workspace.write(&support::block("this", &target, &trigger("one")));
        workspace.apply().quiet();
        let single = workspace.state();

        workspace.write(&(vendor.pair([A, B], &trigger("one")) + &moved()));
        workspace.apply().quiet();
        assert_eq!(workspace.addresses(), [PAIR]);
        let state = workspace.state_of(PAIR);
        for name in ["password", "username", "rotated_at", "rotation_version", "remote_version", "smtp_host"] {
            assert_eq!(state[name], single[name], "{name}");
        }
        assert_eq!(turn(&workspace), (vendor.id(A).into(), Value::Null));
        assert_eq!(workspace.resets_everywhere(), 1);
        let password = works_as(&workspace, A);
        workspace.plan().nothing_to_do();

        workspace.write(&(vendor.pair([A, B], &trigger("two")) + &moved()));
        workspace.apply().quiet();
        works_as(&workspace, B);
        assert!(workspace.logs_in_as(A, &password));
        assert_eq!(turn(&workspace), (vendor.id(B).into(), vendor.id(A).into()));
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_move_and_a_changed_trigger_are_one_rotation() {
    let Some(workspace) = Workspace::with_moved_between_types() else { return };
    for user in [A, B] {
        workspace.add_credential(user);
    }
    workspace.write(&support::resource("this", A, &trigger("one")));
    workspace.apply().quiet();
    let password = workspace.working_password();
    workspace.write(&(super::scene::hubspot([A, B], &trigger("two")) + &moved()));
    workspace.apply().quiet();
    works_as(&workspace, B);
    assert!(workspace.logs_in_as(A, &password));
    assert_eq!(resets(&workspace), [1, 1, 0]);
    workspace.plan().nothing_to_do();
}

/// The state does not have the password, and a pair has no `password_wo`. Nothing of that asks for a reset.
#[test]
fn a_credential_with_a_password_of_the_users_own_becomes_the_current_one_and_is_not_reset() {
    const OWN: &str = "own-Password_4711!";
    let Some(mut workspace) = Workspace::with_moved_between_types() else { return };
    if !workspace.knows_write_only() {
        return;
    }
    for user in [A, B] {
        HOSTUP.open(&workspace, user);
    }
    workspace.set("TF_VAR_own", OWN);
    workspace.keep_secret(OWN);
    let variable = "variable \"own\" {\n  type = string\n  ephemeral = true\n}\n";
    let target = format!("{} = {}", HOSTUP.name(), HOSTUP.element(A));
    let arguments = format!("password_wo = var.own\n  password_wo_version = \"1\"\n  {}", trigger("one"));
    workspace.write(&(variable.to_owned() + &support::block("this", &target, &arguments)));
    workspace.apply().quiet();

    let pair = |text: &str| workspace.write(&(HOSTUP.pair([A, B], &trigger(text)) + &moved()));
    pair("one");
    let warning = workspace.plan().warning().is("The password is not in the state");
    warning.says(&[&format!("`{}`", HOSTUP.id(A)), "`password` is null until the first rotation", NOT_CHANGED]);
    workspace.apply().succeeded();
    assert_eq!(turn(&workspace), (HOSTUP.id(A).into(), Value::Null));
    assert_eq!((workspace.resets_everywhere(), &workspace.state_of(PAIR)["password"]), (1, &Value::Null));
    assert!(workspace.logs_in_as(A, OWN));
    workspace.plan().nothing_to_do();

    pair("two");
    workspace.apply().quiet();
    works_as(&workspace, B);
    assert!(workspace.logs_in_as(A, OWN), "it was not touched");
    assert_eq!(turn(&workspace), (HOSTUP.id(B).into(), HOSTUP.id(A).into()));
    workspace.plan().nothing_to_do();
}

/// There is a password in the state after the apply, so there is nothing to warn of.
#[test]
fn a_password_that_is_not_in_the_state_is_no_matter_where_the_move_rotates() {
    let Some(workspace) = Workspace::with_moved_between_types() else { return };
    for user in [A, B, C] {
        workspace.add_credential(user);
    }
    workspace.write(&support::resource("this", A, ""));
    workspace.import(&super::scene::HUBSPOT.id(A)).succeeded();
    workspace.write(&(super::scene::hubspot([A, B], "") + &moved()));
    workspace.plan().warning().is("The password is not in the state");
    workspace.write(&(super::scene::hubspot([B, C], "") + &moved()));
    workspace.apply().quiet();
    works_as(&workspace, B);
}

#[test]
fn what_cannot_become_a_pair_is_refused_and_stays() {
    let Some(workspace) = Workspace::with_moved_between_types() else { return };
    for user in [A, B] {
        workspace.add_credential(user);
    }
    workspace.write(&support::block("this", SMTPD, ""));
    workspace.apply().quiet();
    workspace.write(&(super::scene::hubspot([A, B], "") + &moved()));
    workspace.plan().error().is("This state cannot be moved");
    assert_eq!(workspace.addresses(), [ADDRESS]);
    workspace.working_password();

    workspace.write("resource \"terraform_data\" \"x\" {}\n");
    workspace.apply().succeeded();
    let of_core = format!("moved {{\n  from = terraform_data.x\n  to   = {PAIR}\n}}\n");
    workspace.write(&(super::scene::hubspot([A, B], "") + &of_core));
    workspace.plan().error().is("This state cannot be moved");
}

/// Nothing is lost where it cannot be done.
#[test]
fn a_program_that_knows_no_such_move_leaves_the_single_credential() {
    let Some(workspace) = Workspace::new() else { return };
    if workspace.knows_moved_between_types() {
        return;
    }
    for user in [A, B] {
        workspace.add_credential(user);
    }
    workspace.write(&support::resource("this", A, &trigger("one")));
    workspace.apply().quiet();
    let password = workspace.working_password();
    workspace.write(&(super::scene::hubspot([A, B], &trigger("one")) + &moved()));
    workspace.apply().error().is("Resource type mismatch");
    assert_eq!((workspace.addresses(), resets(&workspace)), (vec![ADDRESS.to_owned()], [1, 0, 0]));
    assert_eq!(workspace.working_password(), password);
}
