//! `SMTPD`: a reset makes a new API key, and then revokes the one before.

use std::{collections::BTreeSet, fs};

use sandbox::{ApiKey, Effect, Fault, KeyState, Operation, Role};
use serde_json::Value;

use crate::support::{ADDRESS, SMTPD, Workspace, block, credential};

pub(super) const NAME: &str = "newsletter";
pub(super) const DELETE_FIRST: &str = "";
const CREATE_FIRST: &str = "lifecycle { create_before_destroy = true }";
const IN_PLACE: &str = "rotation_mode = \"in_place\"";
pub(super) const ORDERS: [&str; 3] = [DELETE_FIRST, CREATE_FIRST, IN_PLACE];
pub(super) const NOT_CHANGED: &str = "The password was not changed.";
const MAY_HAVE: &str = "The password may have been changed.";

const KEYS: &str = "/api/v1/account/api_key";
pub(super) const LOGIN: &str = "POST /oauth/token?grant_type=password 200";
pub(super) const LIST: &str = "GET /api/v1/account/api_key 200";
pub(super) const MADE: &str = "POST /api/v1/account/api_key 201";
pub(super) const LOGOUT: &str = "POST /oauth/revoke 200";

#[test]
fn a_create_makes_a_key_that_logs_in() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&key("smtp_host = \"smtp.example.com\"\n  smtp_port = 587"));
    let planned = workspace.planned();
    assert_eq!(planned["id"], format!("smtpd/{NAME}"));
    for name in ["password", "remote_version", "rotated_at", "rotation_version", "username"] {
        assert_eq!(planned.get(name), None, "{name} is not known in the plan");
    }
    assert_eq!(workspace.requests(), [""; 0], "a plan of a create asks nothing");

    workspace.apply_with(&["plan"]).quiet();
    assert_eq!(workspace.requests(), [LOGIN, LIST, MADE, LOGOUT]);
    let (made, state) = (active(&workspace), workspace.state());
    assert_eq!([&state["remote_version"], &state["username"]], [&made.id, &made.key]);
    assert_eq!(workspace.working_password(), made.secret);
    assert_eq!(state["smtp_host"], "smtp.example.com");
    assert_eq!(made.role, Role::SendOnly);
    workspace.plan().nothing_to_do();
}

