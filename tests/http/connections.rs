//! Connections that fail, and what that proves.

use tokio::time::Instant;

use super::server::{Act, Server, answer, bound};
use super::*;

#[tokio::test]
async fn a_refused_reset_changed_nothing_and_is_told_before_the_deadline() {
    let nobody = bound();
    let api = api(settings(), &format!("http://{}", nobody.local_addr().unwrap()));
    let op = operation(3);
    let error = post(&api).reset(&op).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Unreachable, Outcome::NotChanged));
    assert_eq!(error.to_string(), "127.0.0.1: the connection was refused");
    assert!(Instant::now() < op.deadline);
}

#[tokio::test]
async fn a_host_without_an_address_changed_nothing() {
    let error = post(&api(settings(), "https://nobody.invalid")).reset(&operation(2)).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Unreachable, Outcome::NotChanged), "{error}");
}

#[tokio::test]
async fn a_server_that_speaks_first_leaves_a_reset_unknown() {
    let server = Server::start([Act::Babble(answer(200, &[], PASSWORD))]);
    let error = server.reset().await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Interrupted, Outcome::MayHaveChanged));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_connection_reset_right_after_accept_leaves_a_reset_unknown() {
    let server = Server::start([Act::Reset]);
    let error = server.reset().await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Interrupted, Outcome::MayHaveChanged));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_ends_after_the_request_leaves_a_reset_unknown() {
    for act in [Act::CloseAfterRequest, Act::ResetAfterRequest] {
        let server = Server::start([act, Act::answer(200, &[], PASSWORD)]);
        server.failed(server.reset().await, Kind::Interrupted, Outcome::MayHaveChanged, 1);
    }
}

#[tokio::test]
async fn no_answer_leaves_a_reset_unknown() {
    let server = Server::start([Act::Silence]);
    let result = post(&server.api_with(impatient())).reset(&operation(20)).await;
    server.failed(result, Kind::TimedOut, Outcome::MayHaveChanged, 1);
}

#[tokio::test]
async fn the_operations_deadline_ends_an_exchange_too() {
    let server = Server::start([Act::Silence]);
    let result = post(&server.api()).reset(&operation(3)).await;
    server.failed(result, Kind::TimedOut, Outcome::MayHaveChanged, 1);
}

#[tokio::test]
async fn a_reset_is_not_begun_with_too_little_time_for_an_answer() {
    let server = Server::start([Act::answer(200, &[], PASSWORD)]);
    let op = Operation::new(Duration::from_millis(900), CancellationToken::new());
    let result = post(&server.api()).reset(&op).await;
    server.failed(result, Kind::TimedOut, Outcome::NotChanged, 0);
}

#[tokio::test]
async fn a_garbled_head_leaves_a_reset_unknown() {
    for head in
        ["NONSENSE\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b"]
    {
        let server = Server::start([Act::Say(head.into())]);
        server.failed(server.reset().await, Kind::Interrupted, Outcome::MayHaveChanged, 1);
    }
}

#[tokio::test]
async fn a_whole_answer_is_had_however_slowly_it_comes() {
    let server = Server::start([Act::Drip(answer(200, &[], PASSWORD))]);
    let answer = server.reset().await.unwrap();
    assert_eq!(answer.json::<serde_json::Value>().unwrap()["password"], "the-new-password");
}

#[tokio::test]
async fn an_answer_that_is_cut_off_has_changed_the_password() {
    for rest in [
        "Content-Length: 100\r\n\r\n{\"password\":",
        "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"pas",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    ] {
        let server = Server::start([Act::Say(format!("HTTP/1.1 201 OK\r\nX-Request-Id: r-1\r\n{rest}").into())]);
        let error = server.failed(server.reset().await, Kind::Interrupted, Outcome::Changed, 1);
        assert_eq!((error.status, error.request_id.as_deref()), (Some(201), Some("r-1")));
    }
}

#[tokio::test]
async fn an_answer_that_stalls_has_changed_the_password() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
    let stalled = async |bytes: String| {
        let server = Server::start([Act::SayAndStall(bytes.into())]);
        let result = post(&server.api_with(impatient())).reset(&operation(20)).await;
        server.failed(result, Kind::TimedOut, Outcome::Changed, 1);
    };
    tokio::join!(stalled(head.to_owned()), stalled(format!("{head}{{\"pass")));
}

#[tokio::test]
async fn an_answer_that_is_too_large_has_changed_the_password() {
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for act in [
        Act::Say(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n{".to_vec()),
        Act::answer(200, &[], &"x".repeat(64 * 1024 + 1)),
        Act::Flood(chunked, format!("1000\r\n{}\r\n", "x".repeat(0x1000)).into_bytes()),
        Act::Flood(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; 4096]),
    ] {
        let server = Server::start([act]);
        server.failed(server.reset().await, Kind::TooLarge, Outcome::Changed, 1);
    }
}

#[tokio::test]
async fn a_page_may_hold_more_than_the_answer_to_a_reset_and_is_never_asked_for_again() {
    let page = format!("\"{}\"", "x".repeat(1024 * 1024));
    let server = Server::start([Act::answer(200, &[], &page)]);
    assert_eq!(server.read().await.unwrap().json::<String>().unwrap().len(), 1024 * 1024);

    let server = Server::start([Act::Say(b"HTTP/1.1 200 OK\r\nContent-Length: 16777217\r\n\r\n".to_vec())]);
    server.failed(server.read().await, Kind::TooLarge, Outcome::NotChanged, 1);
}

#[tokio::test]
async fn an_answer_shorter_than_its_body_has_changed_the_password() {
    let server =
        Server::start([Act::Say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"password\":\"x\"}".to_vec())]);
    let answer = server.reset().await.unwrap();
    let error = answer.json::<serde_json::Value>().unwrap_err();
    assert_eq!((error.kind, error.outcome, error.status), (Kind::Unreadable, Outcome::Changed, Some(200)));
    assert_eq!(server.requests().len(), 1);
}
