//! SMTPD, where a reset is a new API key and the end of the old one.

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use terraform_provider_smtp::{
    http::{Kind, Outcome},
    secret::{Name, Secret},
    vendors::{Fields, Found, Note, Presence, PriorCredential, Reset},
};
use wiremock::{Mock, MockBuilder, ResponseTemplate, matchers};

use super::{Case, Exchange, Server, TOKEN, cases_of, get, operation, post};

const ID: &str = "5d1c2b8e-3f7a-4c69-8e20-7b94a6d0f113";
const REVOKED: &str = "e8a7c0d4-92b5-4f1e-a6c3-1d5f8b7e2094";
const KEY: &str = "Zr8mWq2LtXc6Hv0NsKjD";
const LIST: Exchange = get("/api/v1/account/api_key", include_str!("../fixtures/smtpd/list.json"));
const NO_LIST: Exchange = get("/api/v1/account/api_key", "[]");
const ONE: Exchange =
    get("/api/v1/account/api_key/5d1c2b8e-3f7a-4c69-8e20-7b94a6d0f113", include_str!("../fixtures/smtpd/get.json"));
const NO_KEY: Exchange = Exchange { status: 404, body: include_str!("../fixtures/smtpd/error.json"), ..ONE };
const LOGIN: Exchange = post("/oauth/token", include_str!("../fixtures/smtpd/login.json"));
const LOGOUT: Exchange = post("/oauth/revoke", "");
const REVOKE: Exchange =
    Exchange { method: "PUT", ..get("/api/v1/account/api_key/5d1c2b8e-3f7a-4c69-8e20-7b94a6d0f113/revoke", "") };
const REFRESH_TOKEN: &str = "6f4T4ws_JPkwCu9xOkul7ZkTxPyL_eB-6TFZBgITCyuV86r-yU7aF5Y4_8Y4Y7-4fzqstRDdaVX1R49ND-wkjXUMe4B3EXngkkP7sg_dP8nE7yuem3HF0sUmfVyiInhU";

static CASES: LazyLock<&[Case]> = LazyLock::new(|| cases_of("smtpd"));
static BY_KEY: LazyLock<Case> = LazyLock::new(|| CASES[0]);

/// A case that answers logins in its own way.
static STRANGER: LazyLock<Case> = LazyLock::new(|| Case { always: &[], ..*BY_KEY });

