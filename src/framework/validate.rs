//! Validates configurations and arguments against a schema.

use std::borrow::Cow;

use super::{
    diagnostic::{Diagnostic, Diagnostics, Path},
    schema::{Attribute, Mode, Type},
    value::Value,
};

/// Whether core supports write-only arguments.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WriteOnly {
    /// Core keeps them out of plan and state.
    Allowed,
    /// Core is too old and would store them.
    Refused,
}

/// Validates a configuration against its schema: required arguments, checks of strings, write-only arguments, and
/// attributes that only the provider may set.
///
/// The last is needed because core accepts and stores a value for an attribute that is only computed. Unknown values
/// pass every other check; core validates again once they are known.
pub fn config(attributes: &[Attribute], config: &Value, write_only: WriteOnly) -> Diagnostics {
    let mut validator = Validator { write_only, diagnostics: Diagnostics::default() };
    validator.object(attributes, config, Location::Whole);
    validator.diagnostics
}

/// Creates the error for a value that a check rejects. `words` follow the path: "must not be empty".
///
/// The text repeats the path, because for a nested attribute core quotes only the block around it.
pub fn invalid(path: Path, words: &str) -> Diagnostic {
    Diagnostic::error(format!("Invalid value for `{path}`"), format!("`{path}` {words}.")).at(path)
}

struct Validator {
    write_only: WriteOnly,
    diagnostics: Diagnostics,
}

impl Validator {
    fn object(&mut self, attributes: &[Attribute], value: &Value, at: Location<'_>) {
        // A null or unknown object has no attributes to check yet.
        if matches!(value, Value::Object(_)) {
            for attribute in attributes {
                self.attribute(attribute, value.get(&attribute.name), Location::Attribute(&at, attribute));
            }
        }
    }

    fn attribute(&mut self, attribute: &Attribute, value: &Value, at: Location<'_>) {
        match value {
            Value::Null if attribute.mode == Mode::Required => self.diagnostics.push(missing(attribute, at.path())),
            Value::Null => {}
            // Before the check for unknown values: such a value is wrong even if it is not known yet.
            _ if attribute.mode == Mode::Computed => self.diagnostics.push(computed(at.path())),
            Value::Unknown => {}
            _ if attribute.write_only && self.write_only == WriteOnly::Refused => {
                self.diagnostics.push(refused(attribute).at(at.path()));
            }
            _ => self.known(attribute, value, at),
        }
    }

    fn known(&mut self, attribute: &Attribute, value: &Value, at: Location<'_>) {
        match (&attribute.r#type, value) {
            (Type::Object(attributes) | Type::Block(attributes), object) => self.object(attributes, object, at),
            (Type::Map(_), Value::Object(elements)) => {
                for (name, element) in elements.iter() {
                    self.known(attribute, element, Location::Key(&at, name));
                }
            }
            (Type::Objects(attributes), Value::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.object(attributes, item, Location::Index(&at, index));
                }
            }
            // A check on a list of strings applies to each of them.
            (_, Value::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.known(attribute, item, Location::Index(&at, index));
                }
            }
            (_, text) => {
                if let Err(words) = check(attribute, text) {
                    self.diagnostics.push(invalid(at.path(), words));
                }
            }
        }
    }
}

/// The location of a value. It is converted to a path only for an error, since most values are valid and a path
/// allocates.
#[derive(Clone, Copy)]
enum Location<'p> {
    Whole,
    Attribute(&'p Location<'p>, &'p Attribute),
    Index(&'p Location<'p>, usize),
    Key(&'p Location<'p>, &'p str),
}

impl Location<'_> {
    fn path(self) -> Path {
        match self {
            Self::Whole => Path::default(),
            Self::Attribute(outer, attribute) => outer.path().then(attribute.name.clone()),
            Self::Index(outer, index) => outer.path().index(index),
            Self::Key(outer, key) => outer.path().then(key.to_owned()),
        }
    }
}

/// Applies an attribute's check to a known string; any other value passes. Returns the error of the check.
pub fn check(attribute: &Attribute, value: &Value) -> Result<(), &'static str> {
    match (attribute.check, value) {
        (Some(rule), Value::String(text)) => rule(text),
        (Some(rule), Value::Secret(secret)) => secret.check(rule),
        _ => Ok(()),
    }
}

/// Validates an argument of a function, at every depth. The error follows the parameter's name.
pub fn argument(parameter: &Attribute, value: &Value) -> Result<(), Cow<'static, str>> {
    match (&parameter.r#type, value) {
        (_, Value::Null) if parameter.mode == Mode::Required => Err("must not be null".into()),
        (Type::Object(attributes), Value::Object(_)) => {
            let rules = attributes.iter().map(|attribute| {
                let kept = argument(attribute, value.get(&attribute.name));
                kept.map_err(|words| format!("`{}` {words}", attribute.name).into())
            });
            rules.collect()
        }
        _ => check(parameter, value).map_err(Cow::from),
    }
}

fn missing(attribute: &Attribute, path: Path) -> Diagnostic {
    let detail = format!("`{path}` must be set. {}", attribute.description);
    Diagnostic::error(format!("Missing value for `{path}`"), detail).at(path)
}

fn computed(path: Path) -> Diagnostic {
    let detail = format!("Only the provider sets `{path}`. Remove it from the configuration.");
    Diagnostic::error(format!("`{path}` cannot be set"), detail).at(path)
}

