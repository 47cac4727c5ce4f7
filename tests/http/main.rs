//! The HTTP client against servers that follow a script of bytes.
//!
//! Every test asks three things: what kind of failure it was, what is said about the password, and how many requests
//! the server has seen. The last is what keeps a password from being lost.

#![expect(clippy::unwrap_used, reason = "the helpers of these tests are tests too")]

mod answers;
mod broken;
mod connections;
mod kept;
mod proxies;
mod retries;
mod secrets;
mod server;
mod sets;
mod stops;
mod tls;
mod xml;

use std::time::Duration;

use server::Server;
use terraform_provider_smtp::{
    http::{
        Agreement, Answer, Api, BaseUrl, CertificateFile, Client, Condition, Error, ErrorFormat, Finality, Form, Kind,
        Mark, Method, Operation, Origin, Outcome, Request, Settings,
    },
    secret::{Outside, Secret},
};
use tokio_util::sync::CancellationToken;

/// An error format with everything that one can have.
static DIALECT: ErrorFormat = ErrorFormat {
    refusal: Form(&[&[
        Mark::Text("/category"),
        Mark::Number("/category"),
        Mark::Text("/error/code"),
        Mark::Text("/error/text"),
        Mark::Text("/message"),
    ]]),
    code: &["/category", "/error/code"],
    codes: &[("OTHER_LOGIN", Kind::Unauthorized)],
    message: &["/message", "/error/text"],
    fields: None,
    request_id: &["/correlationId"],
    unprocessed: &[423, 477],
    rate_limits: &[],
};

/// What agrees to a password of the caller's own.
static AGREEMENT: Agreement = Agreement::Documented { status: 200, form: Form(&[&[Mark::Text("/email")]]) };

const TOKEN: &str = "pat-eu1-the-access-token";

/// An answer with a new password in it.
const PASSWORD: &str = r#"{"password":"the-new-password"}"#;

fn settings() -> Settings {
    Settings {
        ca_certificate_file: None,
        request_timeout: Duration::from_secs(30),
        max_requests_per_second: None,
        user_agent: "test/1".to_owned(),
    }
}

/// Settings for servers that stall.
fn impatient() -> Settings {
    Settings { request_timeout: Duration::from_secs(2), ..settings() }
}

fn api(settings: Settings, base: &str) -> Api {
    Client::new(settings).api(BaseUrl::parse(base).unwrap(), &DIALECT, None)
}

fn operation(seconds: u64) -> Operation {
    Operation::new(Duration::from_secs(seconds), CancellationToken::new())
}

/// The request that resets a password in these tests.
fn post(api: &Api) -> Request {
    api.request(Method::POST, &["tokens", "me@example.com", "password-reset"]).bearer(&Secret::new(TOKEN.to_owned()))
}

/// The request that looks in these tests.
fn get(api: &Api) -> Request {
    api.request(Method::GET, &["tokens"]).bearer(&Secret::new(TOKEN.to_owned()))
}

impl Server {
    fn api(&self) -> Api {
        self.api_with(settings())
    }

    fn api_with(&self, settings: Settings) -> Api {
        api(settings, &format!("http://{}", self.address))
    }

    async fn reset(&self) -> Result<Answer, Error> {
        post(&self.api()).reset(&operation(20)).await
    }

    async fn read(&self) -> Result<Answer, Error> {
        get(&self.api()).read(&operation(20)).await
    }

    /// Asserts how a reset or a read failed, and after how many requests.
    fn failed(&self, result: Result<Answer, Error>, kind: Kind, outcome: Outcome, requests: usize) -> Error {
        let error = result.unwrap_err();
        assert_eq!((error.kind, error.outcome, self.requests().len()), (kind, outcome, requests), "{error:?}");
        assert_eq!(&*error.host, "127.0.0.1");
        error
    }

    /// Asserts that the password was lost, why, and that one request was sent.
    fn lost(&self, result: Result<Answer, Error>, kind: Kind, outcome: Outcome) -> Error {
        self.failed(result.and_then(|answer| answer.password("/password").map(|_| answer)), kind, outcome, 1)
    }
}
