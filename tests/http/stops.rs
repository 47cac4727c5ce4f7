//! Stops: what has not left is taken back, and what has left is finished.

use std::sync::Arc;

use tokio::sync::Notify;

use super::{
    server::{Act, Server, answer},
    *,
};

#[tokio::test]
async fn nothing_is_sent_after_a_stop() {
    let server = Server::start([Act::answer(200, &[], PASSWORD)]);
    let op = operation(20);
    op.stop.cancel();
    server.failed(post(&server.api()).reset(&op).await, Kind::Stopped, Outcome::NotChanged, 0);
    server.failed(get(&server.api()).read(&op).await, Kind::Stopped, Outcome::NotChanged, 0);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_reset_is_taken_back_while_it_connects() {
    // The server waits for a request, and the client for the server's part of a TLS handshake.
    let server = Server::start([Act::Silence]);
    let api = api(settings(), &format!("https://{}", server.address));
    let op = operation(20);
    let stopping = async {
        server.connection().await;
        op.stop.cancel();
    };
    let (result, ()) = tokio::join!(post(&api).reset(&op), stopping);
    server.failed(result, Kind::Stopped, Outcome::NotChanged, 0);
}

#[tokio::test]
async fn a_reset_that_has_left_is_finished() {
    let notify = Arc::new(Notify::new());
    let server = Server::start([Act::AnswerWhenNotified(answer(200, &[], PASSWORD), Arc::clone(&notify))]);
    let api = server.api();
    let op = operation(20);
    let stopping = async {
        server.request().await;
        op.stop.cancel();
        notify.notify_one();
    };
    let (result, ()) = tokio::join!(post(&api).reset(&op), stopping);
    assert_eq!(result.unwrap().json::<serde_json::Value>().unwrap()["password"], "the-new-password");
}

#[tokio::test]
async fn a_reset_that_was_refused_is_not_sent_again_after_a_stop() {
    let server = Server::start([Act::answer(429, &["Retry-After: 15"], "")]);
    let api = server.api();
    let op = operation(20);
    let stopping = async {
        server.request().await;
        op.stop.cancel();
    };
    let (result, ()) = tokio::join!(post(&api).reset(&op), stopping);
    server.failed(result, Kind::Stopped, Outcome::NotChanged, 1);
}

#[tokio::test]
async fn a_read_is_given_up_at_any_time() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec();
    for act in [Act::Silence, Act::SayAndStall(head)] {
        let server = Server::start([act]);
        let api = server.api();
        let op = operation(20);
        let stopping = async {
            server.request().await;
            op.stop.cancel();
        };
        let (result, ()) = tokio::join!(get(&api).read(&op), stopping);
        server.failed(result, Kind::Stopped, Outcome::NotChanged, 1);
    }
}

#[tokio::test]
async fn a_wait_ends_with_a_stop_or_at_the_deadline() {
    let op = operation(20);
    assert_eq!(op.wait(async { 1 }).await.unwrap(), 1);
    op.stop.cancel();
    let error = op.wait(std::future::pending::<()>()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Stopped, Outcome::NotChanged));

    let error = operation(0).wait(std::future::pending::<()>()).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::TimedOut, Outcome::NotChanged));
}
