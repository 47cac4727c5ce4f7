//! HubSpot, in the three generations of its API.

use std::{collections::BTreeSet, sync::LazyLock};

use proptest::{
    collection::vec,
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use terraform_provider_smtp::{
    http::{Kind, Outcome},
    vendors::Presence,
};
use wiremock::{Mock, Request, Respond, ResponseTemplate, matchers::path};

use super::{Case, Exchange, Server, cases_of, operation};

static CASES: LazyLock<&[Case]> = LazyLock::new(|| cases_of("hubspot"));
static V1: LazyLock<Case> = LazyLock::new(|| CASES[0]);

#[tokio::test]
async fn pages_are_followed_until_one_brings_nothing_new() {
    let case = &CASES[2];
    let list = case.gone[0];
    let page = r#"{"results": [{"id": "someone-else"}], "paging": {"next": {"after": "1"}}}"#;
    let server = Server::start(case, &[Exchange { body: page, ..list }, case.gone[1]]).await;
    let presence = server.api().read(&operation(), &server.target(), &server.prior()).await.unwrap();
    assert_eq!(presence, Presence::Gone);
    let queries: Vec<_> =
        server.requests(list).await.iter().map(|request| request.url.query().map(str::to_owned)).collect();
    assert_eq!(queries, ["limit=100", "limit=100&after=1"].map(|query| Some(query.to_owned())));
}

/// A list in pages of these entries, each page but the last with a cursor to the next.
struct Pages(Vec<Vec<u16>>);

impl Respond for Pages {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let after = request.url.query_pairs().find(|(name, _)| name == "after");
        let page: usize = after.map_or(0, |(_, after)| after.trim_start_matches("cursor-").parse().unwrap());
        let results: Vec<_> =
            self.0[page].iter().map(|number| serde_json::json!({"id": format!("u{number}")})).collect();
        let next =
            (page + 1 < self.0.len()).then(|| serde_json::json!({"next": {"after": format!("cursor-{}", page + 1)}}));
        ResponseTemplate::new(200).set_body_json(serde_json::json!({"results": results, "paging": next}))
    }
}

/// Pages of random sizes, with entries that come twice: a list returns each credential once, or is too long.
#[tokio::test]
async fn a_list_is_read_whole_however_it_is_paged_or_not_at_all() {
    let paged = proptest::prop_oneof![
        8 => vec(vec(0_u16..400, 1..20), 1..12),
        1 => vec(vec(0_u16..u16::MAX, 1..2), 195..206),
        1 => vec(vec(0_u16..u16::MAX, 900..1100), 9..12),
    ];
    let mut runner = TestRunner::deterministic();
    for _ in 0..30 {
        let drawn = paged.new_tree(&mut runner).unwrap().current();
        // A page that brings nothing new is the last one.
        let mut seen = BTreeSet::new();
        let end = drawn.iter().position(|page| page.iter().filter(|number| seen.insert(**number)).count() == 0);
        let read = &drawn[..end.map_or(drawn.len(), |end| end + 1)];
        let is_too_long = read.len() > 200 || read.iter().map(Vec::len).sum::<usize>() > 10_000;
        let expected: BTreeSet<_> = read.iter().flatten().map(|number| format!("u{number}")).collect();

        let server = Server::start(&CASES[2], &[]).await;
        let tokens = CASES[2].found[0].path;
        Mock::given(path(tokens)).respond_with(Pages(drawn.clone())).mount(&server.mock).await;
        match server.api().list(&operation(), &server.scope()).await {
            Ok(listed) => {
                let names: BTreeSet<_> = listed.into_iter().filter_map(|one| one.username).map(String::from).collect();
                assert!(!is_too_long && names == expected, "{} pages", read.len());
            }
            Err(error) => {
                assert_eq!(error.kind, Kind::TooLarge);
                assert!(is_too_long, "{} pages: {error}", read.len());
            }
        }
        assert!(server.requests(CASES[2].found[0]).await.len() <= 200);
    }
}

/// The body as in the vendor's usage details, with ids of our own.
#[tokio::test]
async fn a_daily_limit_is_not_waited_for() {
    let body = r#"{"status":"error","message":"You have reached your daily limit.","errorType":"RATE_LIMIT",
        "correlationId":"c033cdaa-2c40-4a64-ae48-b4cec88dad24","policyName":"DAILY","requestId":"3d3e35b7"}"#;
    let server = Server::start(&V1, V1.found).await;
    server.mount(V1.reset, ResponseTemplate::new(429).set_body_raw(body, "application/json")).await;
    let api = server.api();
    for _ in 0..2 {
        let error = server.reset(&*api).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::RateLimited, Outcome::NotChanged));
        assert_eq!((error.code.as_deref(), error.retry_after), (Some("DAILY"), None));
    }
    // The second one learns of it from the first.
    assert_eq!(server.requests(V1.reset).await.len(), 1);
}
