//! HTTP as such, for every vendor.

use std::thread;

use sandbox::{HubSpot, Sandbox};
use serde_json::json;

use crate::{
    client::{Answer, send, talk},
    hubspot::{LIST, RESET, USER, authorized, bearer, with_credential},
};

#[test]
fn the_environment_leads_to_every_vendor() {
    let sandbox = Sandbox::start();
    let mut env = sandbox.env();
    env.sort_unstable();
    let names: Vec<_> = env.iter().map(|(name, _)| *name).collect();
    let expected = [
        "HOSTUP_API_KEY",
        "HOSTUP_BASE_URL",
        "HUBSPOT_ACCESS_TOKEN",
        "HUBSPOT_BASE_URL",
        "KIRIM_EMAIL_API_KEY",
        "KIRIM_EMAIL_BASE_URL",
        "KIRIM_EMAIL_USERNAME",
        "SMTPD_API_KEY",
        "SMTPD_API_SECRET",
        "SMTPD_BASE_URL",
    ];
    assert_eq!(names, expected);
    let base_urls = env.iter().filter(|(name, _)| name.ends_with("_BASE_URL"));
    assert_eq!(base_urls.filter(|(_, value)| *value == sandbox.base_url()).count(), 4);
}

#[test]
fn the_path_identifies_the_vendor() {
    let sandbox = Sandbox::start();
    let cases = [
        ("POST", "/oauth/v1/token", 415, "/category"),
        ("POST", "/oauth/token?grant_type=password", 403, "/code"),
        ("GET", "/api/domains/example.com/credentials", 401, "/success"),
        ("GET", "/api/v1/account/api_key", 401, "/code"),
        ("GET", "/api/v2/shared-hosting/acct_1/account-details", 401, "/requestId"),
    ];
    for (method, path, status, field) in cases {
        let answer = send(&sandbox, method, path, "", "").unwrap();
        assert!(answer.status == status && answer.json().pointer(field).is_some(), "{path}: {}", answer.text());
    }
}

#[test]
fn what_is_not_http_is_refused() {
    let sandbox = Sandbox::start();
    let cases = [
        ("nonsense\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.0\r\nHost: a\r\n\r\n".to_owned(), 505),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_owned(), 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n".to_owned(), 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n".to_owned(), 413),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), 411),
        (format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", "a".repeat(40_000)), 431),
    ];
    for (request, status) in cases {
        assert_eq!(Answer::parse(&talk(&sandbox, &request).unwrap()).status, status, "{request:.70}");
    }
}

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let sandbox = with_credential();
    let request = format!("POST {RESET} HTTP/1.1\r\nHost: a\r\n{}\r\n", bearer(&sandbox));
    let bytes = talk(&sandbox, &format!("{request}{request}GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    assert_eq!(String::from_utf8(bytes.unwrap()).unwrap().matches("HTTP/1.1 200 OK").count(), 2);
    assert_eq!(sandbox.hubspot().resets(USER), 2);
}

#[test]
fn requests_are_recorded_as_they_were_sent() {
    let sandbox = with_credential();
    authorized(&sandbox, "POST", RESET);
    let requests = sandbox.requests();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((request.method.as_str(), request.path.as_str(), request.status), ("POST", RESET, Some(200)));
    assert_eq!(request.header("authorization"), Some(&*format!("Bearer {}", sandbox.hubspot().access_token())));
    sandbox.forget_requests();
    assert!(sandbox.requests().is_empty());
}

#[test]
fn a_hundred_clients_at_once_get_a_password_each() {
    let sandbox = Sandbox::start();
    let names: Vec<_> = (0..100).map(|number| format!("user-{number}")).collect();
    for name in &names {
        sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, name);
    }
    thread::scope(|scope| {
        for name in &names {
            let sandbox = &sandbox;
            scope.spawn(move || {
                for _ in 0..10 {
                    let answer = authorized(sandbox, "POST", &format!("{LIST}/{name}/password-reset"));
                    let current = sandbox.hubspot().password(name).unwrap();
                    assert_eq!(answer.json()["password"], json!(current));
                }
            });
        }
    });
    assert!(names.iter().all(|name| sandbox.hubspot().resets(name) == 10));
}