fn refused(attribute: &Attribute) -> Diagnostic {
    let detail = format!(
        "`{}` is write-only: it is never stored. This requires Terraform 1.11 or OpenTofu 1.11 or later. Upgrade, or \
         remove the argument.",
        attribute.name
    );
    Diagnostic::error(format!("`{}` requires a newer Terraform", attribute.name), detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn no_space(text: &str) -> Result<(), &'static str> {
        if text.contains(' ') { Err("must not contain a space") } else { Ok(()) }
    }

    fn schema() -> Vec<Attribute> {
        let nested = || {
            vec![
                Attribute::required("host", Type::String, "").validated_by(no_space),
                Attribute::optional("port", Type::Number, ""),
                Attribute::computed("seen", Type::Bool, ""),
            ]
        };
        vec![
            Attribute::required("name", Type::String, "").validated_by(no_space),
            Attribute::optional("password_wo", Type::String, "").write_only().validated_by(no_space),
            Attribute::optional("tags", Type::List(Box::new(Type::String)), "").validated_by(no_space),
            Attribute::optional("target", Type::Object(nested()), ""),
            Attribute::optional("targets", Type::Objects(nested()), ""),
            Attribute::computed("id", Type::String, "").validated_by(no_space),
            Attribute::computed("found", Type::Objects(nested()), ""),
        ]
    }

    fn validator(name: &'static str, value: impl Into<Value>, write_only: WriteOnly) -> Vec<(String, String)> {
        let mut object = Value::object([("name", "a".into())]);
        object.set(name, value);
        let diagnostics = config(&schema(), &object, write_only).into_iter();
        diagnostics.map(|diagnostic| (diagnostic.path.to_string(), diagnostic.summary.into_owned())).collect()
    }

    fn faults(name: &'static str, value: impl Into<Value>) -> Vec<(String, String)> {
        validator(name, value, WriteOnly::Allowed)
    }

    fn fault(path: &str, summary: &str) -> (String, String) {
        (path.to_owned(), summary.to_owned())
    }

    fn host(host: &str) -> Value {
        Value::object([("host", host.into())])
    }

    #[test]
    fn a_required_argument_must_be_set_at_every_depth() {
        assert_eq!(faults("name", Value::Null), [fault("name", "Missing value for `name`")]);
        let empty = Value::object([("host", Value::Null)]);
        assert_eq!(faults("target", empty.clone()), [fault("target.host", "Missing value for `target.host`")]);
        let targets = Value::List(vec![host("a"), empty]);
        assert_eq!(faults("targets", targets), [fault("targets[1].host", "Missing value for `targets[1].host`")]);
        assert_eq!(faults("target", Value::Null), []);
    }

    #[test]
    fn a_text_must_keep_its_rule_at_every_depth() {
        assert_eq!(faults("name", "a b"), [fault("name", "Invalid value for `name`")]);
        assert_eq!(
            faults("tags", Value::List(vec!["a".into(), "b c".into()])),
            [fault("tags[1]", "Invalid value for `tags[1]`")]
        );
        assert_eq!(faults("target", host("a b")), [fault("target.host", "Invalid value for `target.host`")]);
        assert_eq!(
            faults("targets", Value::List(vec![host("a b")])),
            [fault("targets[0].host", "Invalid value for `targets[0].host`")]
        );
        assert_eq!(faults("target", host("ab")), []);
    }

    #[test]
    fn a_secret_must_keep_its_rule_and_is_not_repeated() {
        let object = Value::object([("name", "a".into()), ("password_wo", Secret::new("hunter 2").into())]);
        let diagnostics = config(&schema(), &object, WriteOnly::Allowed);
        let expected = Diagnostic::error("Invalid value for `password_wo`", "`password_wo` must not contain a space.");
        assert_eq!(diagnostics, expected.at(Path::attribute("password_wo")).into());
    }

    #[test]
    fn what_only_the_provider_sets_is_refused_known_or_unknown_at_every_depth() {
        let seen = |seen: Value| Value::object([("host", "a".into()), ("seen", seen)]);
        for (id, found, flag) in [
            (Value::from("1"), Value::List(vec![]), Value::from(false)),
            (Value::Unknown, Value::Unknown, Value::Unknown),
            ("a b".into(), Value::List(vec![host("a b")]), true.into()),
        ] {
            let objects = Value::List(vec![seen(Value::Null), seen(flag.clone())]);
            for (name, value, path) in [
                ("id", id, "id"),
                ("found", found, "found"),
                ("target", seen(flag), "target.seen"),
                ("targets", objects, "targets[1].seen"),
            ] {
                assert_eq!(faults(name, value), [fault(path, &format!("`{path}` cannot be set"))]);
            }
        }
        assert_eq!(faults("target", seen(Value::Null)), []);
    }

    #[test]
    fn what_is_unknown_is_not_judged() {
        for name in ["name", "password_wo", "tags", "target", "targets"] {
            assert_eq!(validator(name, Value::Unknown, WriteOnly::Refused), [], "{name}");
        }
        assert_eq!(faults("target", Value::object([("host", Value::Unknown)])), []);
        assert_eq!(faults("targets", Value::List(vec![Value::Unknown])), []);
        assert!(config(&schema(), &Value::Unknown, WriteOnly::Allowed).is_empty());
    }

    #[test]
    fn a_write_only_argument_needs_a_core_that_knows_them() {
        let password = Secret::new("hunter2");
        assert_eq!(faults("password_wo", password.clone()), []);
        assert_eq!(validator("password_wo", Value::Null, WriteOnly::Refused), []);
        let refused = fault("password_wo", "`password_wo` requires a newer Terraform");
        assert_eq!(validator("password_wo", password, WriteOnly::Refused), [refused]);
    }
}
