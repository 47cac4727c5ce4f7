//! Every diagnostic, every shown attribute and every line of the log, from vendors that repeat what nobody may see.

use std::{
    fmt::Write,
    sync::{Arc, LazyLock},
};

use proptest::{collection::vec, prelude::*, test_runner::TestCaseResult};
use sandbox::log::Log;
use terraform_provider_smtp::{
    framework::{
        Call, Change, Client, NewState, Provider, Query, Resource, ResourceState,
        diagnostic::Diagnostic,
        msgpack,
        plan::draft,
        schema::{Attribute, Type},
        value::Value,
    },
    provider::Smtp,
};
use tokio::runtime::Runtime;

use crate::{
    encodings::encoding,
    nothing,
    parrot::{ID, Manner, NAME, Parrot},
};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

static LOG: LazyLock<Log> = LazyLock::new(Log::of_this_process);

/// One process of the provider, and what it has shown.
struct Process<'p> {
    smtp: Smtp,
    parrot: &'p Parrot,
    shown: String,
}

impl<'p> Process<'p> {
    fn start(parrot: &'p Parrot, logins: &[&str; 3]) -> Self {
        let smtp = Smtp::new();
        let [token, key, secret] = logins.map(|login| Value::Secret(login.to_owned().into()));
        let base = || ("base_url", Value::from(&*parrot.address));
        let config = [
            ("hubspot", Value::object([("access_token", token.clone()), base()])),
            ("hostup", Value::object([("api_key", key.clone()), base()])),
            ("kirim_email", Value::object([("username", "owner".into()), ("api_key", key), base()])),
            ("smtpd", Value::object([("api_key", "own".into()), ("api_secret", secret), base()])),
        ];
        let config = sent(&Value::object(config), &smtp.schema().attributes);
        let client = Client { version: "1.11.4".to_owned() };
        RUNTIME.block_on(smtp.configure(&Call::default(), &client, config)).unwrap();
        Self { smtp, parrot, shown: String::new() }
    }

    fn resource(&self) -> Arc<dyn Resource> {
        Arc::clone(&self.smtp.resources()[0])
    }

    /// Creates, or resets by an update, and answers with what core would store.
    fn apply(&mut self, config: &Value, prior: &ResourceState) -> ResourceState {
        let resource = self.resource();
        let schema = resource.schema();
        let (config, state) = (sent(config, &schema.attributes), sent(&prior.state, &schema.attributes));
        let call = Call::default();
        let mut draft = draft(schema, config.clone(), state.clone(), prior.private.clone());
        resource.plan(&call, &mut draft).unwrap();
        let new = NewState::holding(prior.clone());
        let change = Change { prior: state, planned: draft.planned, config, private: draft.private };
        let applied = RUNTIME.block_on(async {
            if prior.state.is_null() {
                resource.create(&call, &change, &new).await
            } else {
                resource.update(&call, &change, &new).await
            }
        });
        self.said(applied.err().into_iter().flatten().collect::<Vec<_>>());
        self.said(call.take_warnings());
        let stored = new.take();
        self.showed(&stored.state, &schema.attributes);
        stored
    }

    fn read(&mut self, stored: &ResourceState) -> Option<ResourceState> {
        let resource = self.resource();
        let attributes = &resource.schema().attributes;
        let call = Call::default();
        let prior = ResourceState { state: sent(&stored.state, attributes), ..stored.clone() };
        let read = RUNTIME.block_on(resource.read(&call, prior));
        self.said(call.take_warnings());
        let read = read.map_err(|errors| self.said(errors)).ok().flatten();
        if let Some(read) = &read {
            self.showed(&read.state, attributes);
        }
        read
    }

    fn delete(&mut self, stored: &ResourceState) {
        let resource = self.resource();
        let call = Call::default();
        let state = sent(&stored.state, &resource.schema().attributes);
        let planned = resource.plan_destroy(&state);
        let deleted = RUNTIME.block_on(resource.delete(&call, &state, &planned));
        self.said(call.take_warnings());
        self.said(deleted.err().into_iter().flatten().collect::<Vec<_>>());
    }

    fn import(&mut self, id: &str) {
        let resource = self.resource();
        let call = Call::default();
        match RUNTIME.block_on(resource.import(&call, id)) {
            Ok(imported) => {
                self.showed(&imported.state, &resource.schema().attributes);
                self.read(&imported);
            }
            Err(errors) => self.said(errors),
        }
        self.said(call.take_warnings());
    }

    fn list(&mut self, scope: &Value) {
        let source = Arc::clone(&self.smtp.data_sources()[0]);
        let call = Call::default();
        let attributes = &source.schema().attributes;
        match RUNTIME.block_on(source.read(&call, sent(scope, attributes))) {
            Ok(listed) => self.showed(&listed, attributes),
            Err(errors) => self.said(errors),
        }
        self.said(call.take_warnings());
        self.query(scope);
    }

    fn query(&mut self, scope: &Value) {
        let list = Arc::clone(&self.smtp.list_resources()[0]);
        let call = Call::default();
        let scope = sent(scope, &list.schema().attributes);
        match RUNTIME.block_on(list.list(&call, scope, Query { limit: 10, with_states: true })) {
            Ok(listed) => {
                let attributes = &self.smtp.resources()[0].schema().attributes.clone();
                for listed in listed {
                    writeln!(self.shown, "{} {}", listed.import_id, listed.display_name).unwrap();
                    self.showed(&listed.state.unwrap_or_default(), attributes);
                }
            }
            Err(errors) => self.said(errors),
        }
        self.said(call.take_warnings());
    }

