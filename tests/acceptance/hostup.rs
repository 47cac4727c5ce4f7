//! `HostUp`: the caller makes the password, and a reset whose outcome is not known is sent again.

use sandbox::{Effect, Fault, HostUp, Operation, Recorded};
use serde_json::{Value, json};

use crate::support::{ADDRESS, HOSTUP, MAILBOX, Workspace, block};

const LEGACY: &str = include_str!("../fixtures/hostup/error_legacy_panel.json");

#[test]
fn a_password_is_made_by_the_policy_and_logs_in() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&mailbox("password_policy = { length = 20, special = false }"));
    let planned = workspace.planned();
    assert_eq!(planned["id"], format!("hostup/{}/{MAILBOX}", HostUp::ACCOUNT_ID));
    assert_eq!(planned["username"], MAILBOX);
    assert_eq!(planned["smtp_port"], 587);
    for name in ["password", "rotated_at", "rotation_version", "smtp_host"] {
        assert_eq!(planned.get(name), None, "{name} is not known in the plan");
    }

    workspace.apply_with(&["plan"]).quiet();
    let password = workspace.working_password();
    assert_eq!(password.len(), 20);
    assert_has(&password, &[char::is_lowercase, char::is_uppercase, is_digit]);
    assert!(password.chars().all(char::is_alphanumeric));
    let state = workspace.state();
    assert_eq!(state["remote_version"], Value::Null);
    assert_eq!(state["smtp_host"], "localhost");
    workspace.plan().nothing_to_do();
}

#[test]
fn a_change_of_what_the_policy_allows_resets_in_place_and_no_other_does() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&mailbox(""));
    workspace.apply().quiet();
    let password = workspace.working_password();
    assert_eq!(password.len(), 32);
    assert_has(&password, &[char::is_lowercase, char::is_uppercase, is_digit, is_special]);

    for equal in ["{}", "{ length = 32 }", "{ special_characters = \"~._-\", digits = true }"] {
        workspace.write(&mailbox(&format!("password_policy = {equal}")));
        assert_eq!(workspace.planned()["password"], password, "{equal}");
        workspace.apply_with(&["plan"]).quiet();
        assert_eq!(resets(&workspace), 1, "{equal}");
        assert_eq!(workspace.working_password(), password);
        workspace.plan().nothing_to_do();
    }
    for (resets_, policy) in [(2, "password_policy = { length = 64 }"), (3, "")] {
        workspace.write(&mailbox(policy));
        let plan = workspace.plan().quiet();
        assert_eq!(plan.action(ADDRESS).as_deref(), Some("update"));
        workspace.apply().quiet();
        assert_eq!(resets(&workspace), resets_);
        assert!(!workspace.logs_in_as(MAILBOX, &password));
    }
    assert_eq!(workspace.working_password().len(), 32);
    workspace.plan().nothing_to_do();
}

#[test]
fn a_changed_trigger_sends_one_new_password_in_every_order() {
    for order in ["", "lifecycle { create_before_destroy = true }", "rotation_mode = \"in_place\""] {
        let Some(workspace) = Workspace::new() else { return };
        for (resets_, trigger) in [(1, "one"), (2, "two")] {
            workspace.write(&mailbox(&format!("rotation_trigger = \"{trigger}\"\n  {order}")));
            workspace.apply().quiet();
            assert_eq!(resets(&workspace), resets_, "{order}");
            workspace.working_password();
        }
        workspace.plan().nothing_to_do();
        workspace.destroy().quiet();
        assert_eq!(resets(&workspace), 2, "a destroy leaves the password as it is");
    }
}

#[test]
fn a_password_that_is_too_weak_is_refused_with_the_field_and_the_reason() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.sandbox.hostup().refuse_passwords(|password| (password.len() < 16).then_some("At least 16 characters."));
    let before = workspace.sandbox.hostup().password(MAILBOX).expect("the mailbox has a password");
    workspace.write(&mailbox("password_policy = { length = 12 }"));
    let error = workspace.apply().error().is("HostUp rejected the request");
    error.says(&[
        "HostUp (127.0.0.1) returned 400 invalid_request",
        "(/newPassword: sandbox: At least 16 characters.)",
        "(request id req_",
        "The password was not changed.",
        "change `password_policy`",
    ]);
    assert!(workspace.logs_in_as(MAILBOX, &before));
    assert_eq!(workspace.addresses(), [""; 0]);
    workspace.write(&mailbox("password_policy = { length = 16 }"));
    workspace.apply().quiet();
    workspace.working_password();
}

