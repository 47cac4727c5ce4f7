//! One credential, in the messages that core sends about it.

use sandbox::core::wire::tfplugin6::{DynamicValue, apply_resource_change, plan_resource_change};
use terraform_provider_smtp::framework::{msgpack, schema::Attribute, value::Value};

/// A credential's user name, different for every number.
pub(crate) fn user_name(number: usize) -> String {
    format!("token-{number:04}@62515.smtp.hubspot.net")
}

/// Asks for the plan of its creation.
pub(crate) fn plan(user_name: &str, attributes: &[Attribute]) -> plan_resource_change::Request {
    let target = Value::object([("user_name", user_name.into())]);
    let config = Value::object([("hubspot", target), ("rotation_trigger", "2026-Q4".into())]);
    plan_resource_change::Request {
        type_name: RESOURCE.to_owned(),
        prior_state: Some(encode(&Value::Null, attributes)),
        proposed_new_state: Some(encode(&config, attributes)),
        config: Some(encode(&config, attributes)),
        ..Default::default()
    }
}

/// Asks for what was planned.
pub(crate) fn apply(
    planned: plan_resource_change::Request,
    answer: plan_resource_change::Response,
) -> apply_resource_change::Request {
    apply_resource_change::Request {
        type_name: planned.type_name,
        prior_state: planned.prior_state,
        planned_state: answer.planned_state,
        config: planned.config,
        planned_private: answer.planned_private,
    }
}

/// A value on its way to the provider.
pub(crate) fn encode(value: &Value, attributes: &[Attribute]) -> DynamicValue {
    DynamicValue { msgpack: msgpack::encode(value, attributes), json: Vec::new() }
}

const RESOURCE: &str = "smtp_credential_password";
