//! The state of another resource that becomes a pair, by a `moved` block.

use super::targets::Targets;
use crate::{
    framework::{
        ResourceState,
        schema::Schema,
        value::{Object, Value},
    },
    provider::{
        attributes::{
            configured::Configured,
            target::{self, Named},
        },
        password::names::{CURRENT, ID, PREVIOUS},
    },
    vendors::ResetKind,
};

/// The type whose state can become a pair's.
const SOURCE: &str = "smtp_credential_password";

/// Converts the state of a single credential: it becomes the current one, and its password stays. The other credential
/// comes from the configuration, with the next plan. Returns `None` if the type is another one, or if a
/// reset of the credential makes a new one.
pub(super) fn from(type_name: &str, stored: ResourceState, schema: &Schema) -> Option<ResourceState> {
    let Named::One(vendor) = target::named(&stored.state) else { return None };
    if type_name != SOURCE || vendor.reset_kind == ResetKind::NewCredential {
        return None;
    }
    // What a pair does not have is dropped, and what only a pair has is null.
    let mut state =
        Value::Object(Object::of(&schema.attributes, |attribute| stored.state.get(&attribute.name).clone()));
    state.set(vendor.name, Value::List(vec![stored.state.get(vendor.name).clone()]));
    let targets = Targets::of(&state, Configured::default()).ok()?;
    let id = targets.id()?;
    state.set(CURRENT, id.clone());
    state.set(ID, id);
    state.set(PREVIOUS, Value::Null);
    Some(ResourceState { state, ..stored })
}
