//! Validates a configuration of the resource against rules that its schema cannot express.

use super::names::{AGE_RECIPIENTS, IN_PLACE, PASSWORD_POLICY, PASSWORD_WO, PASSWORD_WO_VERSION, ROTATION_MODE};
use crate::{
    framework::{
        diagnostic::{Diagnostic, Diagnostics, Path},
        validate::invalid,
        value::Value,
    },
    provider::attributes::{
        age_recipients,
        configured::Configured,
        host, lists, password_policy, retire_previous,
        target::{self, Named},
        verify,
    },
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
        Named::Nothing => diagnostics.push(target::missing()),
        Named::Several(vendors) => diagnostics.push(target::several(&vendors)),
        Named::One(named) => vendor = configured.vendor(named).if_known(),
        Named::Undecided => {}
    }
    if let Some(vendor) = vendor {
        diagnostics.collect(lists::validate(vendor, config));
        let names = [PASSWORD_POLICY, PASSWORD_WO, PASSWORD_WO_VERSION];
        diagnostics.extend(password_policy::refused(vendor, config, &names));
        diagnostics.extend(password_policy::too_long(vendor, config.get(PASSWORD_POLICY)));
        diagnostics.extend(password_policy::own_too_long(vendor, config.get(PASSWORD_WO)));
    }
    diagnostics.extend(own_password(config));
    diagnostics.extend(age_recipients::validate(config));
    diagnostics.extend(password_policy::validate(config.get(PASSWORD_POLICY)));
    let mode = config.get(ROTATION_MODE);
    let is_in_place = (!mode.is_unknown()).then(|| mode.as_str() == Some(IN_PLACE));
    diagnostics.extend(retire_previous::validate(config, vendor, is_in_place));
    diagnostics.extend(verify::validate(config, vendor));
    diagnostics.extend(host::validate_port(config));
    diagnostics
}

/// Returns an error if the arguments for a password of the user's own conflict.
fn own_password(config: &Value) -> Option<Diagnostic> {
    let [own, version, policy] = [PASSWORD_WO, PASSWORD_WO_VERSION, PASSWORD_POLICY].map(|name| config.get(name));
    let error = |name: &'static str, words: &str| Some(invalid(Path::attribute(name), words));
    if own.is_null() && is_set(version) {
        error(PASSWORD_WO_VERSION, "requires `password_wo`")
    } else if is_set(own) && is_set(config.get(AGE_RECIPIENTS)) {
        error(AGE_RECIPIENTS, "conflicts with `password_wo`, which is never stored; set only one of them")
    } else if is_set(own) && is_set(policy) {
        error(PASSWORD_POLICY, "conflicts with `password_wo`; set only one of them")
    } else {
        None
    }
}

