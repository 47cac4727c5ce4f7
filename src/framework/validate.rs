//! What a schema alone says about a configuration.

use super::{
    diagnostic::{Diagnostic, Diagnostics, Path},
    schema::{Attribute, Mode, Type},
    value::Value,
};

/// Whether core keeps write-only arguments out of plan and state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WriteOnly {
    /// It does.
    Allowed,
    /// It is too old, and would store them.
    Refused,
}

/// Judges a configuration by its schema: required arguments, the rules for texts, and write-only arguments.
///
/// What is unknown is not judged; core asks again once it is known.
pub fn config(attributes: &[Attribute], config: &Value, write_only: WriteOnly) -> Diagnostics {
    let mut judge = Judge { write_only, diagnostics: Diagnostics::default() };
    judge.object(attributes, config, &Path::default());
    judge.diagnostics
}

/// The error for a value that a rule refuses, with the rule's words.
pub fn invalid(name: &str, words: &str) -> Diagnostic {
    Diagnostic::error(format!("Invalid value for `{name}`"), format!("`{name}` {words}."))
}

struct Judge {
    write_only: WriteOnly,
    diagnostics: Diagnostics,
}

impl Judge {
    fn object(&mut self, attributes: &[Attribute], value: &Value, at: &Path) {
        if matches!(value, Value::Object(_)) {
            for attribute in attributes {
                self.attribute(attribute, value.get(&attribute.name), &at.clone().then(attribute.name.clone()));
            }
        }
    }

    fn attribute(&mut self, attribute: &Attribute, value: &Value, at: &Path) {
        match value {
            Value::Null if attribute.mode == Mode::Required => self.diagnostics.push(missing(attribute).at(at.clone())),
            Value::Null | Value::Unknown => {}
            _ if attribute.write_only && self.write_only == WriteOnly::Refused => {
                self.diagnostics.push(refused(attribute).at(at.clone()));
            }
            _ => self.known(attribute, value, at),
        }
    }

    fn known(&mut self, attribute: &Attribute, value: &Value, at: &Path) {
        match (&attribute.r#type, value) {
            (Type::Object(attributes), object) => self.object(attributes, object, at),
            (Type::Objects(attributes), Value::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.object(attributes, item, &at.clone().index(index));
                }
            }
            (_, Value::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.known(attribute, item, &at.clone().index(index));
                }
            }
            (_, text) => {
                if let Err(words) = check(attribute, text) {
                    self.diagnostics.push(invalid(&attribute.name, words).at(at.clone()));
                }
            }
        }
    }
}

fn check(attribute: &Attribute, value: &Value) -> Result<(), &'static str> {
    match (attribute.check, value) {
        (Some(rule), Value::String(text)) => rule(text),
        (Some(rule), Value::Secret(secret)) => secret.check(rule),
        _ => Ok(()),
    }
}

fn missing(attribute: &Attribute) -> Diagnostic {
    Diagnostic::error(format!("Missing value for `{}`", attribute.name), format!("`{}` must be set.", attribute.name))
}

fn refused(attribute: &Attribute) -> Diagnostic {
    let detail = format!(
        "`{}` is write-only, so that it is never stored. This needs Terraform 1.11 or OpenTofu 1.11 or later. \
         Upgrade, or remove the argument.",
        attribute.name
    );
    Diagnostic::error(format!("`{}` needs a newer Terraform", attribute.name), detail)
}