#[tokio::test]
async fn one_login_serves_the_whole_process() {
    for (case, login) in [(&CASES[0], "terraform"), (&CASES[1], "jack@example.com")] {
        let server = Server::start(case, &[LIST]).await;
        server.mount(case.reset, created()).await;
        let (api, op, target, prior) = (server.api(), operation(), server.target(), server.prior());
        let (first, second) = tokio::join!(api.read(&op, &target, &prior), api.check(&op, &target, &prior));
        assert!(first.is_ok() && second.is_ok());
        server.reset(&*api).await.unwrap();

        let logins = server.requests(LOGIN).await;
        assert_eq!(logins.len(), 1);
        assert_eq!(logins[0].url.query(), Some("grant_type=password"));
        assert_eq!(logins[0].headers["authorization"], basic(login));
        assert!(logins[0].body.is_empty() && !logins[0].headers.contains_key("content-type"));
    }
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires() {
    let in_half_a_minute = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(30);
    for (expires_at, logins) in [(in_half_a_minute.as_millis(), 2), (u64::MAX.into(), 1), (0, 1)] {
        let server = Server::start(&STRANGER, &[LIST]).await;
        let granted = LOGIN.body.replace("1712531293539", &expires_at.to_string());
        given(LOGIN).respond_with(ResponseTemplate::new(200).set_body_string(granted)).mount(&server.mock).await;
        let (api, op) = (server.api(), operation());
        api.check(&op, &server.target(), &server.prior()).await.unwrap();
        api.read(&op, &server.target(), &server.prior()).await.unwrap();
        assert_eq!(server.requests(LOGIN).await.len(), logins, "{expires_at}");
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_reset_sent_again() {
    let server = Server::start(&CASES[0], &[]).await;
    let refused = || ResponseTemplate::new(401).set_body_string(BY_KEY.error);
    given(BY_KEY.reset).respond_with(refused()).up_to_n_times(1).mount(&server.mock).await;
    server.mount(BY_KEY.reset, created()).await;
    assert!(server.reset(&*server.api()).await.is_ok());
    assert_eq!((server.requests(LOGIN).await.len(), server.requests(BY_KEY.reset).await.len()), (2, 2));

    let server = Server::start(&CASES[0], &[]).await;
    server.mount(BY_KEY.reset, refused()).await;
    let error = server.reset(&*server.api()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Unauthorized, Outcome::NotChanged));
    assert_eq!((server.requests(LOGIN).await.len(), server.requests(BY_KEY.reset).await.len()), (2, 2));
}

#[tokio::test]
async fn a_refused_login_is_distinguished_from_a_missing_right() {
    let server = Server::start(&STRANGER, &[LIST]).await;
    let refused = ResponseTemplate::new(403).set_body_string(include_str!("../fixtures/smtpd/login_refused.json"));
    given(LOGIN).respond_with(refused).mount(&server.mock).await;
    let error = server.api().read(&operation(), &server.target(), &server.prior()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Unauthorized, Outcome::NotChanged));
    assert_eq!((error.status, error.code.as_deref()), (Some(403), Some("40102")));
    assert_eq!((server.requests(LOGIN).await.len(), server.requests(LIST).await.len()), (1, 0));
    assert!(server.case.vendor.advice.iter().any(|(code, _)| *code == "40102"));
}

#[tokio::test]
async fn a_read_returns_what_an_import_could_not_know() {
    let another = Exchange { path: "/api/v1/account/api_key/another", ..NO_KEY };
    let server = Server::start(&CASES[0], &[LIST, another]).await;
    let api = server.api();
    let mut named = Fields::default();
    named.insert(server.case.vendor.target[0], Secret::new("newsletter")).unwrap();
    let found = Found { target: named, username: Name::new(KEY), version: Name::new(ID), ..Found::default() };
    let read = async |id: Option<&str>| {
        let prior = PriorCredential { version: id.map(str::to_owned), ..PriorCredential::default() };
        api.read(&operation(), &Fields::default(), &prior).await.unwrap()
    };
    assert_eq!(read(Some(ID)).await, Presence::Found(found));
    assert_eq!(read(Some(REVOKED)).await, Presence::Gone);
    assert_eq!(read(Some("another")).await, Presence::Gone);
    assert_eq!(read(None).await, Presence::Found(Found::default()));
}

#[tokio::test]
async fn the_keys_are_asked_for_once_and_none_is_looked_for() {
    let server = Server::start(&CASES[0], &[LIST]).await;
    let (api, op) = (server.api(), operation());
    for prior in [PriorCredential::default(), server.prior(), prior(Some(REVOKED), Some("another key"))] {
        let presence = api.check(&op, &server.target(), &prior).await.unwrap();
        assert_eq!(presence, Presence::Found(Found::default()));
    }
    assert_eq!(server.requests(LIST).await.len(), 1);
}

#[tokio::test]
async fn the_key_that_is_logged_in_with_is_never_revoked() {
    let server = Server::start(&CASES[0], &[LIST, REVOKE]).await;
    let (api, op, own) = (server.api(), operation(), prior(Some(ID), Some("terraform")));
    for error in [
        api.check(&op, &server.target(), &own).await.unwrap_err(),
        api.revoke(&op, &server.target(), &own).await.unwrap_err(),
    ] {
        assert_eq!((error.kind, error.outcome), (Kind::OwnLogin, Outcome::NotChanged));
    }
    assert_eq!(server.mock.received_requests().await.unwrap().len(), 0, "it is refused before anything is done");
}

#[tokio::test]
async fn a_reset_returns_the_key_as_the_user_and_its_id_as_the_version() {
    for (change, username, version, notes) in [
        (("", ""), Some("kq3vTn8RzYpLw5cXd1Jb"), Some("0b0a4f3e-6f0e-4bfb-9a47-0d9e1c6b7a52"), vec![]),
        (("Key", "key"), Some("kq3vTn8RzYpLw5cXd1Jb"), Some("0b0a4f3e-6f0e-4bfb-9a47-0d9e1c6b7a52"), vec![]),
        (("Secret", "secret"), Some("kq3vTn8RzYpLw5cXd1Jb"), Some("0b0a4f3e-6f0e-4bfb-9a47-0d9e1c6b7a52"), vec![]),
        (("Key", "X"), None, Some("0b0a4f3e-6f0e-4bfb-9a47-0d9e1c6b7a52"), vec![Note::UndocumentedResponse]),
        (("ID", "X"), Some("kq3vTn8RzYpLw5cXd1Jb"), None, vec![Note::UndocumentedResponse]),
    ] {
        let server = Server::start(&CASES[0], &[]).await;
        let (old, new) = change;
        let body = BY_KEY.reset.body.replace(&format!("\"{old}\":"), &format!("\"{new}\":"));
        server.mount(BY_KEY.reset, ResponseTemplate::new(201).set_body_string(body)).await;
        let Reset { password, username: user, version: id, notes: said } = server.reset(&*server.api()).await.unwrap();
        assert_eq!(password, BY_KEY.password.map(Secret::new), "{change:?}");
        assert_eq!((user.as_deref(), id.as_deref(), said), (username, version, notes), "{change:?}");
    }
}

#[tokio::test]
async fn a_list_that_precedes_a_reset_is_not_trusted_after_it() {
    let server = Server::start(&CASES[0], &[LIST]).await;
    server.mount(BY_KEY.reset, created()).await;
    let (api, op) = (server.api(), operation());
    api.read(&op, &server.target(), &server.prior()).await.unwrap();
    server.reset(&*api).await.unwrap();
    api.read(&op, &server.target(), &server.prior()).await.unwrap();
    assert_eq!(server.requests(LIST).await.len(), 2);
}

#[tokio::test]
async fn a_key_that_is_revoked_is_retired() {
    for status in [200, 202, 204] {
        let server = Server::start(&CASES[0], &[]).await;
        server.mount(REVOKE, ResponseTemplate::new(status)).await;
        server.api().revoke(&operation(), &server.target(), &prior(Some(ID), Some(KEY))).await.unwrap();
        let requests = server.requests(REVOKE).await;
        assert_eq!((requests.len(), requests[0].body.len()), (1, 0), "{status}");
    }
}

#[tokio::test]
async fn a_revocation_that_is_answered_with_a_body_is_checked_by_reading_the_key() {
    let revoked = Exchange { body: r#"{"id": "5d1c2b8e-3f7a-4c69-8e20-7b94a6d0f113", "is_active": false}"#, ..ONE };
    for (key, expected) in [
        (revoked, None),
        (NO_KEY, None),
        (ONE, Some(Kind::Unreadable)),
        (Exchange { status: 404, body: "<html>", ..ONE }, Some(Kind::NotTheApi)),
    ] {
        let server = Server::start(&CASES[0], &[key]).await;
        let said = ResponseTemplate::new(200).set_body_raw(r#"{"login_url": "https://portal"}"#, "application/json");
        server.mount(REVOKE, said).await;
        let retired = server.api().revoke(&operation(), &server.target(), &prior(Some(ID), Some(KEY))).await;
        let kind = retired.as_ref().err().map(|error| error.kind);
        assert_eq!(kind, expected);
        assert!(retired.err().is_none_or(|error| error.outcome == Outcome::MayHaveChanged));
    }
}

#[tokio::test]
async fn a_page_does_not_revoke_a_key() {
    let server = Server::start(&CASES[0], &[]).await;
    let page = ResponseTemplate::new(200).set_body_raw("<html>Under maintenance</html>", "text/html");
    Mock::given(matchers::path(REVOKE.path)).respond_with(page).up_to_n_times(1).mount(&server.mock).await;
    server.mount(REVOKE, ResponseTemplate::new(200)).await;
    server.api().revoke(&operation(), &server.target(), &prior(Some(ID), Some(KEY))).await.unwrap();
    assert_eq!(server.requests(REVOKE).await.len(), 2);
}

#[tokio::test]
async fn a_list_without_the_key_that_is_logged_in_is_not_believed_before_a_reset() {
    for (case, is_believed) in [(&CASES[0], false), (&CASES[1], true)] {
        let server = Server::start(case, &[NO_LIST]).await;
        let checked = server.api().check(&operation(), &server.target(), &PriorCredential::default()).await;
        match checked {
            Ok(_) => assert!(is_believed),
            Err(error) => assert_eq!((error.kind, is_believed), (Kind::Contradiction, false)),
        }
    }
}

#[tokio::test]
async fn a_key_that_may_still_be_valid_is_not_retired() {
    for (status, body, kind, outcome) in [
        (403, BY_KEY.error, Kind::Forbidden, Outcome::NotChanged),
        (404, BY_KEY.error, Kind::NotFound, Outcome::NotChanged),
        (404, "<html>Not found</html>", Kind::NotTheApi, Outcome::NotChanged),
        (500, BY_KEY.error, Kind::Unavailable, Outcome::MayHaveChanged),
    ] {
        let server = Server::start(&CASES[0], &[]).await;
        server.mount(REVOKE, ResponseTemplate::new(status).set_body_string(body)).await;
        let error = server.api().revoke(&operation(), &server.target(), &prior(Some(ID), Some(KEY))).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (kind, outcome), "{status}");
    }
}

#[tokio::test]
async fn without_an_id_there_is_nothing_to_revoke() {
    let server = Server::start(&CASES[0], &[]).await;
    server.api().revoke(&operation(), &server.target(), &prior(None, Some(KEY))).await.unwrap();
    assert_eq!(server.mock.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn the_end_gives_the_refresh_token_back_once() {
    let server = Server::start(&CASES[0], &[LIST]).await;
    let refused = include_str!("../fixtures/smtpd/logout_refused.json");
    server.mount(LOGOUT, ResponseTemplate::new(401).set_body_string(refused)).await;
    let (api, op) = (server.api(), operation());
    api.close(&op).await;
    assert_eq!(server.mock.received_requests().await.unwrap().len(), 0, "nobody has logged in");

    api.check(&op, &server.target(), &server.prior()).await.unwrap();
    assert!(!format!("{api:?}").contains(REFRESH_TOKEN));
    api.close(&op).await;
    api.close(&op).await;
    let logouts = server.requests(LOGOUT).await;
    assert_eq!(logouts.len(), 1);
    assert_eq!(String::from_utf8_lossy(&logouts[0].body), format!(r#"{{"refresh_token":"{REFRESH_TOKEN}"}}"#));
}

fn prior(version: Option<&str>, username: Option<&str>) -> PriorCredential {
    PriorCredential { version: version.map(str::to_owned), username: username.map(str::to_owned) }
}

fn created() -> ResponseTemplate {
    ResponseTemplate::new(201).set_body_string(BY_KEY.reset.body)
}

fn given(exchange: Exchange) -> MockBuilder {
    Mock::given(matchers::method(exchange.method)).and(matchers::path(exchange.path))
}

/// HTTP Basic with [`TOKEN`] as the password.
fn basic(username: &str) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{TOKEN}")))
}
