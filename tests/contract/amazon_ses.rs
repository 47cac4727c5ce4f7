//! What Amazon SES does in its own way: access keys, of which a user has at most two.

mod login;

use std::sync::LazyLock;

use terraform_provider_smtp::vendors::{AppearedCredential, Before, Found, Observation, SmtpDefaults};
use wiremock::matchers::body_string_contains;

use super::*;

static CASES: LazyLock<&'static [Case]> = LazyLock::new(|| cases_of("amazon_ses"));

const FULL: &str = include_str!("../fixtures/amazon_ses/list_full.xml");
const INACTIVE: &str = include_str!("../fixtures/amazon_ses/list_inactive.xml");
const GONE: &str = include_str!("../fixtures/amazon_ses/error_gone.xml");
const LIMIT: &str = include_str!("../fixtures/amazon_ses/error_limit.xml");
const THROTTLING: &str = include_str!("../fixtures/amazon_ses/error_throttling.xml");

const OTHER: &str = "AKIAI44QH8DHBEXAMPLE";

fn delete() -> Exchange {
    CASES[0].others[0]
}

fn owner() -> Exchange {
    CASES[0].others[1]
}

fn list() -> Exchange {
    CASES[0].found[0]
}

fn held(id: &str) -> PriorCredential {
    PriorCredential { version: Some(id.to_owned()), username: Some(id.to_owned()) }
}

fn xml(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body, "text/xml")
}

async fn with(list: &'static str) -> Server {
    Server::start(&CASES[0], &[Exchange { body: list, ..self::list() }]).await
}

#[tokio::test]
async fn a_session_token_is_sent_and_signed() {
    let server = Server::start(&CASES[1], CASES[1].found).await;
    server.api().check(&operation(), &server.target(), &PriorCredential::default()).await.unwrap();
    let requests = server.requests(CASES[1].found[0]).await;
    assert_eq!(requests[0].headers["x-amz-security-token"], "contract-session-token");
    assert_eq!((CASES[1].vendor.base_url_of)(&server.settings()), Some("https://iam.us-gov.amazonaws.com"));
}

#[tokio::test]
async fn the_new_key_is_the_user_name_and_the_password_is_that_of_the_region() {
    for case in *CASES {
        let server = Server::start(case, &[]).await;
        server.mount(case.reset, ok(case)).await;
        let reset = server.reset(&*server.api()).await.unwrap();
        assert_eq!((&reset.username, reset.version.as_deref()), (&reset.version, case.version));
        assert_eq!(reset.notes, []);
        let SmtpDefaults::Of { host, .. } = case.vendor.smtp else { panic!("by the target") };
        let region = case.target[1];
        assert_eq!(host(&server.target()), Some(format!("email-smtp.{region}.amazonaws.com")));
    }
}

#[tokio::test]
async fn at_two_keys_nothing_is_made_and_both_are_named() {
    let server = with(FULL).await;
    let (api, op, target, prior) = (server.api(), operation(), server.target(), server.prior());
    api.check(&op, &target, &prior).await.unwrap();
    let error = api.check_room(&op, &target, &[&prior], None).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::NoRoom, Outcome::NotChanged));
    let id = prior.version.clone().unwrap();
    for words in [&format!("`{OTHER}` (made on 2026-08-01, "), &format!("`{id}` (made on 2026-11-01, "), " days ago"] {
        assert!(error.reason.contains(words), "{}", error.reason);
    }
    assert_eq!(error.reason.matches("held by the state").count(), 1, "{}", error.reason);
    assert!(error.reason.ends_with("held by the state)"), "{}", error.reason);

    // The state may hold both.
    let error = api.check_room(&op, &target, &[&prior, &held(OTHER)], None).await.unwrap_err();
    for words in [format!("`{OTHER}` (made on 2026-08-01, "), format!("`{id}` (made on 2026-11-01, ")] {
        assert!(error.reason.contains(&words), "{}", error.reason);
    }
    assert!(error.reason.contains("held by the state as `previous`) and "), "{}", error.reason);
    assert!(error.reason.ends_with("held by the state)"), "{}", error.reason);

    // An overlap makes room for itself, and a key that is not there makes none.
    api.check_room(&op, &target, &[&prior], Some(&held(OTHER))).await.unwrap();
    assert!(api.check_room(&op, &target, &[&prior], Some(&held("AKIAGONE"))).await.is_err());
    assert_eq!(server.mock.received_requests().await.unwrap().len(), 1, "one list is enough");
}

