//! Azure Communication Services: an application at Microsoft Graph and the host that grants tokens for it, which answer
//! the documented requests and nothing else.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{body_json, body_string, header, method, path, query_param},
};

#[cfg(unix)]
use crate::process::Running;
use crate::support::{ADDRESS, Workspace, block};

const APPLICATION: &str = "03ef14b0-ca33-4840-8f4f-d6e91916010e";
const CLIENT: &str = "6c1a9f40-52d7-4b8e-a3f6-90e2d7c4b815";
const CLIENT_SECRET: &str = "Own.secret_of-the-provider8Q";
const TENANT: &str = "b4f1c2d3-7a58-4e0b-9c61-2f5d8e3a7b90";
const TOKEN: &str = "eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJncmFwaCJ9.c2lnbmF0dXJl";
const USERNAME: &str = "acs-mail|2f0d6e3b-8c47-4a15-b9e2-7d31c5a0f864|b4f1c2d3-7a58-4e0b-9c61-2f5d8e3a7b90";
const IN_PLACE: &str = "rotation_mode = \"in_place\"";
const NOT_CHANGED: &str = "The password was not changed.";
const CHANGED: &str = "The password was changed.";

/// Twice the time that a new secret may need.
const LONG: Duration = Duration::from_secs(60);
const SETTLED: Duration = Duration::from_secs(30);

/// The application's secrets, and the changes of them.
#[derive(Default)]
struct Graph {
    secrets: Vec<Secret>,
    made: usize,
    changes: Vec<(Instant, String)>,
}

struct Secret {
    id: String,
    value: String,
    ends_at: &'static str,
}

struct Scene {
    workspace: Workspace,
    graph: Arc<Mutex<Graph>>,
    runtime: Runtime,
    graph_server: MockServer,
    login_server: MockServer,
}

impl Scene {
    fn start() -> Option<Self> {
        let mut workspace = Workspace::new()?;
        let runtime = Runtime::new().expect("a runtime");
        let graph: Arc<Mutex<Graph>> = Arc::default();
        let (graph_server, login_server) =
            runtime.block_on(async { (MockServer::start().await, MockServer::start().await) });
        for (variable, value) in [
            ("ARM_TENANT_ID", TENANT),
            ("ARM_CLIENT_ID", CLIENT),
            ("ARM_CLIENT_SECRET", CLIENT_SECRET),
            ("AZURE_COMMUNICATION_BASE_URL", &graph_server.uri()),
            ("AZURE_COMMUNICATION_AUTHORITY_URL", &login_server.uri()),
        ] {
            workspace.set(variable, value);
        }
        for secret in [CLIENT_SECRET, TOKEN] {
            workspace.keep_secret(secret);
        }
        let scene = Self { workspace, graph, runtime, graph_server, login_server };
        scene.answer();
        Some(scene)
    }

    /// Mounts the documented requests.
    fn answer(&self) {
        let form = format!(
            "client_id={CLIENT}&grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default\
             &client_secret={CLIENT_SECRET}"
        );
        let login = Mock::given(method("POST")).and(path(format!("/{TENANT}/oauth2/v2.0/token")));
        let login = login.and(header("content-type", "application/x-www-form-urlencoded")).and(body_string(form));
        let granted = json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": TOKEN });
        self.mount(&self.login_server, login.respond_with(ResponseTemplate::new(200).set_body_json(granted)));

        let at = format!("/v1.0/applications/{APPLICATION}");
        let authorized = |method_name: &str, at: String| {
            Mock::given(method(method_name)).and(path(at)).and(header("authorization", format!("Bearer {TOKEN}")))
        };
        let read = authorized("GET", at.clone()).and(query_param("$select", "id,appId,passwordCredentials"));
        let graph = Arc::clone(&self.graph);
        self.mount(&self.graph_server, read.respond_with(move |_: &Request| lock(&graph).application()));

        let wanted = json!({ "passwordCredential": { "displayName": "terraform-provider-smtp" } });
        let graph = Arc::clone(&self.graph);
        let add = authorized("POST", format!("{at}/addPassword")).and(body_json(wanted));
        self.mount(&self.graph_server, add.respond_with(move |_: &Request| lock(&graph).add()));

        let graph = Arc::clone(&self.graph);
        let remove = authorized("POST", format!("{at}/removePassword"));
        self.mount(&self.graph_server, remove.respond_with(move |request: &Request| lock(&graph).remove(request)));
    }

