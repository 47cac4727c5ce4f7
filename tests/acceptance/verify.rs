//! `verify`: whether a new password works is found out by logging in with it.

use std::{thread, time::Duration};

use sandbox::{Effect, Fault, Meanwhile, Operation, Showing, SmtpEffect, SmtpFault, Stage};
use serde_json::{Value, json};

use crate::{
    several,
    smtpd::{DELETE_FIRST, NOT_CHANGED, ORDERS, active, key},
    support::{ADDRESS, HOSTUP, KIRIM_EMAIL, KIRIM_USER, MAILBOX, Run, USER, Workspace, block, credential},
};

const CHANGED: &str = "The password was changed.";
const NEVER: Duration = Duration::MAX;
/// Long enough for a few logins.
const BRIEFLY: &str = "timeout = \"2s\"";

#[test]
fn a_new_password_has_logged_in_before_the_apply_reports_success() {
    let Some(workspace) = trusting() else { return };
    let ports = [(workspace.sandbox.smtp_port(), "starttls"), (workspace.sandbox.smtps_port(), "tls")];
    for (resets, (port, security)) in (1..).zip(ports) {
        let verify = format!("verify = {{ host = \"localhost\", port = {port}, security = \"{security}\" }}");
        workspace.write(&rotated(resets, &verify));
        assert_eq!(workspace.planned().get("verified"), None, "{security}: nobody knows before");
        workspace.sandbox.forget_smtp_connections();
        workspace.apply_with(&["plan"]).quiet();
        assert_eq!(workspace.state()["verified"], true, "{security}");
        assert_eq!(workspace.resets(), resets, "{security}");
        let made = commands(&workspace);
        let (login, checks) = made.split_last().expect("there were connections");
        assert!(login.contains(&"AUTH PLAIN".to_owned()), "{login:?}");
        for check in checks {
            assert!(!check.iter().any(|command| command.starts_with("AUTH")), "{check:?}");
        }
        for connection in workspace.sandbox.smtp_connections() {
            assert_eq!(connection.commands.last().map(String::as_str), Some("QUIT"));
            assert!(
                !connection.auth_before_tls && !connection.commands.iter().any(|command| command.starts_with("MAIL"))
            );
        }
        workspace.working_password();
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_mail_server_that_hears_of_the_reset_later_is_waited_for() {
    let Some(workspace) = trusting() else { return };
    for (resets, meanwhile) in (1..).zip([Meanwhile::NoPassword, Meanwhile::OldPassword]) {
        workspace.sandbox.propagate_after(Duration::from_secs(3), meanwhile);
        workspace.write(&rotated(resets, &verify(&workspace, "")));
        workspace.apply().quiet();
        assert_eq!(workspace.state()["verified"], true);
        assert_eq!(workspace.resets(), resets);
        workspace.working_password();
    }
    assert!(workspace.sandbox.logins().iter().any(|login| !login.accepted), "it was too early at first");
}

#[test]
fn a_password_that_stays_refused_is_a_warning_and_is_not_reset_again() {
    let Some(workspace) = trusting() else { return };
    workspace.sandbox.propagate_after(NEVER, Meanwhile::NoPassword);
    for (resets, mode) in (1..).zip(["", "rotation_mode = \"in_place\""]) {
        workspace.write(&rotated(resets, &format!("{}\n  {mode}", verify(&workspace, BRIEFLY))));
        let warning = workspace.apply().warning().is("The new password did not log in");
        let warning = warning.says(&["replied 535 5.7.8: it rejects the user name or the password.", CHANGED]);
        assert_eq!(warning.address.as_deref(), Some(ADDRESS));
        stored(&workspace, &json!(false));
        workspace.plan().nothing_to_do();
        workspace.apply().quiet();
        assert_eq!(workspace.resets(), resets, "it is reset once");
    }
}

#[test]
fn a_server_with_a_passing_problem_is_asked_again() {
    let Some(workspace) = trusting() else { return };
    for (resets, (stage, reply)) in (1..).zip([
        (Stage::Auth, "454 4.7.0 Later"),
        (Stage::Login, "421 4.3.2 Closing"),
        (Stage::Auth, "535 5.7.8 No"),
    ]) {
        workspace.sandbox.smtp_fault(SmtpFault::reply(stage, reply));
        workspace.write(&rotated(resets, &verify(&workspace, "")));
        workspace.apply().quiet();
        assert_eq!(workspace.state()["verified"], true, "{reply}");
        assert_eq!((workspace.resets(), workspace.sandbox.pending_smtp_faults()), (resets, 0), "{reply}");
    }
}

#[test]
fn what_can_be_seen_before_the_reset_costs_none() {
    let faults = || {
        [
            (SmtpFault::reply(Stage::Banner, "421 4.3.2 Busy"), "The mail server is busy"),
            (SmtpFault::reply(Stage::Banner, "554 5.7.1 Go away"), "The mail server rejected the connection"),
            (SmtpFault::extensions(Stage::Ehlo, &["AUTH PLAIN LOGIN"]), "The mail server offers no STARTTLS"),
            (SmtpFault::reply(Stage::StartTls, "454 4.7.0 Later"), "The mail server is busy"),
            (SmtpFault::new(Stage::Handshake, SmtpEffect::Alert), "No TLS connection to the mail server"),
            (
                SmtpFault::new(Stage::Handshake, SmtpEffect::ClientCertificate),
                "The mail server requires a client certificate",
            ),
            (SmtpFault::reply(Stage::EhloOverTls, "421 4.7.1 No certificate"), "The mail server closed the session"),
            (SmtpFault::reply(Stage::Ehlo, "501 5.5.4 No"), "The mail server rejected EHLO"),
            (SmtpFault::reply(Stage::Ehlo, "504 5.5.2 No"), "The mail server rejected EHLO"),
            (SmtpFault::certificate(Showing::NotYetValid), "The mail server's certificate is not trusted"),
            (SmtpFault::certificate(Showing::OtherHost), "The mail server's certificate is not trusted"),
            (SmtpFault::extensions(Stage::EhloOverTls, &["AUTH CRAM-MD5"]), "The mail server offers no login"),
            (SmtpFault::new(Stage::Banner, SmtpEffect::HugeReply(1 << 20)), "The mail server does not speak SMTP"),
        ]
    };
    let Some(workspace) = trusting() else { return };
    let users = [0, 1, 2].map(|row| several::open(&workspace, row));
    let write = |trigger: usize, verify: &str| {
        let row =
            |(row, order)| several::block(row, &format!("rotation_trigger = \"{trigger}\"\n  {verify}\n  {order}"));
        workspace.write(&ORDERS.into_iter().enumerate().map(row).collect::<String>());
    };
    let working = || [0, 1, 2].map(|row| workspace.working_password_of(&several::address(row)));
    let resets = || users.each_ref().map(|user| workspace.sandbox.hubspot().resets(user));
    write(1, &verify(&workspace, ""));
    workspace.apply().quiet();
    let passwords = working();
    let fails = |summary: &str, words: &[&str]| {
        let failed = workspace.apply().failed();
        assert_eq!(failed.diagnostics.len(), ORDERS.len(), "{failed}");
        for (row, order) in ORDERS.into_iter().enumerate() {
            let error = several::said(&failed, row).is(summary).says(words);
            assert_eq!(error.severity, "error", "{error:?}");
            // Core names no line for the diagnostics of a deletion.
            assert!(order == DELETE_FIRST || error.code().starts_with("verify ="), "{error:?}");
        }
        // The faults would concern these logins too.
        workspace.sandbox.clear_smtp_faults();
        assert_eq!((resets(), working()), ([1; 3], passwords.clone()), "{summary}");
    };
    write(2, &verify(&workspace, "timeout = \"1s\""));
    for (fault, summary) in faults() {
        workspace.sandbox.smtp_fault(fault.always());
        fails(summary, &[NOT_CHANGED, "before the reset"]);
    }
    write(2, "verify = { host = \"nowhere.invalid\" }");
    fails("The mail server's name cannot be resolved", &[NOT_CHANGED, "`nowhere.invalid:587`"]);
    write(2, "verify = { host = \"127.0.0.1\", port = 1 }");
    fails("The mail server cannot be reached", &[NOT_CHANGED, "connection was refused"]);

    write(2, &verify(&workspace, ""));
    workspace.apply().quiet();
    assert_eq!(resets(), [2; 3]);
    for row in 0..ORDERS.len() {
        assert_eq!(workspace.state_of(&several::address(row))["verified"], true, "{row}");
    }
}

#[test]
fn a_create_with_an_authority_that_is_not_trusted_resets_nothing() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&rotated(1, &verify(&workspace, "")));
    let error = workspace.apply().error().is("The mail server's certificate is not trusted");
    error.says(&["issued by an authority that is not trusted", NOT_CHANGED, "`ca_certificate_file`"]);
    assert_eq!((workspace.resets(), workspace.addresses().len()), (0, 0));
}

