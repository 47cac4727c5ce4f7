//! Connections that fail, and what that proves.

use std::sync::Arc;

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{
    server::{
        Act::{self, AnswerWhenNotified},
        Server, answer, bound,
    },
    *,
};

#[tokio::test]
async fn a_rejected_reset_changed_nothing_and_is_reported_before_the_deadline() {
    let nobody = bound();
    let api = api(settings(), &format!("http://{}", nobody.local_addr().unwrap()));
    let op = operation(10);
    let error = post(&api).reset(&op).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Unreachable, Outcome::NotChanged));
    assert_eq!(error.to_string(), "127.0.0.1: the connection was refused");
    assert_eq!(error.finality, Finality::Final);
    assert!(Instant::now() < op.deadline);
}

#[tokio::test]
async fn a_host_without_an_address_changed_nothing() {
    let error = post(&api(settings(), "https://nobody.invalid")).reset(&operation(10)).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Unreachable, Outcome::NotChanged), "{error}");
}

#[tokio::test]
async fn an_early_response_is_read_and_without_a_password_proves_nothing() {
    let server = Server::start([Act::Babble(answer(200, &[], PASSWORD))]);
    assert_eq!(server.reset().await.unwrap().password("/password").unwrap(), Secret::new("the-new-password"));
    assert_eq!(server.connections(), 1);

    let server = Server::start([Act::Babble(b"220 mail.example.com\r\n".to_vec())]);
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
async fn the_deadline_ends_a_read_but_never_the_wait_for_a_resets_response() {
    let server = Server::start([Act::Silence]);
    let op = operation(3);
    let error = get(&server.api()).read(&op).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::TimedOut, Outcome::NotChanged));

    for is_released in [true, false] {
        let notify = Arc::new(Notify::new());
        let answer = AnswerWhenNotified(answer(200, &[], PASSWORD), Arc::clone(&notify));
        let server = Server::start([answer]);
        let api = server.api_with(Settings { request_timeout: Duration::from_secs(7), ..settings() });
        let op = operation(5);
        let releasing = async {
            server.request().await;
            sleep_until(op.deadline + Duration::from_millis(100)).await;
            if is_released {
                notify.notify_one();
            }
        };
        let (reset, ()) = tokio::join!(post(&api).reset(&op), releasing);
        if is_released {
            assert_eq!(reset.unwrap().password("/password").unwrap(), Secret::new("the-new-password"));
        } else {
            server.failed(reset, Kind::TimedOut, Outcome::MayHaveChanged, 1);
        }
    }
}

