//! Responses in XML, and requests that are signed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use terraform_provider_smtp::http::{HeaderName, Sign, Unsigned};

use super::{
    server::{Act, Server},
    *,
};

static FORMAT: ErrorFormat = ErrorFormat {
    refusal: Form(&[&[Mark::Text("/ErrorResponse/Error/Code")]]),
    code: &["/ErrorResponse/Error/Code"],
    codes: &[],
    message: &["/ErrorResponse/Error/Message"],
    fields: None,
    request_id: &["/ErrorResponse/RequestId"],
    unprocessed: &[],
    rate_limits: &["Throttling"],
};

const MADE: &str = "<R>\n<Key><Id>AKIA</Id><Secret>abc/+=def</Secret><Date>now</Date></Key>\n</R>";
const AT: &str = "/R/Key/Secret";
const XML: &str = "Content-Type: text/xml";

fn refusal(code: &str) -> String {
    format!(
        "<ErrorResponse><Error><Code>{code}</Code><Message>No &lt;way&gt;</Message></Error><RequestId>r1</RequestId></ErrorResponse>"
    )
}

fn xml(server: &Server) -> Api {
    server.api().at(BaseUrl::parse(&format!("http://{}", server.address)).unwrap(), &FORMAT).in_xml()
}

async fn password(server: &Server) -> Result<Secret, Error> {
    post(&xml(server)).reset(&operation(20)).await?.password(AT)
}

#[tokio::test]
async fn a_password_in_xml_is_found_and_xml_is_asked_for() {
    let server = Server::start([Act::answer(200, &[XML], MADE)]);
    assert_eq!(password(&server).await.unwrap(), Secret::new("abc/+=def"));
    assert!(server.requests()[0].contains("accept: text/xml\r\n"));
}

#[tokio::test]
async fn a_refusal_in_xml_is_the_vendors_and_one_in_another_format_is_not() {
    for (media, body, kind) in [
        (XML, refusal("NoSuchEntity"), Kind::NotFound),
        ("Content-Type: text/html", refusal("NoSuchEntity"), Kind::NotTheApi),
        (XML, "<html><body>Not found</body></html>".to_owned(), Kind::NotTheApi),
        ("Content-Type: application/json", r#"{"ErrorResponse":{"Error":{"Code":"a"}}}"#.to_owned(), Kind::NotTheApi),
    ] {
        let server = Server::start([Act::answer(404, &[media], &body)]);
        let error = password(&server).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (kind, Outcome::NotChanged), "{media} {body}");
        if kind == Kind::NotFound {
            let said = [&error.code, &error.message, &error.request_id].map(|said| said.as_deref().map(str::to_owned));
            assert_eq!(said, ["NoSuchEntity", "No <way>", "r1"].map(|text| Some(text.to_owned())));
        }
    }
}

#[tokio::test]
async fn a_rate_limit_that_is_a_400_is_waited_for() {
    let limited = || Act::answer(400, &[XML, "Retry-After: 0"], &refusal("Throttling"));
    let server = Server::start([limited(), limited(), Act::answer(200, &[XML], MADE)]);
    assert_eq!(password(&server).await.unwrap(), Secret::new("abc/+=def"));
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn what_is_no_xml_agrees_to_nothing() {
    for (media, body) in [(XML, "gone"), (XML, "<a"), ("Content-Type: text/html", "<a></a>"), (XML, "{}")] {
        let server = Server::start(std::iter::repeat_n(Act::answer(200, &[media], body), 4));
        let set = post(&xml(&server)).set(&operation(20), &Agreement::Undocumented).await;
        let error = set.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::NotTheApi, Outcome::MayHaveChanged), "{media} {body}");
    }
}

/// Cuts a response off anywhere, and changes a byte of its frame.
#[test]
fn a_broken_response_in_xml_yields_the_whole_password_or_none() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let byte = prop_oneof![any::<u8>(), prop::sample::select(b"0123456789abcdef\r\n<>/: ".to_vec())];
    let change = prop::option::of((any::<prop::sample::Index>(), byte));
    let case = (0_usize..20, prop::option::of(any::<prop::sample::Index>()), change);
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let run = runner.run(&case, |(framing, cut, change)| {
        let (mut bytes, frame) = broken::framed(MADE, framing);
        let end = "</Secret>";
        let arrived = bytes.windows(end.len()).position(|part| part == end.as_bytes()).map(|at| at + end.len());
        if let Some((at, byte)) = change {
            bytes[frame[at.index(frame.len())]] = byte;
        }
        bytes.truncate(cut.map_or(bytes.len(), |at| at.index(bytes.len())));
        let has_arrived = change.is_none() && arrived.is_some_and(|at| at <= bytes.len());
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let found = runtime.block_on(async {
            let server = Server::start([Act::Say(bytes)]);
            password(&server).await
        });
        match found {
            Ok(found) => prop_assert!(found == Secret::new("abc/+=def"), "{:?} in {}", found.for_wire(), shown),
            Err(error) => {
                prop_assert!(error.outcome != Outcome::NotChanged, "{:?}", error);
                prop_assert!(!has_arrived, "{:?} for {}", error, shown);
            }
        }
        Ok(())
    });
    run.unwrap();
}

/// Signs with the number of the try.
#[derive(Debug, Default)]
struct Numbered(AtomicUsize);

impl Sign for Numbered {
    fn sign(&self, unsigned: &Unsigned<'_>) -> Vec<(HeaderName, Secret)> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let Unsigned { method, url, host, content_type, body, .. } = unsigned;
        let text = format!("{number} {method} {host} {} {content_type} {}", url.path(), body.len());
        vec![(HeaderName::from_static("x-signature"), Secret::new(text))]
    }
}

#[tokio::test]
async fn each_try_has_a_signature_of_its_own() {
    let limited = || Act::answer(429, &["Retry-After: 0"], "");
    let server = Server::start([limited(), limited(), Act::answer(200, &[], PASSWORD)]);
    let request = server.api().request(Method::POST, &["a"]).form(vec![("b", "c".into())]);
    request.signed(Arc::new(Numbered::default())).reset(&operation(20)).await.unwrap();
    let signatures: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.lines().find_map(|line| line.strip_prefix("x-signature: ")).unwrap().to_owned())
        .collect();
    let host = server.address;
    let ends: Vec<_> = signatures.iter().map(|signature| signature.split_once(' ').unwrap().1.to_owned()).collect();
    assert_eq!(ends, vec![format!("POST {host} /a application/x-www-form-urlencoded 3"); 3]);
    let numbers: std::collections::BTreeSet<_> = signatures.iter().map(|one| one.split(' ').next().unwrap()).collect();
    assert_eq!(numbers.len(), 3, "{signatures:?}");
}

#[tokio::test]
async fn a_whole_response_in_xml_is_not_waited_for() {
    let start = std::time::Instant::now();
    let mut bytes = format!("HTTP/1.1 200 OK\r\n{XML}\r\nContent-Length: {}\r\n\r\n", MADE.len()).into_bytes();
    bytes.extend(MADE.bytes());
    let server = Server::start([Act::SayAndStall(bytes)]);
    password(&server).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(20), "the timeout of a request is 30 s");
}
