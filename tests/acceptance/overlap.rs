//! `retire_previous`: where a reset makes a new credential, the previous one may stay valid until the next rotation.

use std::{collections::BTreeSet, time::Duration};

use sandbox::{ApiKey, Effect, Fault, KeyState, Meanwhile, Operation, SmtpFault, Stage};
use serde_json::Value;

use crate::{
    smtpd::{MADE, NAME, NOT_CHANGED, active, key},
    support::{ADDRESS, HUBSPOT, SMTPD, Workspace, block},
};

const OVERLAP: &str = "retire_previous = \"at_next_rotation\"\n  rotation_mode = \"in_place\"";
const AT_ONCE: &str = "retire_previous = \"at_once\"\n  rotation_mode = \"in_place\"";
const MAY_HAVE: &str = "The password may have been changed.";
/// Long enough for a few logins, on a slow machine too.
const BRIEFLY: &str = "timeout = \"10s\"";
const NEVER: Duration = Duration::MAX;

#[test]
fn the_previous_one_works_until_the_next_rotation() {
    let Some(workspace) = made(OVERLAP) else { return };
    assert_eq!(workspace.state()["previous"], Value::Null);
    let mut keys = vec![active(&workspace)];
    for trigger in ["two", "three", "four"] {
        workspace.write(&rotated(trigger, OVERLAP));
        assert_eq!(workspace.planned().get("previous"), None, "it is not known at plan");
        workspace.sandbox.forget_requests();
        workspace.apply_with(&["plan"]).quiet();
        let (state, now) = (workspace.state(), active(&workspace));
        let before = keys.last().expect("the one before");
        assert_eq!([&state["remote_version"], &state["previous"]], [&now.id, &format!("smtpd/{}", before.id)]);
        assert!(workspace.logs_in_as(&before.key, &before.secret), "{trigger}: the previous one works");
        // The one before that is revoked before the new one is made.
        let changes = workspace.requests().into_iter().filter(|line| line == MADE || line.starts_with("PUT "));
        let revoked = keys.iter().rev().nth(1).map(revoked);
        assert_eq!(changes.collect::<Vec<_>>(), revoked.into_iter().chain([MADE.to_owned()]).collect::<Vec<_>>());
        workspace.working_password();
        workspace.plan().nothing_to_do();
        keys.push(now);
    }
    assert_all_are_known(&workspace, &[]);
    workspace.destroy().quiet();
    assert_eq!(ids_of_active(&workspace), BTreeSet::new(), "a destroy revokes both");
}

#[test]
fn at_once_is_the_default() {
    let Some(workspace) = made(AT_ONCE) else { return };
    let old = active(&workspace);
    workspace.write(&rotated("two", AT_ONCE));
    workspace.apply().quiet();
    assert_eq!(workspace.state()["previous"], Value::Null);
    assert!(!workspace.logs_in_as(&old.key, &old.secret));
    workspace.write(&rotated("two", "rotation_mode = \"in_place\""));
    assert_eq!(workspace.plan().action(ADDRESS).as_deref(), Some("update"));
    workspace.apply().quiet();
    assert_eq!(workspace.sandbox.smtpd().resets(NAME), 2, "written out or not, it is the same");
    workspace.plan().nothing_to_do();
}

#[test]
fn a_change_back_revokes_the_previous_one_and_resets_nothing() {
    for back in [AT_ONCE, "rotation_mode = \"in_place\"", "retire_previous = \"at_once\"", ""] {
        let Some((workspace, [old, new])) = overlapping("") else { return };
        workspace.write(&rotated("two", back));
        let planned = workspace.planned();
        assert_eq!([&planned["previous"], &planned["password"]], [&Value::Null, &Value::from(new.secret.as_str())]);
        workspace.apply_with(&["plan"]).quiet();
        assert_eq!(workspace.sandbox.smtpd().resets(NAME), 2, "{back}");
        assert!(!workspace.logs_in_as(&old.key, &old.secret), "{back}");
        assert_eq!((workspace.working_password(), &workspace.state()["previous"]), (new.secret, &Value::Null));
        workspace.plan().nothing_to_do();
        assert_all_are_known(&workspace, &[]);
    }
}

