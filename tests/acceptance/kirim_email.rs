//! `KIRIM.EMAIL`: the vendor makes the password, and shows when a credential was last changed.

use std::collections::BTreeMap;

use sandbox::{Denial, Effect, Envelope, Fault, KirimEmail, Operation, Times};
use serde_json::Value;

use crate::support::{ADDRESS, Diagnostic, KIRIM_EMAIL, KIRIM_USER, Workspace, block};

const NOT_CHANGED: &str = "The password was not changed.";
const MAY_HAVE: &str = "The password may have been changed.";
const CHANGED: &str = "The password was changed.";
const RESET: &str = "/api/domains/example.com/credentials/92703823-f3a4-48e2-8e87-7adf25454800/reset-password";

#[test]
fn a_create_stores_what_the_reset_reports() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential("smtp_host = \"smtp.example.com\"\n  smtp_port = 465"));
    let planned = workspace.planned();
    assert_eq!(planned["id"], format!("kirim_email/{}/{}", KirimEmail::DOMAIN, KirimEmail::GUID));
    for name in ["password", "remote_version", "rotated_at", "rotation_version", "username"] {
        assert_eq!(planned.get(name), None, "{name} is not known in the plan");
    }
    let before = workspace.sandbox.kirim_email().password(KIRIM_USER).expect("the credential has a password");

    workspace.apply_with(&["plan"]).quiet();
    assert_eq!(resets(&workspace), 1);
    workspace.working_password();
    assert!(!workspace.logs_in_as(KIRIM_USER, &before));
    let state = workspace.state();
    assert_eq!(state["username"], KIRIM_USER);
    assert!(version(&workspace).starts_with("modified_at="), "{}", version(&workspace));
    let requests = workspace.sandbox.requests();
    let reset = requests.iter().find(|request| request.method == "PUT").expect("a reset was sent");
    assert_eq!((reset.path.as_str(), reset.body.len()), (RESET, 0));
    workspace.plan().nothing_to_do();
}

#[test]
fn no_host_is_set_unless_the_user_sets_one() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    workspace.apply().quiet();
    for name in ["smtp_host", "smtp_port"] {
        assert_eq!(workspace.state()[name], Value::Null, "{name}");
    }
    let password = workspace.working_password();
    workspace.write(&credential("smtp_host = \"smtp.example.com\"\n  smtp_port = 587"));
    assert_eq!(workspace.planned()["smtp_host"], "smtp.example.com");
    workspace.apply_with(&["plan"]).quiet();
    assert_eq!(workspace.working_password(), password);
    assert_eq!(resets(&workspace), 1);
}

