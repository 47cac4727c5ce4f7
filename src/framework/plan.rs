//! Drafts a plan from a schema: configured values, computed values to keep, and changes that replace the object.

use super::{
    diagnostic::Path,
    schema::{Attribute, Mode, OnChange, Schema, Type},
    state::Private,
    value::{Object, Value},
};

/// A plan that a resource can still change.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The prior state; null for a create and for the second plan of a replacement.
    pub prior: Value,
    /// The configuration.
    pub config: Value,
    /// The planned state.
    pub planned: Value,
    /// The attributes whose change requires a replacement.
    pub replace: Vec<Path>,
    /// The private data that the apply will receive. Initially that of the prior state.
    pub private: Private,
}

/// Drafts the plan of a create or an update.
///
/// - A configured attribute is planned as configured, even if it is unknown. Write-only attributes are planned as null.
/// - A computed attribute keeps its prior value, or is unknown if there is no prior state. If only the provider may set
///   it, a configured value is ignored, since core does not reject one.
/// - A change that requires a replacement is listed at the deepest path that exists on both sides.
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
    // Core rejects a plan in which a write-only attribute is not null.
    if attribute.write_only {
        return Value::Null;
    }
    // Core accepts a configured value here, so it has to be ignored explicitly. Validation reports it.
    if attribute.mode == Mode::Computed {
        return computed();
    }
    match (&attribute.r#type, config) {
        (Type::Object(nested), Value::Object(_)) => plan_object(nested, config, prior),
        (Type::Objects(nested), Value::List(items)) => {
            // Elements have no identity, so a list of objects has no prior values to keep: one removed in the middle
            // would shift all that follow.
            let item = |item: &Value| match item {
                Value::Object(_) => plan_object(nested, item, &Value::Null),
                // Core rejects a plan of parts for an element that is null or unknown as a whole.
                _ => item.clone(),
            };
            Value::List(items.iter().map(item).collect())
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
                // Descend, so a change of one nested attribute does not replace the object for the sake of the others.
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
    fn an_element_of_a_list_is_planned_as_configured_null_and_unknown_ones_too() {
        let nested = vec![Attribute::required("name", Type::String, ""), Attribute::optional("note", Type::String, "")];
        let schema =
            Schema { attributes: vec![Attribute::optional("targets", Type::Objects(nested), "")], ..Schema::default() };
        let named = |name: Value| Value::object([("name", name), ("note", Value::Null)]);
        let targets = Value::List(vec![named("a".into()), Value::Null, Value::Unknown, named(Value::Unknown)]);
        let config = Value::object([("targets", targets)]);
        for prior in [Value::Null, Value::object([("targets", Value::List(vec![named("b".into())]))])] {
            let draft = draft(&schema, config.clone(), prior, Private::default());
            assert_eq!((draft.planned, draft.replace), (config.clone(), vec![]));
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
