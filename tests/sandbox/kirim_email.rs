//! KIRIM.EMAIL, as its specification, its guide and its clients have it.

use base64::{Engine, engine::general_purpose::STANDARD};
use sandbox::{Denial, Envelope, Fault, KirimEmail, Operation, Sandbox, Times};
use serde_json::{Value, json};

use crate::{
    client::{Answer, send},
    smtp::logs_in,
};

// ---- Documented requests ----

#[test]
fn a_documented_reset_is_answered_as_documented() {
    let sandbox = with_credential();
    sandbox.kirim_email().next_password(USER, "new-generated-password");
    let answer = authorized(&sandbox, "PUT", RESET);
    let mut body = answer.json();
    let modified_at = body["data"]["credential"]["modified_at"].take().as_i64().unwrap();
    let expected = json!({
        "success": true, "message": "Password reset successfully.",
        "data": {
            "credential": {
                "id": 1, "user_smtp_guid": KirimEmail::GUID, "username": USER, "created_at": 1_640_995_200,
                "modified_at": null,
            },
            "new_password": "new-generated-password", "strength_info": {"score": 8, "feedback": "Strong"},
            "remote_synced": true,
        },
    });
    assert_eq!((answer.status, body), (200, expected));
    assert!(modified_at > 1_640_995_200, "{modified_at}");
}

#[test]
fn a_reset_kills_the_old_password_and_makes_one_that_logs_in() {
    let sandbox = with_credential();
    let old = sandbox.kirim_email().password(USER).unwrap();
    let new = text(&authorized(&sandbox, "PUT", RESET).json()["data"]["new_password"]);
    assert_eq!((logs_in(&sandbox, USER, &old), logs_in(&sandbox, USER, &new)), (false, true));
    assert_eq!((sandbox.kirim_email().resets(USER), sandbox.kirim_email().password(USER)), (1, Some(new)));
}

#[test]
fn a_credential_is_read_without_its_password_and_every_reset_moves_its_stamp() {
    let sandbox = with_credential();
    let modified_at = || authorized(&sandbox, "GET", CREDENTIAL).json()["data"]["modified_at"].as_i64().unwrap();
    let read = authorized(&sandbox, "GET", CREDENTIAL);
    let expected = json!({
        "success": true,
        "data": {
            "id": 1, "user_smtp_guid": KirimEmail::GUID, "username": USER, "created_at": 1_640_995_200,
            "modified_at": 1_640_995_200,
        },
    });
    assert_eq!((read.status, read.json()), (200, expected));
    let reset = authorized(&sandbox, "PUT", RESET).json()["data"]["credential"]["modified_at"].as_i64().unwrap();
    assert_eq!(modified_at(), reset);
    sandbox.kirim_email().reset_elsewhere(USER).unwrap();
    assert!(modified_at() > reset);
}

#[test]
fn lists_come_in_pages_and_in_both_forms() {
    let sandbox = Sandbox::start();
    for number in 1..=17 {
        let guid = format!("92703823-f3a4-48e2-8e87-7adf254548{number:02}");
        sandbox.kirim_email().add_credential(KirimEmail::DOMAIN, &guid, &format!("user-{number}"));
    }
    sandbox.kirim_email().add_credential("of-another.example", KirimEmail::GUID, "stranger");
    let names =
        |list: &Value| list.as_array().unwrap().iter().map(|found| text(&found["username"])).collect::<Vec<_>>();
    let page = |query: &str| authorized(&sandbox, "GET", &format!("{LIST}{query}")).json();
    let first = page("");
    assert_eq!((&first["success"], &first["domain"]), (&json!(true), &json!("example.com")));
    assert_eq!(names(&first["data"]).len(), 15);
    assert_eq!(names(&page("?page=2")["data"]), ["user-16", "user-17"]);
    assert_eq!(names(&page("?limit=100&page=1")["data"]).len(), 17);
    assert!(names(&page("?page=3")["data"]).is_empty());
    sandbox.kirim_email().wrap_lists(Envelope::Paged);
    let paged = page("?limit=5&page=4");
    assert_eq!(names(&paged["data"]["data"]), ["user-16", "user-17"]);
    assert_eq!(paged["data"]["pagination"], json!({"total": 17, "page": 4, "limit": 5, "offset": 15}));
}

