//! A recipe of the guide, and its vendor as the fixture documents it: any other request is a fault.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Deserialize;
use serde_json::Value;
use tokio::runtime::Runtime;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use crate::support::Workspace;

/// The exchanges of a vendor, from `tests/fixtures/http`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fixture {
    /// The heading of the recipe in the guide.
    pub(super) heading: String,
    /// The variables of the configuration. All are secret.
    pub(super) variables: BTreeMap<String, String>,
    /// The name of the credential.
    pub(super) name: String,
    /// The user name for SMTP.
    pub(super) username: String,
    /// What every request has.
    headers: BTreeMap<String, String>,
    /// The look-ups before a reset.
    looks: Vec<Exchange>,
    /// The look-up of what a reset has made.
    read_new: Option<Exchange>,
    /// The reset.
    reset: Exchange,
    /// The password in its response, where the vendor makes it.
    password: Option<String>,
    /// The `remote_version` after it.
    pub(super) version: Option<String>,
    /// The revocation of what it has made.
    revoke: Option<Exchange>,
    /// The response with status 200 that says that nothing was changed.
    pub(super) refusal: Option<Value>,
    /// What the vendor responds with these statuses; where it is null, not the vendor but a gateway.
    pub(super) errors: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    method: String,
    path: String,
    json: Option<Value>,
    form: Option<BTreeMap<String, String>>,
    status: u16,
    body: Value,
}

impl Fixture {
    pub(super) fn of(recipe: &str) -> Self {
        let path = format!("{}/tests/fixtures/http/{recipe}.json", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The configuration that the guide shows for this recipe.
    pub(super) fn configuration(&self) -> String {
        let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guides/http.md")).expect("the guide");
        let (_, section) = guide.split_once(&format!("\n### {}\n", self.heading)).expect("the guide has the recipe");
        let (_, code) = section.split_once("```terraform\n").expect("a recipe has a configuration");
        code.split_once("```").expect("the configuration ends").0.to_owned()
    }
}

/// How the next resets end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ending {
    /// First with 429, then as documented.
    Limited,
    /// As documented.
    Success,
    /// With the refusal in a response with status 200.
    Refusal,
    /// With this status.
    Status(u16),
}

/// What follows the documented id in the id of what the second reset makes.
const LATER: &str = "-2";

/// A vendor that responds to what is documented.
pub(super) struct Vendor {
    server: MockServer,
    runtime: Runtime,
    script: Arc<Script>,
}

struct Script {
    fixture: Fixture,
    state: Mutex<State>,
}

struct State {
    ending: Ending,
    faults: Vec<String>,
    /// The passwords that were set or made, one for each request.
    passwords: Vec<String>,
    resets: usize,
    revoked: usize,
}

impl Vendor {
    /// Starts it, and writes the guide's configuration for it, whose address alone is changed.
    pub(super) fn start(fixture: &Fixture, workspace: &mut Workspace) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let state = State { ending: Ending::Limited, faults: Vec::new(), passwords: Vec::new(), resets: 0, revoked: 0 };
        let script = Arc::new(Script { fixture: fixture.clone(), state: Mutex::new(state) });
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            let script = Arc::clone(&script);
            Mock::given(any()).respond_with(move |request: &Request| script.respond(request)).mount(&server).await;
            server
        });
        for (variable, value) in &fixture.variables {
            workspace.set(&format!("TF_VAR_{variable}"), value);
            workspace.keep_secret(value);
        }
        Self { server, runtime, script }
    }

    /// Writes the guide's configuration, in which the address and the trigger are changed.
    pub(super) fn configure(&self, workspace: &Workspace, trigger: &str) {
        self.configure_with(workspace, trigger, |text| text);
    }

    /// Writes the same with a further change.
    pub(super) fn configure_with(&self, workspace: &Workspace, trigger: &str, change: impl Fn(String) -> String) {
        let text = self.script.fixture.configuration();
        let (_, rest) = text.split_once("base_url").expect("a recipe has an address");
        let address = rest.split('"').nth(1).expect("an address is a text");
        // The path of the address is a part of the documented one.
        let path = address.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
        let text = text.replace(address, &format!("{}{path}", self.server.uri()));
        let trigger = format!("rotation_trigger = \"{trigger}\"\n  rotation_mode    = \"in_place\"");
        workspace.write(&change(text.replace("rotation_trigger = \"2026-Q4\"", &trigger)));
    }

    pub(super) fn end_with(&self, ending: Ending) {
        self.script.state().ending = ending;
    }

    /// The passwords that resets have set or made.
    pub(super) fn passwords(&self) -> Vec<String> {
        self.script.state().passwords.clone()
    }

    /// How many requests for a reset there were.
    pub(super) fn resets(&self) -> usize {
        self.script.state().resets
    }

    /// Whether a reset makes a new credential.
    pub(super) fn makes_another(&self) -> bool {
        self.script.fixture.revoke.is_some()
    }

    pub(super) fn revoked(&self) -> usize {
        self.script.state().revoked
    }

    /// Insists that every request was a documented one.
    #[track_caller]
    pub(super) fn assert_documented(&self) {
        assert_eq!(self.script.state().faults, Vec::<String>::new(), "{}", self.script.fixture.heading);
        let requests = self.runtime.block_on(self.server.received_requests()).expect("requests are recorded");
        assert!(!requests.is_empty());
    }
}

impl Script {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn respond(&self, request: &Request) -> ResponseTemplate {
        self.documented(request).unwrap_or_else(|fault| {
            let Request { method, url, body, .. } = request;
            let body = String::from_utf8_lossy(body);
            self.state().faults.push(format!("{method} {url} {body}: {fault}"));
            ResponseTemplate::new(400)
        })
    }

