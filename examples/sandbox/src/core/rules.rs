//! Core's own rules for what a provider answers, as Terraform 1.11 to 1.15 enforce them for providers of protocol 6.
//!
//! Sources, in hashicorp/terraform: `internal/plans/objchange` (`ProposedNew`, `AssertPlanValid`,
//! `AssertObjectCompatible`) and `internal/terraform/node_resource_abstract_instance.go` (replacement, completeness,
//! write-only values). Where core only logs, because old providers cannot do better, these rules fail.

use terraform_provider_smtp::framework::{
    schema::{Attribute, Type},
    value::Value,
};

use super::wire::tfplugin6::{AttributePath, attribute_path::step::Selector};

/// What core proposes as the new state: the configuration, and for what that leaves to the provider the prior value.
pub fn proposed(attributes: &[Attribute], prior: &Value, config: &Value) -> Value {
    if config.is_null() {
        return Value::Null;
    }
    Value::object(attributes.iter().map(|attribute| {
        let [prior, config] = [prior, config].map(|side| side.get(&attribute.name));
        let value = match (&attribute.r#type, config) {
            (Type::Object(nested), Value::Object(_)) => proposed(nested, prior, config),
            (_, Value::Null) if attribute.is_computed() => prior.clone(),
            _ => config.clone(),
        };
        (attribute.name.to_string(), value)
    }))
}

/// A plan says what the configuration says; only what that leaves to the provider is the provider's. Nothing write-only
/// is in it.
pub fn assert_plan_valid(attributes: &[Attribute], config: &Value, planned: &Value) {
    assert_eq!(planned.is_null(), config.is_null(), "absence is planned only where it is asked for");
    for attribute in attributes {
        let name = &attribute.name;
        let [config, planned] = [config, planned].map(|side| side.get(name));
        match (&attribute.r#type, config) {
            _ if attribute.write_only => assert!(planned.is_null(), "`{name}` is write-only, and planned"),
            (_, Value::Null) if attribute.is_computed() => {}
            (Type::Object(nested), Value::Object(_)) => assert_plan_valid(nested, config, planned),
            _ => assert!(planned == config, "`{name}` is planned as {planned:?}, and configured otherwise: {config:?}"),
        }
    }
}

/// What became of a plan is what was planned, except that the unknown may be known by now.
pub fn assert_compatible(planned: &Value, actual: &Value, at: &str) {
    match (planned, actual) {
        (Value::Unknown, _) => {}
        (Value::Object(planned), Value::Object(actual)) => {
            assert_eq!(planned.iter().len(), actual.iter().len(), "{at} has other attributes than planned");
            for (name, planned) in planned.iter() {
                let actual = actual.get(name).unwrap_or_else(|| panic!("{at} has no `{name}`, which was planned"));
                assert_compatible(planned, actual, &format!("{at}.{name}"));
            }
        }
        (Value::List(planned), Value::List(actual)) => {
            assert_eq!(planned.len(), actual.len(), "{at} has another length than planned");
            for (number, (planned, actual)) in planned.iter().zip(actual).enumerate() {
                assert_compatible(planned, actual, &format!("{at}[{number}]"));
            }
        }
        _ => assert!(planned == actual, "{at} was planned as {planned:?} and is another value, {actual:?}"),
    }
}

/// What is stored is wholly known, and holds nothing write-only.
pub fn assert_storable(attributes: &[Attribute], state: &Value) {
    assert!(state.is_wholly_known(), "a stored state has unknowns: {state:?}");
    for attribute in attributes.iter().filter(|attribute| attribute.write_only) {
        assert!(state.get(&attribute.name).is_null(), "`{}` is write-only, and stored", attribute.name);
    }
}

/// Returns whether a plan is one of a replacement; every path that asks for it must lead to a change.
pub fn is_replaced(paths: &[AttributePath], prior: &Value, planned: &Value) -> bool {
    for path in paths {
        assert!(!prior.is_null(), "a create cannot replace anything");
        let [before, after] = [prior, planned].map(|value| follow(path, value));
        assert!(before != after || after.is_unknown(), "a replacement is asked for by what does not change: {path:?}");
    }
    !paths.is_empty()
}

fn follow<'a>(path: &AttributePath, value: &'a Value) -> &'a Value {
    path.steps.iter().fold(value, |value, step| match &step.selector {
        Some(Selector::AttributeName(name)) => value.get(name),
        other => panic!("no attribute of this resource is found by {other:?}"),
    })
}

/// A value as it lies in the state file.
pub fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Unknown => panic!("no state holds an unknown"),
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => serde_json::from_str(&number.to_string()).unwrap(),
        Value::String(text) => text.as_str().into(),
        Value::Secret(secret) => secret.for_state().into(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Object(attributes) => attributes.iter().map(|(name, value)| (name.to_owned(), json(value))).collect(),
    }
}
