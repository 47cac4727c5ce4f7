//! The state that an import returns.

use super::{
    CredentialPassword,
    names::{REMOTE_VERSION, ROTATION_VERSION},
    operation::Timed,
    plan,
    state::{completed, rotated_at, without_unknowns},
};
use crate::{
    framework::{Call, Private, ResourceState, diagnostic::Result, plan::draft, value::Value},
    provider::{
        attributes::{
            rotation_version,
            target::{self, Imported},
        },
        diagnostics::vendor::{self, Step},
    },
    vendors::{Field, Found, Presence, Target},
};

impl CredentialPassword {
    pub(super) async fn import_by_id(&self, call: &Call, id: &str) -> Result<ResourceState> {
        let configured = self.connections.configured();
        let imported = Imported::from_id(id, configured)?;
        let vendor = imported.vendor();
        let api = self.connections.api(vendor)?;
        let (target, found, version) = match imported {
            Imported::Target(target) => (target, Found::default(), None),
            Imported::Credential { scope, id } => {
                let op = Timed::Read.operation(call, &Value::Null);
                match api.find_by_id(&op, &scope.fields, &id).await {
                    Ok(Presence::Found(found)) if vendor.has_parts() => {
                        if !is_called(&found, &scope) {
                            return Err(vendor::another_name(&scope).into());
                        }
                        (scope, found, Some(id))
                    }
                    Ok(Presence::Found(found)) => (Target { vendor, fields: found.target.clone() }, found, Some(id)),
                    Ok(Presence::Gone) => return Err(vendor::unknown_id(vendor).into()),
                    Err(error) => return Err(vendor::failed(Step::Reading, &scope, &error).into()),
                }
            }
        };
        // An import stores what a plan makes of the bare target, so the first plan after it has no changes.
        let config = Value::object([(vendor.name, target::value(&target))]);
        let mut draft = draft(&self.schema, config, Value::Null, Private::default());
        plan::finish(&mut draft, configured)?;
        let mut state = without_unknowns(draft.planned);
        state.set(REMOTE_VERSION, version);
        state.set(ROTATION_VERSION, rotation_version::of(rotated_at(&state)));
        Ok(ResourceState { state: completed(state, found, None), private: Private::default() })
    }
}

/// Returns whether the API calls a credential by the name in the import id.
fn is_called(found: &Found, scope: &Target) -> bool {
    let is_same = |field: &&Field| {
        let shown = found.target.text(field).zip(scope.fields.text(field));
        shown.is_some_and(|(shown, name)| shown.eq_ignore_ascii_case(name))
    };
    scope.vendor.scope.iter().all(is_same)
}
