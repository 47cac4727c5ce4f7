//! KIRIM.EMAIL, with both forms of its lists.

use std::sync::LazyLock;

use serde_json::{Value, json};
use terraform_provider_smtp::{
    http::{Error, Kind, Outcome},
    secret::Secret,
    vendors::{Fields, Note, Presence, PriorCredential, Reset},
};
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{method, path, query_param},
};

use super::{Case, Exchange, Server, TOKEN, cases_of, get, operation};

const LIST: &str = "/api/domains/example.com/credentials";
const ONE: &str = "/api/domains/example.com/credentials/92703823-f3a4-48e2-8e87-7adf25454800";
const GUID: &str = "92703823-f3a4-48e2-8e87-7adf25454800";
const ERROR: &str = include_str!("../fixtures/kirim_email/error.json");
const NO_LIST: &str = r#"{"success": true, "data": [], "domain": "example.com"}"#;
const NONE: Exchange = Exchange { status: 404, ..get(ONE, ERROR) };

static CASES: LazyLock<&[Case]> = LazyLock::new(|| cases_of("kirim_email"));
static BARE: LazyLock<Case> = LazyLock::new(|| CASES[0]);

#[tokio::test]
async fn a_read_and_a_reset_return_the_user_and_the_last_change() {
    for (case, prior, version) in [
        (&CASES[0], None, "modified_at=1640995200"),
        (&CASES[1], None, "last_password_changed=1640995200"),
        (&CASES[1], Some("modified_at=1"), "modified_at=1640995200"),
        (&CASES[1], Some("last_password_changed=1"), "last_password_changed=1640995200"),
        (&CASES[1], Some("something else"), "last_password_changed=1640995200"),
    ] {
        let server = Server::start(case, case.found).await;
        let prior = PriorCredential { version: prior.map(str::to_owned), ..PriorCredential::default() };
        let presence = server.api().read(&operation(), &server.target(), &prior).await.unwrap();
        let Presence::Found(found) = presence else { panic!("{prior:?}: {presence:?}") };
        assert_eq!((found.username.as_deref(), found.version.as_deref()), (Some("myuser"), Some(version)), "{prior:?}");
        assert!(found.versions.iter().any(|known| **known == *version), "{prior:?}: {found:?}");
        assert_eq!(found.target, Fields::default());
    }
    let reset = reset(|_| ()).await.unwrap();
    assert_eq!(reset.username.as_deref(), Some("myuser"));
    assert_eq!(reset.version.as_deref(), Some("modified_at=1640995200"));
    assert_eq!(reset.notes, []);
}

#[tokio::test]
async fn a_time_is_read_in_every_form_and_zero_is_unknown() {
    for (time, version) in [
        (json!(1_640_995_201), Some("modified_at=1640995201")),
        (json!("2022-01-01T00:00:01.000000Z"), Some("modified_at=1640995201")),
        (json!("2022-01-01T07:00:01+07:00"), Some("modified_at=1640995201")),
        (json!("2022-01-01 00:00:01"), Some("modified_at=2022-01-01T00:00:01")),
        (json!(0), None),
        (json!("1970-01-01T00:00:00Z"), None),
        (json!(null), None),
        (json!(""), None),
        (json!("yesterday"), None),
        (json!({"date": 1}), None),
    ] {
        let changed = reset(|answer| answer["data"]["credential"]["modified_at"] = time.clone()).await.unwrap();
        assert_eq!(changed.version.as_deref(), version, "reset: {time}");

        let mut list: Value = serde_json::from_str(CASES[0].found[0].body).unwrap();
        list["data"][0]["modified_at"] = time.clone();
        let server = Server::start(&CASES[0], &[]).await;
        server.mount(get(LIST, ""), ResponseTemplate::new(200).set_body_json(&list)).await;
        let presence = server.api().read(&operation(), &server.target(), &PriorCredential::default()).await.unwrap();
        let Presence::Found(found) = presence else { panic!("it is listed") };
        assert_eq!(found.version.as_deref(), version, "read: {time}");
    }
}

#[tokio::test]
async fn a_list_is_read_to_its_end() {
    for wrap in [|data: Vec<Value>| json!({"data": data}), |data: Vec<Value>| json!({"data": {"data": data}})] {
        let credential = |number| json!({"user_smtp_guid": number, "username": "someone"});
        let first: Vec<_> = (0..100).map(|number| credential(format!("guid-{number}"))).collect();
        let server = Server::start(&CASES[0], &[]).await;
        for (page, data) in [("1", first), ("2", vec![credential(GUID.to_owned())])] {
            let mock = Mock::given(method("GET")).and(path(LIST)).and(query_param("limit", "100"));
            let answer = ResponseTemplate::new(200).set_body_json(wrap(data));
            mock.and(query_param("page", page)).respond_with(answer).mount(&server.mock).await;
        }
        let presence = server.api().read(&operation(), &server.target(), &server.prior()).await.unwrap();
        assert!(matches!(presence, Presence::Found(_)));
        assert_eq!(server.requests(get(LIST, "")).await.len(), 2);
    }
}