#[cfg(unix)]
#[test]
fn an_interrupt_while_it_is_tried_stores_the_new_password() {
    let Some(workspace) = trusting() else { return };
    workspace.sandbox.propagate_after(NEVER, Meanwhile::NoPassword);
    for (resets, order) in (1..).zip(ORDERS) {
        workspace.write(&rotated(resets, &format!("{}\n  {order}", verify(&workspace, "timeout = \"10m\""))));
        let logins = workspace.sandbox.logins().len();
        let run = interrupted_when(&workspace, || workspace.sandbox.logins().len() > logins);
        assert_ne!(run.status, Some(0), "{order}: {run}");
        let warning =
            run.diagnostics.iter().find(|diagnostic| diagnostic.summary == "The new password was not verified");
        assert!(warning.is_some_and(|warning| warning.detail.contains(CHANGED)), "{order}: {run}");
        stored(&workspace, &Value::Null);
        assert_eq!(workspace.resets(), resets, "{order}");
    }
}

#[test]
fn the_operations_own_time_cuts_it_short() {
    let Some(workspace) = trusting() else { return };
    workspace.sandbox.propagate_after(NEVER, Meanwhile::NoPassword);
    workspace.write(&rotated(1, &format!("{}\n  timeouts = {{ create = \"5s\" }}", verify(&workspace, ""))));
    workspace.apply().warning().is("The new password was not verified").says(&[CHANGED]);
    stored(&workspace, &Value::Null);
    workspace.plan().nothing_to_do();
}