#[test]
fn times_are_numbers_or_text_and_the_last_change_may_have_a_field_of_its_own() {
    let sandbox = with_credential();
    sandbox.kirim_email().write_times(Times::Text);
    sandbox.kirim_email().show_password_changes();
    let credential = authorized(&sandbox, "GET", CREDENTIAL).json()["data"].take();
    let start = json!("2022-01-01T00:00:00Z");
    for field in ["created_at", "modified_at", "last_password_changed"] {
        assert_eq!(credential[field], start, "{field}");
    }
    let reset = authorized(&sandbox, "PUT", RESET).json()["data"]["credential"].take();
    assert_eq!((&reset["created_at"], &reset["last_password_changed"]), (&start, &reset["modified_at"]));
    assert_ne!(reset["modified_at"], start);
}

// ---- What may go otherwise ----

#[test]
fn while_a_reset_is_not_synchronised_the_old_password_goes_on_working() {
    let sandbox = with_credential();
    let old = sandbox.kirim_email().password(USER).unwrap();
    sandbox.kirim_email().fall_behind(USER);
    let reset = || authorized(&sandbox, "PUT", RESET).json()["data"].take();
    let (first, second) = (reset(), reset());
    assert_eq!((&first["remote_synced"], &second["remote_synced"]), (&json!(false), &json!(false)));
    let new = text(&second["new_password"]);
    assert_eq!((logs_in(&sandbox, USER, &old), logs_in(&sandbox, USER, &new)), (true, false));
    sandbox.kirim_email().catch_up(USER);
    assert_eq!((logs_in(&sandbox, USER, &old), logs_in(&sandbox, USER, &new)), (false, true));
    assert_eq!(reset()["remote_synced"], json!(true));
}

#[test]
fn a_reset_can_be_denied_in_a_200_with_or_without_a_password() {
    let sandbox = with_credential();
    sandbox.kirim_email().deny(USER, Denial::Bare);
    let bare = authorized(&sandbox, "PUT", RESET);
    assert_eq!((bare.status, bare.json()), (200, json!({"success": false, "message": "Password reset failed."})));
    assert_eq!(sandbox.kirim_email().resets(USER), 0);
    sandbox.kirim_email().deny(USER, Denial::WithPassword);
    let answer = authorized(&sandbox, "PUT", RESET).json();
    assert_eq!((&answer["success"], sandbox.kirim_email().resets(USER)), (&json!(false), 1));
    assert_eq!(Some(text(&answer["data"]["new_password"])), sandbox.kirim_email().password(USER));
    assert_eq!(authorized(&sandbox, "PUT", RESET).json()["success"], json!(true));
}

#[test]
fn an_answer_may_name_another_user() {
    let sandbox = with_credential();
    sandbox.kirim_email().answer_as(USER, "somebody");
    let answer = authorized(&sandbox, "PUT", RESET).json();
    assert_eq!(answer["data"]["credential"]["username"], json!("somebody"));
}

// ---- Errors ----

#[test]
fn what_is_not_documented_is_refused() {
    let sandbox = with_credential();
    let cases = [
        ("POST", RESET.to_owned(), 405),
        ("PUT", CREDENTIAL.to_owned(), 405),
        ("PUT", format!("{RESET}?really=yes"), 422),
        ("GET", format!("{CREDENTIAL}?page=1"), 422),
        ("PUT", RESET.replace("example.com", "ex@mple.com"), 422),
        ("PUT", RESET.replace(KirimEmail::GUID, "1"), 404),
        ("PUT", format!("{RESET}/"), 404),
        ("PUT", RESET.replace("/api/", "/api/v1/"), 404),
        ("GET", format!("{LIST}?limit=0"), 422),
        ("GET", format!("{LIST}?limit=101"), 422),
        ("GET", format!("{LIST}?page=0"), 422),
        ("GET", format!("{LIST}?offset=2"), 422),
    ];
    for (method, path, status) in cases {
        assert_eq!(authorized(&sandbox, method, &path).status, status, "{method} {path}");
    }
    let with_body = send(&sandbox, "PUT", RESET, &basic(&sandbox), "{}").unwrap();
    assert_eq!((with_body.status, with_body.json()["errors"]["body"].is_array()), (422, true));
    assert_eq!(sandbox.kirim_email().resets(USER), 0);
}

