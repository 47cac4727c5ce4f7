//! A rotation that fails: in each of the three orders, before the vendor has acted and after it.

use std::{
    process::{Child, Stdio},
    time::Duration,
};

use sandbox::{Effect, Fault, Operation, Role, SmtpFault, Stage};
use serde_json::Value;

use crate::support::{ADDRESS, Run, SMTPD, USER, Workspace, block, credential, resource};

const DELETE_FIRST: &str = "";
const CREATE_FIRST: &str = "lifecycle { create_before_destroy = true }";
const IN_PLACE: &str = "rotation_mode = \"in_place\"";
const ORDERS: [&str; 3] = [DELETE_FIRST, CREATE_FIRST, IN_PLACE];

#[test]
fn a_reset_that_cannot_work_leaves_the_resource_with_its_password() {
    for order in ORDERS {
        for (obstacle, summary) in [
            (revoke as fn(&Workspace), "HubSpot refused the credentials"),
            (forbid, "HubSpot denied access"),
            (delete, "HubSpot does not know this credential"),
        ] {
            let Some(workspace) = rotating(order) else { return };
            let state = workspace.state();
            obstacle(&workspace);
            let error = workspace.apply_with(&["-refresh=false"]).error().is(summary);
            error.says(&["The password was not changed."]);
            assert_eq!(workspace.state(), state, "{order}: {summary}");
            assert_eq!(workspace.resets(), 1);
        }
    }
}

#[test]
fn an_answer_that_comes_after_the_operations_time_is_stored() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential("timeouts = { create = \"12s\" }"));
    let refused = Fault::status_with_header(429, "Retry-After", "3").on(Operation::Reset);
    workspace.sandbox.fault(refused.before());
    workspace.sandbox.fault(Fault::new(Effect::Delay(Duration::from_secs(10))).on(Operation::Reset));
    workspace.apply().quiet();
    assert_eq!(workspace.resets(), 1);
    workspace.working_password();
    workspace.plan().nothing_to_do();
}

#[test]
fn an_outdated_saved_plan_keeps_the_resource_and_its_password() {
    let Some(workspace) = rotating(DELETE_FIRST) else { return };
    workspace.plan_with(&["-out=plan"]).quiet();
    let state = workspace.state();
    revoke(&workspace);
    workspace.apply_with(&["plan"]).error().says(&["The password was not changed."]);
    assert_eq!(workspace.state(), state);
}

#[test]
fn a_replacement_that_cannot_work_keeps_the_resource_and_its_password() {
    let reasons: [fn(&Workspace) -> Run; 3] = [
        |workspace| {
            workspace.run(&["taint", "-no-color", ADDRESS]).succeeded();
            workspace.apply_with(&["-refresh=false"])
        },
        |workspace| workspace.apply_with(&["-refresh=false", &format!("-replace={ADDRESS}")]),
        |workspace| {
            workspace.write(&resource("this", "nobody@62515.smtp.hubspot.net", ""));
            workspace.apply()
        },
    ];
    for (number, reason) in reasons.into_iter().enumerate() {
        let Some(workspace) = rotating(DELETE_FIRST) else { return };
        let state = workspace.state();
        if number < 2 {
            delete(&workspace);
        }
        let error = reason(&workspace).error().is("HubSpot does not know this credential");
        error.says(&["The password was not changed."]);
        assert_eq!(workspace.state(), state, "reason {number}");
        assert_eq!(workspace.resets(), 1);
    }
}

#[test]
fn after_a_rejected_reset_the_old_password_is_where_the_error_says() {
    for order in ORDERS {
        let Some(workspace) = rotating(order) else { return };
        let password = workspace.working_password();
        workspace.sandbox.fault(Fault::status(403).on(Operation::Reset).before());
        let error = workspace.apply().error().is("HubSpot denied access").says(&["The password was not changed."]);
        assert!(workspace.logs_in(&password));
        if order == DELETE_FIRST {
            error.says(&["the state's backup", "create_before_destroy", "in_place"]);
            assert_eq!(workspace.addresses(), [""; 0]);
            let backup = std::fs::read_to_string(workspace.path("terraform.tfstate.backup")).expect("a backup");
            assert!(backup.contains(&password), "the old password is in the backup");
        } else {
            assert_eq!(workspace.working_password(), password);
        }
        heals(&workspace, 2);
    }
}