    fn said(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        for diagnostic in diagnostics {
            writeln!(self.shown, "{} {}", diagnostic.summary, diagnostic.detail).unwrap();
        }
    }

    /// Writes down the texts that core shows.
    fn showed(&mut self, value: &Value, attributes: &[Attribute]) {
        for attribute in attributes.iter().filter(|attribute| !attribute.is_secret()) {
            match (value.get(&attribute.name), &attribute.r#type) {
                (Value::String(text), _) => writeln!(self.shown, "{text}").unwrap(),
                (Value::List(items), Type::Objects(nested)) => items.iter().for_each(|item| self.showed(item, nested)),
                (nested, Type::Object(attributes)) => self.showed(nested, attributes),
                _ => {}
            }
        }
    }

    /// Nothing that was shown or logged is a secret, nor acts on a terminal.
    fn end(self) -> TestCaseResult {
        let log = LOG.text();
        for secret in self.parrot.secrets() {
            prop_assert!(!self.shown.contains(&secret), "{secret:?} in {}", self.shown);
            prop_assert!(!log.contains(&secret), "{secret:?} in the log");
        }
        let is_active = |c: char| c.is_control() && c != '\n' || crate::INVISIBLE.contains(c);
        prop_assert!(!self.shown.contains(is_active), "{:?}", self.shown);
        Ok(())
    }
}

/// A value as it comes out of what core sends.
fn sent(value: &Value, attributes: &[Attribute]) -> Value {
    if value.is_null() {
        return Value::Null;
    }
    msgpack::decode(&msgpack::encode(value, attributes), attributes).unwrap()
}

fn targets() -> [(&'static str, Value, Value, String); 5] {
    let texts =
        |texts: &[(&'static str, &str)]| Value::object(texts.iter().map(|(name, text)| (*name, Value::from(*text))));
    [
        ("hubspot", texts(&[("user_name", NAME)]), texts(&[]), format!("hubspot/{NAME}")),
        (
            "hostup",
            texts(&[("account_id", "acct_1"), ("address", ID)]),
            texts(&[("account_id", "acct_1")]),
            format!("hostup/acct_1/{ID}"),
        ),
        (
            "hostup",
            texts(&[("account_id", "acct_1"), ("address", NAME)]),
            texts(&[("account_id", "acct_1")]),
            format!("hostup/acct_1/{ID}"),
        ),
        (
            "kirim_email",
            texts(&[("domain", "example.com"), ("credential_guid", NAME)]),
            texts(&[("domain", "example.com")]),
            format!("kirim_email/example.com/{NAME}"),
        ),
        ("smtpd", texts(&[("name", "newsletter"), ("role", "send_only")]), texts(&[]), format!("smtpd/{NAME}")),
    ]
}

/// A vendor's key as it may be configured: not within quotation marks, which are refused.
fn login() -> impl Strategy<Value = String> {
    let is_quoted =
        |login: &String| ['"', '\''].iter().any(|quote| login.starts_with(*quote) && login.ends_with(*quote));
    "[!-~]{12,40}".prop_filter("is refused within quotation marks", move |login| !is_quoted(login))
}

fn manner() -> impl Strategy<Value = Manner> {
    let status = || prop_oneof![Just(None), prop::sample::select(vec![400, 401, 403, 404, 409, 422]).prop_map(Some)];
    let around = || prop_oneof![2 => Just(String::new()), 1 => "[a-z ]{0,8}", 1 => nothing().prop_map(str::to_owned)];
    (0..4_usize, vec(encoding(), 0..2), around(), around(), status(), status()).prop_map(
        |(which, encodings, before, after, of_change, of_look)| Manner {
            which,
            encodings,
            before,
            after,
            refuses: [of_change, of_look],
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("CASES").map_or(12, |cases| cases.parse().unwrap()),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_vendor_brings_out_a_secret_by_any_call(
        manner in manner(),
        token in login(),
        key in login(),
        api_secret in login(),
        passwords in vec("[!-~][ -~]{10,24}[!-~]", 40),
        own in prop::option::of("[!-~][ -~éß漢]{10,24}[!-~]"),
    ) {
        LazyLock::force(&LOG);
        for (vendor, target, scope, import) in targets() {
            let logins = [&*token, &*key, &*api_secret];
            let parrot = Parrot::start(manner.clone(), &logins, passwords.clone());
            let config = |trigger: &str| {
                let mut config = Value::object([(vendor, target.clone()), ("rotation_trigger", trigger.into()), ("rotation_mode", "in_place".into())]);
                if let (Some(own), "hostup") = (&own, vendor) {
                    config.set("password_wo", Value::Secret(own.clone().into()));
                    config.set("password_wo_version", trigger);
                }
                config
            };
            let mut process = Process::start(&parrot, &logins);
            process.apply(&config("1"), &ResourceState::default());
            // What is refused makes no state, and what is in it shows later.
            parrot.refuse([None, None]);
            let created = process.apply(&config("1"), &ResourceState::default());
            process.end()?;
            prop_assert!(!created.state.is_null(), "{vendor}");
            let kept = created.state.get("password").as_secret().map(|secret| secret.for_state().to_owned());
            if vendor != "hostup" || own.is_none() {
                prop_assert!(kept.is_some_and(|kept| parrot.secrets().contains(&kept)), "{vendor}");
            }
            for refuses in [[None, None], manner.refuses] {
                parrot.refuse(refuses);
                let mut process = Process::start(&parrot, &logins);
                let state = process.read(&created).unwrap_or_else(|| created.clone());
                let state = process.apply(&config("2"), &state);
                process.import(&import);
                process.list(&Value::object([(vendor, scope.clone())]));
                process.delete(&state);
                process.end()?;
            }
        }
    }
}
