//! Converts between the framework's types and the wire types.

use serde_json::{Value as Json, json};

use super::wire::tfplugin6 as wire;
use crate::framework::{
    DecodeError, Resource, Signature,
    diagnostic::{Diagnostic, Diagnostics, Path, Result, Severity, Step},
    json, msgpack,
    schema::{Attribute, Mode, Schema, Type},
    value::Value,
};

/// Decodes a value in either encoding. A missing one is null, as in core. Its bytes are wiped.
pub(super) fn decode(value: Option<wire::DynamicValue>, attributes: &[Attribute]) -> Result<Value> {
    let Some(value) = value else { return Ok(Value::Null) };
    let decoded = match (value.msgpack.as_slice(), value.json.as_slice()) {
        ([], []) => Ok(Value::Null),
        ([], json) => json::decode(json, attributes),
        (msgpack, _) => msgpack::decode(msgpack, attributes),
    };
    decoded.map_err(unreadable)
}

/// Returns whether a value is null, without decoding it.
pub(super) fn is_null(value: Option<&wire::DynamicValue>) -> bool {
    const NIL: &[u8] = &[0xc0];
    value.is_none_or(|value| match (value.msgpack.as_slice(), value.json.as_slice()) {
        ([], json) => json.is_empty() || json.trim_ascii() == b"null",
        (msgpack, _) => msgpack == NIL,
    })
}

/// Decodes the value of one attribute in either encoding. A missing one is null.
pub(super) fn decode_one(value: &wire::DynamicValue, attribute: &Attribute) -> std::result::Result<Value, DecodeError> {
    match (value.msgpack.as_slice(), value.json.as_slice()) {
        ([], []) => Ok(Value::Null),
        ([], json) => json::decode_one(json, attribute),
        (msgpack, _) => msgpack::decode_one(msgpack, attribute),
    }
}

/// Encodes a value. Cannot fail, because the value may contain the only copy of a password.
pub(super) fn encode(value: &Value, attributes: &[Attribute]) -> wire::DynamicValue {
    wire::DynamicValue { msgpack: msgpack::encode(value, attributes), json: Vec::new() }
}