#[tokio::test]
async fn an_answer_that_comes_after_a_wait_and_after_the_deadline_is_kept() {
    let notify = Arc::new(Notify::new());
    let limited = Act::answer(429, &["Retry-After: 1"], "");
    let server = Server::start([limited, AnswerWhenNotified(answer(200, &[], PASSWORD), Arc::clone(&notify))]);
    let op = operation(8);
    let releasing = async {
        server.request().await;
        server.request().await;
        sleep_until(op.deadline + Duration::from_millis(100)).await;
        notify.notify_one();
    };
    let api = server.api();
    let (reset, ()) = tokio::join!(post(&api).reset(&op), releasing);
    assert_eq!(reset.unwrap().password("/password").unwrap(), Secret::new("the-new-password"));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_password_of_the_callers_own_is_waited_for_as_long() {
    let notify = Arc::new(Notify::new());
    let server =
        Server::start([AnswerWhenNotified(answer(200, &[], r#"{"email":"me@example.com"}"#), Arc::clone(&notify))]);
    let op = operation(5);
    let releasing = async {
        server.request().await;
        sleep_until(op.deadline + Duration::from_millis(100)).await;
        notify.notify_one();
    };
    let api = server.api();
    let (set, ()) = tokio::join!(post(&api).set(&op, &AGREEMENT), releasing);
    assert_eq!(set.unwrap().status, 200);
}

/// The clock only moves on where there is nothing to wait for but time, so the machine's speed makes no difference.
#[tokio::test(start_paused = true)]
async fn a_connection_is_awaited_only_while_there_is_time_for_a_response() {
    let server = Server::start([Act::Silence]);
    for (seconds, awaited) in [(10, 9_000), (1, 500)] {
        let start = Instant::now();
        let api = api(settings(), &format!("https://{}", server.address));
        let error = post(&api).reset(&operation(seconds)).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Unreachable, Outcome::NotChanged));
        assert_eq!(error.reason, "the connection timed out");
        let waited = start.elapsed().as_millis();
        assert!((awaited..awaited + 5).contains(&waited), "{waited} ms of {seconds} s");
    }
}

#[tokio::test]
async fn a_reset_is_not_begun_with_too_little_time_for_an_answer() {
    let server = Server::start([Act::answer(200, &[], PASSWORD)]);
    // However little it is, so a machine that is slow finds the same.
    for time in [Duration::ZERO, Duration::from_millis(1), Duration::from_millis(900)] {
        let op = Operation::new(time, CancellationToken::new());
        let result = post(&server.api()).reset(&op).await;
        server.failed(result, Kind::TimedOut, Outcome::NotChanged, 0);
    }
}

#[tokio::test]
async fn a_garbled_head_leaves_a_reset_unknown() {
    for head in ["NONSENSE\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 500 No\r\nno colon\r\n\r\n{}"] {
        let server = Server::start([Act::Say(head.into())]);
        server.failed(server.reset().await, Kind::Interrupted, Outcome::MayHaveChanged, 1);
    }
    for head in ["HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b", "HTTP/1.1 200"] {
        let server = Server::start([Act::Say(head.into())]);
        server.lost(server.reset().await, Kind::Interrupted, Outcome::MayHaveChanged);
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
        "Content-Length: 100\r\n\r\n{\"password\":\"the-new",
        "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"pas",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    ] {
        let server = Server::start([Act::Say(format!("HTTP/1.1 201 OK\r\nX-Request-Id: r-1\r\n{rest}").into())]);
        let error = server.lost(server.reset().await, Kind::Interrupted, Outcome::Changed);
        assert_eq!((error.status, error.request_id.as_deref()), (Some(201), Some("r-1")));
    }
}

#[tokio::test]
async fn an_answer_that_stalls_has_changed_the_password() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
    let stalled = async |bytes: String| {
        let server = Server::start([Act::SayAndStall(bytes.into())]);
        let result = post(&server.api_with(impatient())).reset(&operation(20)).await;
        server.lost(result, Kind::TimedOut, Outcome::Changed);
    };
    tokio::join!(stalled(head.to_owned()), stalled(format!("{head}{{\"pass")));
}

#[tokio::test]
async fn a_password_in_a_response_that_is_too_large_is_kept_if_it_has_arrived() {
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let garbage = "x".repeat(64 * 1024 + 1);
    for start in ["", "{\"password\":\"the-new-password\", \"more\": \""] {
        for act in [
            Act::Say(format!("HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n{start}{garbage}").into()),
            Act::answer(200, &[], &format!("{start}{garbage}")),
            Act::Flood(
                [&chunked[..], format!("{:x}\r\n{start} \r\n", start.len() + 1).as_bytes()].concat(),
                format!("1000\r\n{}\r\n", "x".repeat(0x1000)).into_bytes(),
            ),
            Act::Flood(format!("HTTP/1.1 200 OK\r\n\r\n{start}").into(), vec![b'x'; 4096]),
        ] {
            let server = Server::start([act]);
            if start.is_empty() {
                server.lost(server.reset().await, Kind::TooLarge, Outcome::Changed);
            } else {
                let answer = server.reset().await.unwrap();
                assert_eq!(answer.password("/password").unwrap(), Secret::new("the-new-password"));
                assert!(!answer.is_whole());
            }
        }
    }
}

#[tokio::test]
async fn a_page_may_be_larger_than_a_resets_response_and_is_never_retried() {
    let page = format!("\"{}\"", "x".repeat(1024 * 1024));
    let server = Server::start([Act::answer(200, &[], &page)]);
    assert_eq!(server.read().await.unwrap().json::<String>().unwrap().len(), 1024 * 1024);

    let server = Server::start([Act::Say(b"HTTP/1.1 200 OK\r\nContent-Length: 16777217\r\n\r\n".to_vec())]);
    server.failed(server.read().await, Kind::TooLarge, Outcome::NotChanged, 1);
}