#[test]
fn what_is_known_of_a_password_stays_until_the_next() {
    let Some(workspace) = trusting() else { return };
    workspace.write(&rotated(1, ""));
    assert_eq!(workspace.planned()["verified"], Value::Null);
    workspace.apply().quiet();
    assert_eq!(workspace.state()["verified"], Value::Null);

    // A previous password is not tried, and no change of `verify` resets it.
    for arguments in [verify(&workspace, ""), verify(&workspace, BRIEFLY)] {
        workspace.write(&rotated(1, &arguments));
        assert_eq!(workspace.plan().quiet().action(ADDRESS).as_deref(), Some("update"));
        workspace.apply().quiet();
        assert_eq!((workspace.resets(), &workspace.state()["verified"]), (1, &Value::Null));
    }
    assert!(workspace.sandbox.smtp_connections().is_empty());

    workspace.write(&rotated(2, &verify(&workspace, "")));
    workspace.apply().quiet();
    workspace.write(&rotated(2, ""));
    assert_eq!(workspace.planned()["verified"], true);
    workspace.apply().quiet();
    assert_eq!((workspace.resets(), &workspace.state()["verified"]), (2, &json!(true)));
    let state = workspace.state();
    assert_eq!(state["verify"], Value::Null);

    workspace.write(&rotated(3, ""));
    workspace.apply().quiet();
    assert_eq!(workspace.state()["verified"], Value::Null);
}

#[test]
fn nested_settings_stay_as_they_were_written() {
    let Some(workspace) = trusting() else { return };
    workspace.write(&rotated(1, &verify(&workspace, "")));
    workspace.apply().quiet();
    let port = workspace.sandbox.smtp_port();
    let written = json!({
        "host": "127.0.0.1", "on_refresh": null, "port": port, "previous": null, "security": null, "timeout": null
    });
    assert_eq!(workspace.state()["verify"], written);
}

