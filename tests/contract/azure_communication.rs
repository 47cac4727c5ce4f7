//! Azure Communication Services, where a token comes from another host, a change is shown late, and changes of one
//! application collide.

use std::{
    fs,
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use serde_json::{Value, json};
use terraform_provider_smtp::vendors::{AppearedCredential, Observation};
use wiremock::matchers::{body_string_contains, query_param};

use super::*;

const APPLICATION: &str = "/v1.0/applications/03ef14b0-ca33-4840-8f4f-d6e91916010e";
const REMOVE: Exchange = Exchange { status: 204, ..post(REMOVE_PATH, "") };
const REMOVE_PATH: &str = "/v1.0/applications/03ef14b0-ca33-4840-8f4f-d6e91916010e/removePassword";
const TOKEN_PATH: &str = "/b4f1c2d3-7a58-4e0b-9c61-2f5d8e3a7b90/oauth2/v2.0/token";
const LOGIN: Exchange = post(TOKEN_PATH, include_str!("../fixtures/azure_communication/login.json"));
const OWN_CLIENT_ID: &str = "6c1a9f40-52d7-4b8e-a3f6-90e2d7c4b815";
const KEY_ID: &str = "f0b0b335-1d71-4883-8f98-567911bfdca6";
const UNKNOWN_SECRET: &str = "No password credential found with keyId 'f0b0b335-1d71-4883-8f98-567911bfdca6'.";

static CASES: LazyLock<&[Case]> = LazyLock::new(|| cases_of("azure_communication"));
/// A case that answers logins in its own way.
static STRANGER: LazyLock<Case> = LazyLock::new(|| Case { always: &[], ..CASES[0] });

fn ok_json(body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body, "application/json")
}

fn refusal(status: u16, code: &str, message: &str) -> ResponseTemplate {
    let error = json!({ "error": { "code": code, "message": message, "innerError": { "request-id": "5a1f" } } });
    ResponseTemplate::new(status).set_body_json(error)
}

fn unknown_secret() -> ResponseTemplate {
    refusal(400, "Request_BadRequest", UNKNOWN_SECRET)
}

/// The application with these secrets, each with its hint.
fn application(client_id: &str, secrets: &[(&str, Option<&str>)]) -> ResponseTemplate {
    let secrets: Vec<_> = secrets
        .iter()
        .map(|(id, hint)| json!({ "keyId": id, "displayName": "terraform-provider-smtp", "hint": hint }))
        .collect();
    let id = APPLICATION.rsplit('/').next();
    ResponseTemplate::new(200).set_body_json(json!({ "id": id, "appId": client_id, "passwordCredentials": secrets }))
}

/// Another way to log in than that of the case, in the settings that it replaces.
fn api_with(server: &Server, settings: &[(&str, &str)]) -> Arc<dyn VendorApi> {
    let vendor = server.case.vendor;
    let field = |name: &str| vendor.settings.iter().find(|field| field.name == name).copied().unwrap();
    let authority = server.mock.uri();
    let tenant = TOKEN_PATH.split('/').nth(1).unwrap();
    let common = [("authority_url", &*authority), ("tenant_id", tenant), ("client_id", OWN_CLIENT_ID)];
    let (names, values): (Vec<_>, Vec<_>) =
        common.into_iter().chain(settings.iter().copied()).map(|(name, value)| (field(name), value)).unzip();
    let client = Client::new(Settings {
        ca_certificate_file: None,
        request_timeout: Duration::from_secs(20),
        max_requests_per_second: None,
        user_agent: "contract".to_owned(),
    });
    vendor.api(&fields(&names, &values), BaseUrl::parse(&server.mock.uri()).unwrap(), &client)
}

/// The forms of the logins that have arrived.
async fn logins(server: &Server) -> Vec<String> {
    let logins = server.requests(LOGIN).await;
    logins.iter().map(|login| String::from_utf8_lossy(&login.body).into_owned()).collect()
}