/// Encodes a value of the given type.
pub(super) fn encode_one(value: &Value, r#type: &Type) -> wire::DynamicValue {
    wire::DynamicValue { msgpack: msgpack::encode_one(value, r#type), json: Vec::new() }
}

/// Decodes a stored state of `resource`, of any schema version up to the current one. Its bytes are wiped.
pub(super) fn decode_stored(state: Option<wire::RawState>, version: i64, resource: &dyn Resource) -> Result<Value> {
    let schema = resource.schema();
    if version > schema.version {
        return Err(newer_state(resource, version).into());
    }
    match state {
        Some(state) if !state.json.is_empty() => {
            let state = json::decode(&state.json, &schema.attributes).map_err(unreadable)?;
            Ok(resource.upgrade(version, state))
        }
        Some(state) if !state.flatmap.is_empty() => Err(flatmap_state(resource).into()),
        _ => Ok(Value::Null),
    }
}

/// Converts diagnostics.
pub(super) fn diagnostics(diagnostics: Diagnostics) -> impl Iterator<Item = wire::Diagnostic> {
    diagnostics.into_iter().map(|diagnostic| wire::Diagnostic {
        severity: match diagnostic.severity {
            Severity::Error => wire::diagnostic::Severity::Error,
            Severity::Warning => wire::diagnostic::Severity::Warning,
        }
        .into(),
        summary: diagnostic.summary.into_owned(),
        detail: diagnostic.detail,
        // Core quotes the line of a top-level attribute. For a nested one it would find no line, so the text names it
        // instead.
        attribute: diagnostic.path.steps().first().map(|step| path(&Path::default().under(step.clone()))),
    })
}

/// Converts a path.
pub(super) fn path(path: &Path) -> wire::AttributePath {
    use wire::attribute_path::{self, step::Selector};

    let selector = |step: &Step| match step {
        Step::Attribute(name) => Selector::AttributeName(name.clone().into_owned()),
        Step::Index(index) => Selector::ElementKeyInt(*index),
    };
    let steps = path.steps().iter().map(|step| attribute_path::Step { selector: Some(selector(step)) });
    wire::AttributePath { steps: steps.collect() }
}

/// Converts a schema.
pub(super) fn schema(schema: &Schema) -> wire::Schema {
    let block = wire::schema::Block {
        version: schema.version,
        attributes: schema.attributes.iter().map(attribute).collect(),
        description: schema.description.clone(),
        description_kind: wire::StringKind::Markdown.into(),
    };
    wire::Schema { version: schema.version, block: Some(block) }
}

/// Converts a function's signature. Core handles unknown arguments, and null ones for required parameters.
pub(super) fn function(signature: &Signature) -> wire::Function {
    let parameter = |parameter: &Attribute| wire::function::Parameter {
        name: parameter.name.clone().into_owned(),
        r#type: type_json(&parameter.r#type).to_string().into_bytes(),
        allow_null_value: parameter.mode == Mode::Optional,
        allow_unknown_values: false,
        description: parameter.description.clone(),
        description_kind: wire::StringKind::Markdown.into(),
    };
    wire::Function {
        parameters: signature.parameters.iter().map(parameter).collect(),
        variadic_parameter: signature.variadic.as_ref().map(parameter),
        r#return: Some(wire::function::Return { r#type: type_json(&signature.returns).to_string().into_bytes() }),
        summary: signature.summary.to_owned(),
        description: signature.description.clone(),
        description_kind: wire::StringKind::Markdown.into(),
    }
}

fn attribute(attribute: &Attribute) -> wire::schema::Attribute {
    use wire::schema::object::NestingMode;

    let (r#type, nested_type) = match &attribute.r#type {
        Type::Object(attributes) => (Vec::new(), Some(nested(attributes, NestingMode::Single))),
        Type::Objects(attributes) => (Vec::new(), Some(nested(attributes, NestingMode::List))),
        plain => (type_json(plain).to_string().into_bytes(), None),
    };
    wire::schema::Attribute {
        name: attribute.name.clone().into_owned(),
        r#type,
        nested_type,
        description: attribute.description.clone(),
        required: attribute.mode == Mode::Required,
        optional: matches!(attribute.mode, Mode::Optional | Mode::OptionalComputed),
        computed: attribute.is_computed(),
        sensitive: attribute.sensitive,
        description_kind: wire::StringKind::Markdown.into(),
        write_only: attribute.write_only,
    }
}

fn nested(attributes: &[Attribute], nesting: wire::schema::object::NestingMode) -> wire::schema::Object {
    wire::schema::Object { attributes: attributes.iter().map(attribute).collect(), nesting: nesting.into() }
}

/// Returns the type in the JSON form of core's type system.
pub(super) fn type_json(r#type: &Type) -> Json {
    match r#type {
        Type::Bool => json!("bool"),
        Type::Number => json!("number"),
        Type::String => json!("string"),
        Type::List(element) => json!(["list", type_json(element)]),
        Type::Object(attributes) => object_json(attributes),
        Type::Objects(attributes) => json!(["list", object_json(attributes)]),
    }
}

fn object_json(attributes: &[Attribute]) -> Json {
    let types = attributes.iter().map(|attribute| (attribute.name.to_string(), type_json(&attribute.r#type)));
    json!(["object", types.collect::<serde_json::Map<_, _>>()])
}

fn unreadable(malformed: DecodeError) -> Diagnostics {
    let detail = format!(
        "Core sent a value that does not match the schema: {malformed}. This is a bug in core or in the provider."
    );
    Diagnostic::error("Value does not match the schema", detail).at(malformed.path).into()
}

fn newer_state(resource: &dyn Resource, version: i64) -> Diagnostic {
    let (name, known) = (resource.type_name(), resource.schema().version);
    let detail = format!(
        "The state of {name} was written by a newer version of the provider: it has schema version {version}, but this \
         provider supports versions up to {known}. Use the version of the provider that wrote it, or a later one."
    );
    Diagnostic::error("State is too new", detail)
}

fn flatmap_state(resource: &dyn Resource) -> Diagnostic {
    let name = resource.type_name();
    let detail = format!(
        "The state of {name} is in the format of Terraform 0.11, which this provider never used. Remove the object \
         from the state and import it again."
    );
    Diagnostic::error("State has an unknown format", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested() -> Vec<Attribute> {
        vec![Attribute::required("name", Type::String, "")]
    }

    #[test]
    fn null_is_seen_in_either_encoding_and_nothing_else_is_null() {
        let json = |text: &[u8]| wire::DynamicValue { msgpack: Vec::new(), json: text.to_vec() };
        let name = Value::object([("name", Value::Null)]);
        assert!(is_null(None) && is_null(Some(&wire::DynamicValue::default())));
        assert!(is_null(Some(&encode(&Value::Null, &nested()))) && is_null(Some(&json(b" null\n"))));
        for value in [encode(&name, &nested()), encode(&Value::Unknown, &nested()), json(b"{}"), json(b"nullnull")] {
            assert!(!is_null(Some(&value)));
        }
    }

    #[test]
    fn types_are_written_as_core_writes_them() {
        for (r#type, json) in [
            (Type::Bool, r#""bool""#),
            (Type::List(Box::new(Type::Number)), r#"["list","number"]"#),
            (Type::List(Box::new(Type::Objects(nested()))), r#"["list",["list",["object",{"name":"string"}]]]"#),
        ] {
            let written = attribute(&Attribute::optional("a", r#type, ""));
            assert_eq!(String::from_utf8(written.r#type).unwrap(), json);
            assert_eq!(written.nested_type, None);
        }
    }

    #[test]
    fn nested_attributes_have_a_nesting_and_no_type() {
        use wire::schema::object::NestingMode;

        for (r#type, nesting) in
            [(Type::Object(nested()), NestingMode::Single), (Type::Objects(nested()), NestingMode::List)]
        {
            let written = attribute(&Attribute::optional("a", r#type, ""));
            assert_eq!(written.r#type, b"");
            let written = written.nested_type.unwrap();
            assert_eq!((written.nesting(), written.attributes.len()), (nesting, 1));
        }
    }

    #[test]
    fn a_value_may_come_in_either_encoding_or_not_at_all() {
        let value = Value::object([("name", "n".into())]);
        let json = wire::DynamicValue { msgpack: Vec::new(), json: br#"{"name":"n"}"#.to_vec() };
        let neither = wire::DynamicValue { msgpack: Vec::new(), json: Vec::new() };
        assert_eq!(decode(Some(json), &nested()).unwrap(), value);
        assert_eq!(decode(Some(encode(&value, &nested())), &nested()).unwrap(), value);
        assert_eq!(decode(Some(neither), &nested()).unwrap(), Value::Null);
        assert_eq!(decode(None, &nested()).unwrap(), Value::Null);
    }

    #[test]
    fn a_value_that_does_not_fit_is_named_and_not_shown() {
        let json = wire::DynamicValue { msgpack: Vec::new(), json: br#"{"name":["content"]}"#.to_vec() };
        let shown = format!("{:?}", decode(Some(json), &nested()).unwrap_err());
        assert!(shown.contains("name") && !shown.contains("content"), "{shown}");
    }

    #[test]
    fn a_diagnostic_points_at_the_top_level_attribute_or_at_nothing() {
        use wire::attribute_path::step::Selector;

        let here = Path::attribute("a").index(1).then("b");
        let steps = |path: wire::AttributePath| path.steps.into_iter().map(|step| step.selector.unwrap());
        let [a, b] = ["a", "b"].map(|name| Selector::AttributeName(name.to_owned()));
        assert_eq!(steps(path(&here)).collect::<Vec<_>>(), [a.clone(), Selector::ElementKeyInt(1), b]);

        let everywhere = Diagnostic::warning("s", "d");
        let mut diagnostics = Diagnostics::from(everywhere.clone().at(here));
        diagnostics.push(everywhere);
        let written: Vec<_> = super::diagnostics(diagnostics).collect();
        assert_eq!(steps(written[0].attribute.clone().unwrap()).collect::<Vec<_>>(), [a]);
        assert_eq!(written[1].attribute, None);
        assert_eq!(written[1].severity(), wire::diagnostic::Severity::Warning);
    }
}
