//! What holds for every vendor to which the caller sends a password.

use wiremock::ResponseTemplate;

use super::{Case, Kind, Outcome, Server, cases, ok, operation};

fn cases_of_callers() -> impl Iterator<Item = &'static Case> {
    cases().filter(|case| case.new.is_some())
}

#[tokio::test]
async fn an_unknown_outcome_is_retried_with_the_same_password_until_it_succeeds() {
    for case in cases_of_callers() {
        for trouble in [500, 502, 503, 408] {
            let server = Server::start(case, &[]).await;
            server.mount_once(case.reset, ResponseTemplate::new(trouble).set_body_string(case.error)).await;
            server.mount(case.reset, ok(case)).await;
            let reset = server.reset(&*server.api()).await.unwrap();
            assert_eq!((reset.password, reset.notes), (None, vec![]), "{} {trouble}", case.vendor.name);
            assert_sent_twice(&server).await;
        }
    }
}

#[tokio::test]
async fn a_refusal_after_an_unknown_outcome_leaves_it_unknown() {
    for case in cases_of_callers() {
        let server = Server::start(case, &[]).await;
        server.mount_once(case.reset, ResponseTemplate::new(500).set_body_string(case.error)).await;
        server.mount(case.reset, ResponseTemplate::new(403).set_body_string(case.error)).await;
        let error = server.reset(&*server.api()).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Forbidden, Outcome::MayHaveChanged), "{}", case.vendor.name);
    }
}

#[tokio::test]
async fn only_the_documented_response_means_that_the_password_is_ours() {
    for case in cases_of_callers() {
        let (status, documented) = (case.reset.status, case.reset.body);
        let server = Server::start(case, &[]).await;
        server.mount(case.reset, ok(case)).await;
        let expected = server.reset(&*server.api()).await.unwrap().username;
        for (status, media, body) in [
            (status, "application/json", ""),
            (status, "text/html", "<html></html>"),
            (status, "application/json", "null"),
            (status, "application/json", r#"{"email": 1}"#),
            (status, "application/problem+json", case.error),
            (status, "application/json", case.error),
            (another(status, 202), "application/json", documented),
            (another(status, 203), "application/json", documented),
            (another(status, 204), "application/json", ""),
        ] {
            let server = Server::start(case, &[]).await;
            server.mount_once(case.reset, ResponseTemplate::new(status).set_body_raw(body, media)).await;
            server.mount(case.reset, ok(case)).await;
            let reset = server.reset(&*server.api()).await.unwrap();
            let name = case.vendor.name;
            assert_eq!((&reset.username, reset.notes), (&expected, vec![]), "{name} {status} {media} {body}");
            assert_sent_twice(&server).await;
        }
    }
}

#[tokio::test]
async fn nothing_is_sent_without_a_password() {
    for case in cases_of_callers() {
        let server = Server::start(case, &[]).await;
        server.mount(case.reset, ok(case)).await;
        let error = server.api().reset(&operation(), &server.target(), &server.before(), None).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Setup, Outcome::NotChanged), "{}", case.vendor.name);
        assert_eq!(server.requests(case.reset).await.len(), 0, "{}", case.vendor.name);
    }
}

/// A status that is not the documented one.
fn another(documented: u16, status: u16) -> u16 {
    if documented == status { 201 } else { status }
}

async fn assert_sent_twice(server: &Server) {
    let sent: Vec<_> = server.requests(server.case.reset).await.into_iter().map(|request| request.body).collect();
    assert_eq!(sent, [server.case.reset_body.as_bytes(); 2], "{}", server.case.vendor.name);
}
