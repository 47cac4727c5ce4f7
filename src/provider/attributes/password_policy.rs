//! `password_policy`: the rules for passwords that the provider generates.

use super::{PASSWORD_POLICY, PASSWORD_WO};
use crate::{
    framework::{
        diagnostic::{Diagnostic, Diagnostics, Path},
        schema::{Attribute, Type},
        validate::invalid,
        value::Value,
    },
    http::Outcome,
    rotation::PasswordPolicy,
    vendors::{PasswordSource, Vendor},
};

const LENGTH: &str = "length";
const LOWER: &str = "lower";
const UPPER: &str = "upper";
const DIGITS: &str = "digits";
const SPECIAL: &str = "special";
const SPECIAL_CHARACTERS: &str = "special_characters";

const DEFAULT_LENGTH: i64 = 32;
/// The unreserved characters of RFC 3986, section 2.3, that are neither letters nor digits: no URL needs to escape
/// them.
const DEFAULT_SPECIAL_CHARACTERS: &str = "-_.~";

/// The nested attributes of `password_policy`.
pub(in crate::provider) fn attributes() -> Vec<Attribute> {
    let wanted = |name, what| {
        Attribute::optional(name, Type::Bool, format!("Whether the password has {what}. Default: `true`."))
    };
    vec![
        wanted(DIGITS, "digits"),
        Attribute::optional(LENGTH, Type::Number, "Length of the password, 12 to 128. Default: `32`, or what the vendor accepts if that is less."),
        wanted(LOWER, "lower-case letters"),
        wanted(SPECIAL, "characters of `special_characters`"),
        Attribute::optional(
            SPECIAL_CHARACTERS,
            Type::String,
            format!(
                "The special characters to choose from, all of them ASCII punctuation. Default: `{DEFAULT_SPECIAL_CHARACTERS}`."
            ),
        )
        .validated_by(punctuation),
        wanted(UPPER, "upper-case letters"),
    ]
}

/// Returns the policy that a `password_policy` describes, or the default if it is null. `None` if it is invalid or a
/// part of it is unknown.
pub(in crate::provider) fn of(value: &Value) -> Option<PasswordPolicy> {
    value.is_wholly_known().then(|| read(value).ok()).flatten()
}

/// Validates what no check of a single string can. Anything unknown is accepted.
pub(in crate::provider) fn validate(value: &Value) -> Diagnostics {
    if value.is_wholly_known() { read(value).err().unwrap_or_default() } else { Diagnostics::default() }
}

/// Returns an error for each of these arguments that chooses the password although the vendor generates it. One that is
/// unknown may turn out to be null.
pub(in crate::provider) fn refused(vendor: &Vendor, config: &Value, names: &[&'static str]) -> Vec<Diagnostic> {
    let is_set = |name: &str| !config.get(name).is_null() && !config.get(name).is_unknown();
    let set = names.iter().copied().filter(|name| vendor.password_source == PasswordSource::Vendor && is_set(name));
    let error = |name: &'static str| {
        let title = vendor.title;
        let detail = format!("{title} generates the password and returns it once, so `{name}` cannot be set.");
        Diagnostic::error(format!("{title} generates the password itself"), detail).at(Path::attribute(name))
    };
    set.map(error).collect()
}

/// Returns an error if the password would be longer than the vendor accepts.
pub(in crate::provider) fn too_long(vendor: &Vendor, policy: &Value) -> Option<Diagnostic> {
    let longest = vendor.longest_password?;
    let length = policy.get(LENGTH).as_number()?.as_i64()?;
    let is_longer = usize::try_from(length).is_ok_and(|length| length > longest);
    let words = || format!("must be at most {longest}: {} accepts no longer password", vendor.title);
    is_longer.then(|| invalid(Path::attribute(PASSWORD_POLICY).then(LENGTH), &words()))
}

/// Returns an error if a password of the user's own, where it is known, is longer than the vendor accepts.
pub(in crate::provider) fn own_too_long(vendor: &Vendor, own: &Value) -> Option<Diagnostic> {
    let (longest, own) = (vendor.longest_password?, own.as_secret()?);
    let is_longer = own.check(|own| if own.chars().count() > longest { Err(()) } else { Ok(()) }).is_err();
    let words = || {
        format!(
            "must have at most {longest} characters: {} accepts no longer password. {} Set a shorter one",
            vendor.title,
            Outcome::NotChanged.sentence()
        )
    };
    is_longer.then(|| invalid(Path::attribute(PASSWORD_WO), &words()))
}