#[test]
fn a_changed_trigger_resets_once_in_every_order() {
    for (order, action) in [
        ("", "replace"),
        ("lifecycle { create_before_destroy = true }", "replace"),
        ("rotation_mode = \"in_place\"", "update"),
    ] {
        let Some(workspace) = Workspace::new() else { return };
        workspace.write(&credential(&format!("rotation_trigger = \"one\"\n  {order}")));
        workspace.apply().quiet();
        let (password, before) = (workspace.working_password(), version(&workspace));
        workspace.write(&credential(&format!("rotation_trigger = \"two\"\n  {order}")));
        assert_eq!(workspace.plan().quiet().action(ADDRESS).as_deref(), Some(action));
        workspace.apply().quiet();
        assert_eq!(resets(&workspace), 2, "{order}");
        assert_ne!(workspace.working_password(), password);
        assert_ne!(version(&workspace), before, "the version is that of the new reset");
        assert!(!workspace.logs_in_as(KIRIM_USER, &password));
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn both_forms_of_a_list_and_of_a_time_are_read() {
    let Some(workspace) = Workspace::new() else { return };
    // The credential is on the second page.
    for number in 0..120 {
        workspace.add_kirim_credential(&format!("00000000-0000-4000-8000-{number:012}"), &format!("other{number}"));
    }
    workspace.add_kirim_credential(KirimEmail::GUID, KIRIM_USER);
    workspace.write(&credential("rotation_trigger = \"one\""));
    workspace.apply().quiet();
    let state = workspace.state();
    for envelope in [Envelope::Array, Envelope::Paged] {
        for times in [Times::Seconds, Times::Text] {
            workspace.sandbox.kirim_email().wrap_lists(envelope);
            workspace.sandbox.kirim_email().write_times(times);
            workspace.sandbox.forget_requests();
            workspace.plan().nothing_to_do();
            assert_eq!(workspace.requests().len(), 2, "{envelope:?}: two pages and nothing else");
            workspace.refresh().succeeded();
            assert_eq!(workspace.state(), state, "{envelope:?} {times:?}");
        }
    }
    workspace.sandbox.kirim_email().remove(KIRIM_USER);
    workspace.refresh().warning().is("A stored password was removed from state").says(&["KIRIM.EMAIL no longer has"]);
    assert_eq!(workspace.addresses(), [""; 0]);
}

#[test]
fn the_time_of_the_password_is_preferred_where_it_is_reported() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.sandbox.kirim_email().show_password_changes();
    workspace.write(&credential(""));
    workspace.apply().quiet();
    assert!(version(&workspace).starts_with("last_password_changed="), "{}", version(&workspace));
    workspace.plan().nothing_to_do();
}

#[test]
fn an_import_is_followed_by_an_empty_plan() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    workspace.import(&format!("kirim_email/{}/{}", KirimEmail::DOMAIN, KirimEmail::GUID)).succeeded();
    assert_eq!(workspace.state()["username"], KIRIM_USER);
    assert_eq!(workspace.state()["password"], Value::Null);
    workspace.plan().nothing_to_do();

    workspace.write(&credential("rotation_trigger = \"one\"\n  rotation_mode = \"in_place\""));
    workspace.plan().warning().is("No reset after the import");
    workspace.apply().succeeded();
    assert_eq!(resets(&workspace), 0);
    workspace.write(&credential("rotation_trigger = \"two\"\n  rotation_mode = \"in_place\""));
    workspace.apply().quiet();
    assert_eq!(resets(&workspace), 1);
    workspace.working_password();
}

#[test]
fn a_mail_server_that_has_not_caught_up_is_a_warning() {
    let Some(workspace) = Workspace::new() else { return };
    let old = workspace.sandbox.kirim_email().password(KIRIM_USER).expect("the credential has a password");
    workspace.sandbox.kirim_email().fall_behind(KIRIM_USER);
    workspace.write(&credential(""));
    let warning = workspace.apply().warning().is("The new password is not active everywhere");
    warning.says(&["the old password may still work", CHANGED, "The state is up to date."]);
    assert!(workspace.logs_in_as(KIRIM_USER, &old));
    workspace.sandbox.kirim_email().catch_up(KIRIM_USER);
    workspace.working_password();
    workspace.plan().nothing_to_do();
}

#[test]
fn an_error_with_status_200_is_recognized_by_its_body() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    let old = workspace.sandbox.kirim_email().password(KIRIM_USER).expect("the credential has a password");
    workspace.sandbox.kirim_email().deny(KIRIM_USER, Denial::Bare);
    let error = workspace.apply().error().is("KIRIM.EMAIL rejected the request");
    error.says(&["KIRIM.EMAIL (127.0.0.1) returned 200", "“Password reset failed.”", NOT_CHANGED]);
    assert!(workspace.logs_in_as(KIRIM_USER, &old));
    assert_eq!(workspace.addresses(), [""; 0]);

    workspace.sandbox.kirim_email().deny(KIRIM_USER, Denial::WithPassword);
    let warning = workspace.apply().warning().is("The vendor's response is not as documented");
    warning.says(&[CHANGED, "The state is up to date."]);
    workspace.working_password();
    assert_eq!(resets(&workspace), 1);
    workspace.plan().nothing_to_do();
}

