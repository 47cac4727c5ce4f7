//! Connections that look-ups share, and resets never.

use super::{
    server::{Act, Server, answer},
    tls::{acceptor, authority, file, leaf, pem},
    *,
};

fn list() -> Vec<u8> {
    answer(200, &[], "{}")
}

/// Looks, resets, and looks again with one client.
async fn look_reset_look(api: &Api) {
    get(api).read(&operation(20)).await.unwrap();
    let answer = post(api).reset(&operation(20)).await.unwrap();
    assert_eq!(answer.password("/password").unwrap(), Secret::new("the-new-password"));
    get(api).read(&operation(20)).await.unwrap();
}

#[tokio::test]
async fn look_ups_share_a_connection() {
    let server = Server::start([Act::SayEach(vec![list(), list(), list(), list()])]);
    let api = server.api();
    for _ in 0..4 {
        get(&api).read(&operation(20)).await.unwrap();
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 4));
}

#[tokio::test]
async fn look_ups_at_the_same_time_have_a_connection_each() {
    let server = Server::start([Act::SayEach(vec![list(), list()])]);
    let api = server.api();
    for _ in 0..2 {
        let op = operation(20);
        let (one, other) = tokio::join!(get(&api).read(&op), get(&api).read(&op));
        assert_eq!((one.unwrap().status, other.unwrap().status), (200, 200));
    }
    assert_eq!((server.connections(), server.requests().len()), (2, 4));
}

#[tokio::test]
async fn a_reset_goes_over_no_connection_that_was_used_before_and_leaves_none() {
    // Whatever comes over the first and the third is a look-up; the second has only the reset.
    let look = || Act::SayEach(vec![list(), list(), list()]);
    let reset = || Act::SayEach(vec![answer(200, &[], PASSWORD), answer(500, &[], "")]);
    let server = Server::start([look(), reset()]);
    let api = server.api();
    look_reset_look(&api).await;
    let methods: Vec<_> = server.requests().iter().map(|request| request[..4].to_owned()).collect();
    assert_eq!((server.connections(), &methods[..]), (2, &["GET ", "POST", "GET "].map(str::to_owned)[..]));

    let ours = authority("ours");
    let file = file(&pem(ours.der()));
    let server = Server::start_tls([look(), reset()], acceptor(&ours, &leaf("127.0.0.1")));
    let ca_certificate_file = Some(CertificateFile::read(file.path()).unwrap());
    look_reset_look(&super::api(
        Settings { ca_certificate_file, ..settings() },
        &format!("https://{}", server.address),
    ))
    .await;
    assert_eq!((server.connections(), server.requests().len()), (2, 3));
}

#[tokio::test]
async fn a_password_of_the_callers_own_goes_over_a_new_connection() {
    let server = Server::start([
        Act::SayEach(vec![list(), answer(500, &[], "")]),
        Act::answer(200, &["Content-Type: application/json"], r#"{"email":"me@example.com"}"#),
    ]);
    let api = server.api();
    get(&api).read(&operation(20)).await.unwrap();
    post(&api).set(&operation(20), &AGREEMENT).await.unwrap();
    assert_eq!((server.connections(), server.requests().len()), (2, 2));
}

#[tokio::test]
async fn a_look_up_whose_connection_dies_is_sent_over_a_new_one_at_once() {
    // The first closes with the second request unanswered, as a server does whose time for idle connections is over.
    let server = Server::start([Act::SayEach(vec![list()]), Act::SayEach(vec![list(), list()])]);
    let api = server.api();
    for _ in 0..3 {
        get(&api).read(&operation(20)).await.unwrap();
    }
    assert_eq!((server.connections(), server.requests().len()), (2, 4));
}

#[tokio::test]
async fn a_connection_that_cannot_carry_another_request_is_not_kept() {
    for first in [
        answer(200, &["Connection: close"], "{}"),
        answer(200, &["Connection: keep-alive, Close"], "{}"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec(),
        // More than was announced: it would be taken for the next response.
        [list(), answer(200, &[], "{\"stale\":true}")].concat(),
    ] {
        let server = Server::start([Act::SayEach(vec![first, answer(500, &[], "")]), Act::SayEach(vec![list()])]);
        let api = server.api();
        for _ in 0..2 {
            let looked = get(&api).read(&operation(20)).await.unwrap();
            assert_eq!(looked.flag("/stale"), None);
        }
        assert_eq!((server.connections(), server.requests().len()), (2, 2));
    }
}
