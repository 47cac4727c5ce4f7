//! What holds for every vendor, against a mock of its documented requests and answers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod amazon_ses;
mod azure_communication;
mod caller;
mod case;
mod hostup;
mod hubspot;
mod kirim_email;
mod log;
mod recipe;
mod smtpd;

use std::{sync::Arc, time::Duration};

use case::{Case, Exchange, Expected, TOKEN, cases, cases_of, fields, fits, get, media, odd_lists, post};
use terraform_provider_smtp::{
    http::{Error, Kind, Outcome},
    secret::{Name, Secret},
    vendors::{BaseUrl, Before, Client, Fields, Listed, Operation, Presence, PriorCredential, Settings, VendorApi},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wiremock::{
    Match, Mock, MockBuilder, MockServer, Request, ResponseTemplate,
    matchers::{body_string, header, method, path},
};

#[tokio::test]
async fn the_documented_requests_get_the_documented_answers() {
    for case in cases() {
        let server = Server::start(case, case.found).await;
        server.mount(case.reset, ok(case)).await;
        let api = server.api();
        let found = api.read(&operation(), &server.target(), &server.prior()).await.unwrap();
        assert!(matches!(found, Presence::Found(_)));
        let reset = server.reset(&*api).await.unwrap();
        assert_eq!(reset.password, case.password.map(Secret::new));
        let resets = server.requests(case.reset).await;
        assert_eq!(resets.len(), 1);
        assert_eq!(String::from_utf8_lossy(&resets[0].body), case.reset_body);
        assert_eq!(resets[0].headers.contains_key("content-type"), !case.reset_body.is_empty());
    }
}

#[tokio::test]
async fn the_credentials_of_an_account_are_looked_up_once() {
    for case in cases() {
        let server = Server::start(case, case.found).await;
        let api = server.api();
        let (op, target, prior) = (operation(), server.target(), server.prior());
        let read = || api.read(&op, &target, &prior);
        let (first, second, third) = tokio::join!(read(), read(), read());
        for presence in [first, second, third] {
            assert!(matches!(presence.unwrap(), Presence::Found(_)));
        }
        assert_eq!(server.requests(case.found[0]).await.len(), 1, "{}", case.vendor.name);
    }
}

#[tokio::test]
async fn a_list_returns_the_live_credentials_and_is_fetched_once_with_reads() {
    for case in cases() {
        let server = Server::start(case, case.found).await;
        let api = server.api();
        let (op, scope, target, prior) = (operation(), server.scope(), server.target(), server.prior());
        let (listed, read) = tokio::join!(api.list(&op, &scope), api.read(&op, &target, &prior));
        assert!(read.is_ok());
        let expected: Vec<_> = case.listed.iter().map(|expected| server.listed(expected)).collect();
        assert_eq!(listed.unwrap(), expected, "{}", case.vendor.name);
        assert_eq!(server.requests(case.found[0]).await.len(), 1, "{}", case.vendor.name);
    }
}

#[tokio::test]
async fn a_list_that_is_refused_is_an_error_and_not_an_empty_list() {
    for case in cases() {
        for (status, kind) in [(401, Kind::Unauthorized), (403, Kind::Forbidden), (404, Kind::NotFound)] {
            let server = Server::start(case, &[]).await;
            let refusal = ResponseTemplate::new(status).set_body_raw(case.error, media(case.error));
            server.mount(case.found[0], refusal).await;
            let error = server.api().list(&operation(), &server.scope()).await.unwrap_err();
            assert_eq!((error.kind, error.outcome), (kind, Outcome::NotChanged), "{} {status}", case.vendor.name);
            assert_shows_no_secret(case, &error);
        }
    }
}

#[tokio::test]
async fn a_list_that_is_no_list_is_an_error_and_not_an_empty_list() {
    for case in cases() {
        for body in ["{}", "null", "", r#"{"error": "none of the documented forms"}"#] {
            let server = Server::start(case, &[]).await;
            let answer = ResponseTemplate::new(200).set_body_raw(body, media(body));
            server.mount(case.found[0], answer).await;
            let error = server.api().list(&operation(), &server.scope()).await.unwrap_err();
            assert_eq!(
                (error.kind, error.outcome),
                (Kind::Unreadable, Outcome::NotChanged),
                "{} {body}",
                case.vendor.name
            );
        }
    }
}

#[tokio::test]
async fn a_list_in_no_documented_form_is_an_error_and_is_asked_for_again() {
    for case in cases() {
        let documented = case.found[0].body;
        let [list_of_an_odd_entry, null] = odd_lists(case.empty_list);
        let another = if documented.trim_start().starts_with('[') { "{}" } else { "[]" };
        let odd = [another, "{}", &null, &list_of_an_odd_entry, "<html></html>"];
        let server = Server::start(case, &[]).await;
        for body in odd {
            server.mount_once(case.found[0], ResponseTemplate::new(200).set_body_string(body)).await;
        }
        server.mount(case.found[0], ResponseTemplate::new(200).set_body_string(documented)).await;
        let api = server.api();
        for body in odd {
            let error = api.read(&operation(), &server.target(), &server.prior()).await.unwrap_err();
            let name = case.vendor.name;
            assert_eq!((error.kind, error.outcome), (Kind::Unreadable, Outcome::NotChanged), "{name} {body}");
        }
        let presence = api.read(&operation(), &server.target(), &server.prior()).await.unwrap();
        assert!(matches!(presence, Presence::Found(_)), "{}", case.vendor.name);
    }
}

#[tokio::test]
async fn a_credential_that_the_vendor_does_not_have_is_gone() {
    for case in cases() {
        let server = Server::start(case, case.gone).await;
        let presence = server.api().read(&operation(), &server.target(), &server.prior()).await.unwrap();
        assert_eq!(presence, Presence::Gone, "{}", case.vendor.name);
    }
}

/// An empty list, once and for good: it says nothing of a credential that the state holds.
#[tokio::test]
async fn an_empty_list_makes_no_credential_gone() {
    for case in cases().filter(|case| case.found_late.is_empty() || case.gone.len() > 1) {
        for (first, second) in [
            (case.empty_list, case.found[0].body),
            (case.found[0].body, case.empty_list),
            (case.empty_list, case.empty_list),
        ] {
            let server = Server::start(case, &case.gone[1..]).await;
            let body = |body: &str| ResponseTemplate::new(200).set_body_raw(body, media(body));
            server.mount_once(case.found[0], body(first)).await;
            server.mount(case.found[0], body(second)).await;
            let prior = PriorCredential { username: Some("prior".to_owned()), ..server.prior() };
            let presence = server.api().read(&operation(), &server.target(), &prior).await;
            let has_single_call = case.gone.len() > 1;
            match presence {
                Ok(Presence::Found(_)) => {
                    assert!(first == case.found[0].body || case.empty_list_is_an_answer, "{}", case.vendor.name);
                }
                // Asked for by itself, it is gone in the vendor's words.
                Ok(Presence::Gone) => {
                    let is_twice = (first, second) == (case.empty_list, case.empty_list);
                    let is_answered = case.empty_list_is_an_answer && is_twice;
                    assert!(has_single_call || is_answered, "{}", case.vendor.name);
                }
                Err(error) => {
                    assert_eq!((error.kind, error.outcome), (Kind::Contradiction, Outcome::NotChanged));
                    assert!(!has_single_call && !case.empty_list_is_an_answer, "{}", case.vendor.name);
                }
            }
        }
    }
}

/// A single list without the credential: whatever it has on it, the next question finds the credential.
#[tokio::test]
async fn one_shorter_list_makes_no_credential_gone() {
    for case in cases() {
        let found_by_itself = case.found_late.get(1..).unwrap_or_default();
        let server = Server::start(case, found_by_itself).await;
        let body = |body: &str| ResponseTemplate::new(200).set_body_raw(body, media(body));
        server.mount_once(case.found[0], body(case.gone[0].body)).await;
        server.mount(case.found[0], body(case.found[0].body)).await;
        // What a list says of the credential itself counts at once.
        if case.is_listed_as_ended {
            continue;
        }
        let prior = PriorCredential { username: Some("prior".to_owned()), ..server.prior() };
        for _ in 0..2 {
            let presence = server.api().read(&operation(), &server.target(), &prior).await.unwrap();
            assert!(matches!(presence, Presence::Found(_)), "{}", case.vendor.name);
        }
    }
}

#[tokio::test]
async fn an_incomplete_list_does_not_make_a_credential_gone() {
    for case in cases().filter(|case| !case.found_late.is_empty()) {
        let server = Server::start(case, case.found_late).await;
        let presence = server.api().read(&operation(), &server.target(), &server.prior()).await.unwrap();
        assert!(matches!(presence, Presence::Found(_)), "{}", case.vendor.name);
    }
}

#[tokio::test]
async fn a_page_of_html_makes_no_credential_gone() {
    for case in cases() {
        let server = Server::start(case, &[]).await;
        let page = ResponseTemplate::new(404).set_body_raw("<html>Not found</html>", "text/html");
        server.mount(case.found[0], page).await;
        let error = server.api().read(&operation(), &server.target(), &server.prior()).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::NotTheApi, Outcome::NotChanged), "{}", case.vendor.name);
    }
}