#[test]
fn a_rotation_makes_the_new_key_first_and_then_revokes_the_old_one() {
    for order in ORDERS {
        let Some(workspace) = rotating(order) else { return };
        let old = active(&workspace);
        workspace.apply().quiet();
        let revoked = revoked(&old);
        // The plan's process looks, the apply's acts; each logs in once, and out again.
        assert_eq!(workspace.requests(), [LOGIN, LIST, LOGOUT, LOGIN, LIST, MADE, revoked.as_str(), LOGOUT], "{order}");
        assert_ne!(active(&workspace).id, old.id);
        assert_eq!(workspace.state()["remote_version"], active(&workspace).id);
        workspace.working_password();
        assert!(!workspace.logs_in_as(&old.key, &old.secret), "{order}: the old key is dead");
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_key_that_cannot_be_made_leaves_the_old_one_as_it_was() {
    for order in ORDERS {
        let Some(workspace) = rotating(order) else { return };
        let old = active(&workspace);
        workspace.sandbox.fault(Fault::status(403).on(Operation::Reset).before());
        let error = workspace.apply().error().is("SMTPD denied access").says(&[NOT_CHANGED]);
        assert!(workspace.logs_in_as(&old.key, &old.secret), "{order}");
        assert_eq!(active(&workspace).id, old.id, "{order}");
        if order == DELETE_FIRST {
            error.says(&[&format!("The previous credential, `{}`, still works", old.id), "the state's backup"]);
            assert_eq!(workspace.addresses(), [""; 0]);
            let backup = fs::read_to_string(workspace.path("terraform.tfstate.backup")).expect("a backup");
            assert!(backup.contains(&old.secret), "the old secret is in the backup");
        } else {
            assert_eq!(workspace.working_password(), old.secret);
        }
        workspace.apply().quiet();
        workspace.working_password();
        // What is no longer in the state is left to the user, and a warning has said so.
        assert_eq!(workspace.logs_in_as(&old.key, &old.secret), order == DELETE_FIRST, "{order}");
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_key_that_may_have_been_made_leaves_the_old_one_where_it_is_said_to_be() {
    for (fault, outcome, seen) in [
        (Fault::status(500).before(), MAY_HAVE, "of this name so far, which proves nothing"),
        (Fault::status(504).before(), MAY_HAVE, "of this name so far, which proves nothing"),
        (Fault::status(504), MAY_HAVE, "Revoke it only if nobody else created it"),
        (Fault::new(Effect::Close), MAY_HAVE, "Revoke it only if nobody else created it"),
        (Fault::new(Effect::Truncate(10)), "The password was changed.", "Revoke it only if nobody else created it"),
    ] {
        let Some(workspace) = rotating(DELETE_FIRST) else { return };
        let old = active(&workspace);
        workspace.sandbox.fault(fault.on(Operation::Reset));
        let error = workspace.apply().error().says(&[outcome, seen]);
        if let Some(orphan) = workspace.sandbox.smtpd().keys().iter().find(|key| key.name == NAME && key.id != old.id) {
            assert!(error.detail.contains(&format!("SMTPD now lists `{}` (created at ", orphan.id)), "{error:?}");
        }
        error.says(&[&format!("The previous credential, `{}`, still works", old.id), "the state's backup"]);
        assert!(workspace.logs_in_as(&old.key, &old.secret));
        workspace.apply().quiet();
        workspace.working_password();
    }
}

#[test]
fn a_replacement_for_another_reason_revokes_the_old_key_as_well() {
    let reasons: [fn(&Workspace) -> Vec<&str>; 3] = [
        |workspace| {
            workspace.run(&["taint", "-no-color", ADDRESS]).succeeded();
            vec![]
        },
        |_| vec!["-replace=smtp_credential_password.this"],
        |workspace| {
            workspace.write(&key("").replace("send_only", "standard"));
            workspace.plan_with(&["-out=plan"]).quiet();
            vec!["plan"]
        },
    ];
    for reason in reasons {
        let Some(workspace) = rotating(DELETE_FIRST) else { return };
        let old = active(&workspace);
        let options = reason(&workspace);
        workspace.sandbox.forget_requests();
        workspace.apply_with(&options).quiet();
        let changes = |line: &String| line == MADE || line.starts_with("PUT ");
        assert_eq!(workspace.requests().into_iter().filter(changes).collect::<Vec<_>>(), [MADE, &revoked(&old)]);
        workspace.working_password();
    }
}

#[test]
fn an_old_key_that_cannot_be_revoked_is_named_and_the_new_one_is_kept() {
    for order in [DELETE_FIRST, IN_PLACE] {
        let Some(workspace) = rotating(order) else { return };
        let old = active(&workspace);
        workspace.sandbox.fault(Fault::status(403).on(Operation::Revoke).before());
        let warning =
            workspace.apply().warning().is(&format!("The previous credential may still be valid: {}", old.id));
        warning.says(&[
            &format!("Revoking `{}`, which `smtpd/{NAME}` replaces", old.id),
            "SMTPD (127.0.0.1) returned 403 40300",
            "The password was changed.",
            &format!("Revoke `{}` by hand.", old.id),
        ]);
        assert_ne!(workspace.working_password(), old.secret);
        assert!(workspace.logs_in_as(&old.key, &old.secret));
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_deposed_key_is_revoked_by_the_next_apply() {
    let Some(workspace) = rotating(CREATE_FIRST) else { return };
    let old = active(&workspace);
    workspace.sandbox.fault(Fault::status(403).on(Operation::Revoke).before());
    let error = workspace.apply().error().is("SMTPD denied access");
    error.says(&[&format!("Revoking the credential of `smtpd/{NAME}`"), NOT_CHANGED]);
    let new = active(&workspace);
    assert_eq!(workspace.working_password(), new.secret);
    assert!(workspace.logs_in_as(&old.key, &old.secret));

    workspace.sandbox.forget_requests();
    workspace.apply().quiet();
    assert_eq!(workspace.sandbox.smtpd().resets(NAME), 2, "nothing more is made");
    assert!(workspace.requests().contains(&revoked(&old)));
    assert!(!workspace.logs_in_as(&old.key, &old.secret));
    assert_eq!(workspace.working_password(), new.secret);
    workspace.plan().nothing_to_do();
}

#[test]
fn a_destroy_revokes_the_key_of_the_state_and_no_other() {
    let Some(workspace) = Workspace::new() else { return };
    let namesake = workspace.sandbox.smtpd().add_key(NAME, Role::SendOnly);
    workspace.write(&key(""));
    workspace.apply().quiet();
    let before = ids_of_active(&workspace);
    let own = workspace.state()["remote_version"].as_str().expect("an id").to_owned();
    workspace.destroy().quiet();
    assert_eq!(workspace.addresses(), [""; 0]);
    let gone: Vec<_> = before.difference(&ids_of_active(&workspace)).cloned().collect();
    assert_eq!(gone, [own]);
    assert!(workspace.logs_in_as(&namesake.key, &namesake.secret));
}

#[test]
fn a_destroy_of_a_key_that_is_gone_succeeds() {
    let revoke = |workspace: &Workspace, id: &str| workspace.sandbox.smtpd().revoke(id);
    let remove = |workspace: &Workspace, id: &str| workspace.sandbox.smtpd().remove(id);
    for (options, end) in
        [(&[][..], revoke as fn(&Workspace, &str)), (&["-refresh=false"], revoke), (&["-refresh=false"], remove)]
    {
        let Some(workspace) = Workspace::new() else { return };
        workspace.write(&key(""));
        workspace.apply().quiet();
        end(&workspace, &active(&workspace).id);
        workspace.destroy_with(options).succeeded();
        assert_eq!(workspace.addresses(), [""; 0], "{options:?}");
    }
}

#[test]
fn a_destroy_that_cannot_revoke_keeps_the_key_in_the_state() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&key(""));
    workspace.apply().quiet();
    workspace.sandbox.fault(Fault::status(403).on(Operation::Revoke).before());
    workspace.destroy().error().is("SMTPD denied access").says(&[NOT_CHANGED]);
    workspace.working_password();
    workspace.destroy().quiet();
}

#[test]
fn a_key_that_was_revoked_elsewhere_is_dropped_and_created_again() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&key(""));
    workspace.apply().quiet();
    // As SMTPD does with a key that nobody has used for 90 days.
    workspace.sandbox.smtpd().revoke(&active(&workspace).id);
    let warning = workspace.refresh().warning().is("A stored password was removed from state");
    warning.says(&["SMTPD no longer has this credential", NOT_CHANGED]);
    assert_eq!(workspace.addresses(), [""; 0]);
    workspace.apply().quiet();
    workspace.working_password();
    workspace.plan().nothing_to_do();
}

/// No API reports a key's role, so a generated configuration cannot have one.
#[test]
fn a_generated_configuration_names_the_roles_to_choose_from() {
    let Some(workspace) = Workspace::new() else { return };
    let imported = workspace.sandbox.smtpd().add_key(NAME, Role::SendOnly);
    workspace.write(&format!("import {{\n  to = {ADDRESS}\n  id = \"smtpd/{}\"\n}}\n", imported.id));
    let run = workspace.plan_with(&["-generate-config-out=generated.tf"]).failed();
    let error = run.diagnostics.iter().find(|said| said.summary.contains("smtpd.role")).expect("the role is missed");
    error.clone().says(&["`iac`, `read_only`, `send_only` or `standard`"]);
    assert_eq!(workspace.sandbox.smtpd().resets(NAME), 0);
}

#[test]
fn an_import_is_by_the_id_of_a_key_and_adopts_its_role() {
    let Some(workspace) = Workspace::new() else { return };
    let imported = workspace.sandbox.smtpd().add_key(NAME, Role::SendOnly);
    workspace.write(&key(""));
    workspace.import(&format!("smtpd/{}", imported.id)).succeeded();
    let state = workspace.state();
    assert_eq!([&state["remote_version"], &state["username"]], [&imported.id, &imported.key]);
    assert_eq!([&state["smtpd"]["name"], &state["id"]], [NAME, &format!("smtpd/{NAME}")]);
    assert_eq!([&state["smtpd"]["role"], &state["password"]], [&Value::Null; 2]);

    let plan = workspace.plan();
    assert_eq!(plan.action(ADDRESS).as_deref(), Some("update"));
    plan.warning().is("No reset after the import").says(&["adopted without a reset.", "`smtpd.role`"]);
    workspace.apply().succeeded();
    assert_eq!(workspace.state()["smtpd"]["role"], "send_only");
    assert_eq!(workspace.sandbox.smtpd().resets(NAME), 0);
    workspace.plan().nothing_to_do();

    workspace.write(&key("rotation_trigger = \"one\""));
    workspace.apply().succeeded();
    assert_eq!(workspace.sandbox.smtpd().resets(NAME), 0, "the first trigger is adopted as well");
    workspace.write(&key("rotation_trigger = \"two\""));
    workspace.apply().quiet();
    assert_eq!(workspace.sandbox.smtpd().resets(NAME), 1);
    workspace.working_password();
    assert!(!workspace.logs_in_as(&imported.key, &imported.secret));
}

#[test]
fn what_is_no_key_cannot_be_imported() {
    let Some(workspace) = Workspace::new() else { return };
    let other = workspace.sandbox.smtpd().add_key(NAME, Role::SendOnly);
    workspace.sandbox.smtpd().revoke(&other.id);
    workspace.write(&key(""));
    for id in [other.id.as_str(), "00000000-0000-4000-8000-000000000000"] {
        let run = workspace.import(&format!("smtpd/{id}")).failed();
        assert!(run.stderr.contains("SMTPD does not know this credential"), "{run}");
    }
    assert_eq!(workspace.addresses(), [""; 0]);
}

#[test]
fn a_key_of_another_name_or_vendor_follows_the_old_one() {
    for order in [DELETE_FIRST, CREATE_FIRST] {
        let Some(workspace) = rotating(order) else { return };
        let old = active(&workspace);
        workspace.write(&key(order).replace(NAME, "billing"));
        workspace.apply().quiet();
        assert_eq!(workspace.state()["id"], "smtpd/billing");
        workspace.working_password();
        assert!(!workspace.logs_in_as(&old.key, &old.secret), "{order}");

        let billing = workspace.sandbox.smtpd().key_named("billing").expect("a key");
        workspace.write(&credential(order));
        workspace.apply().quiet();
        workspace.working_password();
        assert!(!workspace.logs_in_as(&billing.key, &billing.secret), "{order}");
        assert_eq!(workspace.resets(), 1);
    }
}

#[test]
fn an_answer_that_is_lost_has_made_a_key_that_is_named() {
    let Some(workspace) = rotating(IN_PLACE) else { return };
    let old = active(&workspace);
    workspace.sandbox.fault(Fault::new(Effect::Close).on(Operation::Reset));
    let error = workspace.apply().error().is("The outcome of the reset is unknown");
    error.says(&[
        "SMTPD (127.0.0.1) sent no response",
        "which it did not list before the reset.",
        MAY_HAVE,
        "Revoke it only if nobody else created it",
    ]);
    assert_eq!(workspace.sandbox.smtpd().resets(NAME), 2, "it was sent once");
    assert_eq!(workspace.working_password(), old.secret, "the old key still works");
    workspace.apply().quiet();
    workspace.working_password();
    assert!(!workspace.logs_in_as(&old.key, &old.secret));
}

#[test]
fn an_answer_without_a_secret_says_that_it_is_lost() {
    let Some(workspace) = rotating(IN_PLACE) else { return };
    let old = active(&workspace);
    workspace.sandbox.fault(Fault::body(r#"{"ID": "4711", "Key": "k"}"#).on(Operation::Reset));
    workspace.apply().error().is("The new password was lost").says(&["The password was changed."]);
    assert!(workspace.logs_in_as(&old.key, &old.secret), "what is in the state still works");
    assert_eq!(workspace.state()["remote_version"], old.id);
}

pub(super) fn key(arguments: &str) -> String {
    block("this", SMTPD, arguments)
}

/// A workspace with one key made, and a changed trigger before it.
pub(super) fn rotating(order: &str) -> Option<Workspace> {
    let workspace = Workspace::new()?;
    workspace.write(&key(&format!("rotation_trigger = \"one\"\n  {order}")));
    workspace.apply().quiet();
    workspace.write(&key(&format!("rotation_trigger = \"two\"\n  {order}")));
    workspace.sandbox.forget_requests();
    Some(workspace)
}

#[track_caller]
pub(super) fn active(workspace: &Workspace) -> ApiKey {
    workspace.sandbox.smtpd().key_named(NAME).expect("an active key")
}

fn ids_of_active(workspace: &Workspace) -> BTreeSet<String> {
    let keys = workspace.sandbox.smtpd().keys().into_iter();
    keys.filter(|key| key.state == KeyState::Active).map(|key| key.id).collect()
}

fn revoked(key: &ApiKey) -> String {
    format!("PUT {KEYS}/{}/revoke 200", key.id)
}