#[test]
fn an_answer_that_is_lost_after_the_reset_is_healed_by_the_next_apply() {
    for order in ORDERS {
        let Some(workspace) = rotating(order) else { return };
        workspace.sandbox.fault(Fault::new(Effect::Close).on(Operation::Reset));
        let error = workspace.apply().error().is("The outcome of the reset is unknown");
        error.says(&["The password may have been changed.", "Apply again"]);
        assert_eq!(workspace.resets(), 2, "the reset was sent once");
        heals(&workspace, 3);
    }
}

#[test]
fn a_first_create_that_may_have_reset_leaves_an_object_without_a_password() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    workspace.sandbox.fault(Fault::status(500).on(Operation::Reset).before());
    let error = workspace.apply().error().is("The outcome of the reset is unknown");
    assert!(!error.detail.contains("backup"), "there was no password before: {error:?}");
    error.says(&["without a password, and tainted", "so the next apply replaces it"]);
    let left = workspace.state();
    assert_eq!((&left["password"], &left["stale"]), (&Value::Null, &Value::Bool(true)));
    heals(&workspace, 1);
}

#[test]
fn a_first_create_that_has_certainly_reset_nothing_leaves_nothing_behind() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    workspace.sandbox.fault(Fault::status(403).on(Operation::Reset).before());
    workspace.apply().error().is("HubSpot denied access").says(&["The password was not changed."]);
    assert_eq!(workspace.addresses(), [""; 0]);
    heals(&workspace, 1);
}

/// Terraform replaces what is tainted, which `prevent_destroy` forbids; the error has said what to run instead.
#[test]
fn a_first_create_under_prevent_destroy_heals_as_it_is_said_to() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential("rotation_mode = \"in_place\"\n  lifecycle { prevent_destroy = true }"));
    workspace.sandbox.fault(Fault::new(Effect::Close).on(Operation::Reset));
    workspace.apply().error().says(&["prevent_destroy", "terraform state rm"]);
    workspace.apply().error().is("Instance cannot be destroyed");
    workspace.run(&["state", "rm", ADDRESS]).succeeded();
    heals(&workspace, 2);
}

/// The previous key works until another is in its place, however often the reset fails.
#[test]
fn a_deposed_key_that_works_outlives_every_further_failure() {
    for fails in [Fault::status(403).before(), Fault::new(Effect::Close)] {
        let Some(workspace) = Workspace::new() else { return };
        workspace.write(&block("this", SMTPD, CREATE_FIRST));
        workspace.apply().quiet();
        let old = workspace.state();
        let [user, password] = ["username", "password"].map(|name| old[name].as_str().expect("a text"));
        workspace.sandbox.fault(Fault::new(Effect::Close).on(Operation::Reset));
        let error = workspace.apply_with(&[&format!("-replace={ADDRESS}")]).error();
        error.says(&[
            "The password may have been changed.",
            "The credential that was to be replaced, if there is one, still works.",
        ]);
        assert!(workspace.logs_in_as(user, password));

        workspace.sandbox.forget_requests();
        workspace.sandbox.fault(fails.on(Operation::Reset));
        // Core deletes a deposed object after the create that replaces it, and not at all where that fails.
        workspace.apply().error().says(&["Resetting the password of `smtpd/newsletter`"]);
        assert!(workspace.logs_in_as(user, password), "{:?}", workspace.requests());
        workspace.apply().succeeded();
        workspace.working_password();
        assert!(!workspace.logs_in_as(user, password), "what was replaced is revoked");
        workspace.plan().nothing_to_do();
    }
}

