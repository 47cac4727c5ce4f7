//! A good answer to a reset in every frame that is broken: a password that has arrived whole is kept.

use std::fmt::Write;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use tokio::task::JoinSet;

use super::{
    server::{Act, Server},
    *,
};

/// Bodies with the password at its documented place, as vendors write them.
const BODIES: [&str; 4] = [
    r#"{"password":"the-new-password"}"#,
    r#"{"userName":"me","createdAt":1546475063000,"nested":{"password":"another"},"password":"the-new-password"}"#,
    "{\r\n  \"id\": 7,\r\n\r\n  \"password\": \"the-new-password\"\r\n}\r\n",
    "\u{feff}{\"password\":\"the-new-password\",\"list\":[1,{\"a\":\"}\"}],\"text\":\"\u{e9}\\n\"}",
];

/// What is wrong around a body.
type Damage = fn(&str) -> String;

/// Every way to frame a body wrongly, by name. In each the password arrives whole.
const DAMAGES: [(&str, Damage); 44] = [
    ("the length says too little", |body| format!("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{body}")),
    ("the length says nothing", |body| format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n{body}")),
    ("the length says one too little", |body| {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len() - 1)
    }),
    ("the length says too much", |body| format!("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{body}")),
    ("the length says 10 GB", |body| format!("HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n{body}")),
    ("two lengths", |body| format!("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n{body}")),
    ("two lengths in one", |body| format!("HTTP/1.1 200 OK\r\nContent-Length: 5, 7\r\n\r\n{body}")),
    ("a length that is no number", |body| format!("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{body}")),
    ("a negative length", |body| format!("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{body}")),
    ("a length beyond numbers", |body| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", "9".repeat(40))),
    ("no length, and the connection ends", |body| format!("HTTP/1.1 200 OK\r\n\r\n{body}")),
    ("chunked, and it is not", |body| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}")),
    ("chunked, with a length that says too little", |body| {
        format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n{}", chunked(body, 7))
    }),
    ("chunked, without the last chunk", |body| format!("{CHUNKED}{}", chunked(body, 7).trim_end_matches("0\r\n\r\n"))),
    ("chunked, cut off within the last chunk's size", |body| {
        format!("{CHUNKED}{}", chunked(body, 7).trim_end_matches("\r\n\r\n"))
    }),
    ("chunked, without a trailer's end", |body| format!("{CHUNKED}{}X: y", chunked(body, 7).trim_end_matches("\r\n"))),
    ("chunked, with an invalid trailer", |body| {
        format!("{CHUNKED}{}\u{1}\u{2}\r\n\r\n", chunked(body, 7).trim_end_matches("\r\n"))
    }),
    ("one chunk, its size says too much", |body| format!("{CHUNKED}ffff\r\n{body}\r\n0\r\n\r\n")),
    ("one chunk, its size says too little", |body| format!("{CHUNKED}5\r\n{body}\r\n0\r\n\r\n")),
    ("one chunk, its size is no number", |body| format!("{CHUNKED}size\r\n{body}\r\n0\r\n\r\n")),
    ("one chunk, its size is beyond numbers", |body| format!("{CHUNKED}{}\r\n{body}\r\n0\r\n\r\n", "f".repeat(30))),
    ("one chunk, with a line feed alone behind its size", |body| format!("{CHUNKED}{:x}\n{body}\n0\n\n", body.len())),
    ("chunks, the second size says too much", |body| format!("{CHUNKED}{}", lying(body, |size| size + 3))),
    ("chunks, the second size says too little", |body| format!("{CHUNKED}{}", lying(body, |size| size - 3))),
    ("chunks, the second size says far too much", |body| format!("{CHUNKED}{}", lying(body, |size| size + 60_000))),
    ("a transfer coding that does not exist", |body| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\n{body}")),
    ("a content coding that was not used", |body| {
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }),
    ("a status without a body", |body| format!("HTTP/1.1 204 No Content\r\n\r\n{body}")),
    ("a status with a part of a body", |body| format!("HTTP/1.1 206 Partial\r\nContent-Length: 2\r\n\r\n{body}")),
    ("a line that is no header", |body| format!("HTTP/1.1 200 OK\r\nno colon\r\n\r\n{body}")),
    ("a header without a name", |body| format!("HTTP/1.1 200 OK\r\n: x\r\n\r\n{body}")),
    ("a space before the colon", |body| format!("HTTP/1.1 200 OK\r\nContent-Length : 9\r\n\r\n{body}")),
    ("a folded header", |body| format!("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n{body}")),
    ("a header with a control character", |body| format!("HTTP/1.1 200 OK\r\nX: \u{1}\r\n\r\n{body}")),
    ("a header with JSON in it, and an invalid one", |body| {
        format!("HTTP/1.1 200 OK\r\nNEL: {{\"password\":{{}},\"max_age\":1}}\r\nno colon [\r\n\r\n{body}")
    }),
    ("too many headers", |body| format!("HTTP/1.1 200 OK\r\n{}\r\n{body}", "X: y\r\n".repeat(300))),
    ("headers that are too long", |body| format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n{body}", "y".repeat(70_000))),
    ("no headers, and no blank line", |body| format!("HTTP/1.1 200 OK\r\n{body}")),
    ("line feeds alone", |body| format!("HTTP/1.1 200 OK\nContent-Length: 9\n\n{body}")),
    ("no reason", |body| format!("HTTP/1.1 200\r\n\r\n{body}")),
    ("a reason with control characters", |body| format!("HTTP/1.1 200 \u{1}\u{7f}\r\n\r\n{body}")),
    ("another version", |body| format!("HTTP/9.9 200 OK\r\n\r\n{body}")),
    ("interim responses before it", |body| {
        format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{body}")
    }),
    ("something behind the end", |body| {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}HTTP/1.1 500 No\r\n\r\n", body.len())
    }),
];

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

fn pieces(body: &str, size: usize) -> Vec<String> {
    let characters: Vec<char> = body.chars().collect();
    characters.chunks(size).map(|piece| piece.iter().collect()).collect()
}

fn chunked(body: &str, size: usize) -> String {
    let mut coded = String::new();
    for piece in pieces(body, size) {
        write!(coded, "{:x}\r\n{piece}\r\n", piece.len()).unwrap();
    }
    coded + "0\r\n\r\n"
}

/// The body in chunks of 12 characters, of which the second has a wrong size. Without line breaks, which would leave
/// open what is what.
fn lying(body: &str, lie: fn(usize) -> usize) -> String {
    let mut coded = String::new();
    for (number, piece) in pieces(&body.replace("\r\n", " "), 12).iter().enumerate() {
        let size = if number == 1 { lie(piece.len()) } else { piece.len() };
        write!(coded, "{size:x}\r\n{piece}\r\n").unwrap();
    }
    coded + "0\r\n\r\n"
}

/// What a server does with its bytes.
type End = fn(Vec<u8>) -> Act;

/// How a server ends after its last byte.
const ENDS: [(&str, End); 3] =
    [("and closes", Act::Say), ("and stalls", Act::SayAndStall), ("byte by byte", Act::Drip)];

#[tokio::test]
async fn a_password_in_a_broken_frame_is_kept_however_the_connection_ends() {
    let mut cases = JoinSet::new();
    for (damage, broken) in DAMAGES {
        for body in BODIES {
            for (end, act) in ENDS {
                let bytes = broken(body).into_bytes();
                if bytes.len() > 10_000 && end == "byte by byte" {
                    continue;
                }
                cases.spawn(async move {
                    let server = Server::start([act(bytes)]);
                    let case = format!("{damage} {end}: {body:?}");
                    let answer = server.reset().await.unwrap_or_else(|error| panic!("{case}: {error:?}"));
                    let password = answer.password("/password").unwrap_or_else(|error| panic!("{case}: {error:?}"));
                    assert_eq!(password, Secret::new("the-new-password"), "{case}");
                    assert_eq!(server.requests().len(), 1, "{case}");
                });
            }
        }
    }
    cases.join_all().await;
}

/// A vendor's good answer in one of the three frames there are, and where the frame's own bytes are.
pub(super) fn framed(body: &str, framing: usize) -> (Vec<u8>, Vec<usize>) {
    let head = match framing {
        0 => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()),
        1 => "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
        _ => CHUNKED.to_owned(),
    };
    let mut frame: Vec<_> = ("HTTP/1.1 200".len()..head.len()).collect();
    let mut bytes = head.into_bytes();
    if framing < 2 {
        bytes.extend(body.bytes());
        return (bytes, frame);
    }
    for piece in pieces(body, framing) {
        let size = format!("{:x}\r\n", piece.len());
        frame.extend(bytes.len()..bytes.len() + size.len());
        bytes.extend(size.bytes().chain(piece.bytes()));
        frame.extend([bytes.len(), bytes.len() + 1]);
        bytes.extend(b"\r\n");
    }
    frame.extend(bytes.len()..bytes.len() + 5);
    bytes.extend(b"0\r\n\r\n");
    (bytes, frame)
}

/// Cuts a good answer off anywhere, and changes a byte of its frame: it yields the whole password or none, and never
/// another.
#[test]
fn no_broken_answer_yields_another_password_than_it_holds() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let cut = prop::option::of(any::<prop::sample::Index>());
    let byte = prop_oneof![any::<u8>(), prop::sample::select(b"0123456789abcdef\r\n{}\": ".to_vec())];
    let change = prop::option::of((any::<prop::sample::Index>(), byte));
    let case = (0..BODIES.len(), 0_usize..20, cut, change);
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let run = runner.run(&case, |(body, framing, cut, change)| {
        let (mut bytes, frame) = framed(BODIES[body], framing);
        let password = bytes.windows(18).position(|part| part == b"\"the-new-password\"");
        if let Some((at, byte)) = change {
            bytes[frame[at.index(frame.len())]] = byte;
        }
        bytes.truncate(cut.map_or(bytes.len(), |at| at.index(bytes.len())));
        let has_arrived = change.is_none() && password.is_some_and(|at| at + 18 <= bytes.len());
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let found = runtime.block_on(async {
            let server = Server::start([Act::Say(bytes)]);
            server.reset().await.and_then(|answer| answer.password("/password"))
        });
        match found {
            Ok(found) => prop_assert!(found == Secret::new("the-new-password"), "{:?} in {}", found.for_wire(), shown),
            Err(error) => {
                prop_assert!(error.outcome != Outcome::NotChanged, "{:?}", error);
                prop_assert!(!has_arrived, "{:?} for {}", error, shown);
            }
        }
        Ok(())
    });
    run.unwrap();
}