#[test]
fn the_legacy_control_panel_has_advice_of_its_own() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.sandbox.hostup().make_legacy(HostUp::ACCOUNT_ID);
    workspace.write(&mailbox("rotation_mode = \"in_place\""));
    let advice = [
        "returned 409 account_not_eligible_cpanel",
        "The password was not changed.",
        "legacy control panel, where no API",
    ];
    let error = workspace.apply().error().is("HostUp reports a conflict").says(&advice);
    assert_eq!(error.address.as_deref(), Some(ADDRESS));
    // In the vendor's own documented words it is the same.
    workspace.sandbox.fault(refusal(409, LEGACY).on(Operation::Reset).before());
    let error = workspace.apply().error().is("HostUp reports a conflict").says(&advice);
    error.says(&["“The hosting account uses HostUp's legacy control panel.”"]);
    assert_eq!(resets(&workspace), 0);
}

#[test]
fn a_mailbox_goes_by_its_id_too() {
    let Some(workspace) = Workspace::new() else { return };
    let id = workspace.add_mailbox("orders@example.org");
    workspace.write(&mailbox("").replace(MAILBOX, &id));
    assert_eq!(workspace.planned().get("username"), None, "only the vendor knows it");
    workspace.apply_with(&["plan"]).quiet();
    let state = workspace.state();
    assert_eq!(state["id"], format!("hostup/{}/{id}", HostUp::ACCOUNT_ID));
    assert_eq!(state["username"], "orders@example.org");
    workspace.working_password();
    workspace.plan().nothing_to_do();
}

#[test]
fn the_host_is_what_the_vendor_reports_unless_it_is_configured() {
    let Some(workspace) = Workspace::new() else { return };
    let hostup = workspace.sandbox.hostup();
    let host = |arguments: &str| {
        workspace.write(&mailbox(arguments));
        workspace.sandbox.forget_requests();
        workspace.apply().quiet();
        workspace.plan().nothing_to_do();
        let state = workspace.state();
        let host = state["smtp_host"].as_str().expect("a host").to_owned();
        assert_eq!(state["smtp_port"], 587);
        (host, workspace.requests().iter().filter(|line| line.contains("/account-details ")).count())
    };
    hostup.server_hostname(HostUp::ACCOUNT_ID, Some("srv11.hostup.se"));
    assert_eq!(host(""), ("srv11.hostup.se".to_owned(), 1));
    // The state's host stays until something asks for another.
    hostup.server_hostname(HostUp::ACCOUNT_ID, Some("srv12.hostup.se"));
    assert_eq!(host("timeouts = { create = \"90s\" }"), ("srv11.hostup.se".to_owned(), 0));
    assert_eq!(host("smtp_host = \"mail.example.com\""), ("mail.example.com".to_owned(), 0));
    assert_eq!(host(""), ("srv12.hostup.se".to_owned(), 1));
    assert_eq!(resets(&workspace), 1);
    workspace.working_password();
}

#[test]
fn an_account_without_a_host_leaves_it_null() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.sandbox.hostup().server_hostname(HostUp::ACCOUNT_ID, None);
    workspace.write(&mailbox(""));
    workspace.apply().quiet();
    workspace.working_password();
    assert_eq!(workspace.state()["smtp_host"], Value::Null);
    workspace.plan().nothing_to_do();
}

#[test]
fn a_reset_whose_answer_is_lost_is_sent_again_with_the_same_password() {
    for fault in [Fault::new(Effect::Close), Fault::status(500), Fault::new(Effect::Close).before()] {
        let Some(workspace) = Workspace::new() else { return };
        workspace.write(&mailbox(""));
        workspace.sandbox.fault(fault.on(Operation::Reset));
        workspace.apply().quiet();
        let sent: Vec<Recorded> =
            workspace.sandbox.requests().into_iter().filter(|request| request.method == "PUT").collect();
        assert_eq!(sent.len(), 2);
        assert_eq!(sent[0].body, sent[1].body);
        assert_eq!(sent[0].body, json!({"newPassword": workspace.working_password()}).to_string().into_bytes());
    }
}

