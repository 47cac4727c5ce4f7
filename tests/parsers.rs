//! Whatever comes from outside is read without a panic, and never repeated: values and states from core, import ids,
//! the client certificate, vendors' answers.
//!
//! Each target gets arbitrary bytes, and bytes of which most are right. `PROPTEST_CASES=100000 cargo test --test
//! parsers` runs them for longer, `PROPTEST_RNG_SEED` over others; a name at its end chooses one target. `fuzz/run`
//! lets a fuzzer breed bytes for the targets that need no other process.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "parsers/mail_server.rs"]
mod mail_server;
#[path = "parsers/seeds.rs"]
mod seeds;
#[path = "parsers/targets.rs"]
mod targets;
#[path = "parsers/vendors.rs"]
mod vendors;

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek},
    process::Stdio,
    sync::Mutex,
};

use proptest::{collection, prelude::*, sample::Index};
use sandbox::{
    Sandbox,
    core::{
        self, Plugin,
        explore::explore,
        identity,
        wire::tfplugin6::{
            Diagnostic, DynamicValue, RawState, ResourceIdentityData, apply_resource_change, configure_provider,
            import_resource_state, list_resource, plan_resource_change, provider_client::ProviderClient, read_resource,
            upgrade_resource_identity, upgrade_resource_state, validate_list_resource_config, validate_provider_config,
            validate_resource_config,
        },
    },
};
use terraform_provider_smtp::{
    framework::{Provider, msgpack, value::Value},
    provider::Smtp,
    vendors::VENDORS,
};
use tokio::runtime::Runtime;
use tonic::transport::Channel;

use crate::{targets::TARGETS, vendors::Vendors};

/// What nobody may read in an answer or a log.
const NEEDLE: &str = "needle-c0ffee-9e1f";

const BINARY: &str = env!("CARGO_BIN_EXE_terraform-provider-smtp");
const TYPE_NAME: &str = "smtp_credential_password";

// What core sends

#[test]
fn a_value_from_core_is_read_or_refused() {
    let plugin = Session::start();
    let right = msgpack::encode(&seeds::resource(), &Smtp::new().resources()[0].schema().attributes);
    explore(200, &mutated(right), |bytes| {
        plugin.takes_value(&DynamicValue { msgpack: bytes.clone(), json: Vec::new() });
        plugin.takes_value(&DynamicValue { msgpack: Vec::new(), json: bytes });
    });
    plugin.end();
}

#[test]
fn a_value_of_core_in_json_is_read_or_refused() {
    let plugin = Session::start();
    explore(200, &mutated(seeds::state()), |json| plugin.takes_value(&DynamicValue { msgpack: Vec::new(), json }));
    plugin.end();
}

#[test]
fn a_stored_state_is_read_or_refused() {
    let plugin = Session::start();
    explore(300, &(mutated(seeds::state()), -1..2_i64), |(json, version)| plugin.takes_state(json, version));
    explore(100, &(mutated(seeds::state()), -1..2_i64), |(json, version)| plugin.takes_identity(json, version));
    plugin.end();
}

#[test]
fn an_import_id_is_read_or_refused() {
    let plugin = Session::start();
    let vendor = prop::sample::select(VENDORS.iter().map(|vendor| vendor.name).chain(["", NEEDLE]).collect::<Vec<_>>());
    let part = prop_oneof![any::<String>(), Just(NEEDLE.to_owned()), Just("x".repeat(64 << 10))];
    let ids = (vendor, collection::vec(part, 0..4))
        .prop_map(|(vendor, parts)| parts.into_iter().fold(vendor.to_owned(), |id, part| id + "/" + &part));
    explore(200, &ids, |id| plugin.takes_import_id(id));
    plugin.end();
}

#[test]
fn a_client_certificate_is_taken_or_refused() {
    let right = identity::Identity::new().pem().into_bytes();
    explore(48, &mutated(right), |mut pem| {
        // The environment holds texts without NUL.
        pem.retain(|byte| *byte != 0);
        let pem = String::from_utf8_lossy(&pem).into_owned();
        let mut command = core::command(BINARY).into_std();
        let mut child = command.env("PLUGIN_CLIENT_CERT", &pem).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            assert_eq!(
                said,
                "PLUGIN_CLIENT_CERT is not a PEM certificate; refusing to serve without client authentication.\n"
            );
            assert_eq!(child.wait().unwrap().code(), Some(1));
        } else {
            assert_eq!(line.split('|').count(), 6, "{line}");
            child.kill().unwrap();
            child.wait().unwrap();
        }
    });
}

// What vendors answer

#[test]
fn an_answer_of_any_bytes_ends_in_a_password_or_an_outcome() {
    let vendors = Vendors::start();
    let right = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4096\r\n\r\n{}", body());
    explore(64, &mutated(right.into_bytes()), |answer| vendors.take(answer));
}

