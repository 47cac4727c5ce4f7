//! How a vendor says what went wrong.

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::redact::Redactor;

/// The names that a vendor's error bodies use.
///
/// Every name is a key of the JSON object, or a way into it such as `error.message`. The first that is there with a
/// string or a number wins.
#[derive(Debug)]
pub struct Dialect {
    /// Where its code for the failure is.
    pub code: &'static [&'static str],
    /// Where its words for people are.
    pub message: &'static [&'static str],
    /// Where its id of the request is. The usual headers are asked next.
    pub request_id: &'static [&'static str],
    /// Statuses that the vendor documents as refused before anything was processed, beside 429.
    pub unprocessed: &'static [u16],
}

/// What a vendor said about a failure, fit to be shown.
#[derive(Debug)]
pub(super) struct Complaint {
    pub(super) code: Option<Box<str>>,
    pub(super) message: Option<Box<str>>,
    pub(super) request_id: Option<Box<str>>,
}

impl Complaint {
    /// Tells whether the body was this vendor's at all.
    pub(super) fn speaks_dialect(&self) -> bool {
        self.code.is_some() || self.message.is_some()
    }
}

impl Dialect {
    /// Reads an error's body and headers. A body that is no JSON object, such as a proxy's HTML, says nothing.
    pub(super) fn read(&self, body: &[u8], headers: &HeaderMap, redactor: &Redactor) -> Complaint {
        let body = serde_json::from_slice(body).unwrap_or(Value::Null);
        let text = |names: &[&str]| names.iter().find_map(|name| find(&body, name));

        Complaint {
            code: text(self.code).and_then(|text| redactor.token(&text)),
            message: text(self.message).and_then(|text| redactor.sentence(&text)),
            request_id: text(self.request_id)
                .and_then(|text| redactor.token(&text))
                .or_else(|| request_id(headers, redactor)),
        }
    }
}

/// The id of the request in an answer's headers.
pub(super) fn request_id(headers: &HeaderMap, redactor: &Redactor) -> Option<Box<str>> {
    REQUEST_ID_HEADERS.iter().find_map(|name| redactor.token(headers.get(*name)?.to_str().ok()?))
}

/// Where vendors put the id of a request if not into the body.
const REQUEST_ID_HEADERS: [&str; 3] = ["x-request-id", "x-hubspot-correlation-id", "x-correlation-id"];

fn find(body: &Value, name: &str) -> Option<String> {
    match name.split('.').try_fold(body, |value, key| value.as_object()?.get(key))? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
