//! No token, password or path is in any text.

use sandbox::log::Log;

use super::{
    server::{Act, Server},
    *,
};

#[tokio::test]
async fn the_log_has_the_host_and_the_status_but_no_secret_or_path() {
    let log = Log::of_this_process();
    let password = Act::answer(200, &[], PASSWORD);
    let server = Server::start([Act::answer(429, &["Retry-After: 0"], TOKEN), password.clone(), password]);
    let request = post(&server.api()).form(vec![("client_secret", Secret::new("the-client-secret").into())]);
    request.reset(&operation(20)).await.unwrap();
    server.read().await.unwrap();

    let log = log.text();
    for expected in ["127.0.0.1", "POST", "429", "200"] {
        assert!(log.contains(expected), "{expected}: {log}");
    }
    for secret in [TOKEN, "the-client-secret", "the-new-password", "me@", "me%40"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[tokio::test]
async fn no_debug_text_holds_a_secret_or_a_path() {
    let server = Server::start([Act::answer(200, &[], PASSWORD)]);
    let api = server.api();
    let request = post(&api).form(vec![("client_secret", Secret::new("the-client-secret").into())]);
    let op = operation(20);
    Secret::known("the-old-password");
    let asking = format!("{api:?} {request:?} {op:?}");
    let shown = format!("{asking} {:?}", request.reset(&op).await.unwrap());
    for secret in [TOKEN, "the-client-secret", "the-old-password", "the-new-password", "me@", "me%40"] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}

#[tokio::test]
async fn what_a_vendor_echoes_is_scrubbed() {
    let body = format!(
        r#"{{"message":"bad {TOKEN} or the-client-\u001b[1msecret or the-old-\u0000password","category":"{TOKEN}","correlationId":"the-old-password"}}"#
    );
    let server = Server::start([Act::answer(400, &[], &body)]);
    let request = post(&server.api()).form(vec![("client_secret", Secret::new("the-client-secret").into())]);
    let op = operation(20);
    Secret::known("the-old-password");
    let error = server.failed(request.reset(&op).await, Kind::Rejected, Outcome::NotChanged, 1);
    assert_eq!(error.message.as_deref(), Some("bad [redacted] or [redacted] or [redacted]"));
    assert_eq!(error.code.as_deref(), Some("[redacted]"));
    assert_eq!(error.request_id.as_deref(), Some("[redacted]"));
}

#[tokio::test]
async fn a_basic_login_is_scrubbed_as_it_was_given_and_as_it_was_sent() {
    // base64("owner:the-api-key")
    let body = r#"{"message":"bad the-api-key, bad b3duZXI6dGhlLWFwaS1rZXk="}"#;
    let server = Server::start([Act::answer(401, &[], body)]);
    let request = get(&server.api()).basic("owner", &Secret::new("the-api-key"));
    let error = server.failed(request.read(&operation(20)).await, Kind::Unauthorized, Outcome::NotChanged, 1);
    assert_eq!(error.message.as_deref(), Some("bad [redacted], bad [redacted]"));
    assert!(server.requests()[0].contains("Basic b3duZXI6dGhlLWFwaS1rZXk="));
}

#[tokio::test]
async fn a_long_message_is_capped() {
    let body = format!(r#"{{"message":"{}"}}"#, "é".repeat(10_000));
    let server = Server::start([Act::answer(400, &[], &body)]);
    let error = server.failed(server.reset().await, Kind::Rejected, Outcome::NotChanged, 1);
    assert_eq!(error.message.unwrap().chars().count(), 301);
}