    /// What the vendor documents for a request; otherwise what is wrong with it.
    fn documented(&self, request: &Request) -> Result<ResponseTemplate, String> {
        let fixture = &self.fixture;
        for (name, value) in &fixture.headers {
            if request.headers.get(name).and_then(|header| header.to_str().ok()) != Some(value) {
                return Err(format!("without the header {name}"));
            }
        }
        let mut state = self.state();
        if let Some(password) = asks(&fixture.reset, request) {
            return self.reset(&mut state, password?);
        }
        if let Some(matched) = fixture.revoke.as_ref().and_then(|revoke| Some((revoke, asks(revoke, request)?))) {
            matched.1?;
            state.revoked += 1;
            return Ok(response(matched.0.status, &matched.0.body));
        }
        let is_renewed = !state.passwords.is_empty();
        let looks = fixture.read_new.iter().filter(|_| is_renewed).chain(&fixture.looks);
        for look in looks {
            if let Some(matched) = asks(look, request) {
                matched?;
                let resets = if request.url.path().ends_with(LATER) { 2 } else { 1 };
                return Ok(response(look.status, &self.renamed(&self.with_new(look, &state), resets)));
            }
        }
        Err("undocumented".to_owned())
    }

    fn reset(&self, state: &mut State, sent: Option<String>) -> Result<ResponseTemplate, String> {
        let fixture = &self.fixture;
        state.resets += 1;
        let error = |status: u16| {
            let body = fixture.errors.get(&status.to_string()).cloned().unwrap_or_default();
            if body.is_null() {
                ResponseTemplate::new(status).set_body_raw("<html><body>No.</body></html>", "text/html")
            } else {
                response(status, &body)
            }
        };
        match state.ending {
            Ending::Limited => {
                state.ending = Ending::Success;
                return Ok(error(429).insert_header("retry-after", "1"));
            }
            Ending::Status(status) => return Ok(error(status)),
            Ending::Refusal => return Ok(response(200, fixture.refusal.as_ref().ok_or("there is no refusal")?)),
            Ending::Success => {}
        }
        let password = sent.or_else(|| fixture.password.clone()).ok_or("there is no password")?;
        state.passwords.push(password);
        Ok(response(fixture.reset.status, &self.renamed(&fixture.reset.body, state.passwords.len())))
    }

    /// The documented JSON, in which the credential of a later reset has another id and user name.
    fn renamed(&self, body: &Value, resets: usize) -> Value {
        match (&self.fixture.version, &self.fixture.revoke) {
            (Some(id), Some(_)) if resets > 1 => {
                let text = body.to_string();
                let names = [id, &self.fixture.username];
                let text = names.into_iter().fold(text, |text, name| text.replace(name, &format!("{name}{LATER}")));
                text.parse().expect("JSON stays JSON")
            }
            _ => body.clone(),
        }
    }

    /// A list with what a reset has made on its first page.
    fn with_new(&self, look: &Exchange, state: &State) -> Value {
        let mut body = look.body.clone();
        let is_made = self.fixture.revoke.is_some() && state.passwords.len() > state.revoked;
        let is_first = self.fixture.looks.first().is_some_and(|first| first.path == look.path);
        let made = self.renamed(&self.fixture.reset.body, state.passwords.len());
        if let (true, true, Some(items)) = (is_made, is_first, body["data"].as_array_mut()) {
            items.push(if made["data"].is_object() { made["data"].clone() } else { made.clone() });
        }
        body
    }
}

fn response(status: u16, body: &Value) -> ResponseTemplate {
    let template = ResponseTemplate::new(status);
    if body.is_null() { template } else { template.set_body_raw(body.to_string(), "application/json") }
}

/// Returns the password in a request that is meant, or what is wrong with it; `None` if another request is meant.
fn asks(exchange: &Exchange, request: &Request) -> Option<Result<Option<String>, String>> {
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = request.url.path();
    let path = path.strip_suffix(LATER).unwrap_or(path);
    let is_meant = request.method.as_str() == exchange.method && path.to_owned() + &query == exchange.path;
    is_meant.then(|| body(exchange, request))
}

fn body(exchange: &Exchange, request: &Request) -> Result<Option<String>, String> {
    let media = request.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut password = None;
    if let Some(expected) = &exchange.json {
        let sent: Value = serde_json::from_slice(&request.body).map_err(|_| "not JSON")?;
        let is_same = media == "application/json" && fits(expected, &sent, &mut password);
        return if is_same { Ok(password) } else { Err("with another body".to_owned()) };
    }
    if let Some(expected) = &exchange.form {
        let sent: BTreeMap<String, String> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        let is_same = media == "application/x-www-form-urlencoded"
            && expected.keys().eq(sent.keys())
            && expected
                .iter()
                .all(|(name, text)| fits(&text.as_str().into(), &sent[name].as_str().into(), &mut password));
        return if is_same { Ok(password) } else { Err("with another form".to_owned()) };
    }
    if request.body.is_empty() { Ok(None) } else { Err("with a body".to_owned()) }
}

/// Returns whether JSON is as documented, with one password wherever a password is.
fn fits(expected: &Value, sent: &Value, password: &mut Option<String>) -> bool {
    match (expected, sent) {
        (Value::String(expected), Value::String(sent)) if expected == "{password}" => {
            *password.get_or_insert_with(|| sent.clone()) == *sent
        }
        (Value::Array(expected), Value::Array(sent)) => {
            expected.len() == sent.len() && expected.iter().zip(sent).all(|(one, other)| fits(one, other, password))
        }
        (Value::Object(expected), Value::Object(sent)) => {
            expected.keys().eq(sent.keys()) && expected.iter().all(|(name, one)| fits(one, &sent[name], password))
        }
        _ => expected == sent,
    }
}