#[test]
fn the_login_uses_the_server_that_the_vendor_reports() {
    let Some(workspace) = trusting() else { return };
    let port = workspace.sandbox.smtp_port();
    for (trigger, resets) in [("one", 1), ("two", 2)] {
        // HostUp returns the host on request, which both halves of the replacement do.
        let arguments = format!("rotation_trigger = \"{trigger}\"\n  smtp_port = {port}\n  verify = {{}}");
        workspace.write(&block("this", HOSTUP, &arguments));
        workspace.apply().quiet();
        assert_eq!(workspace.state()["smtp_host"], "localhost");
        assert_eq!(workspace.state()["verified"], true);
        assert_eq!(workspace.sandbox.hostup().resets(MAILBOX), resets);
    }
    workspace.sandbox.smtp_fault(SmtpFault::reply(Stage::Banner, "554 5.7.1 Go away").always());
    let arguments = format!("rotation_trigger = \"three\"\n  smtp_port = {port}\n  verify = {{}}");
    workspace.write(&block("this", HOSTUP, &arguments));
    workspace.apply().error().says(&[NOT_CHANGED, &format!("`localhost:{port}`")]);
    workspace.sandbox.clear_smtp_faults();
    workspace.working_password();
}

#[test]
fn a_password_of_your_own_is_tried_and_not_stored() {
    let Some(mut workspace) = Workspace::with_write_only() else { return };
    workspace.trust_mail_server();
    let own = "own-Password_4711!";
    workspace.keep_secret(own);
    workspace.set("TF_VAR_own", own);
    let variable = "variable \"own\" {\n  type = string\n  ephemeral = true\n}\n";
    let arguments = format!("password_wo = var.own\n  password_wo_version = \"1\"\n  {}", verify(&workspace, ""));
    workspace.write(&(variable.to_owned() + &block("this", HOSTUP, &arguments)));
    workspace.apply().quiet();
    let state = workspace.state();
    assert_eq!((&state["verified"], &state["password"]), (&json!(true), &Value::Null));
    assert!(workspace.logs_in_as(MAILBOX, own));
}

#[test]
fn no_proxy_is_asked() {
    let Some(mut workspace) = trusting() else { return };
    for variable in ["ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "http_proxy", "https_proxy"] {
        workspace.set(variable, "http://127.0.0.1:1");
    }
    workspace.write(&rotated(1, &verify(&workspace, "")));
    workspace.apply().quiet();
    assert_eq!(workspace.state()["verified"], true);
}

#[test]
fn an_old_key_outlives_a_new_one_that_does_not_log_in() {
    for order in ORDERS {
        let Some(workspace) = trusting() else { return };
        let arguments = |trigger: &str, settings: &str| {
            format!("rotation_trigger = \"{trigger}\"\n  {}\n  {order}", verify(&workspace, settings))
        };
        workspace.write(&key(&arguments("one", "")));
        workspace.apply().quiet();
        let old = active(&workspace);
        workspace.sandbox.propagate_after(NEVER, Meanwhile::NoPassword);
        workspace.write(&key(&arguments("two", BRIEFLY)));
        let run = workspace.apply().succeeded();
        let summaries: Vec<_> = run.diagnostics.iter().map(|diagnostic| &*diagnostic.summary).collect();
        assert_eq!(summaries.len(), 2, "{order}: {run}");
        let not_revoked = format!("The previous credential was not revoked: {}", old.id);
        for expected in ["The new password did not log in", &not_revoked] {
            assert!(summaries.contains(&expected), "{order}: {summaries:?}");
        }
        let spared = run
            .diagnostics
            .iter()
            .find(|diagnostic| diagnostic.summary.starts_with("The previous"))
            .expect("it is there");
        assert!(spared.detail.contains(&format!("revoke `{}` by hand", old.id)), "{spared:?}");
        assert!(workspace.logs_in_as(&old.key, &old.secret), "{order}: the old key works");
        assert_eq!(workspace.state()["verified"], false);
        assert_ne!(workspace.state()["remote_version"], old.id);
        workspace.plan().nothing_to_do();
    }
}

/// Of several warnings with the same headline, core prints only the first.
#[test]
fn every_key_that_stays_valid_is_named_in_what_core_prints() {
    let Some(workspace) = trusting() else { return };
    let write = |trigger: &str, settings: &str| {
        let target = "smtpd = { name = each.key, role = \"send_only\" }";
        let arguments = "for_each = toset([\"one\", \"two\", \"three\"])\n  rotation_mode = \"in_place\"";
        let verify = verify(&workspace, settings);
        workspace.write(&block(
            "this",
            target,
            &format!("{arguments}\n  rotation_trigger = \"{trigger}\"\n  {verify}"),
        ));
    };
    write("one", "");
    workspace.apply().quiet();
    let old = ["one", "two", "three"].map(|name| workspace.sandbox.smtpd().key_named(name).expect("a key").id);
    workspace.sandbox.propagate_after(NEVER, Meanwhile::NoPassword);
    write("two", BRIEFLY);
    let run = workspace.run(&["apply", "-auto-approve", "-input=false", "-no-color"]).succeeded();
    for id in old {
        assert!(run.stdout.contains(&format!("Warning: The previous credential was not revoked: {id}")), "{run}");
    }
}