#[test]
fn the_documented_errors_say_what_they_are_documented_to() {
    let sandbox = with_credential();
    let vendor = sandbox.kirim_email();
    vendor.add_domain(KirimEmail::USERNAME, "second.example");
    vendor.add_account("somebody", "else");
    vendor.add_domain("somebody", "third.example");
    let cases = [
        (RESET.replace("example.com", "second.example"), 403, "Credential does not belong to the specified domain"),
        (RESET.replace("example.com", "third.example"), 404, "Domain not found"),
        (RESET.replace("92703823", "00000000"), 404, "Credential not found"),
    ];
    for (path, status, message) in cases {
        let answer = authorized(&sandbox, "PUT", &path);
        assert_eq!((answer.status, answer.json()), (status, json!({"success": false, "message": message})));
    }
    vendor.remove(USER);
    assert_eq!(authorized(&sandbox, "GET", CREDENTIAL).json()["message"], json!("Credential not found"));
}

#[test]
fn only_the_user_name_with_its_api_key_is_let_in() {
    let sandbox = with_credential();
    let login =
        |user: &str, key: &str| format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("{user}:{key}")));
    let key = sandbox.kirim_email().api_key().to_owned();
    let cases = [
        login(KirimEmail::USERNAME, "wrong"),
        login("somebody", &key),
        login(&key, ""),
        format!("Authorization: Bearer {key}\r\n"),
        "Authorization: Basic !\r\n".to_owned(),
        String::new(),
    ];
    let unauthorized = json!({"success": false, "message": "Unauthorized"});
    for header in cases {
        let answer = send(&sandbox, "PUT", RESET, &header, "").unwrap();
        assert_eq!((answer.status, answer.json()), (401, unauthorized.clone()), "{header}");
    }
    sandbox.kirim_email().revoke_api_key(&key);
    assert_eq!((authorized(&sandbox, "PUT", RESET).status, sandbox.kirim_email().resets(USER)), (401, 0));
}

#[test]
fn faults_find_a_credential_by_its_user_name_and_speak_as_the_vendor() {
    let sandbox = with_credential();
    sandbox.fault(Fault::status_with_header(429, "Retry-After", "7").on(Operation::Reset).of(USER).before());
    assert_eq!(authorized(&sandbox, "GET", CREDENTIAL).status, 200);
    let limited = authorized(&sandbox, "PUT", RESET);
    let headers = ["Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining"].map(|name| limited.header(name));
    assert_eq!((limited.status, headers), (429, [Some("7"), Some("60"), Some("0")]));
    assert_eq!(limited.json()["message"], json!("Too many attempts. Please try again later."));
    assert_eq!(sandbox.kirim_email().resets(USER), 0);
}

// ---- Helpers ----

const USER: &str = "myuser";
const LIST: &str = "/api/domains/example.com/credentials";
const CREDENTIAL: &str = "/api/domains/example.com/credentials/92703823-f3a4-48e2-8e87-7adf25454800";
const RESET: &str = "/api/domains/example.com/credentials/92703823-f3a4-48e2-8e87-7adf25454800/reset-password";

fn with_credential() -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.kirim_email().add_credential(KirimEmail::DOMAIN, KirimEmail::GUID, USER);
    sandbox
}

fn basic(sandbox: &Sandbox) -> String {
    let login = format!("{}:{}", KirimEmail::USERNAME, sandbox.kirim_email().api_key());
    format!("Authorization: Basic {}\r\n", STANDARD.encode(login))
}

fn authorized(sandbox: &Sandbox, method: &str, path: &str) -> Answer {
    send(sandbox, method, path, &basic(sandbox), "").unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
