//! What holds for every vendor, against a mock of its documented requests and answers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use terraform_provider_smtp::{
    backend::{Backend, Client, Fields, Operation, Presence, Settings, VENDORS, Vendor},
    http::{Error, Kind, Outcome},
    secret::Secret,
};
use tokio_util::sync::CancellationToken;
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{header, method, path},
};

const TOKEN: &str = "contract-test-token";

/// One vendor with one generation of its API, as the fixtures show it.
struct Case {
    vendor: &'static str,
    settings: &'static [(&'static str, &'static str)],
    target: &'static [&'static str],
    authorization: &'static str,
    list: (&'static str, &'static str, &'static str),
    reset: (&'static str, &'static str, &'static str),
    /// Whether an absence from the list is confirmed by looking the credential up.
    confirms: Option<&'static str>,
    password: &'static str,
}

const HUBSPOT: Case = Case {
    vendor: "hubspot",
    settings: &[("access_token", TOKEN)],
    target: &["zh48wgsfld@62515.smtp.hubspot.net"],
    authorization: "Bearer contract-test-token",
    list: ("GET", "/email/public/v1/smtpapi/tokens", include_str!("fixtures/hubspot/list_v1.json")),
    reset: (
        "POST",
        "/email/public/v1/smtpapi/tokens/zh48wgsfld%4062515.smtp.hubspot.net/password-reset",
        include_str!("fixtures/hubspot/reset_v1.json"),
    ),
    confirms: None,
    password: "ItUuCc8h4I5MihiysY8HB6XSbWZmVZ",
};

const CASES: &[Case] = &[
    HUBSPOT,
    Case {
        settings: &[("access_token", TOKEN), ("api_version", "v3")],
        list: ("GET", "/marketing/v3/transactional/smtp-tokens", include_str!("fixtures/hubspot/list_v3.json")),
        reset: (
            "POST",
            "/marketing/v3/transactional/smtp-tokens/zh48wgsfld%4062515.smtp.hubspot.net/password-reset",
            include_str!("fixtures/hubspot/reset_v3.json"),
        ),
        confirms: Some("/marketing/v3/transactional/smtp-tokens/zh48wgsfld%4062515.smtp.hubspot.net"),
        ..HUBSPOT
    },
    Case {
        settings: &[("access_token", TOKEN), ("api_version", "2026-03")],
        list: ("GET", "/marketing/transactional/2026-03/smtp-tokens", include_str!("fixtures/hubspot/list_v3.json")),
        reset: (
            "POST",
            "/marketing/transactional/2026-03/smtp-tokens/zh48wgsfld%4062515.smtp.hubspot.net/password-reset",
            include_str!("fixtures/hubspot/reset_v3.json"),
        ),
        confirms: Some("/marketing/transactional/2026-03/smtp-tokens/zh48wgsfld%4062515.smtp.hubspot.net"),
        ..HUBSPOT
    },
];

#[test]
fn every_vendor_has_a_case() {
    for vendor in VENDORS {
        assert!(CASES.iter().any(|case| case.vendor == vendor.name), "{} has no case", vendor.name);
    }
}

#[tokio::test]
async fn the_documented_requests_get_the_documented_answers() {
    for case in CASES {
        let server = Server::start(case).await;
        server.answer(case.list, 200).await;
        server.answer(case.reset, 200).await;
        let backend = server.backend();
        assert_eq!(backend.read(&operation(), &server.target()).await.unwrap(), Presence::Found);
        let reset = backend.reset(&operation(), &server.target()).await.unwrap();
        assert_eq!(reset.password, Secret::new(case.password));
        let resets = server.requests(case.reset).await;
        assert_eq!(resets.len(), 1);
        assert!(resets[0].body.is_empty(), "the documented reset has no body");
        assert!(!resets[0].headers.contains_key("content-type"));
    }
}

#[tokio::test]
async fn the_list_is_fetched_once_for_all_credentials() {
    for case in CASES {
        let server = Server::start(case).await;
        server.answer(case.list, 200).await;
        let backend = server.backend();
        let (op, target) = (operation(), server.target());
        let reads = [backend.read(&op, &target), backend.read(&op, &target), backend.read(&op, &target)];
        for presence in futures(reads).await {
            assert_eq!(presence.unwrap(), Presence::Found);
        }
        assert_eq!(server.requests(case.list).await.len(), 1);
    }
}

#[tokio::test]
async fn a_credential_that_the_vendor_does_not_have_is_gone() {
    for case in CASES {
        let server = Server::start(case).await;
        server.answer((case.list.0, case.list.1, &case.list.2.replace(case.target[0], "someone-else")), 200).await;
        if let Some(path) = case.confirms {
            server.answer(("GET", path, error_body(case)), 404).await;
        }
        assert_eq!(server.backend().read(&operation(), &server.target()).await.unwrap(), Presence::Gone);
    }
}

#[tokio::test]
async fn an_incomplete_list_does_not_make_a_credential_gone() {
    for (case, path) in CASES.iter().filter_map(|case| Some((case, case.confirms?))) {
        let server = Server::start(case).await;
        server.answer((case.list.0, case.list.1, &case.list.2.replace(case.target[0], "someone-else")), 200).await;
        server.answer(("GET", path, case.reset.2), 200).await;
        assert_eq!(server.backend().read(&operation(), &server.target()).await.unwrap(), Presence::Found);
    }
}

#[tokio::test]
async fn each_refusal_is_told_apart_and_leaves_the_password() {
    for case in CASES {
        for (status, kind, outcome) in [
            (400, Kind::Rejected, Outcome::NotChanged),
            (401, Kind::Unauthorized, Outcome::NotChanged),
            (403, Kind::Forbidden, Outcome::NotChanged),
            (404, Kind::NotFound, Outcome::NotChanged),
            (409, Kind::Conflict, Outcome::NotChanged),
            (422, Kind::Rejected, Outcome::NotChanged),
            (500, Kind::Unavailable, Outcome::MayHaveChanged),
        ] {
            let server = Server::start(case).await;
            server.answer((case.reset.0, case.reset.1, error_body(case)), status).await;
            let error = server.backend().reset(&operation(), &server.target()).await.unwrap_err();
            assert_eq!((error.kind, error.outcome, error.status), (kind, outcome, Some(status)), "{}", case.vendor);
            assert!(
                error.message.is_some() && error.code.is_some() && error.request_id.is_some(),
                "{} {status}",
                case.vendor
            );
            assert_eq!(server.requests(case.reset).await.len(), 1, "{} is sent once on {status}", case.vendor);
            assert_tells_no_secret(&error);
        }
    }
}

#[tokio::test]
async fn a_rate_limit_beyond_the_deadline_is_an_error_at_once() {
    for case in CASES {
        let server = Server::start(case).await;
        let limited = ResponseTemplate::new(429).insert_header("retry-after", "3600").set_body_string(error_body(case));
        server.mount(case.reset, limited).await;
        let error = server.backend().reset(&operation(), &server.target()).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::RateLimited, Outcome::NotChanged));
        assert_eq!(error.retry_after, Some(Duration::from_hours(1)));
    }
}

