//! `age_recipients` and `encrypted_password`: the keys that a password is encrypted to before it is stored.
//!
//! A resource calls [`validate`], plans with [`changes`] and [`plan_reset`], prepares with [`prepare`] before its
//! reset, and stores with [`Storage::put`].

use std::collections::BTreeSet;

use super::verify;
use crate::{
    age::{Recipient, RecipientError, Seal},
    framework::{
        diagnostic::{Diagnostic, Diagnostics, Path},
        schema::{Attribute, Type},
        validate::invalid,
        value::Value,
    },
    secret::Secret,
};

pub(in crate::provider) const AGE_RECIPIENTS: &str = "age_recipients";
pub(in crate::provider) const ENCRYPTED_PASSWORD: &str = "encrypted_password";

/// The attribute that holds the password if there are no recipients.
const PASSWORD: &str = "password";

/// The argument. `change` says what setting, changing or removing the recipients does, and `conflicts` names the
/// arguments that conflict with them.
pub(in crate::provider) fn argument(change: &str, conflicts: &str) -> Attribute {
    let description = format!(
        "Recipients of the age format (`age1…`, type X25519). The password is encrypted to all of them before it is \
         stored: `encrypted_password` has it, and `password` is null. Setting, changing or removing them {change}; \
         their order and duplicates do not matter. Conflicts with {conflicts}."
    );
    Attribute::optional(AGE_RECIPIENTS, Type::List(Box::new(Type::String)), &description)
}

/// The computed attribute.
pub(in crate::provider) fn answer() -> Attribute {
    Attribute::computed(
        ENCRYPTED_PASSWORD,
        Type::String,
        "The password, encrypted to `age_recipients`, as an armored age file. `provider::smtp::decrypt` and `age \
         --decrypt` decrypt it. Null without recipients, and after an import until the first rotation.",
    )
}

/// Validates the recipients, and what conflicts with them. Any value may be unknown.
pub(in crate::provider) fn validate(config: &Value) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    // An unknown list may turn out to be null.
    let Value::List(recipients) = config.get(AGE_RECIPIENTS) else { return diagnostics };
    if recipients.is_empty() {
        let words = "must have at least one recipient; to store the password in clear text, remove the argument";
        diagnostics.push(invalid(Path::attribute(AGE_RECIPIENTS), words));
    }
    for (index, recipient) in recipients.iter().enumerate() {
        let error = match recipient {
            Value::Null => invalid(path(index), "must not be null"),
            Value::String(text) => match Recipient::parse(text) {
                Ok(_) => continue,
                Err(error) => refused(index, text, error),
            },
            _ => continue,
        };
        diagnostics.push(error);
    }
    if verify::is_on_refresh(config) {
        let words = "conflicts with `age_recipients`: a refresh cannot log in with a password that it cannot decrypt";
        diagnostics.push(invalid(verify::on_refresh_path(), words));
    }
    diagnostics
}

/// The error for a text that is not a recipient.
fn refused(index: usize, text: &str, error: RecipientError) -> Diagnostic {
    let words = match error {
        RecipientError::Identity => {
            // It must not appear in a log either.
            Secret::new(text).remember();
            let path = path(index);
            let detail = format!(
                "`{path}` is an age identity, which is secret. Set the recipient that belongs to it: `age-keygen -y` \
                 prints it. An identity in a configuration is no longer secret, so make a new one."
            );
            // Without a path, because core would print the line of the configuration that it points at.
            return Diagnostic::error("An age identity is not a recipient", detail);
        }
        RecipientError::Hybrid => "is a recipient of the post-quantum type; only X25519 recipients are supported",
        RecipientError::Plugin => "is a recipient of an age plugin; only X25519 recipients are supported",
        RecipientError::Ssh => "is an SSH key; only X25519 recipients are supported, and `age-keygen` makes one",
        RecipientError::UpperCase => "must be in lower case",
        RecipientError::Malformed => {
            "must be an X25519 recipient of the age format: `age1` and 58 more characters, with no typing error"
        }
    };
    invalid(path(index), words)
}

fn path(index: usize) -> Path {
    Path::attribute(AGE_RECIPIENTS).index(index)
}

/// Returns whether the recipients may differ between a prior state and a plan. Their order and duplicates do not matter.
pub(in crate::provider) fn changes(prior: &Value, planned: &Value) -> bool {
    let [before, after] = [prior, planned].map(|state| set(state.get(AGE_RECIPIENTS)));
    after.is_none() || before != after
}