#[tokio::test]
async fn what_is_no_answer_yields_no_password() {
    for (body, content_type) in [
        // Texts of a page, in a language that calls a password so.
        ("<!DOCTYPE html><script>{\"password\":\"Passwort\"}</script>", "text/html"),
        ("<html>\n\n{\"password\":\"Passwort\"}\n</html>", "text/html"),
        // A password that is not at its documented place.
        ("{\"data\": nonsense, \"old\": {\"password\":\"the-old-password\"}}", "application/json"),
        ("{\"items\":[\n{\"password\":\"the-old-password\"}", "application/json"),
        ("[{\"password\":\"the-old-password\"}]", "application/json"),
    ] {
        for length in [body.len(), 3, 9999] {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n");
            let server = Server::start([Act::Say(format!("{head}{body}").into_bytes())]);
            let answer = server.reset().await.unwrap();
            assert_eq!(answer.is_whole(), length == body.len());
            let error = answer.password("/password").unwrap_err();
            // A whole text that is no object is not the vendor's, and something else's success proves nothing.
            let is_proof = !answer.is_whole() || body.starts_with('{');
            assert_eq!(error.outcome, if is_proof { Outcome::Changed } else { Outcome::MayHaveChanged }, "{body}");
        }
    }
}

#[tokio::test]
async fn a_read_that_is_broken_is_no_answer() {
    for bytes in [
        format!("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{PASSWORD}"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 5, 7\r\n\r\n{PASSWORD}"),
        format!("HTTP/1.1 200 OK\r\nno colon\r\n\r\n{PASSWORD}"),
        format!("{CHUNKED}{PASSWORD}"),
    ] {
        let server = Server::start([Act::Say(bytes.into_bytes()), Act::answer(200, &[], r#"{"name":"right"}"#)]);
        assert_eq!(server.read().await.unwrap().text("/name").unwrap().raw(), "right");
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_connection_that_stays_open_after_a_whole_answer_is_not_waited_for() {
    for framing in [0, 7] {
        let server = Server::start([Act::SayAndStall(framed(BODIES[0], framing).0)]);
        let started = std::time::Instant::now();
        assert!(server.reset().await.unwrap().is_whole());
        assert!(started.elapsed() < Duration::from_secs(30), "the request's time is not used up");
    }
}

#[tokio::test]
async fn a_whole_answer_without_a_password_stays_whole_when_the_time_runs_out() {
    let server = Server::start([Act::SayAndStall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec())]);
    // Less than the next byte is waited for.
    let settings = Settings { request_timeout: Duration::from_secs(1), ..settings() };
    let answer = post(&server.api_with(settings)).reset(&operation(30)).await.unwrap();
    assert!(answer.is_whole());
    assert_eq!(answer.password("/password").unwrap_err().outcome, Outcome::MayHaveChanged);
}
