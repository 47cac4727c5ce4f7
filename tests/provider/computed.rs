//! What only the provider sets, in every schema and at every depth: a configuration that sets it is refused, and no
//! plan takes it over.

use sandbox::core::{
    self, Core, Plugin, decode, encode,
    vendors::{Known, argument},
    wire::tfplugin6::{
        Diagnostic, attribute_path::step::Selector, configure_provider, diagnostic::Severity, plan_resource_change,
        validate_data_resource_config, validate_provider_config, validate_resource_config,
    },
};
use terraform_provider_smtp::{
    framework::{
        Provider, msgpack,
        schema::{Attribute, Mode, Type},
        value::{Number, Value},
    },
    provider::Smtp,
    vendors::VENDORS,
};

use crate::BINARY;

/// One step to an attribute: its name, and whether it is in the second element of a list.
#[derive(Clone, Copy)]
struct Step<'s> {
    attribute: &'s Attribute,
    in_list: bool,
}

/// The ways to every attribute that only the provider sets; what lies within such a one goes with it.
fn computed<'s>(attributes: &'s [Attribute], before: &[Step<'s>], found: &mut Vec<Vec<Step<'s>>>) {
    for attribute in attributes {
        let nested = match &attribute.r#type {
            Type::Object(nested) => Some((nested, false)),
            Type::Objects(nested) => Some((nested, true)),
            _ => None,
        };
        let way = |in_list| [before, &[Step { attribute, in_list }]].concat();
        if attribute.mode == Mode::Computed {
            found.push(way(false));
        } else if let Some((nested, in_list)) = nested {
            computed(nested, &way(in_list), found);
        }
    }
}

