//! The plugin server as core sees it: real processes, real mutual TLS, real signals.
//!
//! What needs a real provider starts the binary. What no real provider does is shown by a fake one
//! (`provider/fake.rs`), which this program serves itself when it is started for that.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "provider/computed.rs"]
mod computed;
#[path = "provider/fake.rs"]
mod fake;
#[path = "provider/identities.rs"]
mod identities;
#[path = "provider/lists.rs"]
mod lists;
#[cfg(target_os = "linux")]
#[path = "provider/roots.rs"]
mod roots;

use std::{
    collections::HashMap,
    fs,
    io::Write,
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    path::Path,
    process,
};

use hyper_util::rt::TokioIo;
use sandbox::core::{
    self, Core, Plugin, decode, encode,
    identity::{Identity, anonymous},
    wire::{
        self,
        plugin::{ConnInfo, Empty},
        tfplugin6::{
            AttributePath, ClientCapabilities, Diagnostic, RawState, apply_resource_change,
            attribute_path::step::Selector, call_function, configure_provider, diagnostic::Severity, get_functions,
            get_metadata, get_provider_schema, get_resource_identity_schemas, import_resource_state, list_resource,
            move_resource_state, plan_resource_change, read_data_source, read_resource, stop_provider,
            upgrade_resource_identity, upgrade_resource_state, validate_data_resource_config,
            validate_list_resource_config, validate_provider_config, validate_resource_config,
        },
    },
};
use terraform_provider_smtp::{
    framework::{Provider, msgpack, schema::Attribute, value::Value},
    provider::Smtp,
    secret::Secret,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::UnixStream,
    process::Command,
};
use tonic::{Code, Request, client::Grpc, codegen::http::uri::PathAndQuery, transport::Endpoint};
use tonic_prost::ProstCodec;

use crate::fake::{Gate, PANIC_MESSAGE, thing};

const BINARY: &str = env!("CARGO_BIN_EXE_terraform-provider-smtp");

// Starting

#[test]
fn without_the_cookie_one_line_says_who_starts_it() {
    fake::serve_if_asked();
    let output = process::Command::new(BINARY).env_remove("TF_PLUGIN_MAGIC_COOKIE").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "This is a Terraform and OpenTofu provider. `terraform` or `tofu` starts it; to run it manually, use -debug.\n"
    );
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn a_core_without_protocol_6_gets_an_explanation() {
    let mut command = core::command(BINARY);
    let output = command.env("PLUGIN_PROTOCOL_VERSIONS", "4,5").output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("does not support plugin protocol 6"));
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn a_garbage_client_certificate_is_an_error_and_not_a_server_without_tls() {
    let mut command = core::command(BINARY);
    let output = command.env("PLUGIN_CLIENT_CERT", "garbage").output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("PLUGIN_CLIENT_CERT is not a PEM certificate"));
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn flags_print_and_unknown_ones_exit_with_2() {
    for flag in ["-version", "--version"] {
        let output = Command::new(BINARY).arg(flag).output().await.unwrap();
        assert_eq!(output.stdout, concat!("terraform-provider-smtp ", env!("CARGO_PKG_VERSION"), "\n").as_bytes());
    }
    let output = Command::new(BINARY).arg("-x").output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 1);
}

#[tokio::test]
async fn the_handshake_line_is_all_that_goes_to_stdout() {
    let mut plugin = Plugin::start(core::command(BINARY)).await;
    assert_eq!(plugin.handshake.len(), 6);
    assert_eq!(plugin.handshake[..3], ["1", "6", "unix"]);
    assert_eq!(plugin.handshake[4], "grpc");
    plugin.connect().await.controller.shutdown(Empty {}).await.unwrap();
    assert_eq!(plugin.closed_stdout().await, "");
    plugin.ended().await;
}

