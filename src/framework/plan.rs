//! The plan, as far as it follows from a schema: what the configuration says, what is kept, what replaces.

use super::{
    diagnostic::Path,
    schema::{Attribute, Mode, OnChange, Schema, Type},
    state::Private,
    value::{Object, Value},
};

/// A plan in the making.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The state before; null for a create and for the second plan of a replacement.
    pub prior: Value,
    /// The configuration.
    pub config: Value,
    /// The planned state.
    pub planned: Value,
    /// The attributes whose change replaces the object.
    pub replace: Vec<Path>,
    /// What the apply is to be handed. It starts as what is stored beside the prior state.
    pub private: Private,
}

/// Drafts the plan of a create or an update.
///
/// - An attribute that the configuration sets is planned so, unknown included. Write-only ones are planned null.
/// - What the provider computes is kept from the prior state, or is unknown where there is none. Where only the provider may
///   compute it, nothing is taken from the configuration, whatever stands there: core does not refuse it.
/// - A change of an attribute that replaces is listed, at the deepest path that both sides have.
pub fn draft(schema: &Schema, config: Value, prior: Value, prior_private: Private) -> Draft {
    let planned = plan_object(&schema.attributes, &config, &prior);
    let mut replace = Vec::new();
    if !prior.is_null() {
        list_replacements(&schema.attributes, &planned, &prior, &Path::default(), &mut replace);
    }
    Draft { prior, config, planned, replace, private: prior_private }
}

fn plan_object(attributes: &[Attribute], config: &Value, prior: &Value) -> Value {
    Value::Object(Object::of(attributes, |attribute| {
        let (config, prior_value) = (config.get(&attribute.name), prior.get(&attribute.name));
        plan_attribute(attribute, config, prior_value, prior.is_null())
    }))
}

fn plan_attribute(attribute: &Attribute, config: &Value, prior: &Value, is_new: bool) -> Value {
    let computed = || if is_new { Value::Unknown } else { prior.clone() };
    if attribute.write_only {
        return Value::Null;
    }
    if attribute.mode == Mode::Computed {
        return computed();
    }
    match (&attribute.r#type, config) {
        (Type::Object(nested), Value::Object(_)) => plan_object(nested, config, prior),
        (Type::Objects(nested), Value::List(items)) => {
            Value::List(items.iter().map(|item| plan_object(nested, item, &Value::Null)).collect())
        }
        (_, Value::Null) if attribute.is_computed() => computed(),
        _ => config.clone(),
    }
}

fn list_replacements(attributes: &[Attribute], planned: &Value, prior: &Value, at: &Path, replace: &mut Vec<Path>) {
    for attribute in attributes {
        let (planned, prior) = (planned.get(&attribute.name), prior.get(&attribute.name));
        if planned == prior {
            continue;
        }
        let path = at.clone().then(attribute.name.clone());
        match (&attribute.r#type, planned, prior) {
            (Type::Object(nested), Value::Object(_), Value::Object(_)) => {
                list_replacements(nested, planned, prior, &path, replace);
            }
            _ if attribute.on_change == OnChange::Replace => replace.push(path),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted() -> Vec<Attribute> {
        vec![Attribute::computed("seen", Type::Bool, "")]
    }

    fn schema() -> Schema {
        let nested = vec![
            Attribute::required("name", Type::String, "").requires_replace(),
            Attribute::optional("note", Type::String, ""),
            Attribute::computed("seen", Type::Bool, ""),
        ];
        Schema {
            attributes: vec![
                Attribute::optional("target", Type::Object(nested), "").requires_replace(),
                Attribute::optional("mode", Type::String, ""),
                Attribute::optional_computed("host", Type::String, ""),
                Attribute::optional("once", Type::String, "").write_only(),
                Attribute::computed("id", Type::String, ""),
                Attribute::computed("found", Type::Object(noted()), ""),
            ],
            ..Schema::default()
        }
    }

    fn target(name: &str, note: &str) -> Value {
        Value::object([("name", name.into()), ("note", note.into()), ("seen", Value::Null)])
    }

    fn state(target: Value, host: &str) -> Value {
        Value::object([
            ("target", target),
            ("mode", Value::Null),
            ("host", host.into()),
            ("once", Value::Null),
            ("id", "1".into()),
            ("found", Value::Null),
        ])
    }

    fn config(target: Value) -> Value {
        Value::object([("target", target), ("once", "secret".into())])
    }

    #[test]
    fn a_create_leaves_unknown_what_the_provider_computes() {
        let draft = draft(&schema(), config(target("a", "n")), Value::Null, Private::default());
        assert_eq!(draft.planned.get("mode"), &Value::Null);
        assert_eq!(draft.planned.get("host"), &Value::Unknown);
        assert_eq!(draft.planned.get("id"), &Value::Unknown);
        assert_eq!(draft.planned.get("once"), &Value::Null);
        assert_eq!(draft.replace, []);
    }

    #[test]
    fn an_update_keeps_what_was_computed() {
        let draft = draft(&schema(), config(target("a", "m")), state(target("a", "n"), "h"), Private(vec![1]));
        assert_eq!(draft.planned, state(target("a", "m"), "h"));
        assert_eq!(draft.replace, []);
        assert_eq!(draft.private, Private(vec![1]));
    }

    #[test]
    fn what_only_the_provider_computes_is_never_taken_from_the_configuration() {
        for (text, flag) in [("mine".into(), Value::from(true)), (Value::Unknown, Value::Unknown)] {
            let mut mine = target("a", "n");
            mine.set("seen", flag.clone());
            let mut config = config(mine);
            config.set("id", text);
            config.set("found", Value::object([("seen", flag)]));
            let create = draft(&schema(), config.clone(), Value::Null, Private::default()).planned;
            for value in [create.get("id"), create.get("found"), create.get("target").get("seen")] {
                assert_eq!(value, &Value::Unknown);
            }
            let mut prior = state(target("a", "n"), "h");
            prior.set("target", Value::object([("name", "a".into()), ("note", "n".into()), ("seen", false.into())]));
            assert_eq!(draft(&schema(), config, prior.clone(), Private::default()).planned, prior);
        }
    }

    #[test]
    fn a_change_inside_an_object_replaces_at_the_attribute_inside() {
        let draft = draft(&schema(), config(target("b", "n")), state(target("a", "n"), "h"), Private::default());
        assert_eq!(draft.replace, [Path::attribute("target").then("name")]);
    }

    #[test]
    fn an_object_that_comes_goes_or_is_unknown_replaces_as_a_whole() {
        for new in [Value::Null, Value::Unknown] {
            let draft = draft(&schema(), config(new), state(target("a", "n"), "h"), Private::default());
            assert_eq!(draft.replace, [Path::attribute("target")]);
        }
    }
}