#[tokio::test]
async fn with_one_key_or_none_there_is_room() {
    for body in [list().body, CASES[0].empty_list, INACTIVE] {
        let server = with(body).await;
        let (api, op, target) = (server.api(), operation(), server.target());
        api.check(&op, &target, &server.prior()).await.unwrap();
        api.check_room(&op, &target, &[&server.prior()], None).await.unwrap();
    }
}

#[tokio::test]
async fn the_limit_of_aws_itself_is_a_conflict() {
    let server = Server::start(&CASES[0], &[]).await;
    server.mount(CASES[0].reset, xml(409, LIMIT)).await;
    let error = server.reset(&*server.api()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Conflict, Outcome::NotChanged));
    assert_eq!(error.code.as_deref(), Some("LimitExceeded"));
}

#[tokio::test]
async fn a_key_that_was_deactivated_is_gone() {
    let server = with(INACTIVE).await;
    let presence = server.api().read(&operation(), &server.target(), &server.prior()).await.unwrap();
    assert_eq!(presence, Presence::Gone);
    assert_eq!(server.api().list(&operation(), &server.scope()).await.unwrap(), []);
}

#[tokio::test]
async fn a_key_of_an_unknown_state_is_not_gone() {
    let body = list().body.replace("Active", "Resting").leak();
    let server = with(body).await;
    let presence = server.api().read(&operation(), &server.target(), &server.prior()).await.unwrap();
    assert!(matches!(presence, Presence::Found(_)));
}

#[tokio::test]
async fn without_the_user_the_key_is_gone_and_nothing_is_reset() {
    let server = Server::start(&CASES[0], &[]).await;
    server.mount(list(), xml(404, GONE)).await;
    let (api, op) = (server.api(), operation());
    assert_eq!(api.read(&op, &server.target(), &server.prior()).await.unwrap(), Presence::Gone);
    let error = api.check(&op, &server.target(), &server.prior()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::NotFound, Outcome::NotChanged));
}

#[tokio::test]
async fn a_key_is_deleted_when_iam_says_so() {
    let error = CASES[0].error;
    for (status, body, expected) in [
        (200, delete().body, None),
        (404, GONE, Some((Kind::NotFound, Outcome::NotChanged))),
        (403, error, Some((Kind::Forbidden, Outcome::NotChanged))),
        (404, "<html></html>", Some((Kind::NotTheApi, Outcome::NotChanged))),
        (200, "<html></html>", Some((Kind::NotTheApi, Outcome::MayHaveChanged))),
        (200, "", Some((Kind::NotTheApi, Outcome::MayHaveChanged))),
        (200, error, Some((Kind::NotTheApi, Outcome::MayHaveChanged))),
    ] {
        let server = Server::start(&CASES[0], &[]).await;
        server.mount(delete(), xml(status, body)).await;
        let revoked = server.api().revoke(&operation(), &server.target(), &server.prior()).await;
        assert_eq!(revoked.err().map(|error| (error.kind, error.outcome)), expected, "{status} {body}");
    }
    let server = Server::start(&CASES[0], &[]).await;
    server.api().revoke(&operation(), &server.target(), &PriorCredential::default()).await.unwrap();
    assert_eq!(server.mock.received_requests().await.unwrap().len(), 0, "without an id nothing is deleted");
}

#[tokio::test]
async fn throttling_is_waited_for() {
    let server = Server::start(&CASES[0], &[]).await;
    server.mount_once(CASES[0].reset, xml(400, THROTTLING)).await;
    server.mount(CASES[0].reset, ok(&CASES[0])).await;
    assert!(server.reset(&*server.api()).await.unwrap().password.is_some());
    let sent = server.requests(CASES[0].reset).await;
    assert_eq!(sent.len(), 2);
}