const CLIENT: &str = "client_id=6c1a9f40-52d7-4b8e-a3f6-90e2d7c4b815&grant_type=client_credentials\
                      &scope=https%3A%2F%2Fgraph.microsoft.com%2F.default";
const ASSERTION: &str =
    "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=";

#[tokio::test]
async fn a_client_secret_or_an_external_token_gets_one_token_for_the_whole_process() {
    for (case, proof) in [(&CASES[0], "&client_secret=".to_owned()), (&CASES[1], ASSERTION.to_owned())] {
        let server = Server::start(case, case.found).await;
        let (api, op, target, prior) = (server.api(), operation(), server.target(), server.prior());
        let (read, check) = tokio::join!(api.read(&op, &target, &prior), api.check(&op, &target, &prior));
        assert!(read.is_ok() && check.is_ok());
        assert_eq!(logins(&server).await, [format!("{CLIENT}{proof}{TOKEN}")]);
        let asked = server.requests(case.found[0]).await;
        assert_eq!(asked[0].url.query(), Some("%24select=id%2CappId%2CpasswordCredentials"));
    }
}

#[tokio::test]
async fn a_token_in_a_file_is_read_again_for_each_login() {
    let server = Server::start(&STRANGER, STRANGER.found).await;
    let short = LOGIN.body.replace("3599", "30");
    Mock::given(method("POST")).and(path(TOKEN_PATH)).respond_with(ok_json(&short)).mount(&server.mock).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let api = api_with(&server, &[("use_oidc", "true"), ("oidc_token_file_path", file.to_str().unwrap())]);
    let error = api.list(&operation(), &server.scope()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Setup, Outcome::NotChanged));
    for (at, token) in [(0, "first.token"), (1, "second.token")] {
        fs::write(&file, format!("{token}\n")).unwrap();
        let found = if at == 0 {
            api.list(&operation(), &server.scope()).await.map(drop)
        } else {
            api.check(&operation(), &server.target(), &server.prior()).await.map(drop)
        };
        found.unwrap();
        assert_eq!(logins(&server).await[at], format!("{CLIENT}{ASSERTION}{token}"));
    }
}

