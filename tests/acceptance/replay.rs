//! Every vendor as its fixtures show it: the documented requests get the documented responses, and nothing else is
//! answered.
//!
//! A vendor that the sandbox does not imitate needs no more than this.

use std::fmt::Write as _;

use percent_encoding::percent_decode_str;
use serde_json::json;
use terraform_provider_smtp::vendors::ResetKind;
use tokio::runtime::Runtime;
use wiremock::{
    Match, Mock, MockServer, Request, ResponseTemplate,
    matchers::{any, body_string, method, path},
};

use crate::{
    case::{Case, Exchange, TOKEN, cases, fits, media},
    support::{Workspace, block},
};

/// One vendor, in one form of its API.
pub(crate) struct Replay {
    cases: Vec<&'static Case>,
    server: MockServer,
    runtime: Runtime,
}

impl Replay {
    /// Starts it, and logs the workspace in to it.
    pub(crate) fn start(case: &'static Case, workspace: &mut Workspace) -> Self {
        Self::start_with(vec![case], workspace)
    }

    /// The same for several credentials of one list.
    pub(crate) fn start_with(cases: Vec<&'static Case>, workspace: &mut Workspace) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let case = cases[0];
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            for exchange in case.always {
                given(exchange).respond_with(response(exchange)).mount(&server).await;
            }
            for exchange in case.found.iter().chain(case.others) {
                let mock = given(exchange).and(Authorized(case.authorization));
                mock.respond_with(response(exchange)).mount(&server).await;
            }
            for case in &cases {
                let reset = given(&case.reset).and(Authorized(case.authorization)).and(ResetBody(case));
                reset.respond_with(response(&case.reset)).mount(&server).await;
            }
            server
        });
        log_in(case, workspace, &server.uri());
        Self { cases, server, runtime }
    }

    /// The passwords that have been sent or been answered with, one for each reset.
    pub(crate) fn passwords(&self) -> Vec<String> {
        self.passwords_of(0)
    }

    /// The same for one of several credentials.
    pub(crate) fn passwords_of(&self, index: usize) -> Vec<String> {
        let case = self.cases[index];
        let requests = self.runtime.block_on(self.server.received_requests()).expect("requests are recorded");
        let is_reset = |request: &&Request| {
            request.method.as_str() == case.reset.method
                && request.url.path() == case.reset.path
                && case.reset.sent.is_none_or(|sent| request.body == sent.as_bytes())
        };
        let resets = requests.iter().filter(is_reset);
        let password = |request| match case.password {
            Some(password) => password.to_owned(),
            None => sent(case, request).expect("a reset sends a password"),
        };
        resets.map(password).collect()
    }
}

/// Logs a workspace in to a vendor at this address, as a case does.
pub(crate) fn log_in(case: &Case, workspace: &mut Workspace, base_url: &str) {
    for variable in case.vendor.settings.iter().filter_map(|field| field.env) {
        workspace.unset(variable);
    }
    for (name, value) in case.settings {
        if let Some(variable) =
            case.vendor.settings.iter().find(|field| field.name == *name).and_then(|field| field.env)
        {
            workspace.set(variable, &value.replace("{server}", base_url));
        }
    }
    workspace.set(&case.vendor.base_url_variable(), base_url);
    workspace.keep_secret(TOKEN);
}

/// Matches the documented body of a reset, with any password in it.
struct ResetBody(&'static Case);

impl Match for ResetBody {
    fn matches(&self, request: &Request) -> bool {
        match self.0.new {
            Some(_) => sent(self.0, request).is_some(),
            None => request.body == self.0.reset_body.as_bytes(),
        }
    }
}

/// The password in the documented place of a body that is as documented otherwise.
fn sent(case: &Case, request: &Request) -> Option<String> {
    let (before, after) = case.reset_body.split_once(case.new?).expect("the body holds the password");
    let body = str::from_utf8(&request.body).ok()?;
    let password = body.strip_prefix(before)?.strip_suffix(after)?;
    let is_form = request.headers.get("content-type").is_some_and(|media| media == "application/x-www-form-urlencoded");
    // A form may encode what JSON does not.
    let decoded = percent_decode_str(password).decode_utf8().ok()?;
    Some(if is_form { decoded.into_owned() } else { password.to_owned() })
}

fn given(exchange: &Exchange) -> wiremock::MockBuilder {
    let mock = Mock::given(any()).and(method(exchange.method)).and(path(exchange.path));
    match exchange.sent {
        Some(sent) => mock.and(body_string(sent)),
        None => mock,
    }
}

/// Matches the documented authorization.
struct Authorized(&'static str);

impl Match for Authorized {
    fn matches(&self, request: &Request) -> bool {
        let header = request.headers.get("authorization").and_then(|value| value.to_str().ok());
        header.is_some_and(|header| fits(self.0, header))
    }
}

fn response(exchange: &Exchange) -> ResponseTemplate {
    ResponseTemplate::new(exchange.status).set_body_raw(exchange.body, media(exchange.body))
}

#[test]
fn every_vendor_resets_and_lists_as_documented() {
    for case in cases() {
        let Some(mut workspace) = Workspace::new() else { return };
        let replay = Replay::start(case, &mut workspace);
        workspace.write(&configuration(case));
        workspace.apply().succeeded();

        let name = case.vendor.name;
        assert_eq!(replay.passwords().len(), 1, "{name}");
        assert_eq!(workspace.state()["password"], json!(replay.passwords()[0]), "{name}");
        assert_eq!(workspace.output("listed"), json!(case.listed.len()), "{name}");
        // The new credential of another kind of reset is on no documented list.
        if case.vendor.reset_kind == ResetKind::InPlace {
            workspace.plan().nothing_to_do();
            workspace.destroy().succeeded();
        }
        assert_eq!(replay.passwords().len(), 1, "{name}");
    }
}

/// The case's credential, and the list that it is on.
fn configuration(case: &Case) -> String {
    let vendor = case.vendor;
    let scope = fields(case).into_iter().filter(|(name, _)| vendor.scope.iter().any(|field| field.name == *name));
    let name = vendor.name;
    format!(
        "{}{}data \"smtp_credentials\" \"this\" {{\n  {name} = {{ {} }}\n}}\n\
         output \"listed\" {{\n  value = length(data.smtp_credentials.this.credentials)\n}}\n",
        provider(case),
        block("this", &argument(case), ""),
        object(scope),
    )
}

/// A provider block with what no variable sets.
pub(crate) fn provider(case: &Case) -> String {
    let vendor = case.vendor;
    let is_in_block = |name: &str| vendor.settings.iter().any(|field| field.name == name && field.env.is_none());
    let in_block = case.settings.iter().copied().filter(|(name, _)| is_in_block(name));
    format!("provider \"smtp\" {{\n  {} = {{ {} }}\n}}\n", vendor.name, object(in_block))
}

/// The argument for the case's credential.
pub(crate) fn argument(case: &Case) -> String {
    format!("{} = {{ {} }}", case.vendor.name, object(fields(case).into_iter()))
}

fn fields(case: &Case) -> Vec<(&'static str, &'static str)> {
    case.vendor.target.iter().map(|field| field.name).zip(case.target.iter().copied()).collect()
}

fn object(fields: impl Iterator<Item = (&'static str, &'static str)>) -> String {
    fields.fold(String::new(), |mut text, (name, value)| {
        // A list is JSON, which HCL reads as it is.
        let value = if value.starts_with('[') { value.to_owned() } else { format!("{value:?}") };
        write!(text, "{name} = {value}, ").expect("a text grows");
        text
    })
}