fn read(value: &Value) -> Result<PasswordPolicy, Diagnostics> {
    let path = || Path::attribute(PASSWORD_POLICY);
    let length = match value.get(LENGTH).as_number() {
        None => Some(DEFAULT_LENGTH),
        Some(length) => length.as_i64(),
    };
    let length = length.and_then(|length| usize::try_from(length).ok()).filter(|length| (12..=128).contains(length));
    let length = length.ok_or_else(|| invalid(path().then(LENGTH), "must be a whole number from 12 to 128"))?;
    let special = value.get(SPECIAL_CHARACTERS).as_str().unwrap_or(DEFAULT_SPECIAL_CHARACTERS);
    let classes = [
        (LOWER, ('a'..='z').collect::<String>()),
        (UPPER, ('A'..='Z').collect()),
        (DIGITS, ('0'..='9').collect()),
        (SPECIAL, special.to_owned()),
    ];
    // Every class is enabled unless it is explicitly disabled.
    let wanted = classes.into_iter().filter(|(name, _)| value.get(name) != &Value::Bool(false));
    let classes: Vec<_> = wanted.map(|(_, characters)| characters).collect();
    if classes.iter().any(String::is_empty) {
        return Err(invalid(path().then(SPECIAL_CHARACTERS), "must not be empty when `special` is true").into());
    }
    if classes.is_empty() {
        return Err(invalid(path(), "must enable at least one character class").into());
    }
    Ok(PasswordPolicy::new(length, classes))
}

fn punctuation(text: &str) -> Result<(), &'static str> {
    if text.bytes().all(|byte| byte.is_ascii_punctuation()) {
        Ok(())
    } else {
        Err("must contain only ASCII \
        punctuation")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{framework::value::Number, vendors::VENDORS};

    fn policy(settings: &[(&'static str, Value)]) -> PasswordPolicy {
        of(&Value::object(settings.iter().cloned())).unwrap()
    }

    #[test]
    fn policies_are_equal_by_what_they_allow() {
        let default = of(&Value::Null).unwrap();
        assert_eq!(policy(&[]), default);
        assert_eq!(policy(&[(LENGTH, Number::from(32).into()), (LOWER, true.into())]), default);
        assert_eq!(policy(&[(SPECIAL_CHARACTERS, "~._--".into())]), default);
        assert_ne!(policy(&[(SPECIAL_CHARACTERS, "-_.~!*".into())]), default);
        assert_ne!(policy(&[(SPECIAL, false.into())]), default);
        let without = policy(&[(SPECIAL, false.into()), (SPECIAL_CHARACTERS, "+".into())]);
        assert_eq!(without, policy(&[(SPECIAL, false.into())]));
        assert_eq!(of(&Value::object([(LENGTH, Value::Unknown)])), None);
    }

    #[test]
    fn a_default_password_needs_no_escaping_anywhere() {
        let policy = of(&Value::Null).unwrap();
        for _ in 0..2000 {
            let password = policy.generate(getrandom::fill).unwrap();
            let password = password.for_state();
            assert_eq!(password.len(), 32);
            let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            assert!(password.bytes().all(is_unreserved));
            assert!(!password.starts_with(['-', '.', '_', '~']) && !password.ends_with(['-', '.', '_', '~']));
        }
    }

    #[test]
    fn every_vendor_accepts_a_default_password() {
        let default = usize::try_from(DEFAULT_LENGTH).unwrap();
        for vendor in VENDORS {
            assert!(vendor.longest_password.is_none_or(|longest| longest >= default), "{}", vendor.name);
        }
    }

    #[test]
    fn impossible_policies_are_refused() {
        let nothing = [LOWER, UPPER, DIGITS, SPECIAL].map(|name| (name, Value::Bool(false)));
        for (value, path) in [
            (Value::object([(LENGTH, Number::from(11).into())]), "password_policy.length"),
            (Value::object([(LENGTH, Number::from(129).into())]), "password_policy.length"),
            (Value::object([(SPECIAL_CHARACTERS, "".into())]), "password_policy.special_characters"),
            (Value::object(nothing), "password_policy"),
        ] {
            assert_eq!(validate(&value).iter().next().unwrap().path.to_string(), path);
        }
        let unwanted = Value::object([(SPECIAL, false.into()), (SPECIAL_CHARACTERS, "".into())]);
        assert_eq!(validate(&unwanted).iter().count(), 0);
        assert!(punctuation("a").is_err() && punctuation("é").is_err());
    }
}