#[tokio::test]
async fn a_token_is_requested_where_a_pipeline_offers_one() {
    for audience in ["api://AzureADTokenExchange", "api://other"] {
        let server = Server::start(&CASES[0], CASES[0].found).await;
        let given = Mock::given(method("GET")).and(path("/abc//idtoken")).and(query_param("api-version", "2.0"));
        let given = given.and(query_param("audience", audience)).and(header("authorization", "Bearer request.token"));
        given.respond_with(ok_json(r#"{"count": 1, "value": "made.for.you"}"#)).expect(1).mount(&server.mock).await;
        let own = if audience == "api://other" { "&audience=api%3A%2F%2Fother" } else { "" };
        let url = format!("{}/abc//idtoken?api-version=2.0{own}", server.mock.uri());
        let settings = [("use_oidc", "true"), ("oidc_request_url", &*url), ("oidc_request_token", "request.token")];
        api_with(&server, &settings).list(&operation(), &server.scope()).await.unwrap();
        assert_eq!(logins(&server).await, [format!("{CLIENT}{ASSERTION}made.for.you")]);
    }
}

#[tokio::test]
async fn a_pipeline_that_offers_no_token_is_an_error() {
    for (response, kind) in [
        (ok_json("{}"), Kind::Unreadable),
        (ResponseTemplate::new(401).set_body_raw(r#"{"message": "No."}"#, "application/json"), Kind::Unauthorized),
        (ResponseTemplate::new(403).set_body_raw("<html>", "text/html"), Kind::NotTheApi),
    ] {
        let server = Server::start(&CASES[0], &[]).await;
        Mock::given(method("GET")).respond_with(response).mount(&server.mock).await;
        let url = format!("{}/idtoken", server.mock.uri());
        let settings = [("use_oidc", "true"), ("oidc_request_url", &*url), ("oidc_request_token", TOKEN)];
        let error = server.reset(&*api_with(&server, &settings)).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (kind, Outcome::NotChanged));
        assert_shows_no_secret(server.case, &error);
    }
}

#[tokio::test]
async fn a_login_that_is_refused_says_why() {
    for (status, error, number, kind) in [
        (401, "invalid_client", 7_000_215, Kind::Unauthorized),
        (401, "invalid_client", 7_000_222, Kind::Unauthorized),
        (400, "unauthorized_client", 700_016, Kind::Unauthorized),
        (400, "invalid_request", 90_002, Kind::Unauthorized),
        (400, "invalid_request", 900_144, Kind::Rejected),
    ] {
        let server = Server::start(&STRANGER, &[]).await;
        let body = json!({
            "error": error,
            "error_description": format!("AADSTS{number}: Refused, {TOKEN}. Trace ID: 1 Correlation ID: 2"),
            "error_codes": [number],
            "trace_id": "0f3e",
        });
        let refused = ResponseTemplate::new(status).set_body_json(body);
        Mock::given(method("POST")).and(path(TOKEN_PATH)).respond_with(refused).mount(&server.mock).await;
        let error = server.reset(&*server.api()).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (kind, Outcome::NotChanged), "{number}");
        let code = error.code.as_deref().unwrap();
        assert_eq!(code, number.to_string());
        let has_advice = server.case.vendor.advice.iter().any(|(known, _)| *known == code);
        assert_eq!(has_advice, kind == Kind::Unauthorized, "{number}");
        assert_shows_no_secret(server.case, &error);
        assert!(server.requests(server.case.reset).await.is_empty(), "without a token nothing is reset");
    }
}

#[tokio::test]
async fn a_policy_that_refuses_a_secret_is_named() {
    for code in ["CredentialTypeNotAllowedAsPerAppPolicy", "CredentialInvalidLifetimeAsPerAppPolicy"] {
        let server = Server::start(&CASES[0], &[]).await;
        server.mount(server.case.reset, refusal(400, code, "Refused by policy.")).await;
        let error = server.reset(&*server.api()).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Rejected, Outcome::NotChanged));
        assert_eq!(error.code.as_deref(), Some(code));
        assert!(server.case.vendor.advice.iter().any(|(known, _)| *known == code));
    }
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_and_then_the_secret_is_made_once() {
    for hint in [Some("1"), None] {
        let server = Server::start(&CASES[0], &[]).await;
        let limited = refusal(429, "TooManyRequests", "Slow down.");
        let limited = hint.map_or(limited.clone(), |hint| limited.insert_header("retry-after", hint));
        server.mount_once(server.case.reset, limited).await;
        server.mount(server.case.reset, ok(server.case)).await;
        let reset = server.reset(&*server.api()).await.unwrap();
        assert_eq!(reset.password, server.case.password.map(Secret::new));
        assert_eq!(server.requests(server.case.reset).await.len(), 2);
    }
}

#[tokio::test]
async fn a_lifetime_is_sent_as_an_end() {
    let server = Server::start(&CASES[0], &[]).await;
    server.mount(server.case.reset, ok(server.case)).await;
    let api = api_with(&server, &[("client_secret", TOKEN), ("secret_lifetime", "180d")]);
    server.reset(&*api).await.unwrap();
    let sent: Value = server.requests(server.case.reset).await[0].body_json().unwrap();
    let end = sent["passwordCredential"]["endDateTime"].as_str().unwrap();
    let left = end.parse::<jiff::Timestamp>().unwrap().duration_since(jiff::Timestamp::now());
    assert!(end.len() == "2026-11-28T15:50:02Z".len() && (4319..=4320).contains(&left.as_hours()), "{end}");
}

#[tokio::test]
async fn a_response_about_another_application_is_an_error() {
    let server = Server::start(&CASES[0], &[]).await;
    let another = server.case.found[0].body.replace("03ef14b0", "13ef14b0");
    server.mount(server.case.found[0], ok_json(&another)).await;
    let error = server.api().read(&operation(), &server.target(), &server.prior()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Unreadable, Outcome::NotChanged));
}

