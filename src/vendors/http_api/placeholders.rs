//! What a described request sends.

use serde_json::Value;

use super::description::Request;
use crate::{
    http::Method,
    vendors::recipe::{ID, PASSWORD, Piece, USERNAME, pieces},
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
    in_form || in_json(request, |text| has(text, PASSWORD))
}

/// Returns whether a request has this placeholder.
pub(super) fn has_placeholder(request: &Request, name: &str) -> bool {
    fills(request, |template| has(template, name))
}

/// Returns whether a request has a placeholder.
pub(super) fn has_any(request: &Request) -> bool {
    fills(request, |template| pieces(template).iter().any(|piece| matches!(piece, Piece::Placeholder(_))))
}

/// Returns whether a text names what is filled in elsewhere. Other braces may be a part of what an API says or wants.
pub(super) fn names_part(credential: &str, text: &str) -> bool {
    let own = [PASSWORD, ID, USERNAME];
    own.into_iter().chain(credential.split('/')).any(|name| has(text, name))
}

/// Returns whether one of the templates of a request is of a kind.
fn fills(request: &Request, is_one: impl Fn(&str) -> bool + Copy) -> bool {
    let fields = request.query.iter().chain(request.form.iter().flatten());
    is_one(&request.path)
        || fields.map(|(_, template)| template).any(|template| is_one(template))
        || in_json(request, is_one)
}

fn in_json(request: &Request, is_one: impl Fn(&str) -> bool) -> bool {
    let json = request.json.as_ref().and_then(|json| serde_json::from_str::<Value>(json).ok());
    json.is_some_and(|json| texts(&json).into_iter().any(is_one))
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

/// Returns the names of the fields in JSON.
pub(super) fn names(json: &Value) -> Vec<&str> {
    match json {
        Value::Array(items) => items.iter().flat_map(names).collect(),
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, field)| std::iter::once(&**name).chain(names(field))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}
