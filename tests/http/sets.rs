//! A password of the caller's own: the same request has the same end.

use tokio::task::JoinSet;

use super::server::{Act, Server, answer};
use super::*;

fn agree() -> Act {
    Act::answer(200, &[], r#"{"email":"me@example.com"}"#)
}

impl Server {
    async fn set(&self) -> Result<Answer, Error> {
        set(&self.api()).set(&operation(20)).await
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
    assert_eq!(set(&server.api_with(impatient())).set(&operation(20)).await.unwrap().status, 200);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn any_answer_of_success_is_one_however_it_ends() {
    let mut cases = JoinSet::new();
    for act in [
        Act::answer(204, &[], ""),
        Act::answer(200, &[], "<html>"),
        Act::Say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec()),
        Act::SayAndStall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec()),
        Act::Say(answer(200, &[], &"x".repeat(70_000))),
    ] {
        cases.spawn(async {
            let server = Server::start([act]);
            let answer = set(&server.api_with(impatient())).set(&operation(20)).await.unwrap();
            assert_eq!((answer.text(&["email"]), server.requests().len()), (None, 1));
        });
    }
    cases.join_all().await;
}

#[tokio::test]
async fn what_may_have_happened_is_said_even_when_the_last_answer_is_a_refusal() {
    let server = Server::start([Act::CloseAfterRequest, Act::answer(401, &[], "")]);
    server.failed(server.set().await, Kind::Unauthorized, Outcome::MayHaveChanged, 2);
}

#[tokio::test]
async fn a_stop_between_two_tries_leaves_it_unknown() {
    let server = Server::start([Act::answer(503, &["Retry-After: 10"], "")]);
    let (api, op) = (server.api(), operation(60));
    let stopping = async {
        server.request().await;
        op.stop.cancel();
    };
    let (result, ()) = tokio::join!(set(&api).set(&op), stopping);
    server.failed(result, Kind::Stopped, Outcome::MayHaveChanged, 1);
}

#[tokio::test]
async fn a_vendor_that_stays_in_trouble_is_asked_four_times() {
    let server = Server::start([Act::answer(500, &[], "")]);
    server.failed(server.set().await, Kind::Unavailable, Outcome::MayHaveChanged, 4);
}