#[tokio::test]
async fn each_refusal_is_recognized_and_leaves_the_password() {
    for case in cases() {
        for (status, kind) in [
            (400, Kind::Rejected),
            (401, Kind::Unauthorized),
            (403, Kind::Forbidden),
            (404, Kind::NotFound),
            (409, Kind::Conflict),
            (422, Kind::Rejected),
        ] {
            let server = Server::start(case, case.found).await;
            let refusal = ResponseTemplate::new(status).set_body_raw(case.error, media(case.error));
            server.mount(case.reset, refusal).await;
            let error = server.reset(&*server.api()).await.unwrap_err();
            assert_eq!((error.kind, error.outcome), (kind, Outcome::NotChanged), "{} {status}", case.vendor.name);
            assert!(error.message.is_some(), "{} {status} has the vendor's words", case.vendor.name);
            assert_shows_no_secret(case, &error);
        }
    }
}

#[tokio::test]
async fn a_reset_whose_outcome_is_unknown_is_sent_again_only_with_the_same_password() {
    for case in cases() {
        let server = Server::start(case, case.found).await;
        server.mount(case.reset, ResponseTemplate::new(500).set_body_raw(case.error, media(case.error))).await;
        let error = server.reset(&*server.api()).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Unavailable, Outcome::MayHaveChanged), "{}", case.vendor.name);
        assert_eq!(server.requests(case.reset).await.len() > 1, case.new.is_some(), "{}", case.vendor.name);
        assert_shows_no_secret(case, &error);
    }
}