    fn mount(&self, server: &MockServer, mock: Mock) {
        self.runtime.block_on(mock.mount(server));
    }

    /// Answers the next such request at a server otherwise.
    fn instead(&self, server: &MockServer, of: &str, status: u16, body: Value) {
        let answer = ResponseTemplate::new(status).set_body_json(body);
        let mock = Mock::given(method("POST")).and(path(of)).respond_with(answer);
        self.mount(server, mock.with_priority(1).up_to_n_times(1));
    }

    fn refuse(&self, status: u16, code: &str) {
        let error = json!({ "error": { "code": code, "message": "Refused.", "innerError": { "request-id": "5a1f" } } });
        self.instead(&self.graph_server, &format!("/v1.0/applications/{APPLICATION}/addPassword"), status, error);
    }

    fn write(&self, trigger: &str, arguments: &str) {
        let target =
            format!("azure_communication = {{ application_object_id = \"{APPLICATION}\", username = \"{USERNAME}\" }}");
        let arguments = format!("rotation_trigger = \"{trigger}\"\n  {arguments}");
        self.workspace.write(&block("this", &target, &arguments));
    }

    /// A state with one secret.
    fn created(arguments: &str) -> Option<Self> {
        let scene = Self::start()?;
        scene.write("one", arguments);
        scene.workspace.apply().quiet();
        scene.holds_the_current_secret();
        Some(scene)
    }

    #[track_caller]
    fn holds_the_current_secret(&self) {
        let state = self.workspace.state();
        let graph = lock(&self.graph);
        let current = graph.secrets.last().expect("a secret");
        assert_eq!((&state["password"], &state["remote_version"]), (&json!(current.value), &json!(current.id)));
        assert_eq!((&state["username"], &state["smtp_host"]), (&json!(USERNAME), &json!("smtp.azurecomm.net")));
        assert_eq!(state["id"], json!(format!("azure_communication/{APPLICATION}")));
    }

    fn ids(&self) -> Vec<String> {
        lock(&self.graph).secrets.iter().map(|secret| secret.id.clone()).collect()
    }

    /// The changes, and the seconds between the last two.
    fn changes(&self) -> (Vec<String>, Duration) {
        let changes = &lock(&self.graph).changes;
        let between = match &changes[..] {
            [.., (before, _), (last, _)] => *last - *before,
            _ => Duration::ZERO,
        };
        (changes.iter().map(|(_, change)| change.clone()).collect(), between)
    }
}

impl Graph {
    fn application(&self) -> ResponseTemplate {
        let secret = |secret: &Secret| {
            json!({
                "keyId": secret.id,
                "displayName": "terraform-provider-smtp",
                "hint": secret.value.get(..3),
                "startDateTime": "2026-11-28T00:00:00Z",
                "endDateTime": secret.ends_at,
                "secretText": null,
            })
        };
        let secrets: Vec<_> = self.secrets.iter().map(secret).collect();
        let application = json!({ "id": APPLICATION, "appId": "2f0d6e3b-8c47-4a15-b9e2-7d31c5a0f864", "passwordCredentials": secrets });
        ResponseTemplate::new(200).set_body_json(application)
    }

    fn add(&mut self) -> ResponseTemplate {
        self.made += 1;
        let id = format!("f0b0b335-1d71-4883-8f98-{:012}", self.made);
        let value = format!("{{6gyXA5S20@MN+WRXAJ]I-TO7g1:h{:03}", self.made);
        self.changes.push((Instant::now(), format!("made {id}")));
        let made = json!({ "keyId": id, "secretText": value, "hint": "{6g", "endDateTime": "2099-01-01T00:00:00Z" });
        self.secrets.push(Secret { id, value, ends_at: "2099-01-01T00:00:00Z" });
        ResponseTemplate::new(200).set_body_json(made)
    }