/// A server that never accepted the stored password proves nothing by refusing it: one that always refuses, and another
/// than the one that did accept it.
#[test]
fn a_mail_server_that_never_accepted_the_password_is_no_witness() {
    for (first, second) in [("refusing", "refusing"), ("accepting", "another")] {
        let Some(mut workspace) = Workspace::new() else { return };
        workspace.trust_mail_server();
        let (sandbox, refusal) = (&workspace.sandbox, || SmtpFault::reply(Stage::Auth, "535 5.7.8 No").always());
        let place = |server: &str| match server {
            "another" => format!("port = {}, security = \"tls\"", sandbox.smtps_port()),
            _ => format!("port = {}, security = \"starttls\"", sandbox.smtp_port()),
        };
        let write = |trigger: &str, server: &str| {
            let verify = format!("verify = {{ host = \"127.0.0.1\", timeout = \"1s\", {} }}", place(server));
            workspace.write(&credential(&format!("rotation_trigger = \"{trigger}\"\n  {IN_PLACE}\n  {verify}")));
        };
        if first == "refusing" {
            sandbox.smtp_fault(refusal());
        }
        write("one", first);
        workspace.apply().succeeded();
        assert_eq!(workspace.state()["verified"], first == "accepting");
        // A change of the place alone resets nothing.
        write("one", second);
        workspace.apply().succeeded();
        sandbox.clear_smtp_faults();
        let password = workspace.working_password();
        sandbox.smtp_fault(refusal());
        write("two", second);
        sandbox.fault(Fault::status(502).on(Operation::Reset).before());
        workspace.apply().error().says(&["The password may have been changed.", "Apply again"]);
        assert_eq!(workspace.state()["stale"], false, "the live password is not called stale");
        sandbox.clear_smtp_faults();
        assert!(workspace.logs_in(&password));
        heals(&workspace, 2);
    }
}

/// A list that lags behind does not show the key in the state, and then it does.
#[test]
fn the_key_in_the_state_is_never_taken_for_one_that_a_lost_reset_has_made() {
    let Some(workspace) = Workspace::new() else { return };
    let configuration =
        |trigger: &str| block("this", SMTPD, &format!("rotation_trigger = \"{trigger}\"\n  {IN_PLACE}"));
    workspace.write(&configuration("one"));
    workspace.sandbox.smtpd().list_late(2);
    workspace.apply().quiet();
    let id = workspace.state()["remote_version"].as_str().expect("an id").to_owned();
    workspace.write(&configuration("two"));
    workspace.sandbox.fault(Fault::status(500).on(Operation::Reset).before());
    let error = workspace.apply_with(&["-refresh=false"]).error();
    assert!(!error.detail.contains(&id), "{error:?}");
    error.says(&["SMTPD shows no new credential of this name so far, which proves nothing"]);
    workspace.working_password();
}

/// Somebody else makes a key of the same name while the response is lost.
#[test]
fn another_persons_key_is_not_to_be_revoked_without_a_look() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&block("this", SMTPD, ""));
    workspace.sandbox.fault(Fault::new(Effect::Stall).on(Operation::Reset).before());
    workspace.sandbox.fault(Fault::new(Effect::Close).on(Operation::Reset));
    let arguments = ["apply", "-json", "-auto-approve", "-input=false"];
    let child = workspace.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    assert!(workspace.sandbox.wait_for_stalled(1), "the reset is under way");
    let theirs = workspace.sandbox.smtpd().add_key("newsletter", Role::SendOnly);
    workspace.sandbox.release();
    let output = child.and_then(Child::wait_with_output).expect("the run ends");
    let error = workspace.judge(&arguments, &output).error();
    assert!(error.detail.contains(&format!("`{}` (created at ", theirs.id)), "{error:?}");
    error.says(&["The password may have been changed.", "Revoke it only if nobody else created it"]);
}

/// A workspace with one reset behind it and a changed trigger before it.
fn rotating(order: &str) -> Option<Workspace> {
    let workspace = Workspace::new()?;
    workspace.write(&credential(&format!("rotation_trigger = \"one\"\n  {order}")));
    workspace.apply().quiet();
    workspace.write(&credential(&format!("rotation_trigger = \"two\"\n  {order}")));
    Some(workspace)
}

/// Insists that the next apply gets by with one reset, and that all is well after it.
#[track_caller]
fn heals(workspace: &Workspace, resets: usize) {
    workspace.apply().quiet();
    assert_eq!(workspace.resets(), resets);
    assert_eq!(workspace.addresses(), [ADDRESS]);
    workspace.working_password();
    workspace.plan().nothing_to_do();
}

fn revoke(workspace: &Workspace) {
    workspace.sandbox.hubspot().revoke_token(workspace.sandbox.hubspot().access_token());
}

fn forbid(workspace: &Workspace) {
    workspace.sandbox.fault(Fault::status(403).on(Operation::List));
}

fn delete(workspace: &Workspace) {
    workspace.sandbox.hubspot().delete(USER);
}