#[tokio::test]
async fn a_rate_limit_beyond_the_deadline_is_an_error_at_once() {
    for case in cases() {
        let server = Server::start(case, case.found).await;
        let limited = ResponseTemplate::new(429).insert_header("retry-after", "3600").set_body_string(case.error);
        server.mount(case.reset, limited).await;
        let error = server.reset(&*server.api()).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::RateLimited, Outcome::NotChanged));
        assert_eq!(error.retry_after, Some(Duration::from_secs(3600)));
    }
}

#[tokio::test]
async fn an_answer_without_the_vendors_password_says_that_it_is_lost() {
    // Each waits for what might follow, so they wait together.
    let mut answers = JoinSet::new();
    for (case, password) in cases().filter_map(|case| Some((case, case.password?))) {
        for body in ["", "{}", "<html></html>", "null", &case.reset.body.replace(case.secret.unwrap_or(password), "")] {
            let body = body.to_owned();
            answers.spawn(async move {
                let server = Server::start(case, case.found).await;
                // What is no object at all may have come from something in between.
                let is_an_object = if media(case.reset.body) == "text/xml" {
                    media(&body) == "text/xml"
                } else {
                    body.starts_with('{')
                };
                let expected = if is_an_object {
                    (Kind::Unreadable, Outcome::Changed)
                } else {
                    (Kind::NotTheApi, Outcome::MayHaveChanged)
                };
                let answer = ResponseTemplate::new(case.reset.status).set_body_raw(&*body, media(&body));
                server.mount(case.reset, answer).await;
                let error = server.reset(&*server.api()).await.unwrap_err();
                assert_eq!((error.kind, error.outcome), expected, "{}: {body}", case.vendor.name);
                assert_shows_no_secret(case, &error);
            });
        }
    }
    answers.join_all().await;
}

