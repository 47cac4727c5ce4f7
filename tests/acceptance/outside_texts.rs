//! What vendors say reaches the user without a secret in it, in whatever encoding, and without anything that acts on a
//! terminal.

use std::collections::BTreeMap;

use sandbox::{Effect, Fault, HostUp, Operation};
use serde_json::{Value, json};

use crate::support::{HOSTUP, HUBSPOT, MAILBOX, SMTPD, Workspace, block};

const OWN: &str = r#"Tr0ub4dor-&3 "quoted" <x>/y\z"#;
const EPHEMERAL: &str = "variable \"own\" {\n  type = string\n  ephemeral = true\n}\n";
const ODD: &str = "The vendor's response is not as documented";

#[test]
fn a_password_that_a_refusal_repeats_is_redacted_however_it_is_written() {
    for (own, said, shown) in [
        (OWN, r#"`Tr0ub4dor-&3 \"quoted\" <x>/y\\z` is too weak"#, "`[redacted]` is too weak"),
        (OWN, r#"`Tr0ub4dor-\u00263 \"quoted\" \u003Cx\u003e\/y\\z` is too weak"#, "`[redacted]` is too weak"),
        (OWN, "`Tr0ub4dor-&amp;3 &quot;quoted&quot; &lt;x&gt;/y\\z` is too weak", "`[redacted]` is too weak"),
        (OWN, "newPassword=Tr0ub4dor-%263+%22quoted%22+%3Cx%3E%2Fy%5Cz", "newPassword=[redacted]"),
        ("Abc-def!ghi~jkl_mno.pqr", "`Abc-def%21ghi~jkl_mno.pqr` is too weak", "`[redacted]` is too weak"),
        (OWN, "\u{1b}[Tr0ub4dor-&3 \"quoted\" <x>/y\\z is too weak", "[redacted] is too weak"),
        (OWN, "Tr0ub4dor-&3\u{1b}[ \"quoted\" \u{202e}<x>\r\n/y\\z is too weak", "[redacted] is too weak"),
    ] {
        let Some(mut workspace) = Workspace::with_write_only() else { return };
        workspace.keep_secret(own);
        workspace.set("TF_VAR_own", own);
        workspace.write(&(EPHEMERAL.to_owned() + &block("this", HOSTUP, "password_wo = var.own")));
        refuse(&workspace, 400, &json!({"code": "invalid_request", "detail": said}));
        let error = workspace.apply().error().is("HostUp rejected the request");
        error.says(&[&format!("returned 400 invalid_request, “{shown}”"), "The password was not changed."]);
    }
}

#[test]
fn words_that_are_no_secret_are_shown_whole() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&block("this", SMTPD, ""));
    let said = "a key named newsletter with the role send_only exists already";
    refuse(&workspace, 409, &json!({"code": 40901, "message": said}));
    workspace.apply().error().says(&[&format!("“{said}”"), "The password was not changed."]);

    let Some(mut workspace) = Workspace::new() else { return };
    workspace.unset("HUBSPOT_ACCESS_TOKEN");
    for (name, value) in [("ID", "the-client-id"), ("SECRET", "the-client-secret")] {
        workspace.set(&format!("HUBSPOT_CLIENT_{name}"), value);
    }
    workspace.set("HUBSPOT_REFRESH_TOKEN", "the-token-of-the-app");
    workspace.keep_secret("the-client-secret");
    workspace.keep_secret("the-token-of-the-app");
    workspace.write(&block("this", HUBSPOT, ""));
    let said = "missing or invalid refresh_token for the-client-id";
    let body = json!({"category": "BAD_REFRESH_TOKEN", "message": said}).to_string();
    let effect = Effect::Status { status: 401, headers: BTreeMap::new(), body: Some(body) };
    workspace.sandbox.fault(Fault::new(effect).on(Operation::Oauth).before());
    workspace.apply().error().says(&[&format!("BAD_REFRESH_TOKEN, “{said}”"), "The password was not changed."]);
}

