//! What the vendors that are data do: Mailgun, Resend and `SendGrid`.

use std::sync::LazyLock;

use serde_json::json;
use terraform_provider_smtp::vendors::{AppearedCredential, Before, Found, Observation};
use wiremock::matchers::{query_param, query_param_is_missing};

use super::*;

static MAILGUN: LazyLock<&'static [Case]> = LazyLock::new(|| cases_of("mailgun"));
static RESEND: LazyLock<&'static [Case]> = LazyLock::new(|| cases_of("resend"));
static SENDGRID: LazyLock<&'static [Case]> = LazyLock::new(|| cases_of("sendgrid"));

const DELETE: &str = "DELETE";

#[tokio::test]
async fn a_refusal_by_mailgun_in_plain_text_is_believed_and_a_gateways_is_not() {
    for (status, text, media, kind) in [
        (401, "Forbidden", "text/plain", Kind::Unauthorized),
        (401, "Forbidden", "text/html", Kind::NotTheApi),
        (401, "<h1>Forbidden</h1>", "text/plain", Kind::NotTheApi),
    ] {
        let server = Server::start(&MAILGUN[0], &[]).await;
        let refusal = ResponseTemplate::new(status).set_body_raw(text, media);
        server.mount(server.case.found[0], refusal.clone()).await;
        server.mount(server.case.reset, refusal).await;
        let api = server.api();
        let read = api.read(&operation(), &server.target(), &server.prior()).await.unwrap_err();
        let reset = server.reset(&*api).await.unwrap_err();
        for error in [read, reset] {
            assert_eq!((error.kind, error.outcome), (kind, Outcome::NotChanged), "{text} {media}");
        }
    }
}

/// The provider's own key is on a list that is whole.
#[tokio::test]
async fn an_empty_list_of_keys_allows_no_reset() {
    for case in [&RESEND[0], &SENDGRID[0]] {
        let server = Server::start(case, &[]).await;
        let empty = ResponseTemplate::new(200).set_body_raw(case.empty_list, "application/json");
        server.mount(case.found[0], empty).await;
        let error = server.api().check(&operation(), &server.target(), &server.prior()).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Contradiction, Outcome::NotChanged));
    }
}

#[tokio::test]
async fn a_list_by_skipped_entries_is_read_to_its_end() {
    let server = Server::start(&MAILGUN[0], &[]).await;
    let page = |range: std::ops::Range<usize>| {
        let items: Vec<_> = range.map(|number| json!({ "login": format!("user-{number}@example.com") })).collect();
        ResponseTemplate::new(200).set_body_json(json!({ "items": items }))
    };
    for (skip, range) in [("0", 0..100), ("100", 100..200), ("200", 200..203)] {
        let mock = Mock::given(method("GET")).and(query_param("limit", "100")).and(query_param("skip", skip));
        mock.respond_with(page(range)).expect(1).mount(&server.mock).await;
    }
    let listed = server.api().list(&operation(), &server.scope()).await.unwrap();
    assert_eq!(listed.len(), 203);
    assert_eq!(listed[202].username, Name::new("user-202@example.com"));
}

#[tokio::test]
async fn a_list_by_cursor_is_read_to_its_end() {
    let server = Server::start(&RESEND[0], &[]).await;
    let page = |id: &str, has_more: bool| {
        let body = json!({ "object": "list", "has_more": has_more, "data": [{ "id": id, "name": "a" }] });
        ResponseTemplate::new(200).set_body_json(body)
    };
    let first = Mock::given(method("GET")).and(query_param("limit", "100")).and(query_param_is_missing("after"));
    first.respond_with(page("one", true)).expect(1).mount(&server.mock).await;
    let second = Mock::given(method("GET")).and(query_param("after", "one"));
    second.respond_with(page("two", false)).expect(1).mount(&server.mock).await;
    let listed = server.api().list(&operation(), &server.scope()).await.unwrap();
    let ids: Vec<_> = listed.into_iter().filter_map(|one| one.version).collect();
    assert_eq!(ids, ["one", "two"].map(|id| Name::new(id).unwrap()));
}

#[tokio::test]
async fn a_list_that_goes_on_without_anything_new_is_an_error_after_two_pages() {
    let full: Vec<_> = (0..100).map(|number| json!({ "login": format!("user-{number}@example.com") })).collect();
    for (case, body) in [
        (&MAILGUN[0], json!({ "items": full })),
        (&RESEND[0], json!({ "has_more": true, "data": [{ "id": "one", "name": "a" }] })),
    ] {
        let server = Server::start(case, &[]).await;
        server.mount(case.found[0], ResponseTemplate::new(200).set_body_json(body)).await;
        let error = server.api().list(&operation(), &server.scope()).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Unreadable, Outcome::NotChanged), "{}", case.vendor.name);
        assert_eq!(server.requests(case.found[0]).await.len(), 2, "{}", case.vendor.name);
    }
}