#[tokio::test]
async fn an_application_that_does_not_exist_has_no_secrets() {
    let server = Server::start(&CASES[0], &[]).await;
    server.mount(server.case.found[0], refusal(404, "Request_ResourceNotFound", "It does not exist.")).await;
    let (api, op, target, prior) = (server.api(), operation(), server.target(), server.prior());
    assert_eq!(api.read(&op, &target, &prior).await.unwrap(), Presence::Gone);
    assert_eq!(api.check(&op, &target, &prior).await.unwrap(), Presence::Gone);
    let error = api.revoke(&op, &target, &prior).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::NotFound, Outcome::NotChanged));
    assert!(server.requests(REMOVE).await.is_empty());
}

#[tokio::test]
async fn a_secret_is_removed_by_its_id_and_a_missing_one_is_not_found() {
    for (response, is_listed) in [(ResponseTemplate::new(204), true), (unknown_secret(), false)] {
        let server = Server::start(&CASES[0], &[]).await;
        let secrets: &[(&str, Option<&str>)] = if is_listed { &[(KEY_ID, None)] } else { &[] };
        server.mount(server.case.found[0], application("another", secrets)).await;
        server.mount(REMOVE, response).await;
        let removal = server.api().revoke(&operation(), &server.target(), &server.prior()).await;
        let kind = removal.err().map(|error| (error.kind, error.outcome));
        assert_eq!(kind, (!is_listed).then_some((Kind::NotFound, Outcome::NotChanged)));
        let removed = server.requests(REMOVE).await;
        assert_eq!(removed.len(), 1);
        assert_eq!(removed[0].body, format!(r#"{{"keyId":"{KEY_ID}"}}"#).as_bytes());
    }
}

#[tokio::test]
async fn a_secret_that_graph_shows_is_removed_again_where_it_was_not_found() {
    let server = Server::start(&CASES[0], &[]).await;
    server.mount(server.case.found[0], application("another", &[(KEY_ID, None)])).await;
    server.mount_once(REMOVE, unknown_secret()).await;
    server.mount(REMOVE, ResponseTemplate::new(204)).await;
    server.api().revoke(&operation(), &server.target(), &server.prior()).await.unwrap();
    assert_eq!(server.requests(REMOVE).await.len(), 2);
}

#[tokio::test]
async fn a_removal_that_is_refused_is_an_error() {
    for (response, kind, outcome) in [
        (refusal(400, "Request_BadRequest", "Another reason."), Kind::Rejected, Outcome::NotChanged),
        (refusal(403, "Authorization_RequestDenied", "No."), Kind::Forbidden, Outcome::NotChanged),
        (ok_json(r#"{"value": true}"#), Kind::Unreadable, Outcome::MayHaveChanged),
        (refusal(500, "InternalServerError", "Oops."), Kind::Unavailable, Outcome::MayHaveChanged),
    ] {
        let server = Server::start(&CASES[0], &[]).await;
        server.mount(server.case.found[0], application("another", &[(KEY_ID, None)])).await;
        server.mount(REMOVE, response).await;
        let error = server.api().revoke(&operation(), &server.target(), &server.prior()).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (kind, outcome));
    }
}

#[tokio::test]
async fn the_secret_that_the_provider_logs_in_with_is_spared() {
    // The client id of the application, the beginning of its secret, whether it is the provider's own.
    for (case, client_id, hint, is_own) in [
        (&CASES[0], OWN_CLIENT_ID, Some("con"), true),
        (&CASES[0], &*OWN_CLIENT_ID.to_uppercase(), Some("con"), true),
        (&CASES[0], OWN_CLIENT_ID, None, true),
        (&CASES[0], OWN_CLIENT_ID, Some("Con"), false),
        (&CASES[0], "another", Some("con"), false),
        (&CASES[1], OWN_CLIENT_ID, Some("con"), false),
    ] {
        let server = Server::start(case, &[]).await;
        server.mount(case.found[0], application(client_id, &[(KEY_ID, hint)])).await;
        server.mount(REMOVE, ResponseTemplate::new(204)).await;
        let (op, target, prior) = (operation(), server.target(), server.prior());
        let checked = server.api().check(&op, &target, &prior).await.map(drop);
        let api = server.api();
        let revoked = api.revoke(&op, &target, &prior).await;
        for result in [checked, revoked, api.refuse_own_login(&target, &prior)] {
            let refused = result.err().map(|error| (error.kind, error.outcome));
            let expected = is_own.then_some((Kind::OwnLogin, Outcome::NotChanged));
            assert_eq!(refused, expected, "{client_id} {hint:?}");
        }
        assert_eq!(server.requests(REMOVE).await.is_empty(), is_own, "{client_id} {hint:?}");
    }
}

/// Each answer takes a while, and the next change arrives after it.
#[tokio::test]
async fn changes_of_one_application_take_turns() {
    const WHILE: Duration = Duration::from_millis(300);
    let server = Server::start(&CASES[0], &[]).await;
    server.mount(server.case.found[0], application("another", &[(KEY_ID, None)])).await;
    let arrivals: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let answers = |arrivals: &Arc<Mutex<Vec<Instant>>>, answer: ResponseTemplate| {
        let arrivals = Arc::clone(arrivals);
        move |_: &Request| {
            arrivals.lock().unwrap().push(Instant::now());
            answer.clone().set_delay(WHILE)
        }
    };
    let reset = Mock::given(method("POST")).and(path(format!("{APPLICATION}/addPassword")));
    reset.respond_with(answers(&arrivals, ok(server.case))).mount(&server.mock).await;
    let remove = Mock::given(method("POST")).and(path(REMOVE_PATH)).and(body_string_contains(KEY_ID));
    remove.respond_with(answers(&arrivals, ResponseTemplate::new(204))).mount(&server.mock).await;
    let (api, op, target, prior) = (server.api(), operation(), server.target(), server.prior());
    let (one, two, three) = tokio::join!(server.reset(&*api), api.revoke(&op, &target, &prior), server.reset(&*api));
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    let arrivals = arrivals.lock().unwrap().clone();
    assert_eq!(arrivals.len(), 3);
    assert!(arrivals.windows(2).all(|pair| pair[1] - pair[0] >= WHILE), "{arrivals:?}");
}

#[tokio::test]
async fn a_lost_reset_is_found_by_its_name_and_its_new_id() {
    let server = Server::start(&CASES[0], &[]).await;
    let names = AtomicUsize::new(0);
    let id = APPLICATION.rsplit('/').next().unwrap();
    let body = move |_: &Request| {
        let secret =
            |id: &str, name: &str| json!({ "keyId": id, "displayName": name, "startDateTime": "2026-11-28T00:00:00Z" });
        let old = [secret(KEY_ID, "terraform-provider-smtp"), secret("other", "terraform-provider-smtp")];
        let new = [secret("lost", "terraform-provider-smtp"), secret("by-hand", "by hand")];
        let is_first = names.fetch_add(1, Ordering::Relaxed) == 0;
        let secrets: Vec<_> = old.into_iter().chain(new.into_iter().filter(|_| !is_first)).collect();
        ResponseTemplate::new(200).set_body_json(json!({ "id": id, "passwordCredentials": secrets }))
    };
    Mock::given(method("GET")).and(path(APPLICATION)).respond_with(body).mount(&server.mock).await;
    let (api, op, target) = (server.api(), operation(), server.target());
    let before = server.before();
    assert_eq!(api.find_lost_reset(&op, &target, &before).await.unwrap(), Observation::Unknown);
    api.check(&op, &target, &server.prior()).await.unwrap();
    let found = api.find_lost_reset(&op, &target, &before).await.unwrap();
    let expected = AppearedCredential { id: Name::new("lost"), created_at: "2026-11-28T00:00:00Z".parse().ok() };
    assert_eq!(found, Observation::Appeared(vec![expected]));
    assert_eq!(api.find_lost_reset(&op, &target, &before).await.unwrap(), Observation::Unchanged);
    // This is what the portal shows, which has no names.
    assert_eq!(api.successor(), "client secret of this application with the description `terraform-provider-smtp`");
}