#[tokio::test]
async fn an_odd_answer_loses_no_password() {
    for case in cases() {
        let doubled = case.reset.body.replacen('{', r#"{"another": {"a": [1e400, null, "x"]}, "password": null, "#, 1);
        let followed = format!("{} and garbage", case.reset.body);
        for body in [doubled, followed] {
            let server = Server::start(case, case.found).await;
            let answer = ResponseTemplate::new(case.reset.status).set_body_raw(&*body, media(&body));
            server.mount(case.reset, answer).await;
            let reset = server.reset(&*server.api()).await.unwrap();
            assert_eq!(reset.password, case.password.map(Secret::new), "{}", case.vendor.name);
        }
    }
}

#[tokio::test]
async fn nothing_is_logged_between_the_answer_to_a_reset_and_the_state() {
    for case in cases() {
        let server = Server::start(case, case.found).await;
        server.mount(case.reset, ok(case)).await;
        let api = server.api();
        // Once without the log: `tracing` may hide an event from it whose first use is at the same time in another test.
        server.reset(&*api).await.unwrap();
        let log = log::Log::default();
        let _guard = tracing::subscriber::set_default(log.clone());
        server.reset(&*api).await.unwrap();
        assert_eq!(log.messages().last().map(String::as_str), Some("sending"), "{}", case.vendor.name);
    }
}

#[tokio::test]
async fn nothing_prints_a_secret() {
    for case in cases() {
        let server = Server::start(case, case.found).await;
        server.mount(case.reset, ok(case)).await;
        let api = server.api();
        let reset = server.reset(&*api).await.unwrap();
        let text = format!("{api:?} {reset:?} {:?}", server.settings());
        for secret in [Some(TOKEN), case.password, case.secret, case.new].into_iter().flatten() {
            assert!(!text.contains(secret), "{}", case.vendor.name);
        }
    }
}

fn assert_shows_no_secret(case: &Case, error: &Error) {
    let text = format!("{error:?} {error}");
    for secret in [Some(TOKEN), case.new].into_iter().flatten() {
        assert!(!text.contains(secret), "{}: {text}", case.vendor.name);
    }
}

fn ok(case: &Case) -> ResponseTemplate {
    ResponseTemplate::new(case.reset.status).set_body_raw(case.reset.body, media(case.reset.body))
}

fn operation() -> Operation {
    Operation::new(Duration::from_secs(30), CancellationToken::new())
}

fn given(exchange: &Exchange) -> MockBuilder {
    let mock = Mock::given(method(exchange.method)).and(path(exchange.path));
    match exchange.sent {
        Some(sent) => mock.and(body_string(sent)),
        None => mock,
    }
}

/// Matches the documented authorization.
struct Authorized(&'static str);

impl Match for Authorized {
    fn matches(&self, request: &Request) -> bool {
        let header = request.headers.get("authorization").and_then(|value| value.to_str().ok());
        header.is_some_and(|header| fits(self.0, header))
    }
}

/// A mock of one vendor, and an API that is connected with it.
struct Server {
    case: &'static Case,
    mock: MockServer,
}

impl Server {
    async fn start(case: &'static Case, answers: &[Exchange]) -> Self {
        let server = Self { case, mock: MockServer::start().await };
        for exchange in case.always {
            let answer = ResponseTemplate::new(exchange.status).set_body_raw(exchange.body, media(exchange.body));
            let mock = given(exchange).respond_with(answer);
            mock.mount(&server.mock).await;
        }
        for exchange in answers {
            let answer = ResponseTemplate::new(exchange.status).set_body_raw(exchange.body, media(exchange.body));
            server.mount(*exchange, answer).await;
        }
        server
    }

    async fn mount(&self, exchange: Exchange, answer: ResponseTemplate) {
        let mock = given(&exchange).and(Authorized(self.case.authorization));
        mock.respond_with(answer).mount(&self.mock).await;
    }

    /// Answers the next such request; further ones get what is mounted later.
    async fn mount_once(&self, exchange: Exchange, answer: ResponseTemplate) {
        let mock = given(&exchange);
        mock.respond_with(answer).up_to_n_times(1).mount(&self.mock).await;
    }

    async fn requests(&self, exchange: Exchange) -> Vec<Request> {
        let requests = self.mock.received_requests().await.unwrap();
        let is_one = |request: &Request| {
            request.method.as_str() == exchange.method
                && request.url.path() == exchange.path
                && exchange.sent.is_none_or(|sent| request.body == sent.as_bytes())
        };
        requests.into_iter().filter(is_one).collect()
    }

    async fn reset(&self, api: &dyn VendorApi) -> Result<terraform_provider_smtp::vendors::Reset, Error> {
        let new = self.case.new.map(Secret::new);
        api.reset(&operation(), &self.target(), &self.before(), new.as_ref()).await
    }

    fn settings(&self) -> Fields {
        let field = |name| self.case.vendor.settings.iter().find(|field| field.name == name).copied().unwrap();
        let settings = self.case.settings.iter();
        let (names, values): (Vec<_>, Vec<_>) =
            settings.map(|(name, value)| (field(*name), value.replace("{server}", &self.mock.uri()))).unzip();
        fields(&names, &values.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn target(&self) -> Fields {
        fields(self.case.vendor.target, self.case.target)
    }

    /// What of the case's target names the account.
    fn scope(&self) -> Fields {
        let target = self.case.vendor.target.iter().zip(self.case.target);
        let in_scope = target.filter(|(field, _)| self.case.vendor.scope.iter().any(|other| other.name == field.name));
        let (names, values): (Vec<_>, Vec<_>) = in_scope.map(|(field, value)| (*field, *value)).unzip();
        fields(&names, &values)
    }

    fn listed(&self, expected: &Expected) -> Listed {
        Listed {
            target: fields(self.case.vendor.target, expected.target),
            username: Name::new(expected.username),
            version: expected.version.and_then(Name::new),
            created_at: expected.created_at.map(|time| time.parse().unwrap()),
        }
    }

    fn prior(&self) -> PriorCredential {
        PriorCredential { version: self.case.version.map(str::to_owned), username: None }
    }

    fn before(&self) -> Before {
        Before { prior: self.prior(), ..Before::default() }
    }

    fn api(&self) -> Arc<dyn VendorApi> {
        let client = Client::new(Settings {
            ca_certificate_file: None,
            request_timeout: Duration::from_secs(20),
            max_requests_per_second: None,
            user_agent: "contract".to_owned(),
        });
        self.case.vendor.api(&self.settings(), BaseUrl::parse(&self.mock.uri()).unwrap(), &client)
    }
}