#[tokio::test]
async fn a_list_of_ever_new_pages_is_an_error() {
    let server = Server::start(&RESEND[0], &[]).await;
    let ids = std::sync::atomic::AtomicUsize::new(0);
    let ever_new = move |_: &Request| {
        let id = ids.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string();
        let body = json!({ "has_more": true, "data": [{ "id": id, "name": "a" }] });
        ResponseTemplate::new(200).set_body_json(body)
    };
    Mock::given(method("GET")).respond_with(ever_new).mount(&server.mock).await;
    let error = server.api().list(&operation(), &server.scope()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::TooLarge, Outcome::NotChanged));
}

#[tokio::test]
async fn a_credential_of_mailgun_is_the_same_in_other_letters() {
    let server = Server::start(&MAILGUN[0], &[]).await;
    let body = json!({ "items": [{ "login": "Newsletter@Example.com" }] });
    server.mount(server.case.found[0], ResponseTemplate::new(200).set_body_json(body)).await;
    let presence = server.api().read(&operation(), &server.target(), &server.prior()).await.unwrap();
    assert!(matches!(presence, Presence::Found(Found { username: Some(_), .. })), "{presence:?}");
}

#[tokio::test]
async fn the_submission_host_and_the_api_are_those_of_the_region() {
    for (case, hosts, urls) in [
        (*MAILGUN, ["smtp.mailgun.org", "smtp.eu.mailgun.org"], [None, Some("https://api.eu.mailgun.net")]),
        (*SENDGRID, ["smtp.sendgrid.net", "smtp.eu.sendgrid.net"], [None, Some("https://api.eu.sendgrid.com")]),
    ] {
        for (case, (host, url)) in case.iter().zip(hosts.into_iter().zip(urls)) {
            let server = Server::start(case, &[]).await;
            let reported = server.api().smtp_host(&operation(), &server.target()).await.unwrap();
            assert_eq!(reported.as_deref(), Some(host));
            assert_eq!((case.vendor.base_url_of)(&server.settings()), url);
            assert!(url.is_none_or(|url| BaseUrl::parse(url).is_ok()));
            assert_eq!(server.mock.received_requests().await.unwrap().len(), 0, "nothing is sent for it");
        }
    }
}

#[tokio::test]
async fn a_new_key_has_the_vendors_user_name_and_its_id_as_the_version() {
    for (case, username) in [(&RESEND[0], "resend"), (&SENDGRID[0], "apikey")] {
        let server = Server::start(case, &[]).await;
        server.mount(case.reset, ok(case)).await;
        let reset = server.reset(&*server.api()).await.unwrap();
        assert_eq!((reset.username, reset.version), (Name::new(username), case.version.and_then(Name::new)));
        assert_eq!(reset.notes, []);
        assert_eq!((case.vendor.username)(&server.target()).as_deref(), Some(username));
    }
}

#[tokio::test]
async fn the_key_that_is_logged_in_with_is_never_revoked_where_it_shows_its_id() {
    let (server, id) = (Server::start(&SENDGRID[0], &[]).await, "xxxxxxxx_newsletter_id");
    let token = format!("SG.{id}.secret");
    let settings = fields(server.case.vendor.settings, &[&token]);
    let client = Client::new(Settings {
        ca_certificate_file: None,
        request_timeout: Duration::from_secs(20),
        max_requests_per_second: None,
        user_agent: "contract".to_owned(),
    });
    let api = server.case.vendor.api(&settings, BaseUrl::parse(&server.mock.uri()).unwrap(), &client);
    let (op, own) = (operation(), server.prior());
    for error in [
        api.check(&op, &server.target(), &own).await.unwrap_err(),
        api.revoke(&op, &server.target(), &own).await.unwrap_err(),
    ] {
        assert_eq!((error.kind, error.outcome), (Kind::OwnLogin, Outcome::NotChanged));
        assert!(!format!("{error:?}").contains("secret"));
    }
    assert_eq!(server.mock.received_requests().await.unwrap().len(), 0, "it is refused before anything is done");
}

