//! `retire_previous` and `previous`: how long the credential before a reset stays valid, at vendors whose resets make
//! new credentials.

use crate::{
    framework::{
        diagnostic::{Diagnostic, Path},
        schema::{Attribute, Type},
        validate::invalid,
        value::Value,
    },
    vendors::{PriorCredential, ResetKind, Target, Vendor},
};

pub(in crate::provider) const PREVIOUS: &str = "previous";
pub(in crate::provider) const RETIRE_PREVIOUS: &str = "retire_previous";

/// The previous credential is revoked right after the reset. The default.
const AT_ONCE: &str = "at_once";
/// The previous credential is revoked by the next rotation.
const AT_NEXT_ROTATION: &str = "at_next_rotation";

/// The argument.
pub(in crate::provider) fn argument() -> Attribute {
    Attribute::optional(
        RETIRE_PREVIOUS,
        Type::String,
        "When to revoke the previous credential, for vendors where a reset makes a new one: `at_once` (default) after \
         the reset, `at_next_rotation` by the next rotation, so that both work until then. `at_next_rotation` requires \
         `rotation_mode = \"in_place\"`. Changing it to `at_once` revokes `previous` and resets nothing.",
    )
    .validated_by(|text| match text {
        AT_ONCE | AT_NEXT_ROTATION => Ok(()),
        _ => Err("must be `at_once` or `at_next_rotation`"),
    })
}

/// The computed attribute.
pub(in crate::provider) fn computed() -> Attribute {
    Attribute::computed(
        PREVIOUS,
        Type::String,
        "The import id of the previous credential while it still works, with `retire_previous = \"at_next_rotation\"`; \
         otherwise null.",
    )
}

/// Returns an error if `retire_previous` does not fit the vendor or the mode. `is_in_place` is whether resets are
/// updates; `None` while that is unknown.
pub(in crate::provider) fn validate(
    config: &Value,
    vendor: Option<&Vendor>,
    is_in_place: Option<bool>,
) -> Option<Diagnostic> {
    let setting = config.get(RETIRE_PREVIOUS).as_str()?;
    if let Some(vendor) = vendor.filter(|vendor| vendor.reset_kind == ResetKind::InPlace) {
        let title = vendor.title;
        let detail = format!(
            "A reset at {title} changes the password of the credential, and the previous password stops working. So \
             there is no previous credential to revoke, and `{RETIRE_PREVIOUS}` cannot be set."
        );
        let error = Diagnostic::error(format!("{title} resets passwords in place"), detail);
        return Some(error.at(Path::attribute(RETIRE_PREVIOUS)));
    }
    let needs_update = setting == AT_NEXT_ROTATION && is_in_place == Some(false);
    needs_update.then(|| {
        invalid(Path::attribute(RETIRE_PREVIOUS), "with `at_next_rotation` requires `rotation_mode = \"in_place\"`")
    })
}

/// Returns whether a reset in place leaves the previous credential valid until the next rotation.
pub(in crate::provider) fn keeps_previous(planned: &Value) -> bool {
    planned.get(RETIRE_PREVIOUS).as_str() == Some(AT_NEXT_ROTATION)
}

/// Returns the planned `previous`. `is_new` is whether the plan is that of a create or a replacement, `resets` whether
/// its apply resets the password, or may.
pub(in crate::provider) fn planned(prior: &Value, planned: &Value, is_new: bool, resets: bool) -> Value {
    let before = prior.get(PREVIOUS);
    match planned.get(RETIRE_PREVIOUS) {
        _ if is_new => Value::Null,
        Value::Unknown if resets || !before.is_null() => Value::Unknown,
        // The reset may have left no id, or may turn out not to be made.
        _ if keeps_previous(planned) && resets => Value::Unknown,
        _ if keeps_previous(planned) => before.clone(),
        // What is planned as null is revoked by the apply.
        _ => Value::Null,
    }
}

/// Returns the `previous` of a state in which the credential with the id `now` has replaced that of `prior`.
pub(in crate::provider) fn after(target: &Target, prior: &PriorCredential, now: Option<&str>) -> Value {
    let is_another = |id: &&String| now.is_none_or(|now| !now.eq_ignore_ascii_case(id));
    prior.version.as_ref().filter(is_another).map(|id| target.import_id(id)).into()
}