#[test]
fn bad_settings_are_refused_at_their_line() {
    let Some(workspace) = Workspace::new() else { return };
    for (name, value, words) in [
        ("host", "https://mail.example.com", "must be a host name or an IP address"),
        ("port", "0", "must be a whole number from 1 to 65535"),
        ("port", "70000", "must be a whole number from 1 to 65535"),
        ("security", "ssl", "must be `starttls` or `tls`"),
        ("timeout", "soon", "must be a duration longer than zero"),
    ] {
        workspace.write(&credential(&format!("verify = {{ {name} = \"{value}\" }}")));
        for run in [workspace.validate(), workspace.apply()] {
            run.rejects(&format!("verify.{name}"), words);
        }
    }
    assert_eq!(workspace.requests(), [""; 0]);
}

#[test]
fn where_no_server_is_known_one_must_be_named() {
    let Some(workspace) = trusting() else { return };
    workspace.write(&block("this", KIRIM_EMAIL, "verify = {}"));
    for run in [workspace.validate(), workspace.apply()] {
        run.error()
            .is("No server to log in to")
            .says(&["KIRIM.EMAIL", "`verify.host` or `smtp_host`"])
            .points_at("verify = {}");
    }
    // What is unknown until apply may turn out null.
    let late = "resource \"terraform_data\" \"late\" { input = null }\n";
    let host = "verify = { host = terraform_data.late.output }";
    workspace.write(&(late.to_owned() + &block("this", KIRIM_EMAIL, host)));
    workspace.apply().error().is("No server to log in to").says(&[NOT_CHANGED]);
    assert_eq!(workspace.sandbox.kirim_email().resets(KIRIM_USER), 0);

    let port = workspace.sandbox.smtp_port();
    workspace.write(&block("this", KIRIM_EMAIL, &format!("smtp_host = \"127.0.0.1\"\n  verify = {{ port = {port} }}")));
    workspace.apply().quiet();
    assert_eq!(workspace.state()["verified"], true);
}

#[test]
fn a_refresh_logs_in_where_it_is_asked_to_and_notices_a_refusal() {
    let Some(workspace) = trusting() else { return };
    workspace.write(&rotated(1, &verify(&workspace, "on_refresh = true")));
    workspace.apply().quiet();
    workspace.sandbox.forget_smtp_connections();
    workspace.plan().nothing_to_do();
    assert_eq!(workspace.sandbox.smtp_connections().len(), 1);
    assert_eq!(workspace.state()["stale"], false);

    // Somebody else resets.
    workspace.add_credential(USER);
    for _ in 0..2 {
        let warning = workspace.refresh().warning().is("The stored password is refused");
        warning.says(&["replied 535 5.7.8: ", "has logged in before", "`on_external_change = \"rotate\"`"]);
        assert_eq!(workspace.state()["stale"], true);
    }
    workspace.write(&rotated(1, &(verify(&workspace, "on_refresh = true") + "\n  on_external_change = \"rotate\"")));
    let plan = workspace.plan().succeeded();
    assert_eq!(plan.action(ADDRESS).as_deref(), Some("replace"));
    workspace.apply().succeeded();
    workspace.working_password();
    assert_eq!((&workspace.state()["stale"], &workspace.state()["verified"]), (&json!(false), &json!(true)));
    workspace.plan().nothing_to_do();
}