#[tokio::test]
async fn a_key_is_revoked_when_the_vendor_says_so_or_no_longer_lists_it() {
    for case in [&RESEND[0], &SENDGRID[0]] {
        let path = format!("{}/{}", case.reset.path, case.version.unwrap()).leak();
        let revoke = Exchange { method: DELETE, ..get(path, "") };
        let said = r#"{"login_url": "https://portal"}"#;
        let of_another = of_another(case);
        for (status, body, list, expected) in [
            (204, "", None, None),
            (200, "", None, None),
            (404, case.error, None, Some((Kind::NotFound, Outcome::NotChanged))),
            (200, said, Some(&*of_another), None),
            (200, said, Some(case.empty_list), Some((Kind::Contradiction, Outcome::MayHaveChanged))),
            (200, said, Some(case.found[0].body), Some((Kind::Unreadable, Outcome::MayHaveChanged))),
            (403, case.error, None, Some((Kind::Forbidden, Outcome::NotChanged))),
            (404, "<html>", None, Some((Kind::NotTheApi, Outcome::NotChanged))),
        ] {
            let server = Server::start(case, &[]).await;
            server.mount(revoke, ResponseTemplate::new(status).set_body_raw(body, "application/json")).await;
            if let Some(list) = list {
                server.mount(case.found[0], ResponseTemplate::new(200).set_body_string(list)).await;
            }
            let revoked = server.api().revoke(&operation(), &server.target(), &server.prior()).await;
            let error = revoked.err().map(|error| (error.kind, error.outcome));
            assert_eq!(error, expected, "{} {status} {body}", case.vendor.name);
            assert_eq!(server.requests(revoke).await.len(), 1, "{}", case.vendor.name);
        }
        let server = Server::start(case, &[]).await;
        server.api().revoke(&operation(), &server.target(), &PriorCredential::default()).await.unwrap();
        assert_eq!(server.mock.received_requests().await.unwrap().len(), 0, "without an id nothing is revoked");
    }
}

/// The list of the case with another key in place of its own.
fn of_another(case: &Case) -> String {
    case.found[0].body.replace(case.version.unwrap(), "another-key")
}

#[tokio::test]
async fn a_key_that_appears_after_a_lost_response_is_named_once() {
    for case in [&RESEND[0], &SENDGRID[0]] {
        let server = Server::start(case, &[]).await;
        let body = |body: &str| ResponseTemplate::new(200).set_body_raw(body, "application/json");
        server.mount_once(case.found[0], body(&of_another(case))).await;
        server.mount(case.found[0], body(case.found[0].body)).await;
        let (api, op, target) = (server.api(), operation(), server.target());
        let before = Before::default();
        assert_eq!(api.find_lost_reset(&op, &target, &before).await.unwrap(), Observation::Unknown);
        api.check(&op, &target, &PriorCredential::default()).await.unwrap();
        let appeared = api.find_lost_reset(&op, &target, &before).await.unwrap();
        let id = case.version.and_then(Name::new);
        let Observation::Appeared(credentials) = &appeared else { panic!("{appeared:?}") };
        assert!(matches!(&credentials[..], [AppearedCredential { id: found, .. }] if *found == id), "{appeared:?}");
        let again = api.find_lost_reset(&op, &target, &before).await.unwrap();
        assert_eq!(again, Observation::Unchanged, "{}: it was not made by the next reset", case.vendor.name);
    }
}

#[tokio::test]
async fn at_as_many_keys_as_are_documented_none_is_made_and_a_full_list_is_fetched_again() {
    let case = &SENDGRID[0];
    let list = |count: usize| {
        let keys: Vec<_> = (0..count).map(|id| json!({ "api_key_id": format!("id-{id}"), "name": "a" })).collect();
        ResponseTemplate::new(200).set_body_json(json!({ "result": keys }))
    };
    let held = |id: &str| PriorCredential { version: Some(id.to_owned()), username: None };
    for (first, second, revoked, is_room, requests) in [
        (99, 99, None, true, 1),
        (100, 100, None, false, 2),
        (100, 99, None, true, 2),
        (101, 101, Some("id-0"), false, 2),
        (100, 100, Some("id-0"), true, 1),
        (100, 100, Some("another"), false, 2),
    ] {
        let server = Server::start(case, &[]).await;
        server.mount_once(case.found[0], list(first)).await;
        server.mount(case.found[0], list(second)).await;
        let (api, op, target, prior) = (server.api(), operation(), server.target(), server.prior());
        api.check(&op, &target, &prior).await.unwrap();
        let room = api.check_room(&op, &target, &[&prior], revoked.map(held).as_ref()).await;
        let error = room.err().map(|error| (error.kind, error.outcome, error.reason.contains("allowed: 100")));
        let expected = (!is_room).then_some((Kind::NoRoom, Outcome::NotChanged, true));
        assert_eq!(error, expected, "{first} {second} {revoked:?}");
        assert_eq!(server.requests(case.found[0]).await.len(), requests, "{first} {second} {revoked:?}");
    }
}

#[tokio::test]
async fn a_single_key_of_another_id_is_an_error() {
    let case = &SENDGRID[0];
    let one = Exchange { body: r#"{"api_key_id": "another", "name": "newsletter"}"#, ..case.found_late[1] };
    let server = Server::start(case, &[case.found_late[0], one]).await;
    let error = server.api().read(&operation(), &server.target(), &server.prior()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Unreadable, Outcome::NotChanged));
}