#[tokio::test]
async fn an_answer_without_a_password_says_that_it_is_lost() {
    for case in CASES {
        for body in ["", "{}", "<html></html>", "null", &case.reset.2.replace(case.password, "")] {
            let server = Server::start(case).await;
            server.answer((case.reset.0, case.reset.1, body), 200).await;
            let error = server.backend().reset(&operation(), &server.target()).await.unwrap_err();
            assert_eq!((error.kind, error.outcome), (Kind::Unreadable, Outcome::Changed));
            assert_tells_no_secret(&error);
        }
    }
}

#[tokio::test]
async fn a_password_is_kept_however_odd_the_rest_of_the_answer_is() {
    for case in CASES {
        let doubled = case.reset.2.replacen('{', &format!("{{\"password\": \"{}\", ", case.password), 1);
        let odd =
            case.reset.2.replace("\"campaignName\": \"test", "\"campaignName\": {\"a\": [1e400, null]}, \"x\": \"");
        for body in [doubled, odd] {
            let server = Server::start(case).await;
            server.answer((case.reset.0, case.reset.1, &body), 200).await;
            let reset = server.backend().reset(&operation(), &server.target()).await.unwrap();
            assert_eq!(reset.password, Secret::new(case.password));
        }
    }
}

#[tokio::test]
async fn nothing_prints_a_secret() {
    for case in CASES {
        let server = Server::start(case).await;
        server.answer(case.reset, 200).await;
        let backend = server.backend();
        let reset = backend.reset(&operation(), &server.target()).await.unwrap();
        let text = format!("{backend:?} {reset:?} {:?}", server.settings());
        assert!(!text.contains(TOKEN) && !text.contains(case.password), "{text}");
    }
}

