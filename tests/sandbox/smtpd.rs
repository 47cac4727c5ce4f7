//! SMTPD, where a reset is a new API key and the end of the old one.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD};
use sandbox::{ApiKey, Fault, KeyState, Operation, Role, Sandbox};
use serde_json::{Value, json};

use crate::{
    client::{Answer, send},
    smtp::logs_in,
};

// ---- Logging in and out ----

#[test]
fn a_key_and_a_user_log_in_and_are_answered_as_documented() {
    let sandbox = Sandbox::start();
    sandbox.smtpd().add_user("jack@example.com", "pass:word");
    let key = sandbox.smtpd().login_key().clone();
    for (user_name, password) in [(&*key.key, &*key.secret), ("jack@example.com", "pass:word")] {
        let answer = log_in(&sandbox, user_name, password);
        let body = answer.json();
        assert_eq!((answer.status, &body["token_type"], &body["Scope"]), (200, &json!("bearer"), &json!(["admin"])));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let left = u128::from(body["expires_at"].as_u64().unwrap()) - now;
        assert!(left > 3_000_000 && left <= 3_600_000, "{left}");
        assert_eq!(get(&sandbox, &text(&body["access_token"]), KEYS).status, 200);
        assert!(body["refresh_token"].is_string());
    }
}

#[test]
fn a_request_without_a_login_is_answered_with_403() {
    let sandbox = Sandbox::start();
    let key = sandbox.smtpd().login_key().clone();
    let incorrect = json!({"code": 40102, "message": "Username and password are incorrect"});
    for (user_name, password) in [(&*key.key, "wrong"), ("somebody", &*key.secret), (&*key.key, "")] {
        let answer = log_in(&sandbox, user_name, password);
        assert_eq!((answer.status, answer.json()), (403, incorrect.clone()), "{user_name}");
    }
    let nobody = send(&sandbox, "POST", LOGIN, "", "").unwrap();
    assert_eq!((nobody.status, nobody.json()), (403, incorrect));
}