#[test]
fn every_refusal_names_the_vendor_and_what_became_of_the_password() {
    let Some(mut workspace) = Workspace::new() else { return };
    // A refusal without a hint is repeated for as long as there is time, an error 500 only a few times.
    workspace.write(&mailbox("timeouts = { create = \"10s\" }"));
    for (fault, summary, words) in [
        (Fault::status(401), "HostUp refused the credentials", ["returned 401 unauthorized", "not changed."]),
        (Fault::status(404), "HostUp does not know this credential", ["returned 404 not_found", "not changed."]),
        (Fault::status(429), "HostUp's rate limit is reached", ["returned 429 rate_limited", "not changed."]),
        (
            Fault::status_with_header(429, "Retry-After", "3600"),
            "HostUp's rate limit is reached",
            ["asks to wait 60 min", "not changed."],
        ),
        (
            Fault::status(500).times(9),
            "The outcome of the reset is unknown",
            ["returned 500 internal_error", "may have been changed."],
        ),
        (Fault::page(404), "HostUp's response is not as documented", ["returned 404", "not changed."]),
    ] {
        workspace.sandbox.fault(fault.times(99).on(Operation::Reset).before());
        let error = workspace.apply().error().is(summary);
        error.says(&words).says(&["Resetting the password of `hostup/acct_", "HostUp (127.0.0.1)"]);
        workspace.sandbox.clear_faults();
    }

    workspace.sandbox.hostup().add_api_key(1, "a-key-that-only-reads", &[HostUp::READ]);
    workspace.sandbox.hostup().add_api_key(2, "the-key-of-somebody-else", &[HostUp::READ, HostUp::WRITE]);
    for (key, summary, words) in [
        ("a-key-that-only-reads", "HostUp denied access", "`write:hostingconsole:services`"),
        ("the-key-of-somebody-else", "HostUp does not know this credential", "Check the name"),
        ("no-key-at-all", "HostUp refused the credentials", "Check that the token is correct"),
    ] {
        workspace.set("HOSTUP_API_KEY", key);
        workspace.keep_secret(key);
        workspace.apply().error().is(summary).says(&["The password was not changed.", words]);
    }
    assert_eq!(resets(&workspace), 0);
}

#[test]
fn a_foreign_response_is_repeated_and_another_user_is_reported() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&mailbox(""));
    workspace.sandbox.fault(Fault::body("<html>welcome</html>").on(Operation::Reset));
    workspace.apply().quiet();
    assert_eq!(resets(&workspace), 2, "the same password, until HostUp agrees in its own words");
    workspace.working_password();

    workspace.sandbox.hostup().answer_as(MAILBOX, "other@example.com");
    let replace = format!("-replace={ADDRESS}");
    let warning = workspace.apply_with(&[&replace]).warning().is("The response names another user");
    warning.says(&["other@example.com", "The password was changed."]);
    assert_eq!(workspace.state()["username"], MAILBOX);
    workspace.plan().nothing_to_do();
}

#[test]
fn a_mailbox_that_is_gone_is_dropped_and_an_account_that_is_not_shown_is_not() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.add_mailbox("another@example.com");
    workspace.write(&mailbox(""));
    workspace.apply().quiet();
    let key = workspace.environment()["HOSTUP_API_KEY"].clone();
    workspace.sandbox.hostup().add_api_key(2, "the-key-of-somebody-else", &[HostUp::READ, HostUp::WRITE]);
    workspace.set("HOSTUP_API_KEY", "the-key-of-somebody-else");
    workspace.refresh().error().says(&["returned 404 not_found", "The password was not changed."]);
    workspace.working_password();

    workspace.set("HOSTUP_API_KEY", &key);
    workspace.sandbox.hostup().remove(MAILBOX);
    workspace.refresh().warning().is("A stored password was removed from state").says(&["HostUp no longer has"]);
    assert_eq!(workspace.addresses(), [""; 0]);
}

#[test]
fn an_import_adopts_the_policy_and_the_next_change_sends_a_password() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&mailbox(""));
    workspace.import(&format!("hostup/{}/{MAILBOX}", HostUp::ACCOUNT_ID)).succeeded();
    let state = workspace.state();
    assert_eq!([&state["username"], &state["smtp_host"]], [MAILBOX, "localhost"]);
    assert_eq!([&state["password"], &state["rotated_at"]], [&Value::Null; 2]);
    workspace.plan().nothing_to_do();

    workspace.write(&mailbox("password_policy = { length = 40 }"));
    let warning = workspace.plan().warning().is("No reset after the import");
    warning.says(&[
        "The imported credential was adopted without a reset. Its password is unknown until the next rotation.",
    ]);
    workspace.apply().succeeded();
    assert_eq!(resets(&workspace), 0);
    workspace.plan().nothing_to_do();

    workspace.write(&mailbox("password_policy = { length = 41 }"));
    workspace.apply().quiet();
    assert_eq!(resets(&workspace), 1);
    assert_eq!(workspace.working_password().len(), 41);
}

fn mailbox(arguments: &str) -> String {
    block("this", HOSTUP, arguments)
}

fn resets(workspace: &Workspace) -> usize {
    workspace.sandbox.hostup().resets(MAILBOX)
}

fn refusal(status: u16, body: &str) -> Fault {
    Fault::new(Effect::Status { status, headers: std::collections::BTreeMap::new(), body: Some(body.to_owned()) })
}

#[track_caller]
fn assert_has(password: &str, classes: &[fn(char) -> bool]) {
    assert!(classes.iter().all(|class| password.chars().any(class)), "a class is missing");
}

fn is_digit(character: char) -> bool {
    character.is_ascii_digit()
}

fn is_special(character: char) -> bool {
    "-_.~".contains(character)
}
