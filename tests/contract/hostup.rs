//! `HostUp`, whose mailboxes go by an address or an id.

use std::sync::LazyLock;

use terraform_provider_smtp::secret::Name;
use wiremock::ResponseTemplate;

use super::{
    Case, Exchange, Kind, Outcome, Presence, PriorCredential, Server, TOKEN, assert_shows_no_secret, cases_of, get, ok,
    operation,
};

const ACCOUNT: &str = "acct_01hxa3b4c5d6e7f8g9h0j1k2m3";
const ADDRESS: &str = "info@example.com";
const PASSWORD: &str = "YOUR_NEW_MAILBOX_PASSWORD";
const LIST: Exchange = get(
    "/api/v2/shared-hosting/acct_01hxa3b4c5d6e7f8g9h0j1k2m3/email-accounts",
    include_str!("../fixtures/hostup/list.json"),
);
const DETAILS: Exchange = get(
    "/api/v2/shared-hosting/acct_01hxa3b4c5d6e7f8g9h0j1k2m3/account-details",
    include_str!("../fixtures/hostup/account_details.json"),
);

static CASES: LazyLock<&[Case]> = LazyLock::new(|| cases_of("hostup"));
static BY_ADDRESS: LazyLock<Case> = LazyLock::new(|| CASES[0]);

static BY_ID: LazyLock<Case> = LazyLock::new(|| CASES[1]);
static IN_OTHER_LETTERS: LazyLock<Case> =
    LazyLock::new(|| Case { target: &[ACCOUNT, "Info@Example.com"], ..*BY_ADDRESS });

#[test]
fn what_is_sent_is_the_documented_request() {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(json(BY_ADDRESS.reset_body), json(include_str!("../fixtures/hostup/reset_request.json")));
}

#[tokio::test]
async fn the_list_has_the_user_name_of_a_mailbox_that_is_named_by_its_id() {
    let server = Server::start(&CASES[1], BY_ID.found).await;
    let api = server.api();
    assert_eq!((server.case.vendor.username)(&server.target()), None);
    let Presence::Found(found) = api.read(&operation(), &server.target(), &PriorCredential::default()).await.unwrap()
    else {
        panic!("gone");
    };
    assert_eq!(found.username.as_deref(), Some(ADDRESS));
    server.mount(BY_ID.reset, ok(&BY_ID)).await;
    assert_eq!(server.reset(&*api).await.unwrap().username.as_deref(), Some(ADDRESS));
}

#[tokio::test]
async fn an_address_in_another_case_names_the_same_mailbox_and_is_sent_as_listed() {
    let server = Server::start(&IN_OTHER_LETTERS, &[LIST]).await;
    server.mount(BY_ADDRESS.reset, ok(&IN_OTHER_LETTERS)).await;
    let api = server.api();
    let presence = api.read(&operation(), &server.target(), &server.prior()).await.unwrap();
    assert!(matches!(presence, Presence::Found(_)));
    assert_eq!(server.reset(&*api).await.unwrap().username, None, "no other user to warn of");
}

#[tokio::test]
async fn of_two_mailboxes_that_differ_in_case_only_the_exact_match_is_reset() {
    let body = r#"{"emailAccounts": [{"id": "mail_1", "email": "INFO@example.com"}, {"id": "mail_2", "email": "Info@Example.com"}]}"#;
    let server = Server::start(&IN_OTHER_LETTERS, &[Exchange { body, ..LIST }]).await;
    let reset = Exchange { path: IN_OTHER_LETTERS_RESET, ..BY_ADDRESS.reset };
    server.mount(reset, ok(&IN_OTHER_LETTERS)).await;
    let api = server.api();
    assert!(matches!(api.read(&operation(), &server.target(), &server.prior()).await, Ok(Presence::Found(_))));
    server.reset(&*api).await.unwrap();
    assert_eq!(server.requests(reset).await.len(), 1);

    let server = Server::start(&CASES[0], &[Exchange { body, ..LIST }]).await;
    let error = server.api().read(&operation(), &server.target(), &server.prior()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Conflict, Outcome::NotChanged));
}

