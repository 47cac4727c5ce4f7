//! Import ids, which are also the identities of resources.

use super::{configured::Configured, target::Imported};
use crate::vendors::{ImportId, Listed, Target};

/// Returns the import id of a credential of which the vendor reports `version`; `None` if it cannot be imported.
pub(in crate::provider) fn of(target: &Target, version: Option<&str>) -> Option<String> {
    let id = match target.vendor.import {
        ImportId::Credential | ImportId::ScopedCredential => target.import_id(version?),
        ImportId::Identity => target.id(),
    };
    // The same parser as in an import decides, so every id can be imported.
    Imported::from_id(&id, Configured::with(Some(target.vendor))).is_ok().then_some(id)
}

/// Returns the import id of a credential in the list of a scope; `None` if it cannot be imported.
pub(in crate::provider) fn of_listed(scope: &Target, listed: &Listed) -> Option<String> {
    let target = Target { vendor: scope.vendor, fields: listed.target.clone() };
    of(&target, listed.version.as_deref())
}
