//! What a described request sends.

use serde_json::Value;

use super::description::Request;
use crate::{
    http::Method,
    vendors::recipe::{PASSWORD, Piece, pieces},
};

/// Returns the method of a request.
pub(super) fn method(block: &str, request: &Request) -> Method {
    let default = match block {
        "read" => Method::GET,
        "revoke" => Method::DELETE,
        _ => Method::POST,
    };
    request.method.as_ref().and_then(|method| method.parse().ok()).unwrap_or(default)
}

/// Returns whether a request sends the password of the caller.
pub(super) fn sends_password(request: &Request) -> bool {
    let in_form = request.form.iter().flatten().any(|(_, template)| has(template, PASSWORD));
    in_form || json_has(request, PASSWORD)
}

/// Returns whether a request has a placeholder.
pub(super) fn has_placeholder(request: &Request, name: &str) -> bool {
    let fields = request.query.iter().chain(request.form.iter().flatten());
    has(&request.path, name)
        || fields.map(|(_, template)| template).any(|template| has(template, name))
        || json_has(request, name)
}

fn json_has(request: &Request, name: &str) -> bool {
    let json = request.json.as_ref().and_then(|json| serde_json::from_str::<Value>(json).ok());
    json.is_some_and(|json| texts(&json).into_iter().any(|text| has(text, name)))
}

fn has(template: &str, name: &str) -> bool {
    pieces(template).contains(&Piece::Placeholder(name))
}

/// Returns the texts in JSON, other than names.
pub(super) fn texts(json: &Value) -> Vec<&str> {
    match json {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}