#[test]
fn a_change_back_that_cannot_revoke_keeps_the_previous_one_in_the_state() {
    let Some((workspace, [old, _])) = overlapping("") else { return };
    let state = workspace.state();
    for (fault, summary) in [
        (Fault::status(403).before(), "SMTPD denied access"),
        (unconfirmed(), "The outcome of the revocation is unknown"),
    ] {
        workspace.sandbox.fault(fault.on(Operation::Revoke));
        workspace.write(&rotated("two", AT_ONCE));
        let error = workspace.apply().error().is(summary);
        error.says(&[&format!("Revoking `{}`, the previous credential of `smtpd/{NAME}`", old.id), NOT_CHANGED]);
        assert_eq!(workspace.stored().0[ADDRESS]["password"], state["password"]);
        assert_eq!(workspace.state()["previous"], state["previous"], "{summary}");
    }
    workspace.apply().quiet();
    assert!(!workspace.logs_in_as(&old.key, &old.secret));
    workspace.plan().nothing_to_do();
}

#[test]
fn a_change_back_together_with_a_rotation_revokes_both() {
    let Some((workspace, [old, new])) = overlapping("") else { return };
    workspace.write(&rotated("three", AT_ONCE));
    workspace.apply().quiet();
    for key in [old, new] {
        assert!(!workspace.logs_in_as(&key.key, &key.secret));
    }
    workspace.working_password();
    assert_eq!(workspace.state()["previous"], Value::Null);
    workspace.plan().nothing_to_do();
}

#[test]
fn a_replacement_revokes_both() {
    let create_first = "lifecycle { create_before_destroy = true }";
    for order in ["", create_first] {
        let overlap = format!("{OVERLAP}\n  {order}");
        for (name, options) in [("newsletter", &["-replace=smtp_credential_password.this"][..]), ("billing", &[])] {
            let Some((workspace, [old, new])) = overlapping(order) else { return };
            workspace.write(&rotated("two", &overlap).replace(NAME, name));
            workspace.apply_with(options).quiet();
            for key in [&old, &new] {
                assert!(!workspace.logs_in_as(&key.key, &key.secret), "{order} {name}");
            }
            workspace.working_password();
            assert_eq!(workspace.state()["previous"], Value::Null);
            workspace.plan().nothing_to_do();
            assert_all_are_known(&workspace, &[]);
        }
    }
}

#[test]
fn a_replacement_that_fails_names_both() {
    let Some((workspace, [old, new])) = overlapping("") else { return };
    workspace.sandbox.fault(Fault::status(403).on(Operation::Reset).before());
    let error = workspace.apply_with(&["-replace=smtp_credential_password.this"]).error();
    error.says(&[NOT_CHANGED, &format!("The previous credentials, `{}`, `{}`, still work", old.id, new.id)]);
    for key in [&old, &new] {
        assert!(workspace.logs_in_as(&key.key, &key.secret));
    }
}

#[test]
fn a_destroy_that_cannot_revoke_one_keeps_both_in_the_state() {
    for revoked in [0, 1] {
        let Some((workspace, [old, new])) = overlapping("") else { return };
        if revoked == 1 {
            // The first revocation goes well.
            workspace.sandbox.fault(Fault::new(Effect::Delay(Duration::ZERO)).on(Operation::Revoke).before());
        }
        workspace.sandbox.fault(Fault::status(403).on(Operation::Revoke).before());
        workspace.destroy().error().is("SMTPD denied access").says(&[NOT_CHANGED]);
        assert_eq!(workspace.working_password(), new.secret, "the current one is revoked last");
        assert_eq!(workspace.logs_in_as(&old.key, &old.secret), revoked == 0);
        assert_eq!(workspace.state()["previous"], format!("smtpd/{}", old.id));
        assert_all_are_known(&workspace, &[]);
        workspace.destroy().quiet();
        assert_eq!(ids_of_active(&workspace), BTreeSet::new());
    }
}

