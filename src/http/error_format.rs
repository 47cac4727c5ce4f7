//! The format of a vendor's error responses.

use http::header::HeaderMap;
use serde_json::Value;

use super::{
    error::Kind,
    words::{Form, Media, Origin},
};
use crate::secret::Shown;

/// The format of a vendor's error bodies.
///
/// Every place is a JSON pointer, such as `/message` or `/errors/0/message`. Of several places the first one with a
/// string or a number is used.
#[derive(Debug)]
pub struct ErrorFormat {
    /// The fields by which a body is recognized as the vendor's error.
    pub refusal: Form,
    /// The places of the error code.
    pub code: &'static [&'static str],
    /// The meanings of error codes that are more specific than their status.
    pub codes: &'static [(&'static str, Kind)],
    /// The places of the error message.
    pub message: &'static [&'static str],
    /// How it reports invalid fields. These follow the message.
    pub fields: Option<FieldErrors>,
    /// The places of the request id. The usual headers are tried next.
    pub request_id: &'static [&'static str],
    /// Statuses, in addition to 429, that the vendor documents as rejected before processing.
    pub unprocessed: &'static [u16],
}

/// How a vendor reports invalid fields of a request under `errors`.
#[derive(Clone, Copy, Debug)]
pub enum FieldErrors {
    /// An object from field names to a message or a list of messages.
    Named,
    /// A list of objects with a `pointer` to the field and a `detail` (RFC 9457, section 3).
    Pointed,
}

/// A vendor's error, safe to display.
#[derive(Debug)]
pub(super) struct ApiError {
    /// Whether it is in the vendor's format. If not, a code could mean anything and is dropped.
    pub(super) words: Origin,
    pub(super) code: Option<Shown>,
    pub(super) message: Option<Shown>,
    pub(super) request_id: Option<Shown>,
}

impl ErrorFormat {
    /// Returns the meaning of an error code, if it is more specific than its status.
    pub(super) fn meaning(&self, code: Option<&str>) -> Option<Kind> {
        self.codes.iter().find(|(known, _)| Some(*known) == code).map(|(_, kind)| *kind)
    }

    /// Parses an error's body and headers. A body that is not a JSON object, such as a proxy's HTML, yields nothing.
    pub(super) fn read(&self, body: &[u8], headers: &HeaderMap) -> ApiError {
        let words = self.refusal.of_refusal(Media::of(headers), body);
        let body = serde_json::from_slice(body).unwrap_or(Value::Null);
        let text = |pointers: &[&str]| pointers.iter().find_map(|pointer| find(&body, pointer));
        let message = text(self.message).and_then(|text| Shown::sentence(&text));
        let fields = || self.fields.and_then(|fields| Shown::sentence(&fields.read(&body)));

        ApiError {
            words,
            code: text(self.code).filter(|_| words == Origin::Vendor).and_then(|text| Shown::token(&text)),
            message: message.map(|message| message.with(fields())),
            request_id: text(self.request_id).and_then(|text| Shown::token(&text)).or_else(|| request_id(headers)),
        }
    }
}

impl FieldErrors {
    /// Formats the errors of single fields as `field: message; field: message`.
    fn read(self, body: &Value) -> String {
        let errors = &body["errors"];
        let mut said = Vec::new();
        match self {
            Self::Named => {
                for (field, words) in errors.as_object().into_iter().flatten() {
                    said.extend(texts(words).map(|words| format!("{field}: {words}")));
                }
            }
            Self::Pointed => {
                for error in errors.as_array().into_iter().flatten() {
                    let (pointer, detail) = (error["pointer"].as_str(), error["detail"].as_str());
                    said.extend(pointer.zip(detail).map(|(pointer, detail)| format!("{pointer}: {detail}")));
                }
            }
        }
        said.join("; ")
    }
}

/// Finds the request id in a response's headers.
pub(super) fn request_id(headers: &HeaderMap) -> Option<Shown> {
    REQUEST_ID_HEADERS.iter().find_map(|name| Shown::token(headers.get(*name)?.to_str().ok()?))
}

/// The headers in which vendors return the request id.
const REQUEST_ID_HEADERS: [&str; 3] = ["x-request-id", "x-hubspot-correlation-id", "x-correlation-id"];

fn find(body: &Value, pointer: &str) -> Option<String> {
    match body.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Returns a string, or the strings of a list.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice).iter().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn message(fields: Option<FieldErrors>, body: &str) -> Option<Shown> {
        let error_format = ErrorFormat {
            refusal: Form(&[]),
            code: &[],
            codes: &[],
            message: &["/message"],
            fields,
            request_id: &[],
            unprocessed: &[],
        };
        Secret::known("hunter2hunter2");
        error_format.read(body.as_bytes(), &HeaderMap::new()).message
    }

    #[test]
    fn what_is_said_of_fields_follows_the_message() {
        let named = r#"{"message": "Invalid.", "errors": {"b": "two", "a": ["one", "hunter2hunter2"], "c": {"d": 1}}}"#;
        let said = message(Some(FieldErrors::Named), named);
        assert_eq!(said.as_deref(), Some("Invalid. (a: one; a: [redacted]; b: two)"));

        let pointed =
            r#"{"message": "Invalid.", "errors": [{"pointer": "/a", "detail": "no\n hunter2hunter2"}, {}, 1]}"#;
        let said = message(Some(FieldErrors::Pointed), pointed);
        assert_eq!(said.as_deref(), Some("Invalid. (/a: no [redacted])"));
    }

    #[test]
    fn a_message_may_be_in_a_list() {
        let body = serde_json::from_str(r#"{"errors": [{"message": "Invalid."}, {"message": 2}]}"#).unwrap();
        for (name, expected) in [
            ("/errors/0/message", Some("Invalid.")),
            ("/errors/1/message", Some("2")),
            ("/errors/2/message", None),
            ("/errors/x/message", None),
            ("/errors/0", None),
        ] {
            assert_eq!(find(&body, name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn what_is_said_of_fields_is_capped_apart_from_the_message() {
        let long = "x".repeat(400);
        let body = format!(r#"{{"message": "{long}", "errors": {{"a": "{long}"}}}}"#);
        assert_eq!(message(Some(FieldErrors::Named), &body).unwrap().chars().count(), 301 + 301 + 3);
    }

    #[test]
    fn fields_in_another_form_or_without_a_message_say_nothing() {
        for form in [None, Some(FieldErrors::Named), Some(FieldErrors::Pointed)] {
            for errors in ["null", "[]", "{}", "1", r#"["a"]"#, r#"{"a": null}"#, r#"[{"pointer": "/a"}]"#] {
                let body = format!(r#"{{"message": "Invalid.", "errors": {errors}}}"#);
                assert_eq!(message(form, &body).as_deref(), Some("Invalid."), "{form:?} {errors}");
            }
            let alone = r#"{"errors": {"a": "one"}}"#;
            assert_eq!(message(form, alone), None);
        }
    }
}