/// Returns the previous credential of a state, if there is one that still works.
pub(in crate::provider) fn of(target: &Target, state: &Value) -> Option<PriorCredential> {
    let id = state.get(PREVIOUS).as_str()?.strip_prefix(&target.import_id(""))?;
    Some(PriorCredential { version: Some(id.to_owned()), username: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendors::{Fields, VENDORS};

    fn vendor(kind: ResetKind) -> &'static Vendor {
        VENDORS.iter().copied().find(|vendor| vendor.reset_kind == kind).unwrap()
    }

    fn value(setting: impl Into<Value>, previous: impl Into<Value>) -> Value {
        Value::object([(RETIRE_PREVIOUS, setting.into()), (PREVIOUS, previous.into())])
    }

    #[test]
    fn it_fits_vendors_with_new_credentials_and_updates() {
        let [new, changed] = [ResetKind::NewCredential, ResetKind::InPlace].map(vendor);
        for (setting, vendor, is_in_place, is_error) in [
            (Value::Null, Some(changed), Some(false), false),
            (Value::Unknown, Some(changed), Some(false), false),
            (AT_ONCE.into(), Some(changed), Some(true), true),
            (AT_NEXT_ROTATION.into(), Some(changed), Some(true), true),
            (AT_ONCE.into(), Some(new), Some(false), false),
            (AT_ONCE.into(), None, Some(false), false),
            (AT_NEXT_ROTATION.into(), Some(new), Some(true), false),
            (AT_NEXT_ROTATION.into(), Some(new), None, false),
            (AT_NEXT_ROTATION.into(), Some(new), Some(false), true),
            (AT_NEXT_ROTATION.into(), None, Some(false), true),
        ] {
            let error = validate(&value(setting.clone(), Value::Null), vendor, is_in_place);
            assert_eq!(error.is_some(), is_error, "{setting:?} {vendor:?} {is_in_place:?}");
            assert!(error.is_none_or(|error| error.path == Path::attribute(RETIRE_PREVIOUS)));
        }
    }

    #[test]
    fn what_is_kept_is_planned_and_what_is_not_is_null() {
        let held = || Value::from("smtpd/old");
        // configured, previous in the state, resets, what is planned
        for (row, setting, before, resets, expected) in [
            (1, Value::Null, Value::Null, false, Value::Null),
            (2, Value::Null, Value::Null, true, Value::Null),
            (3, Value::Null, held(), false, Value::Null),
            (4, Value::Null, held(), true, Value::Null),
            (5, AT_ONCE.into(), held(), false, Value::Null),
            (6, AT_ONCE.into(), held(), true, Value::Null),
            (7, AT_NEXT_ROTATION.into(), Value::Null, false, Value::Null),
            (8, AT_NEXT_ROTATION.into(), held(), false, held()),
            (9, AT_NEXT_ROTATION.into(), Value::Null, true, Value::Unknown),
            (10, AT_NEXT_ROTATION.into(), held(), true, Value::Unknown),
            (11, Value::Unknown, Value::Null, false, Value::Null),
            (12, Value::Unknown, held(), false, Value::Unknown),
            (13, Value::Unknown, Value::Null, true, Value::Unknown),
        ] {
            let (prior, config) = (value(Value::Null, before), value(setting, Value::Null));
            assert_eq!(planned(&prior, &config, false, resets), expected, "row {row}");
            assert_eq!(planned(&prior, &config, true, true), Value::Null, "row {row}");
            assert_eq!(planned(&Value::Null, &config, true, true), Value::Null, "row {row}");
        }
    }

    #[test]
    fn the_previous_one_is_another_and_is_found_again() {
        let target = Target { vendor: vendor(ResetKind::NewCredential), fields: Fields::default() };
        let prior = |id: Option<&str>| PriorCredential { version: id.map(str::to_owned), username: Some("key".into()) };
        for (before, now, is_kept) in [
            (Some("old"), Some("new"), true),
            (Some("old"), None, true),
            (Some("old"), Some("OLD"), false),
            (None, Some("new"), false),
        ] {
            let previous = after(&target, &prior(before), now);
            assert_eq!(!previous.is_null(), is_kept, "{before:?} {now:?}");
            let found = of(&target, &value(Value::Null, previous)).and_then(|found| found.version);
            assert_eq!(found.as_deref(), before.filter(|_| is_kept));
        }
        assert_eq!(of(&target, &value(Value::Null, "another/old")), None);
    }
}
