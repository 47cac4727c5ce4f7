//! [`HostUp`], whose mailboxes accept the password that the caller makes.

use sandbox::{Fault, HostUp, Operation, Sandbox};
use serde_json::{Value, json};

use crate::{
    client::{Answer, send},
    smtp::logs_in,
};

// ---- Documented requests ----

#[test]
fn a_documented_reset_is_answered_as_documented() {
    let sandbox = with_mailbox();
    let answer = reset(&sandbox, RESET, r#"{"newPassword": "YOUR_NEW_MAILBOX_PASSWORD"}"#);
    assert_eq!((answer.status, answer.text()), (200, format!(r#"{{"email":"{USER}"}}"#)));
    assert_eq!(sandbox.hostup().password(USER).as_deref(), Some("YOUR_NEW_MAILBOX_PASSWORD"));
}

#[test]
fn a_reset_kills_the_old_password_and_sets_one_that_logs_in() {
    let sandbox = with_mailbox();
    let old = sandbox.hostup().password(USER).unwrap();
    for _ in 0..2 {
        assert_eq!(reset(&sandbox, RESET, r#"{"newPassword": "pass-w\u00f6rd \"1\""}"#).status, 200);
        assert!(logs_in(&sandbox, USER, "pass-wörd \"1\"") && !logs_in(&sandbox, USER, &old));
    }
    assert_eq!(sandbox.hostup().resets(USER), 2);
}

#[test]
fn a_mailbox_goes_by_its_id_too() {
    let sandbox = Sandbox::start();
    let id = sandbox.hostup().add_mailbox(HostUp::ACCOUNT_ID, USER);
    assert!(id.starts_with("mail_"));
    let answer = reset(&sandbox, &format!("{LIST}/{id}/password"), BODY);
    assert_eq!((answer.status, answer.json()), (200, json!({ "email": USER })));
}

#[test]
fn mailboxes_are_listed_without_passwords_and_by_domain() {
    let sandbox = Sandbox::start();
    let id = sandbox.hostup().add_mailbox(HostUp::ACCOUNT_ID, USER);
    sandbox.hostup().add_mailbox(HostUp::ACCOUNT_ID, "info@example.org");
    sandbox.hostup().add_account(1, "acct_second");
    sandbox.hostup().add_mailbox("acct_second", "second@example.com");
    let all = get(&sandbox, LIST).json();
    assert_eq!(emails(&all), [USER, "info@example.org"]);
    assert_eq!(emails(&get(&sandbox, &format!("{LIST}?domain=example.org")).json()), ["info@example.org"]);
    let quota = json!({"usedGb": 0.25, "limitGb": 10.0, "usagePercent": 2.5, "exceeded": false});
    assert_eq!(all["emailAccounts"][0], json!({"id": id, "email": USER, "domain": "example.com", "quota": quota}));
    assert_eq!(all["quota"], json!({"used": 2, "limit": 100, "remaining": 98}));
    assert_eq!(all["actions"], json!({"canCreate": {"allowed": true, "reason": null, "code": null}}));
}

#[test]
fn an_accounts_details_name_its_host() {
    let sandbox = Sandbox::start();
    let access = || get(&sandbox, DETAILS).json()["access"].take();
    assert_eq!(access(), json!({"serverHostname": "localhost", "emailClient": null}));
    let settings = json!({"outgoing": {"port": 465}});
    sandbox.hostup().server_hostname(HostUp::ACCOUNT_ID, Some("srv11.hostup.se"));
    sandbox.hostup().email_client(HostUp::ACCOUNT_ID, &settings);
    assert_eq!(access(), json!({"serverHostname": "srv11.hostup.se", "emailClient": settings}));
    sandbox.hostup().server_hostname(HostUp::ACCOUNT_ID, None);
    assert_eq!(access()["serverHostname"], Value::Null);
}

#[test]
fn an_answer_may_name_another_mailbox() {
    let sandbox = with_mailbox();
    sandbox.hostup().answer_as(USER, "info@example.com");
    assert_eq!(reset(&sandbox, RESET, BODY).json(), json!({"email": "info@example.com"}));
}

// ---- Errors ----

#[test]
fn what_is_not_documented_is_refused() {
    let sandbox = with_mailbox();
    let cases = [
        ("POST", RESET.to_owned(), 405),
        ("PUT", format!("{RESET}?really=yes"), 400),
        ("PUT", RESET.replace("%40", "@"), 400),
        ("PUT", RESET.replace("%40", "%2540"), 404),
        ("PUT", RESET.replace("info", "inof"), 404),
        ("PUT", RESET.replace("acct_01", "acct_02"), 404),
        ("PUT", format!("{RESET}/"), 404),
        ("PUT", LIST.to_owned(), 405),
        ("GET", LIST.to_owned(), 400),
        ("GET", format!("{LIST}?limit=2"), 400),
        ("GET", format!("{DETAILS}?domain=example.com"), 400),
    ];
    for (method, path, status) in cases {
        assert_eq!(send(&sandbox, method, &path, &headers(&sandbox), BODY).unwrap().status, status, "{method} {path}");
    }
    assert_eq!(sandbox.hostup().resets(USER), 0);
}

#[test]
fn a_body_that_fails_validation_is_reported_field_by_field() {
    let sandbox = with_mailbox();
    let cases = [
        ("{}", "/newPassword", "missing_required"),
        (r#"{"newPassword": 1}"#, "/newPassword", "invalid_type"),
        (r#"{"newPassword": "short"}"#, "/newPassword", "password_too_weak"),
        (r#"{"newPassword": "long enough", "password": ""}"#, "/password", "unrecognized_key"),
        (r#""long enough""#, "", "invalid_type"),
        ("newPassword=long+enough", "", "invalid_json"),
    ];
    for (body, pointer, code) in cases {
        let answer = reset(&sandbox, RESET, body);
        let field = answer.json()["errors"][0].take();
        assert_eq!((answer.status, &field["pointer"], &field["code"]), (400, &json!(pointer), &json!(code)), "{body}");
        assert_eq!(answer.json()["code"], json!("invalid_request"), "{body}");
    }
    let key = format!("Authorization: Bearer {}\r\n", sandbox.hostup().api_key());
    assert_eq!(send(&sandbox, "PUT", RESET, &key, BODY).unwrap().status, 400);
    assert_eq!(sandbox.hostup().resets(USER), 0);
}

#[test]
fn which_passwords_are_weak_can_be_scripted() {
    let sandbox = with_mailbox();
    sandbox.hostup().refuse_passwords(|password| password.contains("aa").then_some("Two letters in a row."));
    let weak = reset(&sandbox, RESET, r#"{"newPassword": "aa"}"#).json();
    assert_eq!(weak["errors"][0]["detail"], json!("sandbox: Two letters in a row."));
    assert_eq!(reset(&sandbox, RESET, r#"{"newPassword": "a"}"#).status, 200);
}

#[test]
fn every_error_is_a_problem_document() {
    let sandbox = with_mailbox();
    sandbox.hostup().make_legacy(HostUp::ACCOUNT_ID);
    let answer = reset(&sandbox, RESET, r#"{"newPassword": "short"}"#);
    assert_eq!((answer.status, answer.header("Content-Type")), (409, Some("application/problem+json")));
    let mut problem = answer.json();
    let code = "account_not_eligible_cpanel";
    assert!(problem["requestId"].take().as_str().unwrap().starts_with("req_"));
    let timestamp = problem["timestamp"].take();
    assert!(timestamp.as_str().unwrap().ends_with('Z') && timestamp.as_str().unwrap().len() == 24, "{timestamp}");
    let expected = json!({
        "type": format!("https://developer.hostup.se/errors/{code}"), "title": "Account not eligible", "status": 409,
        "detail": "The account uses the legacy control panel.", "code": code, "instance": RESET, "requestId": null,
        "timestamp": null,
    });
    assert_eq!(problem, expected);
    assert_eq!((get(&sandbox, LIST).status, sandbox.hostup().resets(USER)), (200, 0));
}

#[test]
fn a_key_needs_the_scope_and_the_account() {
    let sandbox = with_mailbox();
    let vendor = sandbox.hostup();
    vendor.add_api_key(1, "reader", &[HostUp::READ]);
    vendor.add_api_key(1, "writer", &[HostUp::WRITE]);
    vendor.add_api_key(2, "stranger", &[HostUp::READ, HostUp::WRITE]);
    vendor.add_api_key(1, "revoked", &[HostUp::READ, HostUp::WRITE]);
    vendor.revoke_api_key("revoked");
    let cases = [
        ("Authorization: Bearer reader\r\n", [403, 200], "forbidden"),
        ("Authorization: Bearer stranger\r\n", [404, 404], "not_found"),
        ("Authorization: Bearer revoked\r\n", [401, 401], "unauthorized"),
        ("X-API-Key: reader\r\n", [401, 401], "unauthorized"),
        ("", [401, 401], "unauthorized"),
    ];
    for (header, statuses, code) in cases {
        let put = send(&sandbox, "PUT", RESET, &format!("{header}{JSON}"), BODY).unwrap();
        let list = send(&sandbox, "GET", LIST, header, "").unwrap();
        assert_eq!(([put.status, list.status], &put.json()["code"]), (statuses, &json!(code)), "{header}");
    }
    assert_eq!(send(&sandbox, "GET", DETAILS, "Authorization: Bearer writer\r\n", "").unwrap().status, 403);
    assert_eq!(sandbox.hostup().resets(USER), 0);
}

#[test]
fn nobody_logs_in_to_a_mailbox_that_was_removed() {
    let sandbox = with_mailbox();
    let password = sandbox.hostup().password(USER).unwrap();
    sandbox.hostup().remove(USER);
    assert!(!logs_in(&sandbox, USER, &password));
    assert_eq!(reset(&sandbox, RESET, BODY).status, 404);
    assert!(emails(&get(&sandbox, LIST).json()).is_empty());
}

#[test]
fn faults_find_a_mailbox_by_its_address_and_speak_as_the_vendor() {
    let sandbox = Sandbox::start();
    let id = sandbox.hostup().add_mailbox(HostUp::ACCOUNT_ID, USER);
    sandbox.fault(Fault::status_with_header(429, "Retry-After", "7").on(Operation::Reset).of(USER).before());
    sandbox.fault(Fault::status(500).on(Operation::Account));
    let limited = reset(&sandbox, &format!("{LIST}/{id}/password"), BODY);
    let headers = ["Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining"].map(|name| limited.header(name));
    assert_eq!((limited.status, headers), (429, [Some("7"), Some("60"), Some("0")]));
    assert_eq!(limited.json()["code"], json!("rate_limited"));
    assert_eq!((get(&sandbox, DETAILS).status, sandbox.pending_faults()), (500, 0));
}

// ---- Helpers ----

const USER: &str = "info@example.com";
const LIST: &str = "/api/v2/shared-hosting/acct_01hxa3b4c5d6e7f8g9h0j1k2m3/email-accounts";
const RESET: &str = "/api/v2/shared-hosting/acct_01hxa3b4c5d6e7f8g9h0j1k2m3/email-accounts/info%40example.com/password";
const DETAILS: &str = "/api/v2/shared-hosting/acct_01hxa3b4c5d6e7f8g9h0j1k2m3/account-details";
const BODY: &str = r#"{"newPassword": "long enough"}"#;
const JSON: &str = "Content-Type: application/json\r\n";

fn with_mailbox() -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.hostup().add_mailbox(HostUp::ACCOUNT_ID, USER);
    sandbox
}

fn headers(sandbox: &Sandbox) -> String {
    format!("Authorization: Bearer {}\r\n{JSON}", sandbox.hostup().api_key())
}

fn reset(sandbox: &Sandbox, path: &str, body: &str) -> Answer {
    send(sandbox, "PUT", path, &headers(sandbox), body).unwrap()
}

fn get(sandbox: &Sandbox, path: &str) -> Answer {
    send(sandbox, "GET", path, &headers(sandbox), "").unwrap()
}

fn emails(list: &Value) -> Vec<&str> {
    list["emailAccounts"].as_array().unwrap().iter().map(|mailbox| mailbox["email"].as_str().unwrap()).collect()
}