/// Returns the recipients as a set, which is empty if there are none; `None` if any of them is unknown.
fn set(recipients: &Value) -> Option<BTreeSet<&str>> {
    match recipients {
        Value::Null => Some(BTreeSet::new()),
        Value::List(recipients) => recipients.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// Plans the two attributes that hold the password after a reset. `is_own` is whether the password is certainly the
/// user's own, which is not stored.
pub(in crate::provider) fn plan_reset(planned: &mut Value, is_own: bool) {
    let (password, encrypted) = match planned.get(AGE_RECIPIENTS) {
        _ if is_own => (Value::Null, Value::Null),
        Value::Null => (Value::Unknown, Value::Null),
        Value::List(_) => (Value::Null, Value::Unknown),
        _ => (Value::Unknown, Value::Unknown),
    };
    planned.set(PASSWORD, password);
    planned.set(ENCRYPTED_PASSWORD, encrypted);
}

/// Returns whether a state has a password, encrypted or not.
pub(in crate::provider) fn has_password(state: &Value) -> bool {
    [PASSWORD, ENCRYPTED_PASSWORD].iter().any(|name| !state.get(name).is_null())
}

/// How the password of a reset will be stored.
#[derive(Debug)]
pub(in crate::provider) enum Storage {
    /// In clear text.
    Clear,
    /// Encrypted. One seal is for one password only.
    Encrypted(Box<Seal>),
}

/// Prepares to store the password of a reset whose every value is known. To be called before the reset; after it
/// nothing can fail.
pub(in crate::provider) fn prepare(planned: &Value) -> Result<Storage, Diagnostic> {
    let recipients = match planned.get(AGE_RECIPIENTS) {
        Value::Null => return Ok(Storage::Clear),
        recipients => set(recipients),
    };
    let recipients = recipients.into_iter().flatten().map(Recipient::parse).collect::<Result<Vec<_>, _>>();
    // Validation has rejected anything else, with every value known.
    let Some(recipients) = recipients.ok().filter(|recipients| !recipients.is_empty()) else {
        return Err(invalid(
            Path::attribute(AGE_RECIPIENTS),
            "contains something other than recipients. The password was not changed",
        ));
    };
    Seal::prepare(&recipients, getrandom::fill)
        .map(|seal| Storage::Encrypted(Box::new(seal)))
        .ok_or_else(no_random_bytes)
}

/// The error for a seal that could not be prepared.
fn no_random_bytes() -> Diagnostic {
    Diagnostic::error(
        "The password could not be encrypted",
        "The system did not provide random bytes for the encryption. The password was not changed. Try again later.",
    )
    .at(Path::attribute(AGE_RECIPIENTS))
}

impl Storage {
    /// Puts a password into a state; `None` if it is the user's own. Cannot fail. The same password gives the same
    /// state.
    pub(in crate::provider) fn put(&self, state: &mut Value, password: Option<&Secret>) {
        let (clear, encrypted) = match (self, password) {
            (Self::Clear, password) => (password.cloned(), None),
            (Self::Encrypted(seal), password) => (None, password.map(|password| seal.seal(password))),
        };
        state.set(PASSWORD, clear);
        state.set(ENCRYPTED_PASSWORD, encrypted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::age::{Identities, open_armored};

    const ONE: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    const TWO: &str = "age13ppjsl6lgqezs762gwqj42s94jyqudqfaz8lf0ag3vle8z7s0yjsuep7er";

    fn recipients(texts: &[&str]) -> Value {
        Value::List(texts.iter().map(|text| (*text).into()).collect())
    }

    fn with(recipients: Value) -> Value {
        Value::object([(AGE_RECIPIENTS, recipients), (PASSWORD, Value::Null), (ENCRYPTED_PASSWORD, Value::Null)])
    }

    fn errors(config: &Value) -> Vec<(String, String)> {
        let diagnostics = validate(config).into_iter();
        diagnostics.map(|diagnostic| (diagnostic.path.to_string(), diagnostic.detail)).collect()
    }

    #[test]
    fn recipients_are_valid_in_any_order_twice_and_unknown() {
        let thousand = vec![ONE; 1000];
        for good in
            [recipients(&[ONE]), recipients(&[TWO, ONE, ONE]), recipients(&thousand), Value::Null, Value::Unknown]
        {
            assert_eq!(errors(&with(good)), []);
        }
        assert_eq!(errors(&with(Value::List(vec![Value::Unknown, ONE.into()]))), []);
    }

    #[test]
    fn what_is_no_recipient_is_pointed_at_and_not_repeated() {
        for (bad, words) in [
            (ONE.to_uppercase(), "must be in lower case"),
            (format!("age1pq1{}", "q".repeat(900)), "post-quantum"),
            ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA needle".to_owned(), "is an SSH key"),
            (ONE.replace("ujwj", "ujwq"), "with no typing error"),
            (String::new(), "must be an X25519 recipient"),
        ] {
            let [(path, detail)] = &errors(&with(recipients(&[ONE, &bad])))[..] else { panic!("{words}") };
            assert_eq!(path, "age_recipients[1]");
            assert!(detail.contains(words) && !detail.contains("needle") && detail.len() < 250, "{detail}");
        }
        let null = Value::List(vec![Value::Null]);
        assert_eq!(
            errors(&with(null))[0],
            ("age_recipients[0]".to_owned(), "`age_recipients[0]` must not be null.".to_owned())
        );
        assert!(errors(&with(recipients(&[])))[0].1.contains("at least one"));
    }

    #[test]
    fn an_identity_is_not_pointed_at_since_core_would_print_it() {
        for identity in [IDENTITY.to_owned(), IDENTITY.to_lowercase(), format!("# mine\n{IDENTITY}\n")] {
            let [(path, detail)] = &errors(&with(recipients(&[ONE, &identity])))[..] else { panic!("one error") };
            assert_eq!(path, "");
            assert!(detail.contains("`age_recipients[1]` is an age identity"), "{detail}");
            assert!(!detail.to_uppercase().contains("GFPYY"));
        }
    }

    #[test]
    fn a_login_at_every_refresh_needs_the_password_in_clear_text() {
        let on_refresh = |value: Value| {
            let mut config = with(recipients(&[ONE]));
            config.set("verify", Value::object([("on_refresh", value)]));
            errors(&config).into_iter().map(|(path, _)| path).collect::<Vec<_>>()
        };
        assert_eq!(on_refresh(true.into()), ["verify.on_refresh"]);
        for fine in [false.into(), Value::Null, Value::Unknown] {
            assert_eq!(on_refresh(fine), [""; 0]);
        }
    }

    #[test]
    fn only_another_set_is_a_change() {
        for (before, after, expected) in [
            (Value::Null, Value::Null, false),
            (Value::Null, recipients(&[ONE]), true),
            (recipients(&[ONE]), Value::Null, true),
            (recipients(&[ONE]), recipients(&[ONE, ONE]), false),
            (recipients(&[ONE, TWO]), recipients(&[TWO, ONE]), false),
            (recipients(&[ONE, TWO]), recipients(&[ONE]), true),
            (recipients(&[ONE]), recipients(&[TWO]), true),
            (recipients(&[ONE]), Value::Unknown, true),
            (Value::Null, Value::Unknown, true),
            (recipients(&[ONE]), Value::List(vec![Value::Unknown]), true),
        ] {
            assert_eq!(changes(&with(before.clone()), &with(after.clone())), expected, "{before:?} {after:?}");
        }
    }

    #[test]
    fn what_holds_the_password_is_known_where_the_recipients_are() {
        let list = || recipients(&[ONE]);
        for (given, is_own, expected) in [
            (Value::Null, false, [Value::Unknown, Value::Null]),
            (Value::Null, true, [Value::Null, Value::Null]),
            (Value::Unknown, true, [Value::Null, Value::Null]),
            (list(), false, [Value::Null, Value::Unknown]),
            (Value::List(vec![Value::Unknown]), false, [Value::Null, Value::Unknown]),
            (Value::Unknown, false, [Value::Unknown, Value::Unknown]),
        ] {
            let mut planned = with(given);
            plan_reset(&mut planned, is_own);
            assert_eq!([PASSWORD, ENCRYPTED_PASSWORD].map(|name| planned.get(name).clone()), expected);
        }
    }

    #[test]
    fn a_password_is_stored_in_one_of_the_two() {
        let password = Secret::new("hunter2hunter2");
        let mut state = with(Value::Null);
        assert!(!has_password(&state));
        prepare(&state).unwrap().put(&mut state, Some(&password));
        assert_eq!(state.get(PASSWORD).as_secret(), Some(&password));
        assert!(state.get(ENCRYPTED_PASSWORD).is_null() && has_password(&state));

        let mut state = with(recipients(&[TWO, ONE, ONE]));
        let storage = prepare(&state).unwrap();
        storage.put(&mut state, Some(&password));
        let first = state.get(ENCRYPTED_PASSWORD).clone();
        assert!(state.get(PASSWORD).is_null() && has_password(&state));
        let identities = Identities::parse(&Secret::new(IDENTITY)).unwrap();
        assert_eq!(*open_armored(first.as_str().unwrap(), &identities).unwrap(), b"hunter2hunter2");
        storage.put(&mut state, Some(&password));
        assert_eq!(state.get(ENCRYPTED_PASSWORD), &first, "the same when it is stored once more");
        storage.put(&mut state, None);
        assert!(!has_password(&state));
    }
}
