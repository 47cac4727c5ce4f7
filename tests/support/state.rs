//! What core has written into its state file (format 4).

use serde_json::Value;

/// An object in the state.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    /// Its address, such as `module.mail.smtp_credential_password.this["a"]`.
    pub(super) address: String,
    /// Whether it only waits for its deletion.
    pub(super) deposed: bool,
    /// Its attributes.
    pub(super) attributes: Value,
    /// Its identity; null where there is none.
    pub(super) identity: Value,
}

/// The objects in a state file, in its order.
pub(super) fn instances(text: &str) -> Vec<Instance> {
    let state: Value = serde_json::from_str(text).expect("a state file is JSON");
    let resources = state["resources"].as_array().cloned().unwrap_or_default();
    // What was only looked up is nobody's.
    resources.iter().filter(|resource| resource["mode"] == "managed").flat_map(of_resource).collect()
}

fn of_resource(resource: &Value) -> Vec<Instance> {
    let word = |name: &str| resource[name].as_str().unwrap_or_default();
    let module = resource["module"].as_str().map(|module| format!("{module}.")).unwrap_or_default();
    let address = format!("{module}{}.{}", word("type"), word("name"));
    let instances = resource["instances"].as_array().cloned().unwrap_or_default();
    let of_instance = |instance: Value| Instance {
        address: match &instance["index_key"] {
            Value::Null => address.clone(),
            key => format!("{address}[{key}]"),
        },
        deposed: instance.get("deposed").is_some(),
        attributes: instance["attributes"].clone(),
        identity: instance["identity"].clone(),
    };
    instances.into_iter().map(of_instance).collect()
}