#[test]
fn a_rotation_that_cannot_revoke_the_one_before_resets_nothing() {
    for (fault, summary) in [
        (Fault::status(403).before(), "SMTPD denied access"),
        (unconfirmed(), "The outcome of the revocation is unknown"),
    ] {
        let Some((workspace, [old, new])) = overlapping("") else { return };
        workspace.sandbox.fault(fault.on(Operation::Revoke));
        workspace.write(&rotated("three", OVERLAP));
        let error = workspace.apply().error().is(summary);
        error.says(&[&format!("Revoking `{}`, the previous credential", old.id), NOT_CHANGED]);
        assert_eq!(workspace.sandbox.smtpd().resets(NAME), 2, "{summary}");
        assert_eq!(workspace.working_password(), new.secret);
        assert_eq!(workspace.state()["previous"], format!("smtpd/{}", old.id), "{summary}");
        workspace.apply().quiet();
        assert_eq!(workspace.state()["previous"], format!("smtpd/{}", new.id));
        assert_all_are_known(&workspace, &[]);
    }
}

#[test]
fn a_rotation_that_fails_after_the_revocation_has_no_previous_one() {
    for (fault, outcome) in [
        (Fault::status(403).before(), NOT_CHANGED),
        (Fault::status(500).before(), MAY_HAVE),
        (Fault::new(Effect::Close), MAY_HAVE),
        (Fault::new(Effect::Truncate(10)), "The password was changed."),
    ] {
        let Some((workspace, [old, new])) = overlapping("") else { return };
        workspace.sandbox.fault(fault.on(Operation::Reset));
        workspace.write(&rotated("three", OVERLAP));
        let error = workspace.apply().error().says(&[outcome, "the credential before it, was revoked first."]);
        assert!(!workspace.logs_in_as(&old.key, &old.secret));
        assert_eq!((workspace.working_password(), &workspace.state()["previous"]), (new.secret, &Value::Null));
        assert_eq!(workspace.state()["rotation_trigger"], "two");
        assert_all_are_known(&workspace, &[&error.detail]);
        let orphans: Vec<_> = ids_of_active(&workspace).into_iter().filter(|id| *id != new.id).collect();
        workspace.apply().quiet();
        assert_eq!(workspace.state()["previous"], format!("smtpd/{}", new.id));
        workspace.working_password();
        for id in orphans {
            workspace.sandbox.smtpd().revoke(&id);
        }
        assert_all_are_known(&workspace, &[]);
    }
}

#[test]
fn a_check_that_fails_revokes_nothing() {
    let Some((workspace, [old, new])) = overlapping("") else { return };
    workspace.sandbox.fault(Fault::status(500).on(Operation::List).before().times(20));
    workspace.write(&rotated("three", OVERLAP));
    workspace.apply_with(&["-refresh=false"]).error().says(&[NOT_CHANGED]);
    workspace.sandbox.clear_faults();
    for key in [&old, &new] {
        assert!(workspace.logs_in_as(&key.key, &key.secret));
    }
    assert_eq!(workspace.state()["previous"], format!("smtpd/{}", old.id));
}