#[test]
fn a_refresh_gives_another_access_token_until_the_next_login() {
    let sandbox = Sandbox::start();
    let first = token(&sandbox);
    let as_json = format!(r#"{{"refresh_token": "{}"}}"#, text(&first["refresh_token"]));
    let as_form = format!("refresh_token={}", text(&first["refresh_token"]));
    for (header, body) in [(JSON, &as_json), (FORM, &as_form)] {
        let second = send(&sandbox, "POST", REFRESH, header, body).unwrap().json();
        assert_ne!(second["access_token"], first["access_token"]);
        assert_eq!(second["refresh_token"], first["refresh_token"]);
        assert_eq!(get(&sandbox, &text(&second["access_token"]), KEYS).status, 200);
    }
    token(&sandbox);
    let late = send(&sandbox, "POST", REFRESH, JSON, &as_json).unwrap();
    let invalid = json!({"code": 40106, "message": "Refresh token is invalid"});
    assert_eq!((late.status, late.json()), (403, invalid));
    assert_eq!(get(&sandbox, &text(&first["access_token"]), KEYS).status, 200);
}

#[test]
fn a_logout_ends_the_refresh_token() {
    let sandbox = Sandbox::start();
    let body = format!(r#"{{"refresh_token": "{}"}}"#, text(&token(&sandbox)["refresh_token"]));
    assert_eq!(send(&sandbox, "POST", LOGOUT, JSON, &body).unwrap().status, 200);
    let again = send(&sandbox, "POST", LOGOUT, JSON, &body).unwrap();
    assert_eq!((again.status, &again.json()["code"]), (401, &json!(40106)));
    assert_eq!(send(&sandbox, "POST", REFRESH, JSON, &body).unwrap().status, 403);
    let fresh = format!(r#"{{"refresh_token": "{}"}}"#, text(&token(&sandbox)["refresh_token"]));
    sandbox.smtpd().expire_refresh_token();
    assert_eq!(send(&sandbox, "POST", REFRESH, JSON, &fresh).unwrap().json()["code"], json!(40106));
}

#[test]
fn access_tokens_expire_by_time_or_by_script() {
    let sandbox = Sandbox::start();
    let access = access_token(&sandbox);
    assert_eq!(get(&sandbox, &access, KEYS).status, 200);
    sandbox.smtpd().expire_access_tokens();
    let expired = get(&sandbox, &access, KEYS);
    assert_eq!((expired.status, &expired.json()["code"]), (401, &json!(40100)));
    sandbox.smtpd().access_token_lifetime(Duration::ZERO);
    assert_eq!(get(&sandbox, &access_token(&sandbox), KEYS).status, 401);
}

#[test]
fn the_user_who_is_logged_in_is_returned_with_times_in_milliseconds() {
    let sandbox = Sandbox::start();
    let me = get(&sandbox, &access_token(&sandbox), "/oauth/me").json();
    let expected = json!({
        "id": "19ab52c7-da60-4dd2-af27-19f17d6afe37", "account_id": me["account_id"],
        "email_address": "owner@example.com", "first_name": "Sand", "surname": "Box", "gravatar_url": "",
        "is_owner": true, "is_verified": true, "created_at_utc": 1_598_610_725_000_u64,
        "modified_at_utc": 1_598_610_725_000_u64,
    });
    assert_eq!(me, expected);
    assert!(me["account_id"].is_string());
}

// ---- API keys ----

#[test]
fn a_new_key_is_answered_as_documented_and_its_secret_shown_once() {
    let sandbox = Sandbox::start();
    sandbox.smtpd().next_key("a-key", "a-secret");
    let answer = create(&sandbox, r#"{"role": "send_only", "name": "smtp"}"#);
    let id = sandbox.smtpd().key_named("smtp").unwrap().id;
    let expected = json!({"ID": id, "Name": "smtp", "Key": "a-key", "Secret": "a-secret"});
    assert_eq!((answer.status, answer.json()), (201, expected));
    let access = access_token(&sandbox);
    let read = get(&sandbox, &access, &format!("{KEYS}/{id}")).json();
    let expected = json!({
        "id": id, "account_id": get(&sandbox, &access, "/oauth/me").json()["account_id"], "name": "smtp",
        "key": "a-key", "is_active": true, "last_accessed_at_utc": 0, "created_at_utc": read["created_at_utc"],
        "modified_at_utc": read["created_at_utc"],
    });
    assert_eq!(read, expected);
    assert!((1_700_000_000..100_000_000_000_u64).contains(&read["created_at_utc"].as_u64().unwrap()));
}

#[test]
fn a_key_logs_in_over_smtp_until_it_is_revoked() {
    let sandbox = Sandbox::start();
    let old = sandbox.smtpd().add_key("smtp", Role::SendOnly);
    let new = create(&sandbox, r#"{"role": "send_only", "name": "smtp"}"#).json();
    let new = (text(&new["Key"]), text(&new["Secret"]));
    assert!(logs_in(&sandbox, &old.key, &old.secret) && logs_in(&sandbox, &new.0, &new.1));
    assert!(!logs_in(&sandbox, &old.key, &new.1));
    assert_eq!(revoke(&sandbox, &old).status, 200);
    assert!(!logs_in(&sandbox, &old.key, &old.secret) && logs_in(&sandbox, &new.0, &new.1));
    assert_eq!((sandbox.smtpd().password(&old.key), sandbox.smtpd().password(&new.0)), (None, Some(new.1)));
    assert_eq!(sandbox.smtpd().resets("smtp"), 1);
}

#[test]
fn a_revoked_key_stays_on_the_list_and_a_removed_one_does_not() {
    let sandbox = Sandbox::start();
    let smtpd = sandbox.smtpd();
    let [revoked, removed] = ["first", "second"].map(|name| smtpd.add_key(name, Role::Standard));
    assert_eq!([(); 2].map(|()| revoke(&sandbox, &revoked).status), [200, 200]);
    smtpd.remove(&removed.id);
    let access = access_token(&sandbox);
    let list = get(&sandbox, &access, KEYS).json();
    let list: Vec<_> = list.as_array().unwrap().iter().map(|key| (&key["name"], &key["is_active"])).collect();
    assert_eq!(list, [(&json!("terraform"), &json!(true)), (&json!("first"), &json!(false))]);
    assert_eq!(get(&sandbox, &access, &format!("{KEYS}/{}", removed.id)).status, 404);
    assert_eq!((smtpd.keys()[1].state, smtpd.key_named("first").is_none()), (KeyState::Revoked, true));
}

#[test]
fn who_revokes_the_key_that_they_logged_in_with_is_locked_out() {
    let sandbox = Sandbox::start();
    let key = sandbox.smtpd().login_key().clone();
    let access = access_token(&sandbox);
    assert_eq!(revoke(&sandbox, &key).status, 200);
    assert_eq!(get(&sandbox, &access, KEYS).status, 401);
    let answer = log_in(&sandbox, &key.key, &key.secret);
    assert_eq!((answer.status, &answer.json()["code"]), (403, &json!(40102)));
}

#[test]
fn a_key_does_what_its_role_allows() {
    let sandbox = Sandbox::start();
    let cases = [
        (Role::Iac, [200, 200, 201]),
        (Role::Standard, [200, 200, 201]),
        (Role::ReadOnly, [200, 200, 403]),
        (Role::SendOnly, [200, 403, 403]),
    ];
    for (role, statuses) in cases {
        let key = sandbox.smtpd().add_key("a key", role);
        let access = text(&log_in(&sandbox, &key.key, &key.secret).json()["access_token"]);
        let created = send(&sandbox, "POST", KEYS, &format!("{}{JSON}", bearer(&access)), NEW_KEY).unwrap().status;
        let read = ["/oauth/me", KEYS].map(|path| get(&sandbox, &access, path).status);
        assert_eq!([read[0], read[1], created], statuses, "{role:?}");
    }
}

// ---- Errors ----

#[test]
fn what_is_not_documented_is_refused() {
    let sandbox = Sandbox::start();
    let key = sandbox.smtpd().add_key("smtp", Role::Standard);
    let one = format!("{KEYS}/{}", key.id);
    let access = access_token(&sandbox);
    let cases = [
        ("GET", "/oauth/token?grant_type=password".to_owned(), 405),
        ("POST", "/oauth/token".to_owned(), 400),
        ("POST", "/oauth/token?grant_type=client_credentials".to_owned(), 400),
        ("POST", format!("{LOGIN}&scope=admin"), 400),
        ("GET", format!("{KEYS}?page=2"), 400),
        ("DELETE", one.clone(), 405),
        ("POST", format!("{one}/revoke"), 405),
        ("PUT", format!("{one}/revoke?now=yes"), 400),
        ("PUT", format!("{KEYS}/{}/revoke", key.name), 404),
        ("PUT", format!("{one}/revoked"), 404),
        ("GET", format!("{KEYS}/"), 404),
    ];
    for (method, path, status) in cases {
        assert_eq!(send(&sandbox, method, &path, &bearer(&access), "").unwrap().status, status, "{method} {path}");
    }
    for path in [KEYS, &one] {
        assert_eq!(send(&sandbox, "GET", path, &bearer(&access), "{}").unwrap().status, 400, "{path}");
    }
    assert_eq!(send(&sandbox, "PUT", &format!("{one}/revoke"), &bearer(&access), "{}").unwrap().status, 400);
    assert_eq!(send(&sandbox, "POST", LOGIN, &basic(sandbox.smtpd().login_key()), "{}").unwrap().status, 400);
    let wrong_header = bearer(&access).replace("Authorization", "Authentication");
    assert_eq!(send(&sandbox, "GET", KEYS, &wrong_header, "").unwrap().status, 401);
    assert_eq!(sandbox.smtpd().key_named("smtp").unwrap().state, KeyState::Active);
}

#[test]
fn a_new_key_needs_a_name_and_a_role_that_exists() {
    let sandbox = Sandbox::start();
    let cases = [
        "",
        "{}",
        r#"{"name": "smtp"}"#,
        r#"{"role": "standard"}"#,
        r#"{"role": "admin", "name": "smtp"}"#,
        r#"{"role": "Standard", "name": "smtp"}"#,
        r#"{"role": "standard", "name": ""}"#,
        r#"{"role": "standard", "name": "smtp", "key": "mine"}"#,
    ];
    for body in cases {
        let answer = create(&sandbox, body);
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!(40000)), "{body}");
    }
    let access = access_token(&sandbox);
    assert_eq!(send(&sandbox, "POST", KEYS, &bearer(&access), NEW_KEY).unwrap().status, 415);
    assert_eq!((sandbox.smtpd().keys().len(), sandbox.smtpd().resets("smtp")), (1, 0));
}

#[test]
fn faults_find_a_key_by_its_name_and_speak_as_the_vendor() {
    let sandbox = Sandbox::start();
    let old = sandbox.smtpd().add_key("smtp", Role::Standard);
    sandbox.fault(Fault::status(500).on(Operation::Revoke).of("smtp").before());
    sandbox.fault(Fault::status(503).on(Operation::Reset).of("smtp"));
    sandbox.fault(Fault::status(500).on(Operation::Logout));
    sandbox.fault(Fault::status(401).on(Operation::Oauth).before());
    assert_eq!(log_in(&sandbox, &old.key, &old.secret).status, 401);
    assert_eq!(create(&sandbox, &NEW_KEY.replace("smtp", "other")).status, 201);
    let failed = create(&sandbox, NEW_KEY);
    let expected = json!({"code": 50300, "message": "sandbox: this answer was scripted"});
    assert_eq!((failed.status, failed.json(), sandbox.smtpd().resets("smtp")), (503, expected, 1));
    assert_eq!((revoke(&sandbox, &old).status, logs_in(&sandbox, &old.key, &old.secret)), (500, true));
    assert_eq!(sandbox.pending_faults(), 1);
}

// ---- Helpers ----

const LOGIN: &str = "/oauth/token?grant_type=password";
const REFRESH: &str = "/oauth/token?grant_type=refresh_token";
const LOGOUT: &str = "/oauth/revoke";
const KEYS: &str = "/api/v1/account/api_key";
const NEW_KEY: &str = r#"{"role": "standard", "name": "smtp"}"#;
const JSON: &str = "Content-Type: application/json\r\n";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

fn log_in(sandbox: &Sandbox, user_name: &str, password: &str) -> Answer {
    let login = STANDARD.encode(format!("{user_name}:{password}"));
    send(sandbox, "POST", LOGIN, &format!("Authorization: Basic {login}\r\n"), "").unwrap()
}

fn basic(key: &ApiKey) -> String {
    format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("{}:{}", key.key, key.secret)))
}

fn token(sandbox: &Sandbox) -> Value {
    let key = sandbox.smtpd().login_key();
    log_in(sandbox, &key.key, &key.secret).json()
}

fn access_token(sandbox: &Sandbox) -> String {
    text(&token(sandbox)["access_token"])
}

fn bearer(access_token: &str) -> String {
    format!("Authorization: Bearer {access_token}\r\n")
}

fn get(sandbox: &Sandbox, access_token: &str, path: &str) -> Answer {
    send(sandbox, "GET", path, &bearer(access_token), "").unwrap()
}

fn create(sandbox: &Sandbox, body: &str) -> Answer {
    send(sandbox, "POST", KEYS, &format!("{}{JSON}", bearer(&access_token(sandbox))), body).unwrap()
}

fn revoke(sandbox: &Sandbox, key: &ApiKey) -> Answer {
    send(sandbox, "PUT", &format!("{KEYS}/{}/revoke", key.id), &bearer(&access_token(sandbox)), "").unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
