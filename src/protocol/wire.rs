//! The generated wire types, with `Debug` and `Drop` for those that contain secrets.

use std::fmt;

use zeroize::Zeroize;

/// Terraform's plugin protocol.
#[expect(unreachable_pub, clippy::pedantic, reason = "generated from proto/tfplugin6.proto")]
#[allow(
    dead_code,
    reason = "the empty messages around requests and responses are never constructed; `expect` does not \
    work here"
)]
pub(super) mod tfplugin6 {
    include!(concat!(env!("OUT_DIR"), "/tfplugin6.rs"));
}

/// The services of go-plugin itself.
#[expect(unreachable_pub, clippy::pedantic, reason = "generated from proto/go_plugin.proto")]
pub(super) mod plugin {
    include!(concat!(env!("OUT_DIR"), "/plugin.rs"));
}

impl fmt::Debug for tfplugin6::DynamicValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynamicValue")
    }
}

impl fmt::Debug for tfplugin6::RawState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawState")
    }
}

impl Drop for tfplugin6::DynamicValue {
    fn drop(&mut self) {
        self.msgpack.zeroize();
        self.json.zeroize();
    }
}

impl Drop for tfplugin6::RawState {
    fn drop(&mut self) {
        self.json.zeroize();
        self.flatmap.values_mut().for_each(Zeroize::zeroize);
    }
}

/// A response with diagnostics.
pub(super) trait Answer: Default + Send + 'static {
    /// Returns its diagnostics.
    fn diagnostics(&mut self) -> &mut Vec<tfplugin6::Diagnostic>;
}

macro_rules! answers {
    ($($rpc:ident),* $(,)?) => {
        $(impl Answer for tfplugin6::$rpc::Response {
            fn diagnostics(&mut self) -> &mut Vec<tfplugin6::Diagnostic> {
                &mut self.diagnostics
            }
        })*
    };
}

answers!(
    apply_resource_change,
    configure_provider,
    get_functions,
    get_metadata,
    get_provider_schema,
    get_resource_identity_schemas,
    import_resource_state,
    move_resource_state,
    plan_resource_change,
    read_data_source,
    read_resource,
    upgrade_resource_identity,
    upgrade_resource_state,
    validate_data_resource_config,
    validate_list_resource_config,
    validate_provider_config,
    validate_resource_config,
);

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::tfplugin6::{DynamicValue, RawState, apply_resource_change};

    #[test]
    fn debug_shows_no_values() {
        let value = DynamicValue { msgpack: b"hunter2".to_vec(), json: b"hunter2".to_vec() };
        let request = apply_resource_change::Request { prior_state: Some(value), ..Default::default() };
        let state = RawState { json: b"hunter2".to_vec(), flatmap: HashMap::new() };
        let shown = format!("{request:?} {state:?}");
        assert!(shown.contains("prior_state: Some(DynamicValue)") && shown.ends_with(" RawState"), "{shown}");
    }
}
