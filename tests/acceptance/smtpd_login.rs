//! Logging in at `SMTPD`: once for each process, and never with a key that is about to be revoked.

use sandbox::{Fault, Operation, Role};

use crate::{
    smtpd::{LIST, LOGIN, LOGOUT, MADE, NAME, NOT_CHANGED, ORDERS, key, rotating},
    support::{ADDRESS, Workspace, block},
};

#[test]
fn the_key_that_the_provider_is_logged_in_with_is_never_revoked() {
    let Some(workspace) = Workspace::new() else { return };
    let own = workspace.sandbox.smtpd().login_key().clone();
    let configuration = |trigger: &str, order: &str| {
        let target = r#"smtpd = { name = "terraform", role = "iac" }"#;
        workspace.write(&block("this", target, &format!("rotation_trigger = \"{trigger}\"\n  {order}")));
    };
    configuration("one", "");
    workspace.import(&format!("smtpd/{}", own.id)).succeeded();
    workspace.apply().succeeded();
    let state = workspace.state();
    workspace.sandbox.forget_requests();
    for order in ORDERS {
        configuration("two", order);
        let error = workspace.plan().error().is("The provider logs in with this credential");
        error.says(&["the provider logs in with this API key", NOT_CHANGED, "Log in to SMTPD with another credential"]);
    }
    // With a reset that is due, core plans that first; without one, it goes on to destroy the credential.
    for (trigger, step) in
        [("two", "Planning `smtpd/terraform`"), ("one", "Revoking the credential of `smtpd/terraform`")]
    {
        configuration(trigger, "");
        let error = workspace.destroy().error().is("The provider logs in with this credential");
        let error = error.says(&[step, "the provider logs in with this API key", NOT_CHANGED]);
        assert!(!error.detail.contains("before the reset"), "{}", error.detail);
    }
    assert_eq!(workspace.state(), state);
    assert!(!workspace.requests().iter().any(|line| line == MADE || line.starts_with("PUT ")));
    assert!(workspace.logs_in_as(&own.key, &own.secret));
}

#[test]
fn a_refused_login_says_so_although_it_comes_with_403() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.set("SMTPD_API_SECRET", "not-the-secret-at-all");
    workspace.keep_secret("not-the-secret-at-all");
    workspace.write(&key(""));
    let error = workspace.apply().error().is("SMTPD refused the credentials");
    error.says(&[
        &format!("Checking `smtpd/{NAME}` before the reset"),
        "returned 403 40102, “Username and password are incorrect”.",
        NOT_CHANGED,
        "not used for 90 days",
    ]);
    assert!(
        workspace.requests().iter().all(|line| line.starts_with("POST /oauth/token")),
        "{:?}",
        workspace.requests()
    );
}

#[test]
fn a_user_may_log_in_in_place_of_a_key() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.sandbox.smtpd().add_user("owner@example.com", "a-pass phrase: with spaces");
    workspace.keep_secret("a-pass phrase: with spaces");
    workspace.unset("SMTPD_API_KEY");
    workspace.unset("SMTPD_API_SECRET");
    workspace.set("SMTPD_USERNAME", "owner@example.com");
    workspace.set("SMTPD_PASSWORD", "a-pass phrase: with spaces");
    workspace.write(&key(""));
    workspace.apply().quiet();
    workspace.working_password();
    workspace.plan().nothing_to_do();
}

#[test]
fn a_role_that_may_not_create_keys_is_reported() {
    let Some(mut workspace) = Workspace::new() else { return };
    let reader = workspace.sandbox.smtpd().add_key("reader", Role::ReadOnly);
    workspace.set("SMTPD_API_KEY", &reader.key);
    workspace.set("SMTPD_API_SECRET", &reader.secret);
    workspace.write(&key(""));
    let error = workspace.apply().error().is("SMTPD denied access");
    error.says(&["returned 403 40300", NOT_CHANGED, "the role `iac` is meant for"]);
    assert_eq!(workspace.sandbox.smtpd().resets(NAME), 0);
}

#[test]
fn a_token_that_is_refused_is_fetched_again_once() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&key(""));
    for operation in [Operation::List, Operation::Reset] {
        workspace.sandbox.forget_requests();
        workspace.sandbox.fault(Fault::status(401).times(2).on(operation).before());
        workspace.apply().error().is("SMTPD refused the credentials").says(&["returned 401 40100", NOT_CHANGED]);
        assert_eq!(logins(&workspace), 2, "{operation:?}");
        assert_eq!(workspace.sandbox.pending_faults(), 0);
    }
    workspace.sandbox.fault(Fault::status(401).on(Operation::Reset).before());
    workspace.apply().quiet();
    assert_eq!(workspace.sandbox.smtpd().resets(NAME), 1);
    workspace.working_password();
}

#[test]
fn one_login_and_one_list_serve_many_keys() {
    let Some(workspace) = Workspace::new() else { return };
    let keys = |trigger: &str| {
        let arguments = format!("for_each = toset([\"a\", \"b\", \"c\", \"d\"])\n  rotation_trigger = \"{trigger}\"");
        workspace.write(&key(&arguments).replace(&format!("\"{NAME}\""), "each.key"));
        workspace.sandbox.forget_requests();
        workspace.apply().quiet();
        let count = |line: &str| workspace.requests().iter().filter(|found| *found == line).count();
        [logins(&workspace), count(LIST), count(MADE), count(LOGOUT)]
    };
    assert_eq!(keys("one"), [1, 1, 4, 1]);
    let old = workspace.sandbox.smtpd().keys();
    assert_eq!(keys("two"), [2, 2, 4, 2]);
    for name in ["a", "b", "c", "d"] {
        workspace.working_password_of(&format!("{ADDRESS}[\"{name}\"]"));
    }
    let made = old.iter().filter(|old| old.id != workspace.sandbox.smtpd().login_key().id);
    assert!(made.into_iter().all(|old| !workspace.logs_in_as(&old.key, &old.secret)));
}

#[test]
fn a_login_that_does_not_work_deletes_nothing() {
    for order in ORDERS {
        let Some(mut workspace) = rotating(order) else { return };
        let state = workspace.state();
        workspace.set("SMTPD_API_SECRET", "not-the-secret-at-all");
        workspace.keep_secret("not-the-secret-at-all");
        let error = workspace.apply_with(&["-refresh=false"]).error().is("SMTPD refused the credentials");
        error.says(&["returned 403 40102", NOT_CHANGED]);
        assert_eq!(workspace.state(), state, "{order}");
        workspace.working_password();
    }
}

fn logins(workspace: &Workspace) -> usize {
    workspace.requests().iter().filter(|line| *line == LOGIN).count()
}