#[test]
fn a_refused_new_one_is_taken_back() {
    let Some((workspace, [old, new])) = overlapping("") else { return };
    let overlap = verified(&workspace, BRIEFLY);
    let stored = workspace.state();
    workspace.sandbox.propagate_after(NEVER, Meanwhile::NoPassword);
    workspace.write(&rotated("three", &overlap));
    let error = workspace.apply().error().is("The rotation was undone");
    let refused = workspace.sandbox.smtpd().keys().pop().expect("a third key");
    error.says(&[
        "replied 535 5.7.8: it rejects the user name or the password.",
        "The state has the old credential again.",
        &format!("The new credential, `{}`, is revoked.", refused.id),
        NOT_CHANGED,
        "raise `verify.timeout`",
    ]);
    assert_eq!(refused.state, KeyState::Revoked);
    let state = workspace.state();
    for name in
        ["password", "username", "remote_version", "rotated_at", "rotation_version", "verified", "rotation_trigger"]
    {
        assert_eq!(state[name], stored[name], "{name}");
    }
    assert_eq!(state["previous"], Value::Null, "the one before was revoked first");
    assert!(!workspace.logs_in_as(&old.key, &old.secret) && workspace.logs_in_as(&new.key, &new.secret));
    assert_all_are_known(&workspace, &[]);

    workspace.sandbox.propagate_at_once();
    workspace.apply().quiet();
    assert_eq!(workspace.state()["verified"], true);
    assert_eq!(workspace.state()["previous"], format!("smtpd/{}", new.id));
    workspace.working_password();
    workspace.plan().nothing_to_do();
}

#[test]
fn a_refused_new_one_that_cannot_be_revoked_is_named() {
    for (fault, words) in
        [(Fault::status(403).before(), "returned 403 40300"), (unconfirmed(), "the key is still active after it")]
    {
        let Some(workspace) = made(OVERLAP) else { return };
        let workspace = trusting(workspace);
        let old = active(&workspace);
        workspace.sandbox.propagate_after(NEVER, Meanwhile::NoPassword);
        workspace.sandbox.fault(fault.on(Operation::Revoke));
        workspace.write(&rotated("two", &verified(&workspace, BRIEFLY)));
        let error = workspace.apply().error().is("The rotation was undone");
        let refused = workspace.sandbox.smtpd().keys().pop().expect("a second key");
        let by_hand = format!("`{}` may still be valid: revoke it by hand.", refused.id);
        let error = error.says(&[words, NOT_CHANGED, &by_hand]);
        assert_eq!((workspace.working_password(), &workspace.state()["remote_version"]), (old.secret, &old.id.into()));
        assert_all_are_known(&workspace, &[&error.detail]);
    }
}

#[test]
fn a_server_that_says_anything_else_undoes_nothing() {
    for effect in ["454 4.7.0 Later", "534 5.7.9 Too weak", "535 5.7.139 Disabled"] {
        let Some(workspace) = made(OVERLAP) else { return };
        let workspace = trusting(workspace);
        let old = active(&workspace);
        workspace.sandbox.smtp_fault(SmtpFault::reply(Stage::Login, effect).always());
        workspace.write(&rotated("two", &verified(&workspace, BRIEFLY)));
        workspace.apply().warning().is("The new password did not log in");
        workspace.sandbox.clear_smtp_faults();
        assert_eq!(workspace.state()["verified"], false);
        assert_eq!(workspace.state()["previous"], format!("smtpd/{}", old.id), "{effect}");
        workspace.working_password();
        assert_all_are_known(&workspace, &[]);
    }
}

#[cfg(unix)]
#[test]
fn a_stop_undoes_nothing() {
    let Some(workspace) = made(OVERLAP) else { return };
    let workspace = trusting(workspace);
    let old = active(&workspace);
    workspace.sandbox.propagate_after(NEVER, Meanwhile::NoPassword);
    workspace.write(&rotated("two", &verified(&workspace, "timeout = \"10m\"")));
    let logins = workspace.sandbox.logins().len();
    let run = crate::verify::interrupted_when(&workspace, || workspace.sandbox.logins().len() > logins);
    assert!(run.diagnostics.iter().any(|said| said.summary == "The new password was not verified"), "{run}");
    let state = workspace.state();
    assert_eq!([&state["verified"], &state["previous"]], [&Value::Null, &format!("smtpd/{}", old.id).into()]);
    assert_eq!(state["remote_version"], active(&workspace).id);
    assert_all_are_known(&workspace, &[]);
}

