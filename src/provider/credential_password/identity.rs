//! What identifies the object in a state.

use super::names::REMOTE_VERSION;
use crate::{
    framework::value::Value,
    provider::attributes::{configured::Configured, import_id, target},
};

/// Returns the import id of a state. A reset changes it at a vendor that makes a new credential.
pub(super) fn of(state: &Value, configured: Configured) -> Option<String> {
    let target = target::of(state, configured).ok()??;
    import_id::of(&target, state.get(REMOTE_VERSION).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        provider::password::names::ID,
        vendors::{ImportId, VENDORS},
    };

    /// A state of the credential whose fields are all `x`, with this version.
    fn state(vendor: &'static crate::vendors::Vendor, version: Value) -> Value {
        let fields = vendor.target.iter().map(|field| (field.name, "x".into()));
        Value::object([(vendor.name, Value::object(fields)), (ID, "id".into()), (REMOTE_VERSION, version)])
    }

    #[test]
    fn the_identity_is_the_id_of_the_credential_in_the_state() {
        let mut known = Vec::new();
        for vendor in VENDORS {
            let id = of(&state(vendor, "version".into()), Configured::default());
            let expected = match vendor.import {
                ImportId::Credential | ImportId::ScopedCredential => {
                    format!("{}{}/version", vendor.name, "/x".repeat(vendor.import_scope().len()))
                }
                ImportId::Identity => format!("{}{}", vendor.name, "/x".repeat(vendor.identity.len())),
            };
            // Some vendors check more of a field than that it is a name.
            let Some(id) = id else { continue };
            assert_eq!(id, expected);
            known.push(vendor.import);
        }
        assert!(known.contains(&ImportId::Credential) && known.contains(&ImportId::Identity));
    }

    #[test]
    fn what_cannot_be_imported_has_no_identity() {
        let makes_another = VENDORS.iter().find(|vendor| vendor.import == ImportId::Credential).unwrap();
        for version in [Value::Null, Value::Unknown, "a/b".into(), "".into()] {
            assert_eq!(of(&state(makes_another, version.clone()), Configured::default()), None, "{version:?}");
        }
        assert_eq!(of(&Value::Null, Configured::default()), None);
        assert_eq!(of(&Value::object::<&str>([]), Configured::default()), None);
    }
}
