//! `HostUp`, whose mailboxes go by an address or an id.

use terraform_provider_smtp::secret::Name;
use wiremock::ResponseTemplate;

use super::{
    Case, Exchange, Expected, Kind, Outcome, Presence, PriorCredential, Server, TOKEN, assert_tells_no_secret, get, ok,
    operation,
};

const ACCOUNT: &str = "acct_01hxa3b4c5d6e7f8g9h0j1k2m3";
const ADDRESS: &str = "info@example.com";
const ID: &str = "mail_01hxa3b4c5d6e7f8g9h0j1k2m3";
const PASSWORD: &str = "YOUR_NEW_MAILBOX_PASSWORD";
const LIST: Exchange = get(
    "/api/v2/shared-hosting/acct_01hxa3b4c5d6e7f8g9h0j1k2m3/email-accounts",
    include_str!("../fixtures/hostup/list.json"),
);
const DETAILS: Exchange = get(
    "/api/v2/shared-hosting/acct_01hxa3b4c5d6e7f8g9h0j1k2m3/account-details",
    include_str!("../fixtures/hostup/account_details.json"),
);

const BY_ADDRESS: Case = Case {
    vendor: "hostup",
    settings: &[("api_key", TOKEN)],
    target: &[ACCOUNT, ADDRESS],
    version: None,
    new: Some(PASSWORD),
    authorization: "Bearer contract-test-token",
    always: &[],
    found: &[LIST],
    gone: &[Exchange { body: include_str!("../fixtures/hostup/list_without.json"), ..LIST }],
    found_late: &[],
    reset: Exchange {
        method: "PUT",
        path: "/api/v2/shared-hosting/acct_01hxa3b4c5d6e7f8g9h0j1k2m3/email-accounts/info%40example.com/password",
        status: 200,
        body: include_str!("../fixtures/hostup/reset.json"),
    },
    // The documented request, as small as it can be written.
    reset_body: r#"{"newPassword":"YOUR_NEW_MAILBOX_PASSWORD"}"#,
    error: include_str!("../fixtures/hostup/error.json"),
    password: None,
    listed: &[
        Expected { target: &[ACCOUNT, ADDRESS], username: ADDRESS, version: None, created_at: None },
        Expected {
            target: &[ACCOUNT, "orders@example.org"],
            username: "orders@example.org",
            version: None,
            created_at: None,
        },
    ],
};

const BY_ID: Case = Case {
    target: &[ACCOUNT, ID],
    reset: Exchange {
        path: "/api/v2/shared-hosting/acct_01hxa3b4c5d6e7f8g9h0j1k2m3/email-accounts/mail_01hxa3b4c5d6e7f8g9h0j1k2m3/password",
        ..BY_ADDRESS.reset
    },
    ..BY_ADDRESS
};

pub(crate) const CASES: &[Case] = &[BY_ADDRESS, BY_ID];

const IN_OTHER_LETTERS: &Case = &Case { target: &[ACCOUNT, "Info@Example.com"], ..BY_ADDRESS };

#[test]
fn what_is_sent_is_the_documented_request() {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(json(BY_ADDRESS.reset_body), json(include_str!("../fixtures/hostup/reset_request.json")));
}

#[tokio::test]
async fn the_list_tells_the_user_name_of_a_mailbox_that_goes_by_its_id() {
    let server = Server::start(&CASES[1], BY_ID.found).await;
    let api = server.api();
    assert_eq!((server.vendor().username)(&server.target()), None);
    let Presence::Found(found) = api.read(&operation(), &server.target(), &PriorCredential::default()).await.unwrap()
    else {
        panic!("gone");
    };
    assert_eq!(found.username.as_deref(), Some(ADDRESS));
    server.mount(BY_ID.reset, ok(&BY_ID)).await;
    assert_eq!(server.reset(&*api).await.unwrap().username.as_deref(), Some(ADDRESS));
}

#[tokio::test]
async fn an_address_in_other_letters_names_the_same_mailbox_and_is_sent_as_the_list_has_it() {
    let server = Server::start(IN_OTHER_LETTERS, &[LIST]).await;
    server.mount(BY_ADDRESS.reset, ok(IN_OTHER_LETTERS)).await;
    let api = server.api();
    let presence = api.read(&operation(), &server.target(), &server.prior()).await.unwrap();
    assert!(matches!(presence, Presence::Found(_)));
    assert_eq!(server.reset(&*api).await.unwrap().username, None, "no other user to warn of");
}

#[tokio::test]
async fn an_unknown_outcome_is_sent_again_with_the_same_password_until_it_is_a_success() {
    for trouble in [500, 502, 503, 408] {
        let server = Server::start(&CASES[0], &[]).await;
        server.mount_once(BY_ADDRESS.reset, ResponseTemplate::new(trouble).set_body_string(BY_ADDRESS.error)).await;
        server.mount(BY_ADDRESS.reset, ok(&BY_ADDRESS)).await;
        let reset = server.reset(&*server.api()).await.unwrap();
        assert_eq!((reset.password, reset.notes), (None, vec![]));
        let sent: Vec<_> = server.requests(BY_ADDRESS.reset).await.into_iter().map(|request| request.body).collect();
        assert_eq!(sent, [BY_ADDRESS.reset_body.as_bytes(); 2], "{trouble}");
    }
}

