//! No token, password or path is in any text.

use super::server::{Act, Server};
use super::*;

#[tokio::test]
async fn no_debug_text_holds_a_secret_or_a_path() {
    let server = Server::start([Act::answer(200, &[], PASSWORD)]);
    let api = server.api();
    let request = post(&api).form(vec![("client_secret", Secret::new("the-client-secret"))]);
    let op = operation(20).knowing(Some(Secret::new("the-old-password")));
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
    let request = post(&server.api()).form(vec![("client_secret", Secret::new("the-client-secret"))]);
    let op = operation(20).knowing(Some(Secret::new("the-old-password")));
    let error = server.failed(request.reset(&op).await, Kind::Rejected, Outcome::NotChanged, 1);
    assert_eq!(error.message.as_deref(), Some("bad [redacted] or [redacted] or [redacted]"));
    assert_eq!(error.code.as_deref(), Some("[redacted]"));
    assert_eq!(error.request_id.as_deref(), Some("[redacted]"));
}

#[tokio::test]
async fn a_long_message_is_capped() {
    let body = format!(r#"{{"message":"{}"}}"#, "é".repeat(10_000));
    let server = Server::start([Act::answer(400, &[], &body)]);
    let error = server.failed(server.reset().await, Kind::Rejected, Outcome::NotChanged, 1);
    assert_eq!(error.message.unwrap().chars().count(), 301);
}