/// A configuration that sets nothing but what the way leads to.
fn setting(attributes: &[Attribute], way: &[Step<'_>], value: &Value) -> Value {
    Value::object(attributes.iter().map(|attribute| {
        let set = match way {
            [here, rest @ ..] if here.attribute.name == attribute.name => match (&attribute.r#type, rest) {
                (_, []) => value.clone(),
                (Type::Object(nested), _) => setting(nested, rest, value),
                (Type::Objects(nested), _) => {
                    Value::List(vec![setting(nested, &[], &Value::Null), setting(nested, rest, value)])
                }
                _ => unreachable!("only objects have attributes"),
            },
            _ => Value::Null,
        };
        (attribute.name.clone(), set)
    }))
}

/// Values of a type, none of them null: unknown, empty, filled, and with unknown parts.
fn values(r#type: &Type) -> Vec<Value> {
    let objects = |attributes: &[Attribute]| {
        let part = |index: usize| {
            Value::object(attributes.iter().map(|attribute| {
                let values = values(&attribute.r#type);
                (attribute.name.clone(), values[index % values.len()].clone())
            }))
        };
        vec![part(0), part(1), part(2)]
    };
    let mut all = match r#type {
        Type::Bool => vec![true.into(), false.into()],
        Type::Number => ["0", "1795207372", "-1.5"].map(|text| Number::parse(text).unwrap().into()).to_vec(),
        Type::String => ["My-0wn-Passw0rd-here", "", "2026-01-01T00:00:00.000000Z"].map(Value::from).to_vec(),
        Type::List(element) => vec![Value::List(vec![]), Value::List(values(element))],
        Type::Object(attributes) => objects(attributes),
        Type::Objects(attributes) => vec![Value::List(vec![]), Value::List(objects(attributes))],
    };
    all.push(Value::Unknown);
    all
}

/// The path as core will print it, in the form that a diagnostic's is compared in.
fn path(way: &[Step<'_>]) -> Vec<Selector> {
    let steps = way.iter().flat_map(|step| {
        let name = Selector::AttributeName(step.attribute.name.to_string());
        [Some(name), step.in_list.then_some(Selector::ElementKeyInt(1))]
    });
    steps.flatten().collect()
}

/// Asserts that one error is about this attribute, and that none repeats its value.
fn assert_refused(diagnostics: &[Diagnostic], way: &[Step<'_>]) {
    let about = diagnostics.iter().filter(|diagnostic| {
        let steps = diagnostic.attribute.iter().flat_map(|path| &path.steps);
        steps.filter_map(|step| step.selector.clone()).collect::<Vec<_>>() == path(way)
    });
    let name = &way.last().unwrap().attribute.name;
    let [error] = about.collect::<Vec<_>>()[..] else { panic!("`{name}` is not refused once: {diagnostics:?}") };
    assert_eq!(error.severity(), Severity::Error);
    assert!(error.summary.ends_with("cannot be set") && error.summary.split(' ').count() <= 8, "{}", error.summary);
    assert!(diagnostics.iter().all(|diagnostic| !format!("{diagnostic:?}").contains("My-0wn")), "{name} is repeated");
}

#[tokio::test]
async fn a_value_for_what_only_the_provider_sets_is_refused_in_every_schema() {
    let (_plugin, mut core) = start().await;
    let smtp = Smtp::new();
    let (mut ways, mut tried) = (0, 0);
    let mut found = Vec::new();
    computed(&smtp.schema().attributes, &[], &mut found);
    for way in &found {
        for value in values(&way.last().unwrap().attribute.r#type) {
            let config = encode(&setting(&smtp.schema().attributes, way, &value), &smtp.schema().attributes);
            let request = validate_provider_config::Request { config };
            let answer = core.provider.validate_provider_config(request).await.unwrap().into_inner();
            assert_refused(&answer.diagnostics, way);
            tried += 1;
        }
        ways += 1;
    }
    for resource in smtp.resources() {
        let attributes = &resource.schema().attributes;
        let mut found = Vec::new();
        computed(attributes, &[], &mut found);
        for way in &found {
            for value in values(&way.last().unwrap().attribute.r#type) {
                let request = validate_resource_config::Request {
                    type_name: resource.type_name().to_owned(),
                    config: encode(&setting(attributes, way, &value), attributes),
                    client_capabilities: None,
                };
                let answer = core.provider.validate_resource_config(request).await.unwrap().into_inner();
                assert_refused(&answer.diagnostics, way);
                tried += 1;
            }
            ways += 1;
        }
    }
    for source in smtp.data_sources() {
        let attributes = &source.schema().attributes;
        let mut found = Vec::new();
        computed(attributes, &[], &mut found);
        for way in &found {
            for value in values(&way.last().unwrap().attribute.r#type) {
                let request = validate_data_resource_config::Request {
                    type_name: source.type_name().to_owned(),
                    config: encode(&setting(attributes, way, &value), attributes),
                };
                let answer = core.provider.validate_data_resource_config(request).await.unwrap().into_inner();
                assert_refused(&answer.diagnostics, way);
                tried += 1;
            }
            ways += 1;
        }
    }
    assert!(ways >= 9 && tried >= 3 * ways, "{ways} attributes, {tried} configurations");
}

#[tokio::test]
async fn no_plan_takes_it_over_where_nobody_validated() {
    let (_plugin, mut core) = start().await;
    let smtp = Smtp::new();
    let settings = Value::object(VENDORS.iter().map(|vendor| {
        let login = vendor.logins[0].iter().map(|field| (field.name, Value::from("a-login")));
        (vendor.name, Value::object(login))
    }));
    let config = encode(&settings, &smtp.schema().attributes);
    let request = configure_provider::Request { config, ..Default::default() };
    assert_eq!(core.provider.configure_provider(request).await.unwrap().into_inner().diagnostics, []);

    let resource = &smtp.resources()[0];
    let attributes = &resource.schema().attributes;
    let mut found = Vec::new();
    computed(attributes, &[], &mut found);
    for vendor in sandbox::VENDORS {
        let target = vendor.first();
        let config = Value::object([(vendor.name, argument(target, Known::Wholly))]);
        let created = plan(&mut core, attributes, &Value::Null, &config).await;
        let stored = known(attributes, &created);
        for prior in [Value::Null, stored] {
            let expected = plan(&mut core, attributes, &prior, &config).await;
            for way in &found {
                for value in values(&way.last().unwrap().attribute.r#type) {
                    let mut config = config.clone();
                    let set = setting(attributes, way, &value);
                    let top = &way[0].attribute.name;
                    config.set(top.clone(), set.get(top).clone());
                    let planned = plan(&mut core, attributes, &prior, &config).await;
                    assert!(planned == expected, "{vendor:?}: `{top}` is taken from the configuration");
                }
            }
        }
    }
}

async fn start() -> (Plugin, Core) {
    let plugin = Plugin::start(core::command(BINARY)).await;
    let core = plugin.connect().await;
    (plugin, core)
}

async fn plan(core: &mut Core, attributes: &[Attribute], prior: &Value, config: &Value) -> Value {
    let request = plan_resource_change::Request {
        type_name: "smtp_credential_password".to_owned(),
        prior_state: encode(prior, attributes),
        proposed_new_state: encode(config, attributes),
        config: encode(config, attributes),
        prior_private: Vec::new(),
    };
    let answer = core.provider.plan_resource_change(request).await.unwrap().into_inner();
    assert_eq!(answer.diagnostics, []);
    assert_eq!(answer.requires_replace, []);
    decode(answer.planned_state, attributes)
}

/// What an apply may make of a plan.
fn known(attributes: &[Attribute], planned: &Value) -> Value {
    let state = Value::object(attributes.iter().map(|attribute| {
        let value = match planned.get(&attribute.name) {
            Value::Unknown => values(&attribute.r#type).swap_remove(0),
            known => known.clone(),
        };
        (attribute.name.clone(), value)
    }));
    // As it comes from core, secrets as such.
    msgpack::decode(&msgpack::encode(&state, attributes), attributes).unwrap()
}
