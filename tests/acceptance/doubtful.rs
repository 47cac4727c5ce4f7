//! What is not the vendor's word: lists that contradict the state, agreement and refusal of something in between, a new
//! key that is an old one.

use std::collections::BTreeMap;

use sandbox::{Effect, Fault, HubSpot, Operation, Role};

use crate::support::{
    ADDRESS, HOSTUP, HUBSPOT, KIRIM_EMAIL, MAILBOX, SMTPD, USER, Workspace, block, credential, provider,
};

use super::{
    several,
    smtpd::{NAME, ORDERS},
};

const NOT_CHANGED: &str = "The password was not changed.";
const MAY_HAVE: &str = "The password may have been changed.";
const STATE_RM: &str = "`terraform state rm`";

/// A vendor, and the generation of its API where it has several.
struct Row {
    /// The provider block.
    head: String,
    target: &'static str,
    /// Whether a credential that is on no list can be asked for by itself.
    has_single_call: bool,
    empty_list: &'static str,
    /// A list of somebody else's credential.
    others_list: &'static str,
}

fn rows() -> [Row; 6] {
    let row = |target, has_single_call, empty_list, others_list| Row {
        head: String::new(),
        target,
        has_single_call,
        empty_list,
        others_list,
    };
    let later = |generation: &str| Row {
        head: provider(&format!("api_version = \"{generation}\"")),
        ..row(HUBSPOT, true, r#"{"results": []}"#, r#"{"results": [{"id": "someone-else@example.com"}]}"#)
    };
    [
        row(HUBSPOT, false, "[]", r#"[{"userName": "someone-else@example.com", "deleted": false}]"#),
        later("v3"),
        later("2026-03"),
        row(
            KIRIM_EMAIL,
            true,
            r#"{"success": true, "data": []}"#,
            r#"{"success": true, "data": [{"user_smtp_guid": "another"}]}"#,
        ),
        row(
            HOSTUP,
            false,
            r#"{"emailAccounts": []}"#,
            r#"{"emailAccounts": [{"id": "mail_1", "email": "someone-else@example.com"}]}"#,
        ),
        row(SMTPD, true, "[]", r#"[{"id": "another", "is_active": true}]"#),
    ]
}

#[test]
fn one_empty_list_drops_and_resets_nothing() {
    for Row { head, target, has_single_call, empty_list: list, .. } in rows() {
        let Some(workspace) = Workspace::new() else { return };
        workspace.write(&(head + &block("this", target, "")));
        workspace.apply().quiet();
        let state = workspace.state();
        let resets = workspace.resets_everywhere();
        workspace.sandbox.fault(Fault::body(list).on(Operation::List));
        if has_single_call {
            // The vendor is asked for the credential by itself, and has it.
            workspace.apply().quiet();
        } else {
            let error = workspace.apply().error();
            error.says(&["the list of credentials is empty, though the state holds one", NOT_CHANGED, STATE_RM]);
        }
        assert_eq!(workspace.state(), state, "{target} {list}");
        assert_eq!(workspace.resets_everywhere(), resets, "{target} {list}");
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn one_list_without_the_credential_drops_and_resets_nothing() {
    for Row { head, target, others_list: list, .. } in rows() {
        let Some(workspace) = Workspace::new() else { return };
        workspace.write(&(head + &block("this", target, "")));
        workspace.apply().quiet();
        let (state, resets) = (workspace.state(), workspace.resets_everywhere());
        workspace.sandbox.fault(Fault::body(list).on(Operation::List));
        workspace.apply().quiet();
        assert_eq!(workspace.state(), state, "{target}");
        assert_eq!(workspace.resets_everywhere(), resets, "{target}");
        workspace.plan().nothing_to_do();
    }
}

/// What was removed at a vendor that cannot be asked about it alone: the user gets on.
#[test]
fn a_removed_mailbox_is_dropped_unless_it_was_the_last_one() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.add_mailbox("another@example.com");
    workspace.write(&block("this", HOSTUP, ""));
    workspace.apply().quiet();
    workspace.sandbox.hostup().remove(MAILBOX);
    workspace.refresh().warning().is("A stored password was removed from state");
    assert_eq!(workspace.addresses(), [""; 0]);

    workspace.add_mailbox(MAILBOX);
    workspace.apply().quiet();
    workspace.sandbox.hostup().remove(MAILBOX);
    workspace.sandbox.hostup().remove("another@example.com");
    let error = workspace.refresh().error().is("HostUp's list of credentials is inconsistent");
    error.says(&[STATE_RM, NOT_CHANGED]);
    assert_eq!(workspace.addresses(), [ADDRESS]);
    workspace.run(&["state", "rm", "-no-color", ADDRESS]).succeeded();
    workspace.write("");
    workspace.plan().nothing_to_do();
}

/// A list that was fetched before a credential was made does not keep the credential from being reset.
#[test]
fn a_list_older_than_a_credential_proves_nothing() {
    let Some(workspace) = Workspace::new() else { return };
    let late = format!("late@{}.smtp.hubspot.net", HubSpot::PORTAL_ID);
    workspace.add_credential(&late);
    let listed = format!("[{{\"userName\": \"{USER}\"}}]");
    workspace.sandbox.fault(Fault::body(listed).on(Operation::List));
    workspace.write(
        &(credential("") + &crate::support::resource("late", &late, "depends_on = [smtp_credential_password.this]")),
    );
    workspace.apply().quiet();
    workspace.working_password_of("smtp_credential_password.late");
}

#[test]
fn a_refusal_of_something_in_between_is_not_the_vendors() {
    let refusals = [
        ("text/html", "<html>Blocked by policy</html>"),
        ("application/json", r#"{"message": "Forbidden"}"#),
        ("application/json", r#"{"error": "blocked", "status": 403}"#),
        ("application/problem+json", r#"{"title": "Forbidden", "status": 403, "detail": "No."}"#),
        ("application/json", ""),
    ];
    let vendors = [("HubSpot", HUBSPOT), ("KIRIM.EMAIL", KIRIM_EMAIL), ("HostUp", HOSTUP), ("SMTPD", SMTPD)];
    let Some(workspace) = Workspace::new() else { return };
    let resource = |(row, (_, target)): (usize, (&str, &str))| block(&format!("row-{row}"), target, "");
    workspace.write(&vendors.into_iter().enumerate().map(resource).collect::<String>());
    for (status, (media, body)) in [400, 401, 403, 404, 409].into_iter().zip(refusals) {
        let fault = Fault::new(said(status, media, body)).on(Operation::Reset).before();
        workspace.sandbox.fault(fault.times(vendors.len()));
        let failed = workspace.apply().failed();
        assert_eq!(failed.diagnostics.len(), vendors.len(), "{failed}");
        for (row, (vendor, _)) in vendors.into_iter().enumerate() {
            let error = several::said(&failed, row).is(&format!("{vendor}'s response is not as documented"));
            let answered = format!("returned {status}");
            let error = error.says(&[
                &answered,
                "but the body is not in the API's error format",
                NOT_CHANGED,
                "`base_url`",
                "proxy",
            ]);
            assert!(error.severity == "error" && !error.detail.contains("The token needs"), "{error:?}");
        }
    }
    assert_eq!((workspace.resets_everywhere(), workspace.sandbox.pending_faults()), (0, 0));
}

#[test]
fn a_page_that_says_200_sets_no_password() {
    let Some(workspace) = Workspace::new() else { return };
    let in_place =
        |trigger| block("this", HOSTUP, &format!("rotation_mode = \"in_place\"\n  rotation_trigger = \"{trigger}\""));
    workspace.write(&in_place("one"));
    workspace.apply().quiet();
    let password = workspace.working_password();
    workspace.write(&in_place("two"));
    let page = said(200, "text/html", "<html>Under maintenance</html>");
    workspace.sandbox.fault(Fault::new(page).on(Operation::Reset).before().times(4));
    let error = workspace.apply().error().is("The outcome of the reset is unknown");
    error.says(&["returned 200, but the body is not in the API's error format", MAY_HAVE, "`base_url`", "Apply again"]);
    assert_eq!(workspace.working_password(), password, "the live password stays in the state");
    workspace.apply().quiet();
    assert_ne!(workspace.working_password(), password);
    workspace.plan().nothing_to_do();
}

#[test]
fn an_address_in_other_letters_is_reset_as_the_vendor_writes_it() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&block("this", &HOSTUP.replace("info@", "Info@"), ""));
    workspace.apply().quiet();
    let password = workspace.state()["password"].as_str().map(str::to_owned).expect("a password");
    assert!(workspace.logs_in_as(MAILBOX, &password));
    workspace.plan().nothing_to_do();
}

/// A vendor that answers the request for a new key with the one that is there already, and with another secret.
#[test]
fn a_key_that_was_just_made_is_not_revoked_as_its_own_predecessor() {
    for order in ORDERS {
        let Some(workspace) = Workspace::new() else { return };
        let write =
            |trigger| workspace.write(&block("this", SMTPD, &format!("rotation_trigger = \"{trigger}\"\n  {order}")));
        write("one");
        workspace.apply().quiet();
        let id = workspace.state()["remote_version"].clone();
        workspace.sandbox.smtpd().reuse_keys();
        write("two");
        let run = workspace.apply().succeeded();
        let summaries: Vec<_> = run.diagnostics.iter().map(|warning| warning.summary.as_str()).collect();
        let expected = match order {
            // The deletion of the object that was replaced.
            order if order.contains("create_before_destroy") => "The credential was not revoked",
            _ => "The previous credential was not revoked",
        };
        let expected = format!("{expected}: {}", id.as_str().expect("an id"));
        assert_eq!(summaries, [expected], "{order}");
        assert_eq!(workspace.state()["remote_version"], id, "{order}");
        workspace.working_password();
        workspace.plan().nothing_to_do();
        workspace.destroy().quiet();
        assert!(workspace.sandbox.smtpd().key_named(NAME).is_none(), "{order}: a real destroy revokes it");
    }
}

#[test]
fn of_two_resources_of_one_name_none_revokes_what_the_other_holds() {
    for order in ORDERS {
        let Some(workspace) = Workspace::new() else { return };
        let both = |trigger: &str, names: &[&str]| {
            let arguments = format!("rotation_trigger = \"{trigger}\"\n  {order}");
            workspace.write(&names.iter().map(|name| block(name, SMTPD, &arguments)).collect::<String>());
        };
        both("one", &["one", "two"]);
        workspace.apply().quiet();
        workspace.sandbox.smtpd().add_key("another", Role::SendOnly);
        workspace.sandbox.smtpd().reuse_keys();
        both("two", &["one", "two"]);
        workspace.apply_with(&["-parallelism=1"]).succeeded();
        let id = |name: &str| workspace.state_of(&format!("smtp_credential_password.{name}"))["remote_version"].clone();
        let keys = workspace.sandbox.smtpd().keys();
        for name in ["one", "two"] {
            let held = keys.iter().find(|key| id(name) == key.id).expect("the key is there");
            assert!(workspace.sandbox.smtpd().password(&held.key).is_some(), "{order}: {name} holds a revoked key");
        }
    }
}

fn said(status: u16, media: &str, body: &str) -> Effect {
    let headers = BTreeMap::from([("Content-Type".to_owned(), media.to_owned())]);
    Effect::Status { status, headers, body: Some(body.to_owned()) }
}