#[test]
fn a_refresh_that_cannot_log_in_says_so_and_leaves_all_as_it_was() {
    let Some(workspace) = trusting() else { return };
    workspace.write(&rotated(1, &verify(&workspace, "on_refresh = true")));
    workspace.apply().quiet();
    let before = workspace.state();
    for fault in [
        SmtpFault::new(Stage::Banner, SmtpEffect::Close),
        SmtpFault::certificate(Showing::UnknownAuthority),
        SmtpFault::reply(Stage::Login, "454 4.7.0 Later"),
        SmtpFault::reply(Stage::Auth, "534 5.7.9 Too weak"),
        SmtpFault::reply(Stage::Auth, "504 5.5.4 Unknown"),
        SmtpFault::reply(Stage::Login, "530 5.7.0 Not now"),
        SmtpFault::reply(Stage::Login, "535 5.7.139 SmtpClientAuthentication is disabled"),
        SmtpFault::reply(Stage::Login, "535 5.7.57 Client not authenticated"),
        SmtpFault::reply(Stage::Login, "535 5.7.3 Unsuccessful"),
    ] {
        workspace.sandbox.smtp_fault(fault.always());
        let warning = workspace.refresh().warning().is("The stored password was not verified");
        warning.says(&["It is not known whether the stored password still works"]);
        assert_eq!(workspace.state(), before);
        workspace.sandbox.clear_smtp_faults();
    }
    workspace.plan().nothing_to_do();
}

#[test]
fn a_lost_answer_is_made_up_for_by_a_login_with_the_old_password() {
    const UNKNOWN: &str = "The password may have been changed.";
    const TAKEN: &str = "still accepts the previous password";
    const REFUSED: &str = "rejects the previous password with 535";
    let lost = |effect| Fault::new(effect).on(Operation::Reset);
    // A mail server may hear of a reset late, so that a login that still works proves nothing.
    let faults = [
        (lost(Effect::Close), CHANGED, REFUSED),
        (Fault::status(504).on(Operation::Reset), CHANGED, REFUSED),
        (Fault::status(500).on(Operation::Reset).before(), UNKNOWN, TAKEN),
        (Fault::status(504).on(Operation::Reset).before(), UNKNOWN, TAKEN),
        (lost(Effect::Close).before(), UNKNOWN, TAKEN),
    ];
    let orders = ["rotation_mode = \"in_place\"", DELETE_FIRST];
    let rows: Vec<_> = faults.iter().flat_map(|fault| orders.map(|order| (fault.clone(), order))).collect();
    let Some(workspace) = trusting() else { return };
    let users: Vec<_> = (0..rows.len()).map(|row| several::open(&workspace, row)).collect();
    let write = |trigger: usize| {
        let verify = verify(&workspace, "");
        let row = |(row, (_, order)): (usize, &(_, &str))| {
            several::block(row, &format!("rotation_trigger = \"{trigger}\"\n  {verify}\n  {order}"))
        };
        workspace.write(&rows.iter().enumerate().map(row).collect::<String>());
    };
    write(1);
    workspace.apply().quiet();
    let old: Vec<_> = (0..rows.len()).map(|row| workspace.working_password_of(&several::address(row))).collect();
    for (user, ((fault, ..), _)) in users.iter().zip(&rows) {
        workspace.sandbox.fault(fault.clone().of(user));
    }
    write(2);
    let failed = workspace.apply().failed();
    assert_eq!((failed.diagnostics.len(), workspace.sandbox.pending_faults()), (rows.len(), 0), "{failed}");
    for (row, ((_, outcome, seen), order)) in rows.iter().enumerate() {
        assert_eq!(several::said(&failed, row).says(&[outcome, seen]).severity, "error");
        assert_eq!(workspace.logs_in_as(&users[row], &old[row]), *outcome != CHANGED, "row {row}, {order}");
    }
    workspace.apply().succeeded();
    for row in 0..rows.len() {
        workspace.working_password_of(&several::address(row));
        assert_eq!(workspace.state_of(&several::address(row))["verified"], true);
    }
}

#[test]
fn a_change_that_the_vendor_shows_may_be_external() {
    let Some(workspace) = trusting() else { return };
    let port = workspace.sandbox.smtp_port();
    let arguments = |trigger: &str| {
        let verify = format!("smtp_host = \"127.0.0.1\"\n  verify = {{ port = {port} }}");
        format!("rotation_trigger = \"{trigger}\"\n  rotation_mode = \"in_place\"\n  {verify}")
    };
    workspace.sandbox.kirim_email().show_password_changes();
    workspace.write(&block("this", KIRIM_EMAIL, &arguments("one")));
    workspace.apply().quiet();
    workspace.sandbox.propagate_after(NEVER, Meanwhile::OldPassword);
    // The vendor shows the change that its mail server has not heard of.
    workspace.sandbox.fault(Fault::status(500).on(Operation::Reset));
    workspace.write(&block("this", KIRIM_EMAIL, &arguments("two")));
    workspace.apply().error().says(&[
        "The password was changed.",
        "now shows a later change of the password, by this reset or by somebody else's",
        "First make sure that nobody else has reset it",
    ]);
}