#[test]
fn a_previous_one_that_is_gone_is_forgotten() {
    let Some((workspace, [old, new])) = overlapping("") else { return };
    workspace.sandbox.smtpd().revoke(&old.id);
    workspace.refresh().quiet();
    assert_eq!(workspace.state()["previous"], Value::Null);
    assert_eq!(workspace.working_password(), new.secret);
    workspace.plan().nothing_to_do();
}

#[test]
fn a_previous_one_is_named_where_the_current_one_is_gone() {
    let Some((workspace, [old, new])) = overlapping("") else { return };
    workspace.sandbox.smtpd().revoke(&new.id);
    let run = workspace.refresh().succeeded();
    let said: Vec<_> = run.diagnostics.iter().map(|said| said.detail.as_str()).collect();
    assert_eq!(said.len(), 2, "{run}");
    assert!(said.iter().any(|said| said.contains(&format!("Revoke `{}` by hand", old.id))), "{run}");
    assert_eq!(workspace.addresses(), [""; 0]);
    assert_all_are_known(&workspace, &said);
}

#[test]
fn a_key_whose_id_was_never_returned_is_named_by_its_user() {
    for (overlap, trigger) in [(OVERLAP, "two"), (AT_ONCE, "two")] {
        let Some(workspace) = Workspace::new() else { return };
        workspace.write(&rotated("one", overlap));
        workspace.apply().quiet();
        let old = active(&workspace);
        // As if the response to its reset had not contained the id.
        let text = std::fs::read_to_string(workspace.path("terraform.tfstate")).expect("the state");
        let unknown = text.replace(&format!("\"remote_version\": \"{}\"", old.id), "\"remote_version\": null");
        assert_ne!(text, unknown);
        workspace.file("terraform.tfstate", &unknown);
        workspace.write(&rotated(trigger, overlap));
        let warning =
            workspace.apply().warning().is(&format!("The previous credential may still be valid: {}", old.key));
        warning.says(&[&format!("with the user name `{}`", old.key), "Revoke it by hand"]);
        assert_eq!(workspace.state()["previous"], Value::Null);
        workspace.working_password();
    }
}

/// The previous one still works, so the provider may be logging in with it.
#[test]
fn the_key_that_the_provider_logs_in_with_is_not_revoked_as_the_previous_one() {
    let Some(mut workspace) = Workspace::new() else { return };
    let write = |workspace: &Workspace, trigger: &str, arguments: &str| {
        let target = SMTPD.replace("send_only", "iac");
        workspace.write(&block("this", &target, &format!("rotation_trigger = \"{trigger}\"\n  {arguments}")));
    };
    write(&workspace, "one", OVERLAP);
    workspace.apply().quiet();
    let own = active(&workspace);
    write(&workspace, "two", OVERLAP);
    workspace.apply().quiet();
    let before = workspace.state();
    workspace.set("SMTPD_API_KEY", &own.key);
    workspace.set("SMTPD_API_SECRET", &own.secret);
    for (trigger, arguments) in [("three", OVERLAP), ("two", AT_ONCE)] {
        write(&workspace, trigger, arguments);
        let error = workspace.apply().error().is("The provider logs in with this credential");
        error.says(&["would lock itself out by revoking it", NOT_CHANGED]);
        assert_eq!((workspace.state(), workspace.sandbox.smtpd().resets(NAME)), (before.clone(), 2));
        assert!(workspace.logs_in_as(&own.key, &own.secret), "{trigger}");
    }
    workspace.destroy().error().is("The provider logs in with this credential");
    assert!(workspace.logs_in_as(&own.key, &own.secret));
}

