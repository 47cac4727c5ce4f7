//! Resource identity: the import id, as an object with one attribute.
//!
//! An identity follows from the state alone. A plan says nothing of it, because a reset may change it and core rejects
//! the plan of an update whose identity is unknown.

use std::{
    collections::HashMap,
    panic::{self, AssertUnwindSafe},
};

use super::{
    convert::{self, decode, encode},
    wire::tfplugin6::{
        DynamicValue, RawState, ResourceIdentityData, ResourceIdentitySchema,
        resource_identity_schema::IdentityAttribute,
    },
};
use crate::framework::{
    Provider, Resource,
    diagnostic::{Diagnostic, Result},
    schema::{Attribute, Type},
    value::Value,
};

/// The one attribute of every identity.
const ID: &str = "id";

/// The version of the identities' schema.
const VERSION: i64 = 0;

/// Returns the identity schemas of all resources, by type name.
pub(super) fn schemas(provider: &dyn Provider) -> HashMap<String, ResourceIdentitySchema> {
    let schema = |resource: &dyn Resource| ResourceIdentitySchema {
        version: VERSION,
        identity_attributes: vec![IdentityAttribute {
            name: ID.to_owned(),
            r#type: convert::type_json(&Type::String).to_string().into_bytes(),
            required_for_import: true,
            optional_for_import: false,
            description: format!("The import id of `{}`.", resource.type_name()),
        }],
    };
    provider.resources().iter().map(|resource| (resource.type_name().to_owned(), schema(&**resource))).collect()
}

/// Returns the identity of the object in a state; `None` if it has none. Cannot fail, because the state that it goes
/// with may contain the only copy of a password.
pub(super) fn of(resource: &dyn Resource, state: &Value) -> Option<ResourceIdentityData> {
    let id = panic::catch_unwind(AssertUnwindSafe(|| resource.import_id(state)));
    id.ok().flatten().map(from_import_id)
}

/// Returns the identity of the object with an import id.
pub(super) fn from_import_id(id: String) -> ResourceIdentityData {
    data(&Value::object([(ID, id.into())]))
}

/// Returns the import id of an import by id or by identity.
pub(super) fn import_id(id: String, identity: Option<ResourceIdentityData>) -> Result<String> {
    let Some(identity) = identity.and_then(|identity| identity.identity_data) else { return Ok(id) };
    let identity = decode(Some(identity), &attributes())?;
    Ok(identity.get(ID).as_str().unwrap_or_default().to_owned())
}

/// Converts a stored identity to the current version.
pub(super) fn upgraded(
    resource: &dyn Resource,
    version: i64,
    stored: Option<RawState>,
) -> Result<ResourceIdentityData> {
    if version > VERSION {
        return Err(newer(resource, version).into());
    }
    let json = stored.map(|mut stored| std::mem::take(&mut stored.json)).unwrap_or_default();
    decode(Some(DynamicValue { msgpack: Vec::new(), json }), &attributes()).map(|identity| data(&identity))
}

fn data(identity: &Value) -> ResourceIdentityData {
    ResourceIdentityData { identity_data: Some(encode(identity, &attributes())) }
}

fn attributes() -> [Attribute; 1] {
    [Attribute::required(ID, Type::String, "")]
}

fn newer(resource: &dyn Resource, version: i64) -> Diagnostic {
    let detail = format!(
        "The identity of a {} in the state was written by a newer version of the provider: it has schema version \
         {version}, but this provider supports versions up to {VERSION}. Use the version of the provider that wrote \
         it, or a later one.",
        resource.type_name()
    );
    Diagnostic::error("Identity is too new", detail)
}