#[test]
fn what_is_no_refusal_of_the_password_is_not_said_to_be_one() {
    for (reply, words) in [
        ("534 5.7.9 <b>Too weak</b>", "replied 534 5.7.9: it rejects the mechanism as too weak for the account."),
        ("530 5.7.0 <b>Not now</b>", "replied 530 5.7.0: it requires something else before a login."),
        ("504 5.5.4 <b>Unknown</b>", "replied 504 5.5.4: it does not support the mechanism that it offers."),
        ("538 5.7.11 <b>TLS</b>", "replied 538 5.7.11: it rejects the mechanism for lack of encryption."),
        ("535 5.7.139 <b>Off</b>", "replied 535 5.7.139: it rejects the login for a reason other than the password."),
        ("535 4.7.8 <b>Later</b>", "replied 535 4.7.8: it rejects the login for a reason other than the password."),
        ("454 4.7.0 <b>Later</b>", "replied 454 4.7.0: it cannot check passwords at the moment."),
        ("432 4.7.12 <b>Move</b>", "replied 432 4.7.12: it requires a password transition to this mechanism first."),
    ] {
        let Some(workspace) = trusting() else { return };
        workspace.sandbox.smtp_fault(SmtpFault::reply(Stage::Login, reply).always());
        workspace.write(&rotated(1, &verify(&workspace, "timeout = \"1s\"")));
        let warning = workspace.apply().warning().is("The new password did not log in");
        let warning = warning.says(&[words, CHANGED, "Nothing suggests that the password is wrong"]);
        for unsaid in ["<b>", "reset it again", "pick up a reset"] {
            assert!(!warning.detail.contains(unsaid), "{warning:?}");
        }
        stored(&workspace, &json!(false));
    }
}

#[test]
fn what_the_server_says_ahead_verifies_nothing() {
    let Some(workspace) = trusting() else { return };
    let ahead = SmtpEffect::Inject("235 2.7.0 Accepted\r\n".to_owned());
    // The check before the reset comes first, and asks for no login.
    workspace.sandbox.smtp_fault(SmtpFault::new(Stage::EhloOverTls, ahead.clone()).always());
    workspace.sandbox.propagate_after(NEVER, Meanwhile::NoPassword);
    workspace.write(&rotated(1, &verify(&workspace, "timeout = \"1s\"")));
    let warning = workspace.apply().warning().is("The new password did not log in");
    warning.says(&["replied 235 2.7.0: it replied before the command was sent."]);
    stored(&workspace, &json!(false));
}

#[test]
fn a_password_that_never_logged_in_is_not_rotated_for_a_refusal() {
    for (order, mode) in [("", "replace"), ("rotation_mode = \"in_place\"", "in place")] {
        let Some(workspace) = trusting() else { return };
        let settings = "on_refresh = true, timeout = \"1s\"";
        let configuration =
            rotated(1, &format!("{}\n  on_external_change = \"rotate\"\n  {order}", verify(&workspace, settings)));
        workspace.write(&configuration);
        // As a server does whose file of users is missing.
        workspace.sandbox.smtp_fault(SmtpFault::reply(Stage::Login, "535 5.7.8 No").always());
        workspace.apply().warning().is("The new password did not log in");
        for _ in 0..2 {
            let warning = workspace.apply().warning().is("The stored password has never logged in");
            warning.says(&["replied 535 5.7.8: ", "`stale` is left as it was"]);
            assert_eq!((&workspace.state()["stale"], &workspace.state()["verified"]), (&json!(false), &json!(false)));
        }
        assert_eq!(workspace.resets(), 1, "{mode}");

        // Once it has logged in, a refusal counts, and one only: the next password has never logged in.
        workspace.sandbox.clear_smtp_faults();
        workspace.apply().quiet();
        assert_eq!(workspace.state()["verified"], true, "{mode}: a login at refresh is one");
        workspace.plan().nothing_to_do();
        workspace.sandbox.smtp_fault(SmtpFault::reply(Stage::Login, "535 5.7.8 No").always());
        for _ in 0..2 {
            workspace.apply().succeeded();
        }
        assert_eq!(workspace.resets(), 2, "{mode}");
        workspace.sandbox.clear_smtp_faults();
        workspace.working_password();
    }
}

