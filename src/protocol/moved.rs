//! The state of another type, for a `moved` block.

use super::{
    convert::{decode_stored, encode},
    find, identity,
    wire::tfplugin6::move_resource_state,
};
use crate::framework::{
    Private, Provider, ResourceState,
    diagnostic::{Diagnostic, Result},
};

/// Converts the state of a resource of another type of this provider.
pub(super) fn state(
    provider: &dyn Provider,
    request: move_resource_state::Request,
) -> Result<move_resource_state::Response> {
    let target = find::resource(provider, &request.target_type_name)?;
    // Another provider's resource of the same name has another schema. OpenTofu 1.10 and 1.11 name a provider only by
    // the last part of its address.
    let (own, address) = (provider.address(), request.source_provider_address.as_str());
    let is_own = match address.split_once('/') {
        Some((_, address)) => address == own,
        None => own.rsplit('/').next() == Some(address),
    };
    let source = provider.resources().iter().find(|source| source.type_name() == request.source_type_name);
    let Some(source) = source.filter(|_| is_own) else {
        return Err(impossible(&request.source_type_name, target.type_name()).into());
    };
    let state = decode_stored(request.source_state, request.source_schema_version, &**source)?;
    let stored = ResourceState { state, private: Private(request.source_private) };
    let moved = target.move_from(source.type_name(), stored);
    let ResourceState { state, private } = moved.ok_or_else(|| impossible(source.type_name(), target.type_name()))?;
    Ok(move_resource_state::Response {
        target_state: Some(encode(&state, &target.schema().attributes)),
        target_private: private.0,
        target_identity: identity::of(&**target, &state),
        diagnostics: Vec::new(),
    })
}

fn impossible(source: &str, target: &str) -> Diagnostic {
    let detail = format!(
        "This state of a {source:?} cannot become that of a {target:?}. The page of {target:?} says which states can."
    );
    Diagnostic::error("This state cannot be moved", detail)
}
