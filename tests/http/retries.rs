//! What is sent again, when, and how often.

use tokio::task::JoinSet;

use super::{
    server::{Act, Server},
    *,
};

fn agree() -> Act {
    Act::answer(200, &[], PASSWORD)
}

#[tokio::test]
async fn a_reset_that_was_not_processed_is_sent_again() {
    let mut cases = JoinSet::new();
    for refusal in [
        Act::answer(429, &[], ""),
        Act::answer(429, &["Retry-After: 0"], ""),
        Act::answer(429, &["Retry-After: 1"], ""),
        Act::answer(429, &["Retry-After: -1"], ""),
        Act::answer(429, &["Retry-After: soon"], ""),
        Act::answer(429, &["Retry-After: Thu, 01 Jan 2026 00:00:00 GMT"], ""),
        Act::answer(429, &["X-RateLimit-Reset: 1"], "<html>"),
        Act::answer(423, &[], ""),
        Act::answer(477, &["Retry-After: 1"], ""),
    ] {
        cases.spawn(async {
            let server = Server::start([refusal, agree()]);
            assert_eq!(server.reset().await.unwrap().status, 200);
            assert_eq!(server.requests().len(), 2);
        });
    }
    cases.join_all().await;
}

#[tokio::test]
async fn a_reset_is_refused_twice_and_sent_a_third_time() {
    let refusal = || Act::answer(429, &["Retry-After: 0"], "");
    let server = Server::start([refusal(), refusal(), agree()]);
    assert_eq!(server.reset().await.unwrap().status, 200);
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_fails_at_once() {
    for (status, header, kind) in [
        (429, "Retry-After: 99999", Kind::RateLimited),
        (429, "X-RateLimit-Reset: 99999", Kind::RateLimited),
        (429, "Retry-After: Thu, 01 Jan 2099 00:00:00 GMT", Kind::RateLimited),
        (477, "Retry-After: 86400", Kind::Unavailable),
    ] {
        let body = r#"{"message":"Daily limit","category":"RATE_LIMITS"}"#;
        let server = Server::start([Act::answer(status, &[header], body), agree()]);
        let error = server.failed(server.reset().await, kind, Outcome::NotChanged, 1);
        assert!(error.retry_after.unwrap() > Duration::from_secs(20));
        assert_eq!(error.message.as_deref(), Some("Daily limit"));
    }
}

#[tokio::test]
async fn of_two_waits_the_longer_counts() {
    let server = Server::start([Act::answer(429, &["Retry-After: 0", "Retry-After: 99999"], ""), agree()]);
    server.failed(server.reset().await, Kind::RateLimited, Outcome::NotChanged, 1);
}

#[tokio::test]
async fn the_end_of_a_rate_window_does_not_delay_what_was_not_limited() {
    let server = Server::start([Act::answer(503, &["X-RateLimit-Reset: 99999"], ""), agree()]);
    assert_eq!(server.read().await.unwrap().status, 200);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_read_is_sent_again_after_whatever_may_pass() {
    let mut cases = JoinSet::new();
    for trouble in [
        Act::Reset,
        Act::CloseAfterRequest,
        Act::ResetAfterRequest,
        Act::Say(b"NONSENSE\r\n\r\n".to_vec()),
        Act::Say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec()),
        Act::answer(408, &[], ""),
        Act::answer(429, &[], ""),
        Act::answer(500, &[], ""),
        Act::answer(502, &[], "<html>"),
        Act::answer(503, &["Retry-After: 1"], ""),
        Act::answer(504, &[], ""),
    ] {
        cases.spawn(async {
            let server = Server::start([trouble, agree()]);
            assert_eq!(server.read().await.unwrap().status, 200);
            assert_eq!(server.connections(), 2);
        });
    }
    cases.join_all().await;
}

#[tokio::test]
async fn a_read_is_sent_four_times_to_a_vendor_in_trouble() {
    let server = Server::start([Act::answer(500, &[], r#"{"message":"Oh dear"}"#)]);
    let error = server.failed(server.read().await, Kind::Unavailable, Outcome::NotChanged, 4);
    assert_eq!(error.message.as_deref(), Some("Oh dear"));
}

#[tokio::test]
async fn a_read_without_an_answer_is_sent_again_while_there_is_time() {
    let server = Server::start([Act::Silence, agree()]);
    assert_eq!(get(&server.api_with(impatient())).read(&operation(20)).await.unwrap().status, 200);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_read_that_is_refused_for_good_is_not_sent_again() {
    for status in [301, 307, 400, 401, 403, 404, 409, 422] {
        let server = Server::start([Act::answer(status, &[], ""), agree()]);
        server.read().await.unwrap_err();
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn requests_keep_the_distance_that_the_user_asks_for() {
    let server = Server::start([agree()]);
    let api = server.api_with(Settings { max_requests_per_second: Some(0.001), ..settings() });
    assert_eq!(get(&api).read(&operation(20)).await.unwrap().status, 200);
    let result = post(&api).reset(&operation(20)).await;
    let error = server.failed(result, Kind::TimedOut, Outcome::NotChanged, 1);
    assert!(error.reason.contains("`max_requests_per_second`"));
}