#[test]
fn a_user_name_that_holds_a_secret_is_not_shown_and_the_password_is_stored() {
    let Some(mut workspace) = Workspace::with_write_only() else { return };
    workspace.keep_secret(OWN);
    workspace.set("TF_VAR_own", OWN);
    workspace.write(&(EPHEMERAL.to_owned() + &block("this", HOSTUP, "password_wo = var.own")));
    workspace.sandbox.fault(Fault::body(json!({"email": format!("user {OWN}")}).to_string()).on(Operation::Reset));
    workspace.apply().warning().is(ODD);
    assert!(workspace.logs_in_as(MAILBOX, OWN));

    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&block("this", HUBSPOT, "rotation_mode = \"in_place\"\n  rotation_trigger = \"0\""));
    workspace.apply().quiet();
    let token = workspace.environment()["HUBSPOT_ACCESS_TOKEN"].clone();
    for (trigger, named) in [("1", Value::from(token)), ("2", Value::Null)] {
        // The access token, and then the previous password.
        let named = if named.is_null() { workspace.state()["password"].clone() } else { named };
        workspace.write(&block(
            "this",
            HUBSPOT,
            &format!("rotation_mode = \"in_place\"\n  rotation_trigger = \"{trigger}\""),
        ));
        let made = format!("made-by-the-vendor-{trigger}");
        workspace.keep_secret(&made);
        workspace
            .sandbox
            .fault(Fault::body(json!({"password": made, "userName": named}).to_string()).on(Operation::Reset));
        workspace.apply().warning().is(ODD);
        assert_eq!(workspace.state()["password"], made);
    }
}

#[test]
fn a_user_name_that_is_the_new_password_does_not_get_into_the_state() {
    let Some(mut workspace) = Workspace::with_write_only() else { return };
    let id = workspace.add_mailbox("orders@example.com");
    workspace.keep_secret(OWN);
    workspace.set("TF_VAR_own", OWN);
    let target = format!("hostup = {{ account_id = \"{}\", address = \"{id}\" }}", HostUp::ACCOUNT_ID);
    workspace.write(&(EPHEMERAL.to_owned() + &block("this", &target, "password_wo = var.own")));
    let listed = json!({"emailAccounts": [{"id": id, "email": OWN}]}).to_string();
    workspace.sandbox.fault(Fault::body(listed).on(Operation::List).times(10));
    workspace.sandbox.fault(Fault::body(json!({"email": OWN}).to_string()).on(Operation::Reset));
    workspace.apply().warning().is(ODD);
    assert_eq!(workspace.state()["username"], Value::Null);
    assert!(workspace.logs_in_as("orders@example.com", OWN));
}

#[test]
fn an_invalid_host_is_neither_shown_nor_stored() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.sandbox.hostup().server_hostname(HostUp::ACCOUNT_ID, Some("mx\u{1b}]0;owned\u{7}"));
    workspace.write(&block("this", HOSTUP, ""));
    workspace.apply().quiet();
    assert_eq!(workspace.state()["smtp_host"], Value::Null);
    workspace.working_password();
}

#[test]
fn an_invalid_id_is_neither_shown_nor_stored_and_the_password_is() {
    for (number, id) in ["0b0a\r\nError: made up".to_owned(), "0b0a".repeat(15_000)].into_iter().enumerate() {
        let Some(workspace) = Workspace::new() else { return };
        let made = format!("made-by-the-vendor-{number}");
        workspace.keep_secret(&made);
        workspace.write(&block("this", SMTPD, ""));
        let answer = json!({"ID": id, "Key": "kq3vTn8RzYpLw5cXd1Jb", "Secret": made});
        workspace.sandbox.fault(Fault::body(answer.to_string()).on(Operation::Reset));
        let run = workspace.apply();
        assert!(!run.stdout.contains("made up") && !run.stdout.contains("0b0a0b0a"), "{run}");
        run.warning().is(ODD);
        let state = workspace.state();
        assert_eq!([&state["password"], &state["username"]], [&Value::from(made), &"kq3vTn8RzYpLw5cXd1Jb".into()]);
        assert_eq!(state["remote_version"], Value::Null);
    }
}

/// Refuses the next reset in these words, before anything is done.
fn refuse(workspace: &Workspace, status: u16, body: &Value) {
    let effect = Effect::Status { status, headers: BTreeMap::new(), body: Some(body.to_string()) };
    workspace.sandbox.fault(Fault::new(effect).on(Operation::Reset).before());
}