#[tokio::test]
async fn the_socket_lies_where_only_this_user_can_reach_it() {
    let plugin = Plugin::start(core::command(BINARY)).await;
    let directory = Path::new(&plugin.handshake[3]).parent().unwrap();
    assert_eq!(fs::metadata(directory).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn debugging_prints_where_to_attach_and_ends_at_an_interrupt() {
    let mut command = core::command(BINARY);
    let mut child = command.arg("-debug").env_remove("TF_PLUGIN_MAGIC_COOKIE").spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).await.unwrap();

    let quoted = line.strip_prefix("TF_REATTACH_PROVIDERS='").unwrap().strip_suffix("'\n").unwrap();
    let plugins: HashMap<String, serde_json::Value> = serde_json::from_str(quoted).unwrap();
    let plugin = &plugins["registry.terraform.io/smtp-credentials/smtp"];
    assert_eq!(plugin, &plugins["registry.opentofu.org/smtp-credentials/smtp"]);
    assert_eq!((&plugin["Protocol"], &plugin["ProtocolVersion"]), (&"grpc".into(), &6.into()));
    assert_eq!((&plugin["Pid"], &plugin["Test"]), (&child.id().unwrap().into(), &true.into()));
    assert_eq!(plugin["Addr"]["Network"], "unix");

    let path = plugin["Addr"]["String"].as_str().unwrap().to_owned();
    let socket = path.clone();
    let connect = tower::service_fn(move |_| {
        let path = path.clone();
        async move { UnixStream::connect(path).await.map(TokioIo::new) }
    });
    let channel = Endpoint::from_static("http://localhost").connect_with_connector(connect).await.unwrap();
    Core::new(channel).provider.get_provider_schema(get_provider_schema::Request {}).await.unwrap();

    let interrupt = format!("kill -INT {}", child.id().unwrap());
    Command::new("sh").args(["-c", &interrupt]).status().await.unwrap();
    assert!(child.wait().await.unwrap().success());
    assert!(!Path::new(&socket).exists());
}

// Who may connect

#[tokio::test]
async fn a_client_that_is_not_core_is_refused() {
    let plugin = Plugin::start(core::command(BINARY)).await;
    let strangers = [
        anonymous(plugin.certificate()),
        Identity::new().config(plugin.certificate()),
        plugin.identity.with_another_key().config(plugin.certificate()),
    ];
    for stranger in strangers {
        if let Ok(mut core) = plugin.connect_with(stranger).await {
            core.provider.get_metadata(get_metadata::Request {}).await.unwrap_err();
        }
    }
    plugin.connect().await.provider.get_metadata(get_metadata::Request {}).await.unwrap();
}

#[tokio::test]
async fn a_client_that_stalls_holds_up_nobody() {
    let plugin = Plugin::start(core::command(BINARY)).await;
    let _stalled = UnixStream::connect(&plugin.handshake[3]).await.unwrap();
    plugin.connect().await.provider.get_metadata(get_metadata::Request {}).await.unwrap();
}

// Calls

#[tokio::test]
async fn schema_and_validation_need_no_configuration() {
    let mut command = core::command(BINARY);
    command.env_remove("HUBSPOT_ACCESS_TOKEN");
    let plugin = Plugin::start(command).await;
    let mut core = plugin.connect().await;

    let smtp = Smtp::new();
    let resource = &smtp.resources()[0];
    let schema = core.provider.get_provider_schema(get_provider_schema::Request {}).await.unwrap().into_inner();
    let capabilities = schema.server_capabilities.unwrap();
    assert!(capabilities.plan_destroy && capabilities.get_provider_schema_optional);
    assert_eq!(schema.diagnostics, []);
    let known = schema.resource_schemas[resource.type_name()].block.as_ref().unwrap().attributes.len();
    assert_eq!(known, resource.schema().attributes.len());

    let target = Value::object([("user_name", "a@62515.smtp.hubspot.net")].map(|(name, value)| (name, value.into())));
    let config = Value::object([("hubspot", target)]);
    let request = validate_resource_config::Request {
        type_name: resource.type_name().to_owned(),
        config: encode(&config, &resource.schema().attributes),
        client_capabilities: None,
    };
    let validated = core.provider.validate_resource_config(request).await.unwrap().into_inner();
    assert_eq!(validated.diagnostics, []);
}

#[tokio::test]
async fn the_schema_says_what_every_attribute_is() {
    let mut fake = Session::start().await;
    let schema = fake.core.provider.get_provider_schema(get_provider_schema::Request {}).await.unwrap().into_inner();
    let block = schema.resource_schemas["fake_thing"].block.clone().unwrap();
    assert_eq!((schema.resource_schemas["fake_thing"].version, block.version), (2, 2));
    let attribute = |name: &str| block.attributes.iter().find(|attribute| attribute.name == name).unwrap();
    assert!(attribute("does").required);
    assert!(attribute("once").optional && attribute("once").write_only && attribute("once").sensitive);
    assert!(attribute("result").computed && !attribute("result").optional);
    assert_eq!(attribute("text").r#type, br#""string""#);
}

#[tokio::test]
async fn a_write_only_value_needs_a_core_that_knows_them() {
    let mut fake = Session::start().await;
    let mut config = fake::config("done");
    config.set("once", Value::Secret("secret".to_owned().into()));
    for (allowed, errors) in [(true, 0), (false, 1)] {
        let request = validate_resource_config::Request {
            type_name: "fake_thing".to_owned(),
            config: fake.encode(&config),
            client_capabilities: Some(ClientCapabilities { write_only_attributes_allowed: allowed }),
        };
        let validated = fake.core.provider.validate_resource_config(request).await.unwrap().into_inner();
        assert_eq!(validated.diagnostics.len(), errors);
    }
}

#[tokio::test]
async fn a_plan_returns_the_state_the_replacements_and_the_private_data() {
    let mut fake = Session::start().await;
    let mut prior = fake::config("done");
    prior.set("result", "done");
    let mut config = fake::config("done");
    config.set("text", "new");
    let planned = fake.plan(&prior, &config).await;
    assert_eq!(planned.diagnostics, []);
    assert_eq!(planned.planned_private, b"planned");
    assert_eq!(attribute_names(&planned.requires_replace), ["text"]);
    let planned = fake.decode(planned.planned_state);
    assert_eq!((planned.get("text"), planned.get("result")), (&"new".into(), &Value::Unknown));
}

#[tokio::test]
async fn a_destroy_is_planned_with_its_own_private_data() {
    let mut fake = Session::start().await;
    let planned = fake.plan(&fake::config("done"), &Value::Null).await;
    assert_eq!(planned.planned_private, b"destroy");
    assert_eq!(fake.decode(planned.planned_state), Value::Null);
}

#[tokio::test]
async fn an_import_answers_with_a_state_and_its_private_data() {
    let mut fake = Session::start().await;
    let request = import_resource_state::Request {
        type_name: "fake_thing".to_owned(),
        id: "done".to_owned(),
        ..Default::default()
    };
    let imported = fake.core.provider.import_resource_state(request).await.unwrap().into_inner().imported_resources;
    assert_eq!((imported.len(), imported[0].type_name.as_str()), (1, "fake_thing"));
    assert_eq!(imported[0].private, b"imported");
    assert_eq!(fake.decode(imported[0].state.clone()), fake::config("done"));
}

#[tokio::test]
async fn only_a_state_of_this_provider_becomes_one_of_another_type() {
    let mut command = core::command(BINARY);
    command.env_remove("HUBSPOT_ACCESS_TOKEN");
    let plugin = Plugin::start(command).await;
    let mut core = plugin.connect().await;
    let own = "registry.example.com/smtp-credentials/smtp";
    for (address, source, target, moves) in [
        (own, "smtp_credential_password", "smtp_credential_pair", true),
        // As OpenTofu 1.10 and 1.11 name it.
        ("smtp", "smtp_credential_password", "smtp_credential_pair", true),
        ("mail", "smtp_credential_password", "smtp_credential_pair", false),
        ("", "smtp_credential_password", "smtp_credential_pair", false),
        ("somebody-else/smtp", "smtp_credential_password", "smtp_credential_pair", false),
        ("registry.terraform.io/somebody-else/smtp", "smtp_credential_password", "smtp_credential_pair", false),
        ("smtp-credentials/smtp", "smtp_credential_password", "smtp_credential_pair", false),
        (own, "smtp_credential_pair", "smtp_credential_pair", false),
        (own, "smtp_credential_pair", "smtp_credential_password", false),
        (own, "terraform_data", "smtp_credential_pair", false),
    ] {
        let json = br#"{"hubspot":{"user_name":"a@b"},"password":"needle","stale":false,"username":"a@b"}"#;
        let request = move_resource_state::Request {
            source_provider_address: address.to_owned(),
            source_type_name: source.to_owned(),
            source_schema_version: 0,
            source_state: Some(RawState { json: json.to_vec(), ..RawState::default() }),
            target_type_name: target.to_owned(),
            source_private: b"{}".to_vec(),
        };
        let moved = core.provider.move_resource_state(request).await.unwrap().into_inner();
        assert_eq!(moved.diagnostics.is_empty(), moves, "{address} {source} {target}: {:?}", moved.diagnostics);
        assert!(!format!("{:?}", moved.diagnostics).contains("needle"));
        if moves {
            let attributes = &Smtp::new().resources()[1].schema().attributes.clone();
            let state = decode(moved.target_state.clone(), attributes);
            assert_eq!(state.get("current").as_str(), Some("hubspot/a@b"));
            assert_eq!(state.get("password").as_secret().map(Secret::for_state), Some("needle"));
        }
    }
}

#[tokio::test]
async fn a_read_that_fails_keeps_the_state_and_one_that_finds_nothing_drops_it() {
    let mut fake = Session::start().await;
    let failed = fake.read(&fake::config("fail")).await;
    assert_eq!(severities(&failed.diagnostics), [Severity::Error]);
    assert_eq!(attribute_names(failed.diagnostics[0].attribute.as_slice()), ["does"]);
    assert_eq!(failed.private, b"stored");
    assert_eq!(fake.decode(failed.new_state), fake::config("fail"));

    let gone = fake.read(&fake::config("go")).await;
    assert_eq!(gone.diagnostics, []);
    assert_eq!(fake.decode(gone.new_state), Value::Null);
}

#[tokio::test]
async fn a_create_that_fails_stores_nothing_and_an_update_that_fails_keeps_what_was() {
    let mut fake = Session::start().await;
    for does in ["fail", "panic"] {
        let created = fake.apply(&Value::Null, &fake::config(does)).await;
        assert_eq!(severities(&created.diagnostics), [Severity::Error], "{does}");
        assert_eq!(fake.decode(created.new_state), Value::Null, "{does}");

        let updated = fake.apply(&fake::config("done"), &fake::config(does)).await;
        assert_eq!(severities(&updated.diagnostics), [Severity::Error], "{does}");
        assert_eq!(fake.decode(updated.new_state), fake::config("done"), "{does}");

        let deleted = fake.apply(&fake::config(does), &Value::Null).await;
        assert_eq!(severities(&deleted.diagnostics), [Severity::Error], "{does}");
        assert_eq!(fake.decode(deleted.new_state), fake::config(does), "{does}");
    }
}

#[tokio::test]
async fn a_change_that_ends_in_doubt_leaves_what_it_said_with_an_error() {
    let mut fake = Session::start().await;
    for prior in [Value::Null, fake::config("done")] {
        for does in ["panic in doubt", "fail in doubt", "settle in doubt"] {
            let changed = fake.apply(&prior, &fake::config(does)).await;
            assert_eq!(severities(&changed.diagnostics), [Severity::Error], "{does}");
            let is_settled = does.starts_with("settle");
            assert_eq!(changed.private == b"left", !is_settled, "{does}");
            let state = fake.decode(changed.new_state);
            if is_settled {
                assert_eq!(state, prior, "{does}");
            } else {
                assert_eq!(state.get("result"), &Value::Secret("left".to_owned().into()), "{does}");
            }
            let words = if does.starts_with("panic") { "The thing may have been changed." } else { "It failed." };
            assert!(changed.diagnostics[0].detail.contains(words), "{does}: {:?}", changed.diagnostics);
        }
    }
}

#[tokio::test]
async fn a_crash_says_how_far_a_change_had_come() {
    let mut fake = Session::start().await;
    for (prior, planned, words) in [
        (Value::Null, fake::config("panic"), "The thing was not changed."),
        (fake::config("done"), fake::config("panic"), "The thing was not changed."),
        (fake::config("panic"), Value::Null, "The thing may be gone."),
    ] {
        let crashed = fake.apply(&prior, &planned).await;
        assert!(crashed.diagnostics[0].detail.contains(words), "{:?}", crashed.diagnostics);
    }
}

#[tokio::test]
async fn a_delete_that_succeeds_answers_null() {
    let mut fake = Session::start().await;
    let deleted = fake.apply(&fake::config("done"), &Value::Null).await;
    assert_eq!(severities(&deleted.diagnostics), [Severity::Warning]);
    assert_eq!(fake.decode(deleted.new_state), Value::Null);
}

#[tokio::test]
async fn what_was_stored_is_answered_whatever_happens_afterwards() {
    use Severity::{Error, Warning};

    let mut fake = Session::start().await;
    // A panic is a warning here: an error would taint the object, and the next apply would create it again.
    for (does, expected) in
        [("done", &[Warning][..]), ("fail late", &[Error, Warning]), ("panic late", &[Warning, Warning])]
    {
        for prior in [Value::Null, fake::config("done")] {
            let applied = fake.apply(&prior, &fake::config(does)).await;
            assert_eq!(severities(&applied.diagnostics), expected, "{does}");
            assert_eq!(applied.private, b"new", "{does}");
            assert_eq!(
                fake.decode(applied.new_state).get("result"),
                &Value::Secret("done".to_owned().into()),
                "{does}"
            );
        }
    }
}

#[tokio::test]
async fn an_unreadable_prior_state_is_answered_as_it_came() {
    let mut fake = Session::start().await;
    let garbage = Some(wire::tfplugin6::DynamicValue { msgpack: vec![0xc1], json: Vec::new() });
    let request = apply_resource_change::Request {
        type_name: "fake_thing".to_owned(),
        prior_state: garbage.clone(),
        planned_state: fake.encode(&fake::config("done")),
        planned_private: b"private".to_vec(),
        ..Default::default()
    };
    let applied = fake.core.provider.apply_resource_change(request).await.unwrap().into_inner();
    assert_eq!(severities(&applied.diagnostics), [Severity::Error]);
    assert_eq!((applied.new_state, &*applied.private), (garbage, &b"private"[..]));
}

#[tokio::test]
async fn values_of_five_megabytes_pass_both_ways() {
    let mut fake = Session::start().await;
    let text = "x".repeat(5 << 20);
    let mut planned = fake::config("done");
    planned.set("text", text.as_str());
    let applied = fake.apply(&Value::Null, &planned).await;
    assert!(fake.decode(applied.new_state).get("text").as_str() == Some(&text));
}

#[tokio::test]
async fn a_panic_in_any_call_is_a_diagnostic_without_content() {
    let mut plugin = Plugin::start(fake::command("broken", HOST)).await;
    let mut core = plugin.connect().await.provider;
    let answers = [
        core.get_metadata(get_metadata::Request {}).await.unwrap().into_inner().diagnostics,
        core.get_provider_schema(get_provider_schema::Request {}).await.unwrap().into_inner().diagnostics,
        core.validate_provider_config(validate_provider_config::Request::default())
            .await
            .unwrap()
            .into_inner()
            .diagnostics,
        core.validate_resource_config(validate_resource_config::Request::default())
            .await
            .unwrap()
            .into_inner()
            .diagnostics,
        core.upgrade_resource_state(upgrade_resource_state::Request::default()).await.unwrap().into_inner().diagnostics,
        core.configure_provider(configure_provider::Request::default()).await.unwrap().into_inner().diagnostics,
        core.read_resource(read_resource::Request::default()).await.unwrap().into_inner().diagnostics,
        core.plan_resource_change(plan_resource_change::Request::default()).await.unwrap().into_inner().diagnostics,
        core.apply_resource_change(apply_resource_change::Request::default()).await.unwrap().into_inner().diagnostics,
        core.import_resource_state(import_resource_state::Request::default()).await.unwrap().into_inner().diagnostics,
        core.move_resource_state(move_resource_state::Request::default()).await.unwrap().into_inner().diagnostics,
        core.validate_data_resource_config(validate_data_resource_config::Request::default())
            .await
            .unwrap()
            .into_inner()
            .diagnostics,
        core.read_data_source(read_data_source::Request::default()).await.unwrap().into_inner().diagnostics,
        core.get_functions(get_functions::Request {}).await.unwrap().into_inner().diagnostics,
        core.get_resource_identity_schemas(get_resource_identity_schemas::Request {})
            .await
            .unwrap()
            .into_inner()
            .diagnostics,
        core.upgrade_resource_identity(upgrade_resource_identity::Request::default())
            .await
            .unwrap()
            .into_inner()
            .diagnostics,
        core.validate_list_resource_config(validate_list_resource_config::Request::default())
            .await
            .unwrap()
            .into_inner()
            .diagnostics,
        identities::events(core.list_resource(list_resource::Request::default()).await).await.remove(0).diagnostic,
    ];
    let called = core.call_function(call_function::Request::default()).await.unwrap().into_inner();
    assert!(called.error.as_ref().unwrap().text.starts_with("This is a bug in the provider."), "{called:?}");
    for diagnostics in &answers {
        assert_eq!(severities(diagnostics), [Severity::Error]);
        assert_eq!(diagnostics[0].summary, "The provider crashed");
    }
    let mut stderr = plugin.child.stderr.take().unwrap();
    plugin.signal("TERM").await;
    let mut log = String::new();
    stderr.read_to_string(&mut log).await.unwrap();
    let panics = log.lines().filter(|line| line.starts_with("panic: tests/provider/fake.rs:")).count();
    assert_eq!(panics, answers.len() + 1);
    assert!(!format!("{log}{answers:?}{called:?}").contains(PANIC_MESSAGE));
}

#[tokio::test]
async fn an_unknown_resource_type_is_named() {
    let mut fake = Session::start().await;
    let request = read_resource::Request { type_name: "fake_other".to_owned(), ..Default::default() };
    let read = fake.core.provider.read_resource(request).await.unwrap().into_inner();
    assert_eq!(read.diagnostics[0].detail, r#"This version of the provider has no resource of the type "fake_other"."#);
}

// Data sources and functions

#[tokio::test]
async fn a_data_source_is_read_or_says_why_not() {
    let mut fake = Session::start().await;
    let read = fake.look(&fake::config("done")).await;
    assert_eq!(fake.decode(read.state).get("result").as_secret().unwrap().for_state(), "done");
    assert_eq!(severities(&read.diagnostics), [Severity::Warning]);
    for (does, summary) in [("fail", "Failed"), ("nothing", "Useless"), ("panic", "The provider crashed")] {
        let read = fake.look(&fake::config(does)).await;
        assert_eq!((read.diagnostics[0].summary.as_str(), read.diagnostics.len()), (summary, 1));
        assert_eq!(read.state, None, "{does}");
    }
}

#[tokio::test]
async fn a_data_source_is_judged_by_its_schema_and_by_itself() {
    let mut fake = Session::start().await;
    let garbage = wire::tfplugin6::DynamicValue { msgpack: b"\xc1garbage".to_vec(), json: Vec::new() };
    for (config, summary) in [
        (fake.encode(&fake::config("done")), None),
        (fake.encode(&fake::config("nothing")), Some("Useless")),
        (fake.encode(&Value::object([("does", Value::Null)])), Some("Missing value for `does`")),
        (Some(garbage), Some("Value does not match the schema")),
    ] {
        let request = validate_data_resource_config::Request { type_name: "fake_look".to_owned(), config };
        let validated = fake.core.provider.validate_data_resource_config(request).await.unwrap().into_inner();
        assert_eq!(validated.diagnostics.first().map(|diagnostic| diagnostic.summary.as_str()), summary);
    }
}

#[tokio::test]
async fn a_stop_reaches_the_read_of_a_data_source() {
    let mut fake = Session::start().await;
    let (gate, config) = waiting().await;
    let (mut provider, config) = (fake.core.provider.clone(), fake.encode(&config));
    let request = read_data_source::Request { type_name: "fake_look".to_owned(), config };
    let reading = tokio::spawn(async move { provider.read_data_source(request).await.unwrap().into_inner() });
    let mut waiting = gate.arrival().await;
    fake.core.provider.stop_provider(stop_provider::Request {}).await.unwrap();
    waiting.stopped().await;
    waiting.release().await;
    let state = fake.decode(reading.await.unwrap().state);
    assert_eq!(state.get("result").as_secret().unwrap().for_state(), "stopped");
}

#[tokio::test]
async fn an_unknown_data_source_and_an_unknown_function_are_named() {
    let mut fake = Session::start().await;
    let request = read_data_source::Request { type_name: "fake_other".to_owned(), config: None };
    let read = fake.core.provider.read_data_source(request).await.unwrap().into_inner();
    let detail = r#"This version of the provider has no data source of the type "fake_other"."#;
    assert_eq!(read.diagnostics[0].detail, detail);
    let error = fake.call_named("other\u{1b}", vec![]).await.error.unwrap();
    assert_eq!(error.text, r#"This version of the provider has no function "other\u{1b}"."#);
    assert_eq!(error.function_argument, None);
}

#[tokio::test]
async fn functions_are_the_same_in_both_calls() {
    let plugin = Plugin::start(core::command(BINARY)).await;
    let mut core = plugin.connect().await.provider;
    let schema = core.get_provider_schema(get_provider_schema::Request {}).await.unwrap().into_inner();
    let functions = core.get_functions(get_functions::Request {}).await.unwrap().into_inner();
    let metadata = core.get_metadata(get_metadata::Request {}).await.unwrap().into_inner();
    assert_eq!(functions.functions, schema.functions);
    let mut names: Vec<_> = metadata.functions.iter().map(|function| function.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["decrypt", "ses_password", "url"]);
    assert_eq!(metadata.data_sources[0].type_name, "smtp_credentials");
    assert!(schema.data_source_schemas.contains_key("smtp_credentials"));
    for function in functions.functions.values() {
        assert_eq!(function.r#return.as_ref().unwrap().r#type, br#""string""#);
        let all: Vec<_> = function.parameters.iter().chain(&function.variadic_parameter).collect();
        assert!(all.iter().all(|one| !one.allow_unknown_values));
        for parameter in all {
            let is_nullable = ["credential", "encrypted_password"].contains(&&*parameter.name);
            assert_eq!(parameter.allow_null_value, is_nullable, "{}", parameter.name);
        }
    }
    let url = &functions.functions["url"];
    let credential: serde_json::Value = serde_json::from_slice(&url.parameters[0].r#type).unwrap();
    let [text, number] = ["string", "number"];
    let parts = serde_json::json!({"username": text, "password": text, "smtp_host": text, "smtp_port": number});
    assert_eq!((url.parameters.len(), credential), (1, serde_json::json!(["object", parts])));
    assert_eq!(url.variadic_parameter.as_ref().unwrap().r#type, br#""string""#);
    assert_eq!(functions.functions["ses_password"].variadic_parameter, None);
}

#[tokio::test]
async fn a_function_has_a_result_or_a_fault_at_an_argument() {
    let mut fake = Session::start().await;
    let called = fake.call(&Value::from("ab"), &Value::from(2_u16)).await;
    assert_eq!((called.result.unwrap().msgpack, called.error), (b"\xa4abab".to_vec(), None));
    for (text, times, argument, words) in [
        ("ab", Value::from(100_u16), Some(1), "must be less than 100"),
        ("a needle in a long text", Value::from(1_u16), Some(0), "must be short"),
        ("panic", Value::from(1_u16), None, "This is a bug in the provider."),
    ] {
        let called = fake.call(&text.into(), &times).await;
        assert!(!format!("{called:?}").contains("needle"));
        let error = called.error.unwrap();
        assert!(error.text.starts_with(words), "{error:?}");
        assert_eq!((error.function_argument, called.result), (argument, None));
    }
}

#[tokio::test]
async fn what_core_would_never_call_a_function_with_is_answered_as_core_would() {
    let mut fake = Session::start().await;
    let unknown = fake.call(&Value::Unknown, &Value::from(1_u16)).await;
    assert_eq!((unknown.result.unwrap().msgpack, unknown.error), (b"\xd4\0\0".to_vec(), None));
    let null = fake.call(&Value::Unknown, &Value::Null).await.error.unwrap();
    assert_eq!((null.text.as_str(), null.function_argument), ("must not be null", Some(1)));

    let bytes =
        |msgpack: &[u8], json: &[u8]| wire::tfplugin6::DynamicValue { msgpack: msgpack.to_vec(), json: json.to_vec() };
    let text = || bytes(b"\xa1a", b"");
    for (arguments, argument, words) in [
        (vec![], None, "The function needs 2 arguments but was called with 0."),
        (vec![text(); 3], None, "The function needs 2 arguments but was called with 3."),
        (vec![bytes(b"", b""), text()], Some(0), "must not be null"),
        (vec![text(), bytes(b"\xa6needle", b"")], Some(1), "is not a number"),
        (vec![text(), bytes(b"", br#"{"needle":1}"#)], Some(1), "is not a number"),
        (vec![bytes(b"\xdf\xff\xff\xff\xff", b""), text()], Some(0), "is not a string"),
        (vec![bytes(b"\xdb\xff\xff\xff\xff", b""), text()], Some(0), "ends early"),
        (vec![bytes(b"\xa1a\xa1a", b""), text()], Some(0), "is followed by more bytes"),
        (vec![bytes(b"\xa1\xff", b""), text()], Some(0), "is not a string"),
    ] {
        let called = fake.call_named("repeat", arguments).await;
        let error = called.error.unwrap();
        assert_eq!((error.text.as_str(), error.function_argument), (words, argument));
        assert_eq!(called.result, None);
    }
    let json = vec![bytes(b"", br#""ab""#), bytes(b"", b"2")];
    assert_eq!(fake.call_named("repeat", json).await.result.unwrap().msgpack, b"\xa4abab");
}

#[tokio::test]
async fn an_object_its_nulls_and_more_arguments_come_over_the_wire() {
    let plugin = Plugin::start(core::command(BINARY)).await;
    let mut core = plugin.connect().await.provider;
    let json = |value: serde_json::Value| wire::tfplugin6::DynamicValue {
        msgpack: Vec::new(),
        json: serde_json::to_vec(&value).unwrap(),
    };
    let part = |name: &str, value: serde_json::Value| {
        let mut parts = serde_json::json!({"username": "u", "password": "needle", "smtp_host": "h", "smtp_port": 25});
        parts[name] = value;
        json(parts)
    };
    let whole = || part("smtp_port", 25.into());
    // The four parts, the last of them unknown.
    let unknown = b"\x84\xa8username\xa1u\xa8password\xa6needle\xa9smtp_host\xa1h\xa9smtp_port\xd4\x00\x00".to_vec();
    let unknown = wire::tfplugin6::DynamicValue { msgpack: unknown, json: Vec::new() };
    let long = "lettre".repeat(1000);
    for (arguments, result, fault) in [
        (vec![whole()], Some(&b"\xb4smtp://u:needle@h:25"[..]), None),
        (vec![whole(), json("tls".into()), json("lettre".into())], Some(b"\xb5smtps://u:needle@h:25"), None),
        (vec![part("password", serde_json::Value::Null)], Some(b"\xc0"), None),
        (vec![json(serde_json::Value::Null), json("curl".into())], Some(b"\xc0"), None),
        (vec![unknown], Some(b"\xd4\x00\x00"), None),
        (vec![], None, Some(("The function needs at least 1 argument but was called with 0.", None))),
        (vec![whole(), json(serde_json::Value::Null)], None, Some(("must not be null", Some(1)))),
        (vec![whole(), json("tls".into()), json(1.into())], None, Some(("is not a string", Some(2)))),
        (vec![json("needle".into())], None, Some(("is not an object", Some(0)))),
        (vec![part("smtp_port", "needle".into())], None, Some(("is not a number", Some(0)))),
        (vec![part("smtp_host", "a needle".into())], None, Some(("`smtp_host` must be a host name", Some(0)))),
        (vec![whole(), json("tls".into()), json(long.into())], None, Some(("must be `starttls`, `tls` or", Some(2)))),
    ] {
        let request = call_function::Request { name: "url".to_owned(), arguments };
        let called = core.call_function(request).await.unwrap().into_inner();
        assert_eq!(called.result.map(|result| result.msgpack).as_deref(), result);
        assert_eq!(called.error.is_some(), fault.is_some());
        if let Some((error, (words, argument))) = called.error.zip(fault) {
            assert!(error.text.starts_with(words) && error.text.len() < 300, "{}", error.text);
            assert!(!error.text.contains("needle"));
            assert_eq!(error.function_argument, argument);
        }
    }
}

// Stored states

#[tokio::test]
async fn a_state_of_this_version_or_an_older_one_is_upgraded() {
    let mut fake = Session::start().await;
    let json = br#"{"does":"done","dropped_since":1}"#.to_vec();
    for version in 0..=2 {
        let upgraded = fake.upgrade(version, RawState { json: json.clone(), flatmap: HashMap::new() }).await;
        assert_eq!(upgraded.diagnostics, []);
        assert_eq!(fake.decode(upgraded.upgraded_state), fake::config("done"));
    }
}

#[tokio::test]
async fn a_state_that_cannot_be_upgraded_says_why() {
    let mut fake = Session::start().await;
    let json = |text: &str| RawState { json: text.into(), flatmap: HashMap::new() };
    let flatmap = RawState { json: Vec::new(), flatmap: HashMap::from([("id".to_owned(), "1".to_owned())]) };
    for (version, state, summary) in [
        (3, json("{}"), "State is too new"),
        (0, flatmap, "State has an unknown format"),
        (2, json(r#"{"does":[]}"#), "Value does not match the schema"),
    ] {
        let upgraded = fake.upgrade(version, state).await;
        assert_eq!(severities(&upgraded.diagnostics), [Severity::Error]);
        assert_eq!(upgraded.diagnostics[0].summary, summary);
        assert_eq!(upgraded.upgraded_state, None);
    }
}

// Stopping

#[tokio::test]
async fn a_stop_reaches_the_call_in_flight_and_not_the_next() {
    let mut fake = Session::start().await;
    let (gate, planned) = waiting().await;
    let first = fake.apply_in_background(&planned);
    let mut in_flight = gate.arrival().await;
    fake.core.provider.stop_provider(stop_provider::Request {}).await.unwrap();
    in_flight.stopped().await;
    in_flight.release().await;
    assert_eq!(fake.result(first.await.unwrap()), "stopped");

    let next = fake.apply_in_background(&planned);
    gate.arrival().await.release().await;
    assert_eq!(fake.result(next.await.unwrap()), "released");
}

#[tokio::test]
async fn a_call_is_stopped_but_continues_when_core_disconnects() {
    let fake = Session::start().await;
    let (gate, planned) = waiting().await;
    let abandoned = fake.apply_in_background(&planned);
    let mut in_flight = gate.arrival().await;
    abandoned.abort();
    abandoned.await.unwrap_err();
    drop(fake.core);
    in_flight.stopped().await;
    in_flight.release().await;
    in_flight.stored().await;
}

#[tokio::test]
async fn shutdown_ends_open_streams_and_the_process() {
    let plugin = Plugin::start(core::command(BINARY)).await;
    let mut core = plugin.connect().await;
    let mut stdio = core.stdio.stream_stdio(()).await.unwrap().into_inner();
    let mut broker = core.broker.start_stream(tokio_stream::pending::<ConnInfo>()).await.unwrap().into_inner();
    core.controller.shutdown(Empty {}).await.unwrap();
    assert_eq!(stdio.message().await.unwrap(), None);
    assert_eq!(broker.message().await.unwrap(), None);
    plugin.ended().await;
}

#[tokio::test]
async fn shutdown_lets_the_call_in_flight_finish() {
    let mut fake = Session::start().await;
    let (gate, planned) = waiting().await;
    let applied = fake.apply_in_background(&planned);
    let mut in_flight = gate.arrival().await;
    fake.core.controller.shutdown(Empty {}).await.unwrap();
    in_flight.stopped().await;
    in_flight.release().await;
    assert_eq!(fake.result(applied.await.unwrap()), "stopped");
    fake.plugin.ended().await;
}

#[tokio::test]
async fn a_provider_is_closed_when_its_last_call_is_answered() {
    for end in [End::Shutdown, End::Signal("TERM"), End::Signal("HUP")] {
        let (mut fake, closed) = Session::closing_at_a_gate().await;
        let (gate, planned) = waiting().await;
        let applied = fake.apply_in_background(&planned);
        let mut in_flight = gate.arrival().await;
        end.send(&mut fake).await;
        in_flight.stopped().await;
        in_flight.release().await;
        assert_eq!(fake.result(applied.await.unwrap()), "stopped");

        // Core hangs up.
        drop(fake.core);
        let mut closing = closed.arrival().await;
        closing.closing().await;
        closing.release().await;
        fake.plugin.ended().await;
    }
}

#[tokio::test]
async fn a_provider_that_does_not_close_ends_all_the_same() {
    for end in [End::Shutdown, End::Signal("TERM")] {
        let (mut fake, closed) = Session::closing_at_a_gate().await;
        end.send(&mut fake).await;
        drop(fake.core);
        let mut closing = closed.arrival().await;
        closing.closing().await;
        fake.plugin.ended().await;
    }
}

#[tokio::test]
async fn a_panic_while_closing_does_no_harm() {
    let (mut fake, closed) = Session::closing_at_a_gate().await;
    End::Shutdown.send(&mut fake).await;
    drop(fake.core);
    drop(closed.arrival().await);
    fake.plugin.ended().await;
}

#[tokio::test]
async fn an_interrupt_is_left_to_core() {
    let fake = Session::start().await;
    let (gate, planned) = waiting().await;
    let applied = fake.apply_in_background(&planned);
    let mut in_flight = gate.arrival().await;
    fake.plugin.signal("INT").await;
    fake.plugin.signal("INT").await;
    in_flight.release().await;
    assert_eq!(fake.result(applied.await.unwrap()), "released");
}

/// The signals whose default is to end a process, and that can be caught; by number where not every shell knows the
/// name.
///
/// What this process ignores, as under `nohup`, its children ignore, and it cannot be tried.
fn ending_signals() -> Vec<String> {
    let named = ["ALRM", "HUP", "PROF", "QUIT", "TERM", "TRAP", "USR1", "USR2", "VTALRM", "XCPU", "XFSZ"];
    // STKFLT, IO and PWR, and those in real time, of which the C library keeps some to itself.
    let first = if cfg!(target_env = "musl") { 35 } else { 34 };
    let of_linux = [16, 29, 30].into_iter().chain(first..=64).map(|number: u8| number.to_string());
    let all = named.map(str::to_owned).into_iter().chain(of_linux.filter(|_| cfg!(target_os = "linux")));
    let is_ignored = |signal: &String| {
        // A shell that ignores a signal ends well when it sends itself that.
        let status = process::Command::new("sh").args(["-c", &format!("kill -{signal} $$")]).status();
        status.unwrap().success()
    };
    all.filter(|signal| !is_ignored(signal)).collect()
}

#[tokio::test]
async fn every_signal_that_would_end_the_process_lets_the_call_in_flight_finish() {
    for signal in ending_signals() {
        let fake = Session::start().await;
        let (gate, planned) = waiting().await;
        let applied = fake.apply_in_background(&planned);
        let mut in_flight = gate.arrival().await;
        fake.plugin.signal(&signal).await;
        in_flight.stopped().await;
        in_flight.release().await;
        assert_eq!(fake.result(applied.await.unwrap()), "stopped", "{signal}");
        fake.plugin.ended().await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    let all = ending_signals();
    // As `nohup` starts a program, as a shell starts one in the background, and with everything ignored that can be.
    for signals in [vec!["HUP".to_owned()], vec!["INT".to_owned(), "QUIT".to_owned()], all] {
        let provider = fake::command("fake", HOST);
        let mut command = core::command("sh");
        let script = format!("trap '' {}; exec \"$0\" \"$@\"", signals.join(" "));
        command.args(["-c", &script]).arg(provider.as_std().get_program()).args(provider.as_std().get_args());
        command.envs(provider.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
        let fake = Session::with(command).await;
        let (gate, planned) = waiting().await;
        let applied = fake.apply_in_background(&planned);
        let mut in_flight = gate.arrival().await;
        for signal in &signals {
            fake.plugin.signal(signal).await;
        }
        // None of them is caught, so none can have been noticed.
        let status = fs::read_to_string(format!("/proc/{}/status", fake.plugin.child.id().unwrap())).unwrap();
        let mask = |name| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
        let [ignored, caught] = ["SigIgn:", "SigCgt:"].map(|name| u64::from_str_radix(mask(name), 16).unwrap());
        assert!(ignored.count_ones() >= u32::try_from(signals.len()).unwrap(), "{signals:?}: {ignored:x}");
        assert_eq!(ignored & caught, 0);
        in_flight.release().await;
        assert_eq!(fake.result(applied.await.unwrap()), "released", "{signals:?}");
    }
}

#[tokio::test]
async fn a_signal_to_end_lets_the_call_in_flight_finish_and_hurries_later_ones() {
    for signal in ["TERM", "HUP"] {
        let fake = Session::start().await;
        let (gate, planned) = waiting().await;
        let first = fake.apply_in_background(&planned);
        let mut in_flight = gate.arrival().await;
        fake.plugin.signal(signal).await;
        in_flight.stopped().await;

        let later = fake.apply_in_background(&planned);
        let mut late = gate.arrival().await;
        late.stopped().await;
        late.release().await;
        assert_eq!(fake.result(later.await.unwrap()), "stopped");

        in_flight.release().await;
        assert_eq!(fake.result(first.await.unwrap()), "stopped");
        fake.plugin.ended().await;
    }
}

#[tokio::test]
async fn an_orphan_finishes_its_call_and_ends() {
    let provider = fake::command("fake", HOST);
    let mut parent = core::command("sh");
    parent.args(["-c", r#""$0" "$@" & wait"#]).arg(provider.as_std().get_program()).args(provider.as_std().get_args());
    parent.envs(provider.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut fake = Session::with(parent).await;

    let (gate, planned) = waiting().await;
    let applied = fake.apply_in_background(&planned);
    let mut in_flight = gate.arrival().await;
    fake.plugin.signal("KILL").await;
    in_flight.stopped().await;
    in_flight.release().await;
    assert_eq!(fake.result(applied.await.unwrap()), "stopped");
    fake.plugin.closed_stdout().await;
    fake.plugin.assert_no_socket();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn with_a_parent_in_another_pid_namespace_the_last_client_ends_it() {
    let Some(unshare) = unshare() else { return };
    let provider = fake::command("fake", HOST);
    let mut parent = core::command("sh");
    // What the shell starts is process 1 of the new namespace, and its parent is outside.
    let script = format!(r#"exec {unshare} sh -c '"$0" "$@" & wait' "$0" "$@""#);
    parent.args(["-c", &script]).arg(provider.as_std().get_program()).args(provider.as_std().get_args());
    parent.envs(provider.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut fake = Session::with(parent).await;

    let (gate, planned) = waiting().await;
    let abandoned = fake.apply_in_background(&planned);
    let mut in_flight = gate.arrival().await;
    fake.plugin.signal("KILL").await;
    abandoned.abort();
    abandoned.await.unwrap_err();
    drop(fake.core);
    in_flight.stopped().await;
    in_flight.release().await;
    in_flight.stored().await;
    fake.plugin.closed_stdout().await;
    fake.plugin.assert_no_socket();
}

/// The command that starts another in a PID namespace of its own; none where the system lets nobody.
#[expect(clippy::print_stderr, reason = "a test that did not run is not to look like one that passed")]
fn unshare() -> Option<String> {
    let works = |command: &&str| {
        let status = process::Command::new("sh").args(["-c", &format!("{command} sh -c 'true & wait'")]).status();
        status.is_ok_and(|status| status.success())
    };
    let found = ["unshare --pid", "unshare --user --map-root-user --pid"].into_iter().find(works);
    if found.is_none() {
        eprintln!("skipped: no PID namespace can be made here");
    }
    found.map(str::to_owned)
}

#[tokio::test]
async fn a_stderr_that_nobody_reads_holds_up_nothing() {
    for end in [End::Shutdown, End::Signal("TERM")] {
        let (unread, stderr) = full();
        let mut command = fake::command("fake", HOST);
        command.env("TF_LOG_PROVIDER", "TRACE").stderr(stderr);
        let mut fake = Session::with(command).await;
        // A client without a certificate is logged, and a panic leaves its line.
        if let Ok(mut stranger) = fake.plugin.connect_with(anonymous(fake.plugin.certificate())).await {
            stranger.provider.get_metadata(get_metadata::Request {}).await.unwrap_err();
        }
        let crashed = fake.apply(&Value::Null, &fake::config("panic")).await;
        assert_eq!(severities(&crashed.diagnostics), [Severity::Error]);
        let (gate, planned) = waiting().await;
        let applied = fake.apply_in_background(&planned);
        let mut in_flight = gate.arrival().await;
        end.send(&mut fake).await;
        in_flight.stopped().await;
        in_flight.release().await;
        assert_eq!(fake.result(applied.await.unwrap()), "stopped");
        drop(fake.core);
        fake.plugin.ended().await;
        drop(unread);
    }
}

#[tokio::test]
async fn a_stdout_that_nobody_reads_keeps_no_signal_away() {
    let (unread, stdout) = full();
    let mut command = core::command(BINARY);
    let sockets = tempfile::tempdir().unwrap();
    let mut child = command.env("PLUGIN_UNIX_SOCKET_DIR", sockets.path()).stdout(stdout).spawn().unwrap();
    // It has come as far as the line that it cannot print.
    let waits = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while fs::read_dir(sockets.path()).unwrap().count() == 0 {
        assert!(std::time::Instant::now() < waits, "it makes a socket");
        tokio::task::yield_now().await;
    }
    let term = format!("kill -TERM {}", child.id().unwrap());
    assert!(Command::new("sh").args(["-c", &term]).status().await.unwrap().success());
    assert!(child.wait().await.unwrap().success());
    assert_eq!(fs::read_dir(sockets.path()).unwrap().count(), 0);
    drop(unread);
}

/// An end that takes no more bytes, and the other, where they would be read.
fn full() -> (std::os::unix::net::UnixStream, std::os::fd::OwnedFd) {
    let (unread, mut end) = std::os::unix::net::UnixStream::pair().unwrap();
    end.set_nonblocking(true).unwrap();
    while end.write(&[b'\n'; 4096]).is_ok_and(|written| written > 0) {}
    end.set_nonblocking(false).unwrap();
    (unread, end.into())
}

#[tokio::test]
async fn an_empty_variable_for_temporary_files_means_the_systems_own_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = core::command(BINARY);
    command.env("PLUGIN_UNIX_SOCKET_DIR", "").env("TMPDIR", "").current_dir(folder.path());
    let mut child = command.env_remove("PLUGIN_CLIENT_CERT").spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    let socket = line.split('|').nth(3).unwrap();
    assert!(socket.starts_with("/tmp/tf"), "{line}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let term = format!("kill -TERM {}", child.id().unwrap());
    assert!(Command::new("sh").args(["-c", &term]).status().await.unwrap().success());
    assert!(child.wait().await.unwrap().success());
    assert!(!Path::new(socket).exists());
}

#[tokio::test]
async fn a_closed_stderr_does_no_harm() {
    let mut command = fake::command("fake", HOST);
    command.env("TF_LOG_PROVIDER", "TRACE");
    let mut fake = Session::with(command).await;
    drop(fake.plugin.child.stderr.take());
    // A client without a certificate is logged, and a panic leaves its line.
    if let Ok(mut stranger) = fake.plugin.connect_with(anonymous(fake.plugin.certificate())).await {
        stranger.provider.get_metadata(get_metadata::Request {}).await.unwrap_err();
    }
    let crashed = fake.apply(&Value::Null, &fake::config("panic")).await;
    assert_eq!(severities(&crashed.diagnostics), [Severity::Error]);
    assert!(crashed.diagnostics[0].detail.contains("The thing was not changed."));
    let applied = fake.apply(&Value::Null, &fake::config("done")).await;
    assert_eq!(fake.result(applied), "done");
}

#[tokio::test]
async fn a_service_that_is_not_there_is_said_not_to_be() {
    let fake = Session::start().await;
    let mut client = Grpc::new(fake.core.channel.clone());
    for path in ["/grpc.health.v1.Health/Check", "/tfplugin6.Provider/Unheard", "/tfplugin6.Provider2/Configure", "/"] {
        client.ready().await.unwrap();
        let codec = ProstCodec::<Empty, Empty>::default();
        let answer = client.unary(Request::new(Empty {}), PathAndQuery::from_static(path), codec).await;
        assert_eq!(answer.unwrap_err().code(), Code::Unimplemented, "{path}");
    }
}

#[tokio::test]
async fn a_crash_leaves_no_core_dump() {
    // The runtime steps aside at the first SEGV and dies of the next, and two that are sent at once may arrive as one.
    for signal in ["ABRT", "ILL"] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = core::command("sh");
        // Where the machine forbids dumps to everybody, there is nothing to ask for.
        command.args(["-c", r#"ulimit -c "$(ulimit -Hc)"; exec "$0""#, BINARY]).current_dir(folder.path());
        let mut plugin = Plugin::start(command).await;
        if cfg!(target_os = "linux") {
            let limits = fs::read_to_string(format!("/proc/{}/limits", plugin.child.id().unwrap())).unwrap();
            let dumps = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
            assert_eq!(dumps.split_whitespace().collect::<Vec<_>>(), ["0", "0", "bytes"]);
        }
        plugin.signal(signal).await;
        let status = plugin.child.wait().await.unwrap();
        assert!(status.signal().is_some(), "{signal} ends it: {status}");
        assert!(!status.core_dumped(), "{signal} leaves a core dump");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

/// The test whose place a fake provider takes in a process of its own.
const HOST: &str = "without_the_cookie_one_line_says_who_starts_it";

/// A fake provider, and core's connection to it.
struct Session {
    plugin: Plugin,
    core: Core,
    attributes: Vec<Attribute>,
}

impl Session {
    async fn start() -> Self {
        Self::with(fake::command("fake", HOST)).await
    }

    /// A session whose end is seen at a gate.
    async fn closing_at_a_gate() -> (Self, Gate) {
        let gate = Gate::new().await;
        let mut command = fake::command("fake", HOST);
        command.env(fake::CLOSES_AT, gate.address());
        (Self::with(command).await, gate)
    }

    async fn with(command: Command) -> Self {
        let plugin = Plugin::start(command).await;
        let core = plugin.connect().await;
        Self { plugin, core, attributes: thing().attributes }
    }

    async fn plan(&mut self, prior: &Value, config: &Value) -> plan_resource_change::Response {
        let request = plan_resource_change::Request {
            type_name: "fake_thing".to_owned(),
            prior_state: self.encode(prior),
            proposed_new_state: self.encode(config),
            config: self.encode(config),
            prior_private: Vec::new(),
        };
        self.core.provider.plan_resource_change(request).await.unwrap().into_inner()
    }

    async fn read(&mut self, state: &Value) -> read_resource::Response {
        let request = read_resource::Request {
            type_name: "fake_thing".to_owned(),
            current_state: self.encode(state),
            private: b"stored".to_vec(),
        };
        self.core.provider.read_resource(request).await.unwrap().into_inner()
    }

    async fn look(&mut self, config: &Value) -> read_data_source::Response {
        let request = read_data_source::Request { type_name: "fake_look".to_owned(), config: self.encode(config) };
        self.core.provider.read_data_source(request).await.unwrap().into_inner()
    }

    async fn call(&mut self, text: &Value, times: &Value) -> call_function::Response {
        let arguments = [text, times].into_iter().zip(fake::repeat_parameters());
        let encode = |(value, parameter): (&Value, Attribute)| wire::tfplugin6::DynamicValue {
            msgpack: msgpack::encode_one(value, &parameter.r#type),
            json: Vec::new(),
        };
        self.call_named("repeat", arguments.map(encode).collect()).await
    }

    async fn call_named(
        &mut self,
        name: &str,
        arguments: Vec<wire::tfplugin6::DynamicValue>,
    ) -> call_function::Response {
        let request = call_function::Request { name: name.to_owned(), arguments };
        self.core.provider.call_function(request).await.unwrap().into_inner()
    }

    async fn upgrade(&mut self, version: i64, state: RawState) -> upgrade_resource_state::Response {
        let type_name = "fake_thing".to_owned();
        let request = upgrade_resource_state::Request { type_name, version, raw_state: Some(state) };
        self.core.provider.upgrade_resource_state(request).await.unwrap().into_inner()
    }

    async fn apply(&mut self, prior: &Value, planned: &Value) -> apply_resource_change::Response {
        let request = self.apply_request(prior, planned);
        self.core.provider.apply_resource_change(request).await.unwrap().into_inner()
    }

    /// Starts a create that is awaited later.
    fn apply_in_background(&self, planned: &Value) -> tokio::task::JoinHandle<apply_resource_change::Response> {
        let (request, mut provider) = (self.apply_request(&Value::Null, planned), self.core.provider.clone());
        tokio::spawn(async move { provider.apply_resource_change(request).await.unwrap().into_inner() })
    }

    fn apply_request(&self, prior: &Value, planned: &Value) -> apply_resource_change::Request {
        apply_resource_change::Request {
            type_name: "fake_thing".to_owned(),
            prior_state: self.encode(prior),
            planned_state: self.encode(planned),
            config: self.encode(planned),
            planned_private: b"planned".to_vec(),
        }
    }

    /// What the fake resource says about how it went.
    fn result(&self, applied: apply_resource_change::Response) -> String {
        let state = self.decode(applied.new_state);
        state.get("result").as_secret().unwrap().for_state().to_owned()
    }

    fn encode(&self, value: &Value) -> Option<wire::tfplugin6::DynamicValue> {
        encode(value, &self.attributes)
    }

    fn decode(&self, value: Option<wire::tfplugin6::DynamicValue>) -> Value {
        decode(value, &self.attributes)
    }
}

/// What ends a provider.
#[derive(Clone, Copy)]
enum End {
    Shutdown,
    Signal(&'static str),
}

impl End {
    async fn send(self, fake: &mut Session) {
        match self {
            Self::Shutdown => _ = fake.core.controller.shutdown(Empty {}).await.unwrap(),
            Self::Signal(name) => fake.plugin.signal(name).await,
        }
    }
}

/// A gate, and the plan of an object that waits there.
async fn waiting() -> (Gate, Value) {
    let gate = Gate::new().await;
    let mut planned = fake::config("done");
    planned.set("gate", gate.address());
    (gate, planned)
}

fn severities(diagnostics: &[Diagnostic]) -> Vec<Severity> {
    diagnostics.iter().map(Diagnostic::severity).collect()
}

/// The last names of paths.
fn attribute_names(paths: &[AttributePath]) -> Vec<&str> {
    paths
        .iter()
        .filter_map(|path| match path.steps.last()?.selector.as_ref()? {
            Selector::AttributeName(name) => Some(name.as_str()),
            _ => None,
        })
        .collect()
}