    fn remove(&mut self, request: &Request) -> ResponseTemplate {
        let body: Value = request.body_json().unwrap_or_default();
        let id = body["keyId"].as_str().unwrap_or_default().to_owned();
        let count = self.secrets.len();
        self.secrets.retain(|secret| secret.id != id);
        if self.secrets.len() == count {
            let message = format!("No password credential found with keyId '{id}'.");
            let error = json!({ "error": { "code": "Request_BadRequest", "message": message } });
            return ResponseTemplate::new(400).set_body_json(error);
        }
        self.changes.push((Instant::now(), format!("removed {id}")));
        ResponseTemplate::new(204)
    }
}

fn lock(graph: &Mutex<Graph>) -> std::sync::MutexGuard<'_, Graph> {
    graph.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn without_a_login_the_old_secret_is_removed_once_the_new_one_has_settled() {
    // Each of them waits, so they wait together.
    std::thread::scope(|scope| {
        for arguments in [IN_PLACE, "lifecycle { create_before_destroy = true }", ""] {
            scope.spawn(move || {
                let Some(scene) = Scene::created(arguments) else { return };
                let [old] = &scene.ids()[..] else { panic!("one secret") };
                scene.write("two", arguments);
                scene.workspace.apply().quiet();
                scene.holds_the_current_secret();
                let (changes, between) = scene.changes();
                assert_eq!(scene.ids().len(), 1, "{arguments}");
                assert_eq!(changes[2], format!("removed {old}"), "{arguments}");
                assert!(between >= SETTLED, "{arguments}: {between:?}");
                scene.workspace.plan().nothing_to_do();
            });
        }
    });
}

#[test]
fn with_too_little_time_to_settle_the_old_secret_stays_and_is_named() {
    let arguments = format!("{IN_PLACE}\n  timeouts = {{ update = \"25s\" }}");
    let Some(scene) = Scene::created(&arguments) else { return };
    let [old] = &scene.ids()[..] else { panic!("one secret") };
    scene.write("two", &arguments);
    let warning = scene.workspace.apply().warning().is(&format!("The previous credential was not revoked: {old}"));
    warning.says(&[&format!("Revoking `{old}`"), "no time left to wait", CHANGED, "revoke"]);
    scene.holds_the_current_secret();
    assert_eq!(scene.ids().len(), 2);
}

#[cfg(unix)]
#[test]
fn a_stop_while_the_new_secret_settles_stores_it() {
    let Some(scene) = Scene::created(IN_PLACE) else { return };
    scene.write("two", IN_PLACE);
    let arguments = ["apply", "-auto-approve", "-input=false", "-json"];
    let running = Running::start(&scene.workspace, &arguments);
    let end = Instant::now() + LONG;
    while lock(&scene.graph).made < 2 && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(50));
    }
    running.signal_core("INT");
    let ended = running.wait();
    let run = scene.workspace.judge(&arguments, &ended.output);
    assert!(
        run.diagnostics.iter().any(|one| one.summary.starts_with("The previous credential was not revoked: ")),
        "{run}"
    );
    scene.holds_the_current_secret();
    assert_eq!(scene.ids().len(), 2);
    let (changes, _) = scene.changes();
    assert!(changes.iter().all(|change| change.starts_with("made")), "{changes:?}");
}

#[test]
fn both_secrets_work_until_the_next_rotation() {
    let overlap = format!("{IN_PLACE}\n  retire_previous = \"at_next_rotation\"");
    let Some(scene) = Scene::created(&overlap) else { return };
    scene.write("two", &overlap);
    scene.workspace.apply().quiet();
    scene.holds_the_current_secret();
    let [first, second] = &scene.ids()[..] else { panic!("two secrets") };
    assert_eq!(scene.workspace.state()["previous"], json!(format!("azure_communication/{APPLICATION}/{first}")));
    scene.workspace.plan().nothing_to_do();
    scene.write("three", &overlap);
    scene.workspace.apply().quiet();
    scene.holds_the_current_secret();
    let (changes, _) = scene.changes();
    assert_eq!(changes[2], format!("removed {first}"));
    assert_eq!(scene.workspace.state()["previous"], json!(format!("azure_communication/{APPLICATION}/{second}")));
    scene.workspace.destroy().quiet();
    assert_eq!(scene.ids(), Vec::<String>::new(), "a destroy removes both");
}