#[test]
fn a_body_of_any_bytes_ends_in_a_password_or_an_outcome() {
    let vendors = Vendors::start();
    let status = prop::sample::select(vec![200, 201, 301, 307, 400, 401, 404, 422, 423, 500, 503]);
    explore(64, &(status, mutated(body().into_bytes())), |(status, body)| {
        let head = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: {}\r\n", body.len());
        vendors.take([head.as_bytes(), b"Content-Type: application/json\r\n\r\n", &body].concat());
    });
}

#[test]
fn a_login_that_a_vendor_repeats_is_not_shown() {
    let vendors = Vendors::start();
    for status in [400, 401, 403, 404, 500] {
        let head = format!("HTTP/1.1 {status} No\r\nContent-Type: application/json\r\n\r\n");
        vendors.take((head + &body()).into_bytes());
    }
}

#[test]
fn a_word_on_when_to_come_back_is_read_or_ignored() {
    let vendors = Vendors::start();
    let times =
        ["0", "99999", "-1", "Fri, 20 Nov 2026 21:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "99999999999999999999"];
    let time = prop::sample::select(times.to_vec()).prop_flat_map(|time| mutated(time.as_bytes().to_vec()));
    let name = prop::sample::select(vec!["Retry-After", "X-RateLimit-Reset"]);
    explore(64, &collection::vec((name, time), 1..3), |headers| {
        let mut answer = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n".to_vec();
        for (name, mut time) in headers {
            time.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
            answer.extend([name.as_bytes(), b": ", &time, b"\r\n"].concat());
        }
        answer.extend(b"\r\n");
        vendors.take(answer);
    });
}

// Everything, in this process

#[test]
fn every_target_of_the_fuzzer_takes_arbitrary_bytes() {
    for (name, takes) in TARGETS {
        for seed in seeds::of(name) {
            takes(&seed);
            explore(24, &mutated(seed), |bytes| takes(&bytes));
        }
    }
}

// Bytes

/// Any bytes, or these with a few changes.
fn mutated(right: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<Index>(), any::<u8>(), 0..5_u8);
    prop_oneof![
        1 => collection::vec(any::<u8>(), 0..200),
        1 => Just(NEEDLE.as_bytes().to_vec()),
        6 => collection::vec(change, 0..4).prop_map(move |changes| changes.into_iter().fold(right.clone(), changed)),
    ]
}

fn changed(mut bytes: Vec<u8>, (at, byte, how): (Index, u8, u8)) -> Vec<u8> {
    if bytes.is_empty() {
        return bytes;
    }
    let at = at.index(bytes.len());
    match how {
        0 => bytes[at] = byte,
        1 => bytes.insert(at, byte),
        2 => drop(bytes.remove(at)),
        3 => bytes.truncate(at),
        _ => drop(bytes.splice(at..at, NEEDLE.bytes())),
    }
    bytes
}

/// An answer in which every vendor finds its own, with the token that it was sent in its words.
fn body() -> String {
    let mut body = serde_json::json!({
        "success": true, "password": "Pass-w0rd", "Secret": "Pass-w0rd", "Key": "key", "ID": "id", "email": "a@example.com",
        "data": {"new_password": "Pass-w0rd", "credential": {"username": "a@example.com", "modified_at": 1_700_000_000}},
        "emailAccounts": [{"id": "mail_1", "email": "a@example.com"}], "message": format!("no {NEEDLE}"),
        "errors": {"field": [NEEDLE]}, "error": NEEDLE, "code": NEEDLE, "detail": NEEDLE, "correlationId": NEEDLE,
    });
    body["category"] = NEEDLE.into();
    body.to_string()
}

// Core

/// One configured process of the provider, for all cases of a test.
struct Session {
    runtime: Runtime,
    _plugin: Plugin,
    _sandbox: Sandbox,
    provider: ProviderClient<Channel>,
    log: Mutex<File>,
}

impl Session {
    fn start() -> Self {
        let (runtime, sandbox) = (Runtime::new().unwrap(), Sandbox::start());
        let log = tempfile::tempfile().unwrap();
        let mut command = core::command(BINARY);
        command.envs(sandbox.env()).env("TF_LOG_PROVIDER", "TRACE").stderr(Stdio::from(log.try_clone().unwrap()));
        let (plugin, provider) = runtime.block_on(async {
            let plugin = Plugin::start(command).await;
            let mut provider = plugin.connect().await.provider;
            let config = core::encode(&Value::object::<&str>([]), &Smtp::new().schema().attributes);
            let request = configure_provider::Request { terraform_version: "1.15.5".to_owned(), config };
            assert_eq!(provider.configure_provider(request).await.unwrap().into_inner().diagnostics, []);
            (plugin, provider)
        });
        Self { runtime, _plugin: plugin, _sandbox: sandbox, provider, log: Mutex::new(log) }
    }

