//! HubSpot, in the three generations of its API.

use terraform_provider_smtp::{
    backend::Presence,
    http::{Kind, Outcome},
};
use wiremock::ResponseTemplate;

use super::{Case, Exchange, Expected, Server, TOKEN, get, operation, post};

const USER: &str = "zh48wgsfld@62515.smtp.hubspot.net";
const LIST_V1: &str = include_str!("../fixtures/hubspot/list_v1.json");
const LIST_V3: &str = include_str!("../fixtures/hubspot/list_v3.json");
const NO_LIST: &str = r#"{"results": []}"#;

const V1: Case = Case {
    vendor: "hubspot",
    settings: &[("access_token", TOKEN)],
    target: &[USER],
    version: None,
    new: None,
    authorization: "Bearer contract-test-token",
    always: &[],
    found: &[get("/email/public/v1/smtpapi/tokens", LIST_V1)],
    gone: &[get("/email/public/v1/smtpapi/tokens", "[]")],
    found_late: &[],
    reset: post(
        "/email/public/v1/smtpapi/tokens/zh48wgsfld%4062515.smtp.hubspot.net/password-reset",
        include_str!("../fixtures/hubspot/reset_v1.json"),
    ),
    reset_body: "",
    error: include_str!("../fixtures/hubspot/error.json"),
    password: Some("ItUuCc8h4I5MihiysY8HB6XSbWZmVZ"),
    listed: &[Expected {
        target: &[USER],
        username: USER,
        version: None,
        created_at: Some("2014-11-11T21:16:09.008Z"),
    }],
};

pub(crate) const CASES: &[Case] = &[
    V1,
    Case {
        settings: &[("access_token", TOKEN), ("api_version", "v3")],
        found: &[get("/marketing/v3/transactional/smtp-tokens", LIST_V3)],
        gone: &[
            get("/marketing/v3/transactional/smtp-tokens", NO_LIST),
            Exchange {
                status: 404,
                ..get("/marketing/v3/transactional/smtp-tokens/zh48wgsfld%4062515.smtp.hubspot.net", V1.error)
            },
        ],
        found_late: &[
            get("/marketing/v3/transactional/smtp-tokens", NO_LIST),
            get("/marketing/v3/transactional/smtp-tokens/zh48wgsfld%4062515.smtp.hubspot.net", RESET_V3),
        ],
        reset: post(
            "/marketing/v3/transactional/smtp-tokens/zh48wgsfld%4062515.smtp.hubspot.net/password-reset",
            RESET_V3,
        ),
        ..V1
    },
    Case {
        settings: &[("access_token", TOKEN), ("api_version", "2026-03")],
        found: &[get("/marketing/transactional/2026-03/smtp-tokens", LIST_V3)],
        gone: &[
            get("/marketing/transactional/2026-03/smtp-tokens", NO_LIST),
            Exchange {
                status: 404,
                ..get("/marketing/transactional/2026-03/smtp-tokens/zh48wgsfld%4062515.smtp.hubspot.net", V1.error)
            },
        ],
        found_late: &[
            get("/marketing/transactional/2026-03/smtp-tokens", NO_LIST),
            get("/marketing/transactional/2026-03/smtp-tokens/zh48wgsfld%4062515.smtp.hubspot.net", RESET_V3),
        ],
        reset: post(
            "/marketing/transactional/2026-03/smtp-tokens/zh48wgsfld%4062515.smtp.hubspot.net/password-reset",
            RESET_V3,
        ),
        ..V1
    },
];

const RESET_V3: &str = include_str!("../fixtures/hubspot/reset_v3.json");

#[tokio::test]
async fn pages_are_followed_until_one_brings_nothing_new() {
    let case = &CASES[1];
    let list = case.gone[0];
    let page = r#"{"results": [{"id": "someone-else"}], "paging": {"next": {"after": "1"}}}"#;
    let server = Server::start(case, &[Exchange { body: page, ..list }, case.gone[1]]).await;
    let presence = server.backend().read(&operation(), &server.target(), &server.held()).await.unwrap();
    assert_eq!(presence, Presence::Gone);
    let queries: Vec<_> =
        server.requests(list).await.iter().map(|request| request.url.query().map(str::to_owned)).collect();
    assert_eq!(queries, ["limit=100", "limit=100&after=1"].map(|query| Some(query.to_owned())));
}

/// The body as in the vendor's usage details, with ids of our own.
#[tokio::test]
async fn a_daily_limit_is_not_waited_for() {
    let body = r#"{"status":"error","message":"You have reached your daily limit.","errorType":"RATE_LIMIT",
        "correlationId":"c033cdaa-2c40-4a64-ae48-b4cec88dad24","policyName":"DAILY","requestId":"3d3e35b7"}"#;
    let server = Server::start(&V1, V1.found).await;
    server.mount(V1.reset, ResponseTemplate::new(429).set_body_raw(body, "application/json")).await;
    let backend = server.backend();
    for _ in 0..2 {
        let error = server.reset(&*backend).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::RateLimited, Outcome::NotChanged));
        assert_eq!((error.code.as_deref(), error.retry_after), (Some("DAILY"), None));
    }
    // The second one learns of it from the first.
    assert_eq!(server.requests(V1.reset).await.len(), 1);
}