#[tokio::test]
async fn an_import_finds_the_user_of_a_key() {
    let server = Server::start(&CASES[0], &[owner(), list()]).await;
    let found = server.api().read(&operation(), &Fields::default(), &server.prior()).await.unwrap();
    let Presence::Found(Found { target, version, username, .. }) = found else { panic!("it is there") };
    assert_eq!(target, server.scope());
    assert_eq!((version.as_deref(), username.as_deref()), (CASES[0].version, CASES[0].version));

    // IAM says of a key that it does not know that access is denied.
    let server = Server::start(&CASES[0], &[]).await;
    server.mount(owner(), xml(403, CASES[0].error)).await;
    let error = server.api().read(&operation(), &Fields::default(), &server.prior()).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (Kind::Forbidden, Some("AccessDenied")));
}

#[tokio::test]
async fn a_key_that_appears_after_a_lost_response_is_named_once() {
    let server = Server::start(&CASES[0], &[]).await;
    server.mount_once(list(), xml(200, list().body)).await;
    server.mount(list(), xml(200, FULL)).await;
    let (api, op, target) = (server.api(), operation(), server.target());
    let before = server.before();
    assert_eq!(api.find_lost_reset(&op, &target, &before).await.unwrap(), Observation::Unknown);
    api.check(&op, &target, &server.prior()).await.unwrap();
    let appeared = api.find_lost_reset(&op, &target, &before).await.unwrap();
    let Observation::Appeared(credentials) = &appeared else { panic!("{appeared:?}") };
    let [AppearedCredential { id, created_at }] = &credentials[..] else { panic!("{appeared:?}") };
    assert_eq!((id.as_deref(), created_at.is_some()), (Some(OTHER), true));
    let again = api.find_lost_reset(&op, &target, &Before::default()).await.unwrap();
    assert_eq!(again, Observation::Unchanged, "it was not made by the next reset");
    assert_eq!(api.successor(), "access key of this IAM user", "which has no name");
}

#[tokio::test]
async fn a_list_in_pages_is_read_to_its_end() {
    let server = Server::start(&CASES[0], &[]).await;
    let first =
        list().body.replace("<IsTruncated>false</IsTruncated>", "<IsTruncated>true</IsTruncated><Marker>m/1</Marker>");
    server.mount(list(), xml(200, &first)).await;
    let second = Mock::given(method("POST")).and(body_string_contains("Marker=m%2F1"));
    second.respond_with(xml(200, CASES[0].gone[0].body)).expect(1).mount(&server.mock).await;
    let listed = server.api().list(&operation(), &server.scope()).await.unwrap();
    let ids: Vec<_> = listed.iter().filter_map(|one| one.version.as_deref()).collect();
    assert_eq!(ids, [CASES[0].version.unwrap(), OTHER]);

    for endless in [first.clone(), first.replace("<Marker>m/1</Marker>", ""), first.replace(">true<", ">maybe<")] {
        let server = Server::start(&CASES[0], &[]).await;
        let any = Mock::given(method("POST")).respond_with(xml(200, &endless));
        any.mount(&server.mock).await;
        let error = server.api().list(&operation(), &server.scope()).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Unreadable, Outcome::NotChanged));
    }
}

#[tokio::test]
async fn the_key_that_is_logged_in_with_is_never_deleted() {
    let server = Server::start(&CASES[0], &[]).await;
    let (api, op, own) = (server.api(), operation(), held("AKIDEXAMPLE"));
    for error in [
        api.check(&op, &server.target(), &own).await.unwrap_err(),
        api.revoke(&op, &server.target(), &own).await.unwrap_err(),
        api.refuse_own_login(&server.target(), &own).unwrap_err(),
    ] {
        assert_eq!((error.kind, error.outcome), (Kind::OwnLogin, Outcome::NotChanged));
    }
    assert!(api.refuse_own_login(&server.target(), &held(OTHER)).is_ok());
    assert_eq!(server.mock.received_requests().await.unwrap().len(), 0, "it is refused before anything is done");
}

#[tokio::test]
async fn a_region_of_another_partition_is_refused() {
    let server = Server::start(&CASES[0], &[]).await;
    let target = fields(CASES[0].vendor.target, &["ses-newsletter", "us-gov-west-1"]);
    let api = server.api();
    // The first is what a plan asks.
    for refused in
        [api.refuse_target(&target), api.check(&operation(), &target, &PriorCredential::default()).await.map(drop)]
    {
        let error = refused.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Setup, Outcome::NotChanged));
    }
    assert!(api.refuse_target(&server.target()).is_ok());
    assert_eq!(server.mock.received_requests().await.unwrap().len(), 0);
}