#[tokio::test]
async fn a_list_that_repeats_its_page_has_an_end() {
    let credential = |number| json!({"user_smtp_guid": format!("guid-{number}"), "username": "someone"});
    let page: Vec<_> = (0..100).map(credential).collect();
    let server = Server::start(&CASES[0], &[NONE]).await;
    server.mount(get(LIST, ""), ResponseTemplate::new(200).set_body_json(json!({"data": page}))).await;
    let presence = server.api().read(&operation(), &server.target(), &server.prior()).await.unwrap();
    assert_eq!(presence, Presence::Gone);
    assert_eq!(server.requests(get(LIST, "")).await.len(), 2);
}

#[tokio::test]
async fn only_the_credentials_own_404_makes_it_gone() {
    let no_domain = Exchange { status: 404, ..get(LIST, r#"{"success": false, "message": "Domain not found"}"#) };
    let elsewhere = Exchange { status: 403, ..get(ONE, ERROR) };
    let failed = get(ONE, ERROR);
    let html = Exchange { status: 404, ..get(ONE, "<html></html>") };
    for (answers, kind) in [
        (&[no_domain][..], Kind::NotFound),
        (&[get(LIST, NO_LIST), elsewhere], Kind::Forbidden),
        (&[get(LIST, NO_LIST), failed], Kind::Rejected),
        (&[get(LIST, NO_LIST), html], Kind::NotTheApi),
        (&[get(LIST, NO_LIST), get(ONE, r#"{"success": true}"#)], Kind::Unreadable),
        (&[get(LIST, r#"{"success": true, "data": {}}"#)], Kind::Unreadable),
        (&[get(LIST, r#"{"success": false, "message": "Try again"}"#)], Kind::Rejected),
    ] {
        let server = Server::start(&CASES[0], answers).await;
        let error = server.api().read(&operation(), &server.target(), &server.prior()).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (kind, Outcome::NotChanged));
    }
}

#[tokio::test]
async fn a_mail_server_that_is_not_in_step_is_noted() {
    let reset = reset(|answer| answer["data"]["remote_synced"] = false.into()).await.unwrap();
    assert_eq!(reset.notes, [Note::NotYetActive]);
}

#[tokio::test]
async fn a_failure_with_a_password_stores_it_and_is_noted() {
    let reset = reset(|answer| answer["success"] = false.into()).await.unwrap();
    assert_eq!(reset.password, BARE.password.map(Secret::new));
    assert_eq!(reset.notes, [Note::UndocumentedResponse]);
}

#[tokio::test]
async fn an_answer_about_another_credential_is_noted() {
    let reset = reset(|answer| answer["data"]["credential"]["user_smtp_guid"] = "another".into()).await.unwrap();
    assert_eq!(reset.notes, [Note::UndocumentedResponse]);
}

#[tokio::test]
async fn a_failure_without_a_password_changed_nothing() {
    let failed = |answer: &mut Value| {
        *answer = json!({"success": false, "message": format!("No, {TOKEN}"), "data": {"new_password": null}});
    };
    let error = reset(failed).await.unwrap_err();
    assert_eq!((error.kind, error.outcome, error.status), (Kind::Rejected, Outcome::NotChanged, Some(200)));
    assert_eq!(error.message.as_deref(), Some("No, [redacted]"));
}

#[tokio::test]
async fn the_fields_of_a_422_are_reported_and_so_is_an_error_without_a_message() {
    for (status, body, words) in [
        (
            422,
            include_str!("../fixtures/kirim_email/error_fields.json"),
            "The given data was invalid. (credential: The credential is not a valid GUID.)",
        ),
        (400, r#"{"error": "No such thing"}"#, "No such thing"),
    ] {
        let server = Server::start(&CASES[0], &[Exchange { status, body, ..BARE.reset }]).await;
        let error = server.reset(&*server.api()).await.unwrap_err();
        assert_eq!((error.outcome, error.message.as_deref()), (Outcome::NotChanged, Some(words)));
    }
}

/// Resets against the documented answer with a change.
async fn reset(change: impl FnOnce(&mut Value)) -> Result<Reset, Error> {
    let mut answer = serde_json::from_str(BARE.reset.body).unwrap();
    change(&mut answer);
    let server = Server::start(&CASES[0], &[]).await;
    server.mount(BARE.reset, ResponseTemplate::new(200).set_body_json(&answer)).await;
    server.reset(&*server.api()).await
}
