//! Validates a configuration of the resource against rules that its schema cannot express.

use super::targets::{self, SEPARATOR};
use crate::{
    framework::{
        diagnostic::{Diagnostics, Path, Result},
        value::Value,
    },
    provider::{
        attributes::{
            PASSWORD_POLICY, age_recipients,
            configured::Configured,
            host, password_policy,
            target::{self, Named},
            verify,
        },
        diagnostics::pair,
    },
    text::is_same_name,
    vendors::{ResetKind, Target, Vendor},
};

/// Validates a configuration before the provider is configured. Any value may be unknown.
pub(super) fn config(config: &Value) -> Diagnostics {
    configured(config, Configured::default())
}

/// Validates a configuration with what the provider block says of vendors. Any value may be unknown.
pub(super) fn configured(config: &Value, configured: Configured) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    let mut vendor = None;
    match target::named(config) {
        Named::Nothing => diagnostics.push(target::no_pair()),
        Named::Several(vendors) => diagnostics.push(target::several_pairs(&vendors)),
        Named::One(named) => vendor = Some(configured.vendor(named)),
        Named::Undecided => {}
    }
    if let Some(Err(found)) = vendor.map(|vendor| list(vendor, config.get(vendor.name))) {
        diagnostics.extend(found);
    }
    let known = vendor.and_then(Vendor::if_known);
    if let Some(vendor) = known {
        diagnostics.extend(password_policy::refused(vendor, config, &[PASSWORD_POLICY]));
        diagnostics.extend(password_policy::too_long(vendor, config.get(PASSWORD_POLICY)));
    }
    diagnostics.extend(age_recipients::validate(config));
    diagnostics.extend(password_policy::validate(config.get(PASSWORD_POLICY)));
    diagnostics.extend(verify::validate(config, known));
    diagnostics.extend(host::validate_port(config));
    diagnostics
}

/// Validates the list of credentials of a vendor. An unknown element may turn out to be any.
fn list(vendor: &'static Vendor, list: &Value) -> Result<()> {
    if vendor.reset_kind == ResetKind::NewCredential {
        return Err(pair::makes_another(vendor).into());
    }
    let items = match list {
        Value::List(items) if items.len() == 2 => items,
        _ => return Err(pair::not_two(Path::attribute(vendor.name)).into()),
    };
    let mut known: Vec<Target> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let at = targets::at(vendor, index);
        if item.is_null() {
            return Err(pair::null_element(at).into());
        }
        for field in vendor.target {
            if item.get(field.name).as_str().is_some_and(|text| text.contains(SEPARATOR)) {
                return Err(pair::comma(at.then(field.name)).into());
            }
        }
        known.extend(target::in_object(vendor, item, &at)?);
    }
    match &*known {
        [one, other] if is_same_name(&one.id(), &other.id()) => {
            Err(pair::same_credential(targets::at(vendor, 1)).into())
        }
        _ => Ok(()),
    }
}