    /// Sends a value wherever core sends one.
    fn takes_value(&self, value: &DynamicValue) {
        let (type_name, value) = (TYPE_NAME.to_owned(), Some(value.clone()));
        let mut provider = self.provider.clone();
        self.runtime.block_on(async {
            let request = validate_provider_config::Request { config: value.clone() };
            sound(&provider.validate_provider_config(request).await.unwrap().into_inner().diagnostics);
            let request = validate_resource_config::Request {
                type_name: type_name.clone(),
                config: value.clone(),
                client_capabilities: None,
            };
            sound(&provider.validate_resource_config(request).await.unwrap().into_inner().diagnostics);
            let request = read_resource::Request {
                type_name: type_name.clone(),
                current_state: value.clone(),
                private: NEEDLE.into(),
            };
            sound(&provider.read_resource(request).await.unwrap().into_inner().diagnostics);
            let request = plan_resource_change::Request {
                type_name: type_name.clone(),
                prior_state: value.clone(),
                proposed_new_state: value.clone(),
                config: value.clone(),
                prior_private: NEEDLE.into(),
            };
            sound(&provider.plan_resource_change(request).await.unwrap().into_inner().diagnostics);
            let request =
                validate_list_resource_config::Request { type_name: type_name.clone(), config: value.clone() };
            sound(&provider.validate_list_resource_config(request).await.unwrap().into_inner().diagnostics);
            let identity = value.clone().map(|value| ResourceIdentityData { identity_data: Some(value) });
            let request = import_resource_state::Request { type_name: type_name.clone(), id: String::new(), identity };
            sound(&provider.import_resource_state(request).await.unwrap().into_inner().diagnostics);
            let request = list_resource::Request {
                type_name: type_name.clone(),
                config: value.clone(),
                include_resource_object: true,
                limit: 1,
            };
            let mut events = provider.list_resource(request).await.unwrap().into_inner();
            while let Some(event) = events.message().await.unwrap() {
                sound(&event.diagnostic);
            }
            let request = apply_resource_change::Request {
                type_name,
                prior_state: value.clone(),
                planned_state: value.clone(),
                config: value,
                planned_private: NEEDLE.into(),
            };
            sound(&provider.apply_resource_change(request).await.unwrap().into_inner().diagnostics);
        });
    }

    fn takes_state(&self, json: Vec<u8>, version: i64) {
        let raw_state = Some(RawState { json, ..RawState::default() });
        let request = upgrade_resource_state::Request { type_name: TYPE_NAME.to_owned(), version, raw_state };
        let mut provider = self.provider.clone();
        let answer = self.runtime.block_on(provider.upgrade_resource_state(request)).unwrap().into_inner();
        sound(&answer.diagnostics);
        assert_eq!(answer.upgraded_state.is_some(), answer.diagnostics.is_empty(), "{:?}", answer.diagnostics);
    }

    fn takes_import_id(&self, id: String) {
        let request = import_resource_state::Request { type_name: TYPE_NAME.to_owned(), id, ..Default::default() };
        let mut provider = self.provider.clone();
        let answer = self.runtime.block_on(provider.import_resource_state(request)).unwrap().into_inner();
        sound(&answer.diagnostics);
        assert_eq!(answer.imported_resources.len(), usize::from(answer.diagnostics.is_empty()));
    }

    fn takes_identity(&self, json: Vec<u8>, version: i64) {
        let raw_identity = Some(RawState { json, ..RawState::default() });
        let request = upgrade_resource_identity::Request { type_name: TYPE_NAME.to_owned(), version, raw_identity };
        let mut provider = self.provider.clone();
        let answer = self.runtime.block_on(provider.upgrade_resource_identity(request)).unwrap().into_inner();
        sound(&answer.diagnostics);
        assert_eq!(answer.upgraded_identity.is_some(), answer.diagnostics.is_empty(), "{:?}", answer.diagnostics);
    }

    /// Looks through the log of all cases.
    fn end(self) {
        let (mut log, mut logged) = (self.log.into_inner().unwrap(), Vec::new());
        log.rewind().unwrap();
        log.read_to_end(&mut logged).unwrap();
        let logged = String::from_utf8_lossy(&logged);
        assert!(!logged.contains("panic") && !logged.contains(NEEDLE), "{logged}");
    }
}

/// Diagnostics are for people: of no crash, of no content, and nothing that steers a terminal.
#[track_caller]
fn sound(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        let text = format!("{} {}", diagnostic.summary, diagnostic.detail);
        assert_ne!(diagnostic.summary, "The provider crashed");
        assert!(diagnostic.summary.split(' ').count() <= 8, "{text}");
        assert!(!format!("{diagnostic:?}").contains(NEEDLE), "{text}");
        assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{text:?}");
    }
}