#[test]
fn every_refusal_has_its_own_words() {
    let Some(workspace) = Workspace::new() else { return };
    for (status, summary, outcome, advice) in [
        (401, "KIRIM.EMAIL refused the credentials", NOT_CHANGED, "Check that the token is correct"),
        (403, "KIRIM.EMAIL denied access", NOT_CHANGED, "which owns the domain"),
        (404, "KIRIM.EMAIL does not know this credential", NOT_CHANGED, "Check the name"),
        (422, "KIRIM.EMAIL rejected the request", NOT_CHANGED, "Check the arguments"),
        (500, "The outcome of the reset is unknown", MAY_HAVE, "shows no later change so far, which proves nothing"),
        (504, "The outcome of the reset is unknown", MAY_HAVE, "shows no later change so far, which proves nothing"),
    ] {
        let error = refused(&workspace, status, &[]).is(summary);
        let answer = format!("KIRIM.EMAIL (127.0.0.1) returned {status}, “This is what KIRIM.EMAIL says");
        error.says(&[&answer, &format!("`kirim_email/{}/", KirimEmail::DOMAIN), outcome, advice]);
    }
    for (headers, words) in
        [([("Retry-After", "3600")], "60 min"), ([("X-RateLimit-Remaining", "0")], "`max_requests_per_second`")]
    {
        let error = refused(&workspace, 429, &headers).is("KIRIM.EMAIL's rate limit is reached");
        error.says(&["This is what KIRIM.EMAIL says", NOT_CHANGED, words]);
    }
    assert_eq!(resets(&workspace), 0);
}

#[test]
fn a_missing_permission_is_reported_before_the_reset() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.sandbox.kirim_email().add_account("somebody@example.org", "the-key-of-somebody-else");
    workspace.keep_secret("the-key-of-somebody-else");
    workspace.write(&credential(""));
    workspace.set("KIRIM_EMAIL_API_KEY", "the-key-of-somebody-else");
    workspace.apply().error().is("KIRIM.EMAIL refused the credentials").says(&["“Unauthorized”", NOT_CHANGED]);
    workspace.set("KIRIM_EMAIL_USERNAME", "somebody@example.org");
    let error = workspace.apply().error().is("KIRIM.EMAIL does not know this credential");
    error.says(&["“Domain not found”", NOT_CHANGED]);
    assert!(workspace.requests().iter().all(|line| line.starts_with("GET ")), "nothing but looks");
}

#[test]
fn a_credential_of_another_domain_is_not_reset() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.sandbox.kirim_email().add_domain(KirimEmail::USERNAME, "example.net");
    workspace.write(&credential("").replace("example.com", "example.net"));
    let error = workspace.apply().error().is("KIRIM.EMAIL denied access");
    error.says(&["“Credential does not belong to the specified domain”", NOT_CHANGED]);
    assert_eq!(resets(&workspace), 0);
}

#[test]
fn an_answer_without_a_password_says_that_it_is_lost() {
    const LOST: (&str, &str) = ("The new password was lost", CHANGED);
    // Something in between may have answered.
    const UNKNOWN: (&str, &str) = ("The outcome of the reset is unknown", MAY_HAVE);
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    for (body, (summary, outcome)) in [
        ("{}", LOST),
        (r#"{"success": true, "data": {"new_password": null}}"#, LOST),
        ("<html>4711</html>", UNKNOWN),
        ("", UNKNOWN),
    ] {
        workspace.sandbox.fault(Fault::body(body).on(Operation::Reset));
        let error = workspace.apply().error().is(summary).says(&[outcome, "Apply again"]);
        assert!(!error.detail.contains("4711"), "no body is shown: {error:?}");
    }
    assert_eq!(resets(&workspace), 4);
    workspace.apply().quiet();
    workspace.working_password();
}

fn credential(arguments: &str) -> String {
    block("this", KIRIM_EMAIL, arguments)
}

fn resets(workspace: &Workspace) -> usize {
    workspace.sandbox.kirim_email().resets(KIRIM_USER)
}

fn version(workspace: &Workspace) -> String {
    workspace.state()["remote_version"].as_str().unwrap_or_default().to_owned()
}

/// The error of an apply whose reset is refused, in the vendor's documented form and before anything is done.
#[track_caller]
fn refused(workspace: &Workspace, status: u16, headers: &[(&str, &str)]) -> Diagnostic {
    workspace.write(&credential("timeouts = { create = \"10s\" }"));
    let headers: BTreeMap<_, _> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body = Some(r#"{"success": false, "message": "This is what KIRIM.EMAIL says"}"#.to_owned());
    let effect = Effect::Status { status, headers, body };
    workspace.sandbox.fault(Fault::new(effect).times(99).on(Operation::Reset).before());
    let run = workspace.apply();
    workspace.sandbox.clear_faults();
    run.error()
}