#[test]
fn a_mail_server_that_has_caught_up_is_noticed_by_a_refresh() {
    let Some(workspace) = trusting() else { return };
    workspace.sandbox.propagate_after(NEVER, Meanwhile::NoPassword);
    workspace.write(&rotated(1, &verify(&workspace, "on_refresh = true, timeout = \"1s\"")));
    workspace.apply().warning().is("The new password did not log in");
    assert_eq!(workspace.state()["verified"], false);
    workspace.sandbox.propagate_at_once();
    workspace.refresh().quiet();
    assert_eq!((&workspace.state()["verified"], &workspace.state()["stale"]), (&json!(true), &json!(false)));
    workspace.plan().nothing_to_do();
    assert_eq!(workspace.resets(), 1);
}

#[test]
fn a_password_is_tried_as_it_is_stored() {
    // What the vendor makes, and what core stores.
    for (made, composed) in [("pa\u{308}ss-made-up", "p\u{e4}ss-made-up"), ("p\u{e4}ss-made-up", "p\u{e4}ss-made-up")] {
        let Some(workspace) = trusting() else { return };
        workspace.sandbox.hubspot().next_password(USER, made);
        workspace.keep_secret(made);
        workspace.keep_secret(composed);
        workspace.write(&rotated(1, &verify(&workspace, "timeout = \"10s\"")));
        let run = workspace.apply().succeeded();
        let summaries: Vec<_> = run.diagnostics.iter().map(|warning| &*warning.summary).collect();
        let state = workspace.state();
        assert_eq!(state["password"], composed);
        let works = made == composed;
        assert_eq!((workspace.logs_in(composed), &state["verified"]), (works, &json!(works)), "{summaries:?}");
        let other = summaries.contains(&"The stored password may differ");
        assert_eq!((other, summaries.len()), (!works, if works { 0 } else { 2 }), "{summaries:?}");
    }
}

/// A workspace in which the sandbox's mail server is trusted.
fn trusting() -> Option<Workspace> {
    let mut workspace = Workspace::new()?;
    workspace.trust_mail_server();
    Some(workspace)
}

/// The argument for the sandbox's mail server.
fn verify(workspace: &Workspace, settings: &str) -> String {
    format!("verify = {{ host = \"127.0.0.1\", port = {}, {settings} }}", workspace.sandbox.smtp_port())
}

/// The credential with its trigger at a number.
fn rotated(trigger: usize, arguments: &str) -> String {
    credential(&format!("rotation_trigger = \"{trigger}\"\n  {arguments}"))
}

/// What was asked for on each connection to the mail server.
fn commands(workspace: &Workspace) -> Vec<Vec<String>> {
    workspace.sandbox.smtp_connections().into_iter().map(|connection| connection.commands).collect()
}

/// Insists that the state holds the vendor's password, though it may not log in, and how the verification ended.
#[track_caller]
fn stored(workspace: &Workspace, verified: &Value) {
    let state = workspace.state();
    assert_eq!(state["password"].as_str().map(str::to_owned), workspace.sandbox.hubspot().password(USER));
    assert_eq!(&state["verified"], verified);
}

/// Applies, and sends what a terminal sends on Ctrl-C as soon as `ready` says so.
#[cfg(unix)]
pub(super) fn interrupted_when(workspace: &Workspace, ready: impl Fn() -> bool) -> Run {
    use std::{
        os::unix::process::CommandExt,
        process::{Command, Stdio},
    };

    let arguments = ["apply", "-json", "-auto-approve", "-input=false"];
    let mut command = workspace.command(&arguments);
    let child = command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.expect("the program starts");
    while !ready() {
        thread::sleep(Duration::from_millis(20));
    }
    let sent = Command::new("kill").args(["-INT", "--", &format!("-{}", child.id())]).status();
    assert!(sent.expect("kill runs").success());
    let output = child.wait_with_output().expect("it ends");
    workspace.judge(&arguments, &output)
}