/// Returns whether a value is certainly set. An unknown one may turn out to be null, and core validates again once it
/// is known.
fn is_set(value: &Value) -> bool {
    !value.is_null() && !value.is_unknown()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{framework::value::Number, secret::Secret};

    /// Returns the paths of the errors for these arguments together with a target.
    fn errors(target: (&'static str, &[(&'static str, &str)]), arguments: &[(&'static str, Value)]) -> Vec<String> {
        let (vendor, fields) = target;
        let mut config =
            Value::object([(vendor, Value::object(fields.iter().map(|(name, value)| (*name, (*value).into()))))]);
        for (name, value) in arguments {
            config.set(*name, value.clone());
        }
        let diagnostics = super::config(&config);
        diagnostics.iter().map(|diagnostic| diagnostic.path.to_string()).collect()
    }

    const BY_THE_VENDOR: (&str, &[(&str, &str)]) = ("hubspot", &[("user_name", "a@b")]);
    const BY_THE_CALLER: (&str, &[(&str, &str)]) = ("hostup", &[("account_id", "acct_1"), ("address", "a@b")]);

    fn policy() -> Value {
        Value::object([("length", Number::from(20).into())])
    }

    #[test]
    fn a_password_of_the_callers_is_for_vendors_that_take_one() {
        let all = [(PASSWORD_POLICY, policy()), (PASSWORD_WO_VERSION, "1".into())];
        assert_eq!(errors(BY_THE_VENDOR, &all)[..2], [PASSWORD_POLICY, PASSWORD_WO_VERSION]);
        assert_eq!(errors(BY_THE_VENDOR, &[(PASSWORD_WO, Secret::new("x").into())]), [PASSWORD_WO]);
        assert_eq!(errors(BY_THE_CALLER, &[(PASSWORD_WO, Secret::new("x").into())]).len(), 0);
        assert_eq!(errors(BY_THE_CALLER, &[(PASSWORD_POLICY, policy())]).len(), 0);
    }

    #[test]
    fn a_password_is_no_longer_than_the_vendor_accepts() {
        let mailgun: (&str, &[(&str, &str)]) = ("mailgun", &[("domain", "example.com"), ("login", "newsletter")]);
        let length = |length: i64| Value::object([("length", Number::from(length).into())]);
        for (target, policy, paths) in [
            (mailgun, length(32), vec![]),
            (mailgun, length(33), vec!["password_policy.length"]),
            (mailgun, Value::Null, vec![]),
            (mailgun, Value::Unknown, vec![]),
            (mailgun, Value::object([("length", Value::Unknown)]), vec![]),
            (BY_THE_CALLER, length(33), vec![]),
        ] {
            assert_eq!(errors(target, &[(PASSWORD_POLICY, policy)]), paths);
        }
    }

    #[test]
    fn a_password_of_the_users_own_is_no_longer_than_the_vendor_accepts() {
        let mailgun: (&str, &[(&str, &str)]) = ("mailgun", &[("domain", "example.com"), ("login", "newsletter")]);
        let own = |text: String| (PASSWORD_WO, Value::from(Secret::new(text)));
        // Characters, not bytes.
        for (target, text, paths) in [
            (mailgun, "é".repeat(32), vec![]),
            (mailgun, "é".repeat(33), vec![PASSWORD_WO]),
            (BY_THE_CALLER, "é".repeat(33), vec![]),
        ] {
            assert_eq!(errors(target, &[own(text)]), paths);
        }
        assert_eq!(errors(mailgun, &[(PASSWORD_WO, Value::Unknown)]).len(), 0);
    }

    #[test]
    fn a_version_needs_a_password_and_a_password_has_no_policy() {
        let (own, version) = (Value::from(Secret::new("x")), Value::from("1"));
        for (arguments, paths) in [
            (vec![(PASSWORD_WO_VERSION, version.clone())], vec![PASSWORD_WO_VERSION]),
            (vec![(PASSWORD_WO, own.clone()), (PASSWORD_WO_VERSION, version)], vec![]),
            (vec![(PASSWORD_WO, own), (PASSWORD_POLICY, policy())], vec![PASSWORD_POLICY]),
        ] {
            assert_eq!(errors(BY_THE_CALLER, &arguments), paths);
        }
    }

    #[test]
    fn what_is_never_stored_cannot_be_encrypted() {
        let recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
        let recipients = (AGE_RECIPIENTS, Value::List(vec![recipient.into()]));
        assert_eq!(
            errors(BY_THE_CALLER, &[(PASSWORD_WO, Secret::new("x").into()), recipients.clone()]),
            [AGE_RECIPIENTS]
        );
        assert_eq!(errors(BY_THE_CALLER, &[(PASSWORD_WO, Value::Unknown), recipients.clone()]).len(), 0);
        assert_eq!(
            errors(BY_THE_CALLER, &[(PASSWORD_WO, Secret::new("x").into()), (AGE_RECIPIENTS, Value::Unknown)]).len(),
            0
        );
        assert_eq!(errors(BY_THE_CALLER, &[(PASSWORD_POLICY, policy()), recipients.clone()]).len(), 0);
        assert_eq!(errors(BY_THE_VENDOR, &[recipients]).len(), 0);
    }

    #[test]
    fn what_may_turn_out_null_is_no_error_yet() {
        let unknown = [PASSWORD_POLICY, PASSWORD_WO, PASSWORD_WO_VERSION].map(|name| (name, Value::Unknown));
        for target in [BY_THE_CALLER, BY_THE_VENDOR] {
            assert_eq!(errors(target, &unknown).len(), 0);
            assert_eq!(errors(target, &unknown[2..]).len(), 0);
        }
    }
}
