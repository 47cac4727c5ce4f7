//! A password of the caller's own: the same request has the same end.

use tokio::task::JoinSet;

use super::{
    server::{Act, Server, answer},
    *,
};

fn agree() -> Act {
    Act::answer(200, &[], r#"{"email":"me@example.com"}"#)
}

impl Server {
    async fn set(&self) -> Result<Answer, Error> {
        set(&self.api()).set(&operation(20), &AGREEMENT).await
    }
}

fn set(api: &Api) -> Request {
    let request = api.request(Method::PUT, &["mailboxes", "me@example.com", "password"]);
    request.bearer(&Secret::new(TOKEN)).json(vec![("newPassword", Secret::new("my own \"password\"").into())])
}

#[tokio::test]
async fn an_unknown_outcome_is_sent_again_as_it_was() {
    let mut cases = JoinSet::new();
    for trouble in [
        Act::CloseAfterRequest,
        Act::ResetAfterRequest,
        Act::Say(b"NONSENSE\r\n\r\n".to_vec()),
        Act::answer(408, &[], ""),
        Act::answer(429, &[], ""),
        Act::answer(500, &[], ""),
        Act::answer(502, &[], "<html>"),
        Act::answer(200, &["Content-Type: text/html"], "<html>"),
        Act::answer(503, &["Retry-After: 1"], ""),
    ] {
        cases.spawn(async {
            let server = Server::start([trouble, agree()]);
            assert_eq!(server.set().await.unwrap().status, 200);
            let requests = server.requests();
            assert!(requests[0].ends_with(r#"{"newPassword":"my own \"password\""}"#), "{}", requests[0]);
            assert_eq!(requests, [requests[0].as_str(); 2]);
        });
    }
    cases.join_all().await;
}

#[tokio::test]
async fn no_answer_in_time_is_asked_for_again() {
    let server = Server::start([Act::Silence, agree()]);
    assert_eq!(set(&server.api_with(impatient())).set(&operation(20), &AGREEMENT).await.unwrap().status, 200);
    assert_eq!(server.requests().len(), 2);
}

/// What says 2xx and is not the vendor's agreement: a page, a portal, half an answer.
fn no_agreements() -> Vec<Act> {
    let said = |status, media: &str, body: &str| Act::answer(status, &[&format!("Content-Type: {media}")], body);
    vec![
        said(200, "text/html", "<html>Under maintenance</html>"),
        said(200, "text/html", r#"{"email":"me@example.com"}"#),
        said(200, "application/problem+json", r#"{"title":"Down","status":200}"#),
        said(200, "application/problem+json", r#"{"email":"me@example.com"}"#),
        said(200, "application/json", r#"{"login_url":"https://portal.example.com"}"#),
        said(200, "application/json", r#"{"email":null}"#),
        said(200, "application/json", "null"),
        said(200, "application/json", "{}"),
        said(200, "application/json", ""),
        said(200, "application/json", r#"{"email":"me@example.com","message":"No."}"#),
        said(202, "application/json", r#"{"email":"me@example.com"}"#),
        said(203, "application/json", r#"{"email":"me@example.com"}"#),
        Act::answer(204, &[], ""),
        // Whole to the eye, but not to HTTP: what is left out may be anything.
        Act::Say(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"email\":\"me@example.com\"}".to_vec()),
        Act::Say(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"email\":\"me@example.com\"".to_vec()),
        Act::SayAndStall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec()),
        Act::Say(answer(200, &[], &"x".repeat(70_000))),
    ]
}

#[tokio::test]
async fn what_is_not_the_vendors_agreement_is_sent_again_until_the_vendor_agrees() {
    let mut cases = JoinSet::new();
    for (number, act) in no_agreements().into_iter().enumerate() {
        cases.spawn(async move {
            let server = Server::start([act, agree()]);
            let answer = set(&server.api_with(impatient())).set(&operation(20), &AGREEMENT).await.unwrap();
            let requests = server.requests();
            assert_eq!(answer.text("/email").as_ref().map(Outside::raw), Some("me@example.com"), "{number}");
            assert_eq!(requests, [requests[0].as_str(); 2], "{number}");
        });
    }
    cases.join_all().await;
}

#[tokio::test]
async fn a_vendor_that_never_agrees_in_its_own_words_may_have_changed_the_password() {
    let mut cases = JoinSet::new();
    for (number, act) in no_agreements().into_iter().enumerate() {
        cases.spawn(async move {
            let server = Server::start([act]);
            let settings = Settings { request_timeout: Duration::from_secs(1), ..settings() };
            let error = set(&server.api_with(settings)).set(&operation(30), &AGREEMENT).await.unwrap_err();
            assert_eq!((error.outcome, error.finality), (Outcome::MayHaveChanged, Finality::InFlight), "{number}");
            assert!(
                matches!(error.kind, Kind::NotTheApi | Kind::Interrupted | Kind::TimedOut | Kind::TooLarge),
                "{error:?}"
            );
            assert_eq!((error.words, server.requests().len()), (Origin::Foreign, 4), "{number}");
        });
    }
    cases.join_all().await;
}

#[tokio::test]
async fn what_may_have_happened_is_said_even_when_the_last_answer_is_a_refusal() {
    for (body, kind) in [(r#"{"message":"No."}"#, Kind::Unauthorized), ("", Kind::NotTheApi)] {
        let server = Server::start([Act::CloseAfterRequest, Act::answer(401, &[], body)]);
        server.failed(server.set().await, kind, Outcome::MayHaveChanged, 2);
    }
}

#[tokio::test]
async fn a_stop_between_two_tries_leaves_it_unknown() {
    let server = Server::start([Act::answer(503, &["Retry-After: 10"], "")]);
    let (api, op) = (server.api(), operation(60));
    let stopping = async {
        server.request().await;
        op.stop.cancel();
    };
    let (result, ()) = tokio::join!(set(&api).set(&op, &AGREEMENT), stopping);
    server.failed(result, Kind::Stopped, Outcome::MayHaveChanged, 1);
}

#[tokio::test]
async fn a_vendor_that_stays_in_trouble_is_asked_four_times() {
    let server = Server::start([Act::answer(500, &[], "")]);
    server.failed(server.set().await, Kind::Unavailable, Outcome::MayHaveChanged, 4);
}

/// An API that describes how a success and a refusal look inside a 200.
static DESCRIBED: Agreement = Agreement::Described {
    success: &[Condition { pointer: "/ok", value: "true" }],
    refused: &[Condition { pointer: "/ok", value: "false" }],
};

#[tokio::test]
async fn a_refusal_inside_a_200_changed_nothing_and_ends_the_tries() {
    let headers = ["X-Request-Id: r-8"];
    let server = Server::start([Act::answer(200, &headers, r#"{"ok":false,"message":"Too short."}"#)]);
    let result = set(&server.api()).set(&operation(20), &DESCRIBED).await;
    let error = server.failed(result, Kind::Rejected, Outcome::NotChanged, 1);
    assert_eq!((error.status, error.words, error.request_id.as_deref()), (Some(200), Origin::Vendor, Some("r-8")));

    let server = Server::start([Act::answer(200, &[], r#"{"ok":true}"#)]);
    assert_eq!(set(&server.api()).set(&operation(20), &DESCRIBED).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_described_success_counts_under_any_media_type_and_a_page_never_does() {
    static UNDESCRIBED: Agreement = Agreement::Described { success: &[], refused: &[] };
    let said = |agreement: &'static Agreement, media: &'static str, body: &'static str| async move {
        let server = Server::start([Act::answer(200, &[&format!("Content-Type: {media}")], body)]);
        let result = set(&server.api()).set(&operation(30), agreement).await;
        (result, server.requests().len())
    };
    for media in ["text/html", "text/json", "application/hal+json", "text/plain"] {
        let (result, requests) = said(&DESCRIBED, media, r#"{"ok":true}"#).await;
        assert_eq!((result.unwrap().status, requests), (200, 1), "{media}");
        let (result, requests) = said(&DESCRIBED, media, r#"{"ok":false,"message":"Too short."}"#).await;
        assert_eq!((result.unwrap_err().outcome, requests), (Outcome::NotChanged, 1), "{media}");
    }
    for (media, body) in [("text/plain", "OK"), ("application/json", "\"OK\""), ("application/hal+json", "{}")] {
        let (result, requests) = said(&UNDESCRIBED, media, body).await;
        assert_eq!((result.unwrap().status, requests), (200, 1), "{media} {body}");
    }
    let (result, requests) = said(&UNDESCRIBED, "text/html", "<html>Log in</html>").await;
    assert_eq!((result.unwrap_err().kind, requests), (Kind::NotTheApi, 4));
}

#[tokio::test]
async fn what_is_not_the_described_success_says_why_and_quotes_the_apis_own_error() {
    static UNDESCRIBED: Agreement = Agreement::Described { success: &[], refused: &[] };
    static SUCCESS: Agreement =
        Agreement::Described { success: &[Condition { pointer: "/ok", value: "true" }], refused: &[] };
    let mut cases = JoinSet::new();
    for (agreement, status, media, body, reason, message) in [
        (&UNDESCRIBED, 200, "application/json", r#"{"message":"nf"}"#, "the response reports a failure", Some("nf")),
        (&UNDESCRIBED, 200, "text/html", r#"{"message":"nf"}"#, "the response reports a failure", Some("nf")),
        (&UNDESCRIBED, 200, "text/html", "{}", "its `Content-Type` is that of a web page", None),
        (&SUCCESS, 200, "application/json", r#"{"message":"nf"}"#, NOT_DESCRIBED, Some("nf")),
        (&SUCCESS, 200, "application/json", r#"{"ok":null}"#, NOT_DESCRIBED, None),
        (&SUCCESS, 204, "text/plain", "", "the response has no body, and so is not the described success", None),
    ] {
        cases.spawn(async move {
            let headers = [&*format!("Content-Type: {media}"), "X-Request-Id: r-9"];
            let server = Server::start([Act::answer(status, &headers, body)]);
            let result = set(&server.api()).set(&operation(30), agreement).await;
            let error = server.failed(result, Kind::NotDescribed, Outcome::MayHaveChanged, 4);
            assert_eq!((&*error.reason, error.message.as_deref()), (reason, message), "{body}");
            assert_eq!((error.status, error.request_id.as_deref()), (Some(status), Some("r-9")), "{body}");
            // The API's own error says that it is done with the request.
            let origin = if message.is_some() { Origin::Vendor } else { Origin::Foreign };
            let finality = if message.is_some() { Finality::Final } else { Finality::InFlight };
            assert_eq!((error.words, error.finality), (origin, finality), "{body}");
        });
    }
    cases.join_all().await;
}

const NOT_DESCRIBED: &str = "the response is not the described success";

#[tokio::test]
async fn a_page_in_place_of_the_agreement_is_reported_with_its_status_and_request_id() {
    let server = Server::start([Act::answer(203, &["Content-Type: text/html", "X-Request-Id: r-7"], "<html>")]);
    let error = server.set().await.unwrap_err();
    assert_eq!((error.kind, error.status, error.request_id.as_deref()), (Kind::NotTheApi, Some(203), Some("r-7")));
}