const IN_OTHER_LETTERS_RESET: &str =
    "/api/v2/shared-hosting/acct_01hxa3b4c5d6e7f8g9h0j1k2m3/email-accounts/Info%40Example.com/password";

#[tokio::test]
async fn the_mailbox_that_a_response_names_is_returned() {
    let server = Server::start(&CASES[0], &[]).await;
    let answer = ResponseTemplate::new(200).set_body_string(r#"{"email": "orders@example.org"}"#);
    server.mount(BY_ADDRESS.reset, answer).await;
    let reset = server.reset(&*server.api()).await.unwrap();
    assert_eq!((reset.username.as_deref(), reset.notes), (Some("orders@example.org"), vec![]));
}

#[tokio::test]
async fn an_account_that_is_not_found_makes_no_mailbox_gone() {
    let server = Server::start(&CASES[0], &[Exchange { status: 404, body: BY_ADDRESS.error, ..LIST }]).await;
    let error = server.api().read(&operation(), &server.target(), &server.prior()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::NotFound, Outcome::NotChanged));
}

#[tokio::test]
async fn the_submission_host_is_asked_for_once() {
    let server = Server::start(&CASES[0], &[DETAILS]).await;
    let (api, op, target) = (server.api(), operation(), server.target());
    let host = || api.smtp_host(&op, &target);
    let (first, second) = tokio::join!(host(), host());
    assert_eq!([first.unwrap(), second.unwrap()], [Name::host("srv11.hostup.se"), Name::host("srv11.hostup.se")]);
    assert_eq!(server.requests(DETAILS).await.len(), 1);
}

#[tokio::test]
async fn an_account_may_have_no_submission_host() {
    for body in
        [r#"{"access": {"serverHostname": null}}"#, r#"{"access": {"serverHostname": ""}}"#, r#"{"access": {}}"#]
    {
        let server = Server::start(&CASES[0], &[Exchange { body, ..DETAILS }]).await;
        assert_eq!(server.api().smtp_host(&operation(), &server.target()).await.unwrap(), None, "{body}");
    }
}

#[tokio::test]
async fn the_legacy_control_panel_has_its_own_advice() {
    let server = Server::start(&CASES[0], &[]).await;
    let body = include_str!("../fixtures/hostup/error_legacy_panel.json");
    server.mount(BY_ADDRESS.reset, ResponseTemplate::new(409).set_body_string(body)).await;
    let error = server.reset(&*server.api()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Conflict, Outcome::NotChanged));
    let code = error.code.as_deref().unwrap();
    assert!(server.case.vendor.advice.iter().any(|(own, _)| *own == code), "{code}");
    assert_eq!(server.requests(BY_ADDRESS.reset).await.len(), 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_password_is_reported() {
    let server = Server::start(&CASES[0], &[]).await;
    let body = include_str!("../fixtures/hostup/error_weak_password.json");
    server.mount(BY_ADDRESS.reset, ResponseTemplate::new(400).set_body_string(body)).await;
    let error = server.reset(&*server.api()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Rejected, Outcome::NotChanged));
    let words = "The request body failed validation. (/newPassword: The password is too weak.)";
    assert_eq!(error.message.as_deref(), Some(words));
}

#[tokio::test]
async fn a_password_that_is_echoed_is_not_reported() {
    let server = Server::start(&CASES[0], &[]).await;
    let body = include_str!("../fixtures/hostup/error_weak_password.json");
    let body = body.replace("The password is too weak.", &format!("`{PASSWORD}` is too weak."));
    let body = body.replace("The request body", &format!("{PASSWORD} of {TOKEN}"));
    server.mount(BY_ADDRESS.reset, ResponseTemplate::new(400).set_body_string(body)).await;
    let error = server.reset(&*server.api()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Rejected, Outcome::NotChanged));
    assert_shows_no_secret(&BY_ADDRESS, &error);
}