fn assert_tells_no_secret(error: &Error) {
    let text = format!("{error:?} {error}");
    assert!(!text.contains(TOKEN), "{text}");
}

fn error_body(case: &Case) -> &'static str {
    match case.vendor {
        "hubspot" => include_str!("fixtures/hubspot/error.json"),
        other => panic!("no error fixture for {other}"),
    }
}

fn operation() -> Operation {
    Operation::new(Duration::from_secs(30), CancellationToken::new())
}

async fn futures<F: Future<Output: Send + 'static> + Send>(all: [F; 3]) -> Vec<F::Output> {
    let [a, b, c] = all;
    let (a, b, c) = tokio::join!(a, b, c);
    vec![a, b, c]
}

/// A mock of one vendor, and a backend that is connected with it.
struct Server {
    case: &'static Case,
    mock: MockServer,
}

impl Server {
    async fn start(case: &'static Case) -> Self {
        Self { case, mock: MockServer::start().await }
    }

    fn vendor(&self) -> &'static Vendor {
        VENDORS.iter().find(|vendor| vendor.name == self.case.vendor).unwrap()
    }

    async fn answer(&self, (verb, at, body): (&str, &str, &str), status: u16) {
        self.mount((verb, at, body), ResponseTemplate::new(status).set_body_raw(body, "application/json")).await;
    }

    async fn mount(&self, (verb, at, _): (&str, &str, &str), response: ResponseTemplate) {
        let mock = Mock::given(method(verb)).and(path(at)).and(header("authorization", self.case.authorization));
        mock.respond_with(response).mount(&self.mock).await;
    }

    async fn requests(&self, (verb, at, _): (&str, &str, &str)) -> Vec<Request> {
        let requests = self.mock.received_requests().await.unwrap();
        requests.into_iter().filter(|request| request.method.as_str() == verb && request.url.path() == at).collect()
    }

    fn settings(&self) -> Fields {
        let uri = self.mock.uri();
        let settings = self.case.settings.iter().copied().chain([("base_url", uri.as_str())]);
        let mut fields = Fields::default();
        for (name, value) in settings {
            let field = self.vendor().settings.iter().find(|field| field.name == name).unwrap();
            fields.insert(field, Secret::new(value)).unwrap();
        }
        fields
    }

    fn target(&self) -> Fields {
        let mut fields = Fields::default();
        for (field, value) in self.vendor().target.iter().zip(self.case.target) {
            fields.insert(field, Secret::new(*value)).unwrap();
        }
        fields
    }

    fn backend(&self) -> std::sync::Arc<dyn Backend> {
        let client = Client::new(Settings {
            ca_certificate_file: None,
            request_timeout: Duration::from_secs(20),
            max_requests_per_second: None,
            user_agent: "contract".to_owned(),
        });
        (self.vendor().connect)(&self.settings(), &client)
    }
}