#[test]
fn an_overlap_needs_updates_and_new_credentials() {
    let Some(workspace) = Workspace::new() else { return };
    let line = |setting: &str| format!("retire_previous = \"{setting}\"");
    for (target, arguments, setting, summary, words) in [
        (
            SMTPD,
            "",
            "at_next_rotation",
            "Invalid value for `retire_previous`",
            "requires `rotation_mode = \"in_place\"`",
        ),
        (
            SMTPD,
            "rotation_mode = \"replace\"",
            "at_next_rotation",
            "Invalid value for `retire_previous`",
            "requires `rotation_mode = \"in_place\"`",
        ),
        (SMTPD, "", "later", "Invalid value for `retire_previous`", "must be `at_once` or `at_next_rotation`"),
        (SMTPD, "", "", "Invalid value for `retire_previous`", "must be `at_once` or `at_next_rotation`"),
        (HUBSPOT, "", "at_once", "HubSpot resets passwords in place", "there is no previous credential to revoke"),
        (
            HUBSPOT,
            "rotation_mode = \"in_place\"",
            "at_next_rotation",
            "HubSpot resets passwords in place",
            "`retire_previous` cannot be set",
        ),
    ] {
        workspace.write(&block("this", target, &format!("{}\n  {arguments}", line(setting))));
        workspace.validate().error().is(summary).says(&[words]).points_at(&line(setting));
    }
    workspace.write(&key(&line("at_once")));
    workspace.validate().quiet();
    assert_eq!(workspace.requests(), [""; 0]);
}

/// Insists that each key that works is in the state, or named by one of these texts.
#[track_caller]
fn assert_all_are_known(workspace: &Workspace, texts: &[&str]) {
    let (stored, deposed) = workspace.stored();
    let held = stored.values().chain(&deposed).map(Value::to_string).collect::<String>();
    for id in ids_of_active(workspace) {
        assert!(held.contains(&id) || texts.iter().any(|text| text.contains(&id)), "nobody knows of {id}");
    }
}

/// The keys that resets have made and that work.
fn ids_of_active(workspace: &Workspace) -> BTreeSet<String> {
    let own = &workspace.sandbox.smtpd().login_key().id;
    let keys = workspace.sandbox.smtpd().keys().into_iter();
    keys.filter(|key| key.state == KeyState::Active && key.id != *own).map(|key| key.id).collect()
}

fn rotated(trigger: &str, arguments: &str) -> String {
    key(&format!("rotation_trigger = \"{trigger}\"\n  {arguments}"))
}

fn verified(workspace: &Workspace, settings: &str) -> String {
    let port = workspace.sandbox.smtp_port();
    format!("{OVERLAP}\n  verify = {{ host = \"127.0.0.1\", port = {port}, {settings} }}")
}

/// A workspace with one key made.
fn made(arguments: &str) -> Option<Workspace> {
    let workspace = Workspace::new()?;
    workspace.write(&rotated("one", arguments));
    workspace.apply().quiet();
    Some(workspace)
}

fn trusting(mut workspace: Workspace) -> Workspace {
    workspace.trust_mail_server();
    workspace
}

/// A workspace with two keys that work, the older first.
fn overlapping(arguments: &str) -> Option<(Workspace, [ApiKey; 2])> {
    let overlap = format!("{OVERLAP}\n  {arguments}");
    let workspace = trusting(made(&overlap)?);
    let old = active(&workspace);
    workspace.write(&rotated("two", &overlap));
    workspace.apply().quiet();
    let new = active(&workspace);
    assert_eq!(workspace.state()["previous"], format!("smtpd/{}", old.id));
    workspace.sandbox.forget_requests();
    Some((workspace, [old, new]))
}

/// A response to a revocation that revokes nothing and is not one that the vendor documents.
fn unconfirmed() -> Fault {
    Fault::body("{\"status\":\"queued\"}").before()
}

fn revoked(key: &ApiKey) -> String {
    format!("PUT /api/v1/account/api_key/{}/revoke 200", key.id)
}