#[tokio::test]
async fn a_refusal_after_an_unknown_outcome_leaves_it_unknown() {
    let server = Server::start(&CASES[0], &[]).await;
    server.mount_once(BY_ADDRESS.reset, ResponseTemplate::new(500).set_body_string(BY_ADDRESS.error)).await;
    server.mount(BY_ADDRESS.reset, ResponseTemplate::new(403).set_body_string(BY_ADDRESS.error)).await;
    let error = server.reset(&*server.api()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Forbidden, Outcome::MayHaveChanged));
}

#[tokio::test]
async fn of_two_mailboxes_that_are_written_alike_only_the_one_that_is_written_the_same_is_reset() {
    let body = r#"{"emailAccounts": [{"id": "mail_1", "email": "INFO@example.com"}, {"id": "mail_2", "email": "Info@Example.com"}]}"#;
    let server = Server::start(IN_OTHER_LETTERS, &[Exchange { body, ..LIST }]).await;
    let reset = Exchange { path: IN_OTHER_LETTERS_RESET, ..BY_ADDRESS.reset };
    server.mount(reset, ok(IN_OTHER_LETTERS)).await;
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
async fn only_the_documented_answer_means_that_the_password_is_ours() {
    for (status, media, body) in [
        (200, "application/json", ""),
        (200, "text/html", "<html></html>"),
        (200, "application/json", "null"),
        (200, "application/json", r#"{"email": 1}"#),
        (200, "application/problem+json", BY_ADDRESS.error),
        (200, "application/json", BY_ADDRESS.error),
        (202, "application/json", BY_ADDRESS.reset.body),
        (203, "application/json", BY_ADDRESS.reset.body),
        (204, "application/json", ""),
    ] {
        let server = Server::start(&CASES[0], &[]).await;
        let mock = ResponseTemplate::new(status).set_body_raw(body, media);
        server.mount_once(BY_ADDRESS.reset, mock).await;
        server.mount(BY_ADDRESS.reset, ok(&BY_ADDRESS)).await;
        let reset = server.reset(&*server.api()).await.unwrap();
        assert_eq!((reset.username, reset.notes), (None, vec![]), "{status} {media} {body}");
        let sent: Vec<_> = server.requests(BY_ADDRESS.reset).await.into_iter().map(|request| request.body).collect();
        assert_eq!(sent, [BY_ADDRESS.reset_body.as_bytes(); 2], "{status} {media} {body}");
    }
}

#[tokio::test]
async fn an_answer_that_names_another_mailbox_tells_it() {
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
async fn a_failure_is_asked_again_and_an_odd_list_is_an_error() {
    let server = Server::start(&CASES[0], &[]).await;
    for odd in ["[]", "{}", r#"{"emailAccounts": null}"#, r#"{"emailAccounts": [{"id": 1}]}"#, "<html></html>"] {
        server.mount_once(LIST, ResponseTemplate::new(200).set_body_string(odd)).await;
    }
    server.mount(LIST, ResponseTemplate::new(200).set_body_string(LIST.body)).await;
    let api = server.api();
    for _ in 0..5 {
        let error = api.read(&operation(), &server.target(), &server.prior()).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Unreadable, Outcome::NotChanged));
    }
    let presence = api.read(&operation(), &server.target(), &server.prior()).await.unwrap();
    assert!(matches!(presence, Presence::Found(_)));
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
async fn nothing_is_sent_without_a_password() {
    let server = Server::start(&CASES[0], &[]).await;
    server.mount(BY_ADDRESS.reset, ok(&BY_ADDRESS)).await;
    let error = server.api().reset(&operation(), &server.target(), None).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Setup, Outcome::NotChanged));
    assert_eq!(server.requests(BY_ADDRESS.reset).await.len(), 0);
}

#[tokio::test]
async fn the_legacy_control_panel_has_its_own_advice() {
    let server = Server::start(&CASES[0], &[]).await;
    let body = include_str!("../fixtures/hostup/error_legacy_panel.json");
    server.mount(BY_ADDRESS.reset, ResponseTemplate::new(409).set_body_string(body)).await;
    let error = server.reset(&*server.api()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Conflict, Outcome::NotChanged));
    let code = error.code.as_deref().unwrap();
    assert!(server.vendor().advice.iter().any(|(own, _)| *own == code), "{code}");
    assert_eq!(server.requests(BY_ADDRESS.reset).await.len(), 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_password_is_told() {
    let server = Server::start(&CASES[0], &[]).await;
    let body = include_str!("../fixtures/hostup/error_weak_password.json");
    server.mount(BY_ADDRESS.reset, ResponseTemplate::new(400).set_body_string(body)).await;
    let error = server.reset(&*server.api()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Rejected, Outcome::NotChanged));
    let words = "The request body failed validation. (/newPassword: The password is too weak.)";
    assert_eq!(error.message.as_deref(), Some(words));
}

#[tokio::test]
async fn a_password_that_is_echoed_is_not_told() {
    let server = Server::start(&CASES[0], &[]).await;
    let body = include_str!("../fixtures/hostup/error_weak_password.json");
    let body = body.replace("The password is too weak.", &format!("`{PASSWORD}` is too weak."));
    let body = body.replace("The request body", &format!("{PASSWORD} of {TOKEN}"));
    server.mount(BY_ADDRESS.reset, ResponseTemplate::new(400).set_body_string(body)).await;
    let error = server.reset(&*server.api()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Rejected, Outcome::NotChanged));
    assert_tells_no_secret(&BY_ADDRESS, &error);
}
