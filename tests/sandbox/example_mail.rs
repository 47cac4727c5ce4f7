//! The vendor that does not exist: what it refuses, and that faults concern it like any other.

use sandbox::{ExampleMail, Fault, Operation, Sandbox};

use crate::client::{Answer, send};

const DOMAIN: &str = "/example-mail/v1/domains/mail.example";
const USER: &str = "newsletter@mail.example";

fn authorized(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> Answer {
    let token = sandbox.example_mail().token();
    let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    send(sandbox, method, &format!("{DOMAIN}{path}"), &headers, body).unwrap()
}

#[test]
fn what_is_not_documented_is_refused() {
    let sandbox = Sandbox::start();
    let password = "{\"password\":\"sixteen-letters-\"}";
    for (method, path, body, status, code) in [
        ("GET", "/users/nobody", "", 404, "not_found"),
        ("GET", "/users/news%zzletter", "", 400, "invalid_path"),
        ("GET", "/users?size=9", "", 400, "invalid_query"),
        ("GET", "/users?page=0", "", 400, "invalid_query"),
        ("GET", "/users/newsletter?page=1", "", 400, "invalid_query"),
        ("PATCH", "/users/newsletter", "", 405, "method_not_allowed"),
        ("PUT", "/users/newsletter/password", "{}", 400, "invalid_body"),
        ("PUT", "/users/newsletter/password", "{\"password\":\"short\"}", 200, "invalid_password"),
        ("PUT", "/users/nobody/password", password, 404, "not_found"),
        ("POST", "/users/newsletter/rotate", "{}", 400, "invalid_body"),
        ("DELETE", "/users/newsletter/keys/none", "", 404, "not_found"),
    ] {
        let answer = authorized(&sandbox, method, path, body);
        assert_eq!(answer.status, status, "{method} {path}");
        let shown = answer.json();
        assert_eq!((&shown["ok"], &shown["error"]["code"]), (&false.into(), &code.into()), "{method} {path}");
    }
    let unauthorized =
        send(&sandbox, "GET", &format!("{DOMAIN}/users"), "Authorization: Bearer other\r\n", "").unwrap();
    assert_eq!((unauthorized.status, &unauthorized.json()["error"]["code"]), (401, &"unauthorized".into()));
    assert_eq!(sandbox.example_mail().resets(USER), 0);
}

#[test]
fn a_list_has_pages_and_no_passwords() {
    let sandbox = Sandbox::start();
    let names = |page: usize| {
        let shown = authorized(&sandbox, "GET", &format!("/users?page={page}"), "").json();
        assert_eq!((&shown["page"], &shown["pages"]), (&page.into(), &2.into()));
        let users = shown["users"].as_array().unwrap().clone();
        users.iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(1), ["newsletter", "alerts-a"]);
    assert_eq!(names(2), ["alerts-b"]);
    assert_eq!(names(3), [""; 0]);
    let text = authorized(&sandbox, "GET", "/users", "").text();
    for name in ExampleMail::USERS {
        assert!(!text.contains(&sandbox.example_mail().password(&ExampleMail::username(name)).unwrap()));
    }
}

#[test]
fn every_change_moves_the_marker() {
    let sandbox = Sandbox::start();
    let marker = || authorized(&sandbox, "GET", "/users/newsletter", "").json()["user"]["changed_at"].to_string();
    let mut seen = vec![marker()];
    for _ in 0..3 {
        let rotated = authorized(&sandbox, "POST", "/users/newsletter/rotate", "").json();
        assert_eq!(rotated["changed_at"].to_string(), marker());
        assert_eq!(rotated["password"].as_str().map(str::to_owned), sandbox.example_mail().password(USER));
        seen.push(marker());
    }
    seen.dedup();
    assert_eq!(seen.len(), 4, "{seen:?}");
}

#[test]
fn a_key_is_a_login_until_it_is_revoked() {
    let sandbox = Sandbox::start();
    let key = authorized(&sandbox, "POST", "/users/newsletter/keys", "");
    assert_eq!(key.status, 201);
    let [id, username, password] =
        ["id", "username", "password"].map(|name| key.json()[name].as_str().unwrap().to_owned());
    assert!(sandbox::client::logs_in(&sandbox, &username, &password).unwrap());
    assert_eq!(authorized(&sandbox, "DELETE", &format!("/users/newsletter/keys/{id}"), "").status, 200);
    assert!(!sandbox::client::logs_in(&sandbox, &username, &password).unwrap());
}

#[test]
fn faults_and_rate_limits_concern_it() {
    let sandbox = Sandbox::start();
    sandbox.fault(Fault::status(503).on(Operation::Reset).of(USER).before());
    assert_eq!(authorized(&sandbox, "GET", "/users/newsletter", "").status, 200);
    let failed = authorized(&sandbox, "POST", "/users/newsletter/rotate", "");
    assert_eq!((failed.status, &failed.json()["error"]["code"]), (503, &"sandbox_fault".into()));
    assert_eq!(sandbox.example_mail().resets(USER), 0);
    sandbox.rate_limit(1, std::time::Duration::from_mins(1));
    authorized(&sandbox, "GET", "/users", "");
    let limited = authorized(&sandbox, "GET", "/users", "");
    assert_eq!((limited.status, &limited.json()["error"]["code"]), (429, &"too_many_requests".into()));
    assert!(limited.header("Retry-After").is_some());
}