#[test]
fn an_existing_secret_is_imported_and_its_user_name_is_adopted() {
    let Some(scene) = Scene::start() else { return };
    lock(&scene.graph).add();
    let [id] = &scene.ids()[..] else { panic!("one secret") };
    scene.write("one", "");
    scene.workspace.import(&format!("azure_communication/{APPLICATION}/{id}")).succeeded();
    let state = scene.workspace.state();
    assert_eq!((&state["remote_version"], &state["password"]), (&json!(id), &Value::Null));
    let adopted = scene.workspace.apply().succeeded().diagnostics;
    assert!(adopted.iter().all(|warning| warning.summary == "No reset after the import"), "{adopted:?}");
    assert_eq!(scene.workspace.state()["username"], json!(USERNAME));
    assert_eq!(scene.ids(), std::slice::from_ref(id));
    scene.workspace.plan().nothing_to_do();
}

#[test]
fn what_microsoft_refuses_is_named_and_changes_nothing() {
    let Some(scene) = Scene::start() else { return };
    scene.write("one", "");
    let login = format!("/{TENANT}/oauth2/v2.0/token");
    let description = "AADSTS7000215: Invalid client secret provided.";
    let error = json!({ "error": "invalid_client", "error_description": description, "error_codes": [7_000_215] });
    scene.instead(&scene.login_server, &login, 401, error);
    let refused = scene.workspace.apply().error().is("Azure Communication Services refused the credentials");
    refused.says(&["AADSTS7000215", NOT_CHANGED, "Check `client_secret`: it is the value of a secret, not its id."]);
    for (status, code, summary, advice) in [
        (
            400,
            "CredentialTypeNotAllowedAsPerAppPolicy",
            "Azure Communication Services rejected the request",
            "Ask an administrator of the tenant to exempt the application.",
        ),
        (
            400,
            "CredentialInvalidLifetimeAsPerAppPolicy",
            "Azure Communication Services rejected the request",
            "Set `secret_lifetime` of `azure_communication`",
        ),
        (
            403,
            "Authorization_RequestDenied",
            "Azure Communication Services denied access",
            "The token needs Microsoft Graph's application permission `Application.ReadWrite.OwnedBy`",
        ),
    ] {
        scene.refuse(status, code);
        let refused = scene.workspace.apply().error().is(summary);
        refused.says(&[code, "(request id 5a1f)", NOT_CHANGED, advice]);
        assert_eq!(scene.ids(), Vec::<String>::new());
    }
    // A refusal for too many requests is waited for.
    scene.refuse(429, "TooManyRequests");
    scene.workspace.apply().quiet();
    scene.holds_the_current_secret();
}

#[test]
fn a_secret_that_has_expired_or_was_removed_leaves_the_state() {
    for is_removed in [false, true] {
        let Some(scene) = Scene::created("") else { return };
        scene.workspace.age_resets();
        if is_removed {
            lock(&scene.graph).secrets.clear();
        } else {
            lock(&scene.graph).secrets[0].ends_at = "2026-01-01T00:00:00Z";
        }
        let plan = scene.workspace.plan();
        assert_eq!(plan.action(ADDRESS).as_deref(), Some("create"));
        plan.warning().is("A stored password was removed from state");
        assert_eq!(lock(&scene.graph).made, 1);
    }
}

#[test]
fn a_new_secret_that_microsoft_does_not_show_yet_stays_in_the_state() {
    let Some(scene) = Scene::created("") else { return };
    let before = scene.workspace.state();
    let hidden = std::mem::take(&mut lock(&scene.graph).secrets);
    let plan = scene.workspace.plan();
    assert_eq!(plan.action(ADDRESS), None);
    plan.warning().is("A new credential is not shown yet").says(&[NOT_CHANGED]);
    scene.workspace.refresh().warning().is("A new credential is not shown yet");
    assert_eq!(scene.workspace.state(), before);
    lock(&scene.graph).secrets = hidden;
    scene.workspace.plan().nothing_to_do();
}
