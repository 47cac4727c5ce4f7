//! `verify.previous`: after a reset, the previous password is tried once, to show that it is dead.

use sandbox::{SmtpFault, Stage};

use crate::{
    smtpd::{self, ORDERS},
    support::{HOSTUP, KIRIM_EMAIL, Run, USER, Workspace, block, credential},
};

const CHANGED: &str = "The password was changed.";
/// The mail server's reply to a login that works.
const ACCEPTED: &str = "235 2.7.0 Accepted";

#[test]
fn a_previous_password_that_is_refused_needs_no_words() {
    for order in ORDERS {
        let Some(workspace) = made(order) else { return };
        workspace.write(&of(&workspace, "two", order));
        workspace.apply().quiet();
        let logins = logins(&workspace);
        assert_eq!(logins, [true, false], "{order}: the new one logs in, and the previous one is tried once");
        assert_eq!((workspace.state()["verified"].clone(), workspace.resets()), (true.into(), 2), "{order}");
        workspace.working_password();
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_previous_password_that_still_works_is_a_warning() {
    for order in ORDERS {
        let Some(workspace) = made(order) else { return };
        workspace.sandbox.smtp_fault(SmtpFault::reply(Stage::Login, ACCEPTED).always());
        workspace.write(&of(&workspace, "two", order));
        let warning = workspace.apply().warning().is(&format!("The previous password still works: hubspot/{USER}"));
        warning.says(&[
            &format!("Trying the previous password of `hubspot/{USER}`"),
            &format!(
                "the mail server `127.0.0.1:{}` accepted it after the new one had logged in",
                workspace.sandbox.smtp_port()
            ),
            CHANGED,
            "HubSpot documents no delay of a reset.",
            "anyone who has it can send mail",
        ]);
        assert_eq!(workspace.state()["verified"], true, "{order}");
        assert_eq!(logins(&workspace).len(), 2, "{order}: it is tried once");
        workspace.sandbox.clear_smtp_faults();
        workspace.working_password();
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn what_the_vendor_documents_of_the_delay_is_said() {
    let Some(workspace) = trusting() else { return };
    let arguments = |trigger: &str| block("this", KIRIM_EMAIL, &arguments(&workspace, trigger, ""));
    workspace.write(&arguments("one"));
    workspace.apply().quiet();
    workspace.sandbox.smtp_fault(SmtpFault::reply(Stage::Login, ACCEPTED).always());
    workspace.write(&arguments("two"));
    let run = workspace.apply();
    let id = workspace.state()["id"].as_str().expect("an id").to_owned();
    let warning = run.warning().is(&format!("The previous password still works: {id}"));
    warning.says(&["KIRIM.EMAIL documents a delay: a reset reaches the mail server with a short delay"]);
}

#[test]
fn a_login_that_shows_nothing_proves_nothing() {
    for order in ORDERS {
        let Some(workspace) = made(order) else { return };
        workspace.sandbox.smtp_fault(SmtpFault::reply(Stage::Login, ACCEPTED));
        workspace.sandbox.smtp_fault(SmtpFault::reply(Stage::Login, "454 4.7.0 Later"));
        workspace.write(&of(&workspace, "two", order));
        let warning =
            workspace.apply().warning().is(&format!("Whether the previous password works is unknown: hubspot/{USER}"));
        warning.says(&["replied 454 4.7.0", CHANGED, "The previous password may still work"]);
        assert_eq!(workspace.sandbox.pending_smtp_faults(), 0, "{order}: there is no retry");
        workspace.working_password();
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn without_a_previous_password_none_is_tried() {
    // A create, and the first reset after an import.
    let Some(workspace) = trusting() else { return };
    workspace.write(&of(&workspace, "one", ""));
    workspace.import(&format!("hubspot/{USER}")).succeeded();
    workspace.apply().succeeded();
    for (order, trigger) in ORDERS.into_iter().zip(["two", "three", "four"]) {
        workspace.write(&of(&workspace, trigger, order));
        workspace.sandbox.forget_requests();
        let before = workspace.sandbox.logins().len();
        workspace.apply().quiet();
        let tried = workspace.sandbox.logins().len() - before;
        assert_eq!(tried, if trigger == "two" { 1 } else { 2 }, "{trigger}");
        workspace.working_password();
    }

    // A password that was never stored.
    let Some(workspace) = Workspace::with_write_only() else { return };
    let mut workspace = workspace;
    workspace.trust_mail_server();
    workspace.keep_secret("a-password-of-ones-own");
    let own = |version: &str| {
        let own = format!("password_wo = \"a-password-of-ones-own\"\n  password_wo_version = \"{version}\"");
        block("this", HOSTUP, &format!("{own}\n  {}", verify(&workspace)))
    };
    for version in ["1", "2"] {
        workspace.write(&own(version));
        let before = workspace.sandbox.logins().len();
        workspace.apply().quiet();
        assert_eq!(workspace.sandbox.logins().len() - before, 1, "{version}");
    }
}

#[test]
fn where_a_reset_makes_another_credential_none_is_tried() {
    for order in ORDERS {
        let Some(workspace) = trusting() else { return };
        for trigger in ["one", "two"] {
            workspace.write(&smtpd::key(&arguments(&workspace, trigger, order)));
            let before = workspace.sandbox.logins().len();
            workspace.apply().quiet();
            assert_eq!(workspace.sandbox.logins().len() - before, 1, "{order}: {trigger}");
        }
    }
}

#[test]
fn a_new_password_that_does_not_log_in_leaves_the_previous_one_alone() {
    for order in ORDERS {
        let Some(workspace) = made(order) else { return };
        workspace.sandbox.propagate_after(std::time::Duration::MAX, sandbox::Meanwhile::OldPassword);
        workspace.write(&of(&workspace, "two", order).replace("previous = true", "previous = true, timeout = \"1s\""));
        let run: Run = workspace.apply().succeeded();
        assert_eq!(run.diagnostics.len(), 1, "{order}: {run}");
        assert_eq!(run.diagnostics[0].summary, "The new password did not log in");
        assert!(logins(&workspace).iter().all(|accepted| !accepted), "{order}");
    }
}

fn trusting() -> Option<Workspace> {
    let mut workspace = Workspace::new()?;
    workspace.trust_mail_server();
    Some(workspace)
}

fn verify(workspace: &Workspace) -> String {
    format!("verify = {{ host = \"127.0.0.1\", port = {}, previous = true }}", workspace.sandbox.smtp_port())
}

fn arguments(workspace: &Workspace, trigger: &str, order: &str) -> String {
    format!("rotation_trigger = \"{trigger}\"\n  {}\n  {order}", verify(workspace))
}

fn of(workspace: &Workspace, trigger: &str, order: &str) -> String {
    credential(&arguments(workspace, trigger, order))
}

/// A workspace with a password that has been made.
fn made(order: &str) -> Option<Workspace> {
    let workspace = trusting()?;
    workspace.write(&of(&workspace, "one", order));
    workspace.apply().quiet();
    assert_eq!(logins(&workspace), [true], "there is no previous password to try");
    workspace.sandbox.forget_smtp_connections();
    Some(workspace)
}

/// Whether each login since the last reset's was accepted. The first one made the password.
fn logins(workspace: &Workspace) -> Vec<bool> {
    let logins: Vec<_> = workspace.sandbox.logins().into_iter().map(|login| login.accepted).collect();
    if workspace.resets() > 1 { logins[1..].to_vec() } else { logins }
}
