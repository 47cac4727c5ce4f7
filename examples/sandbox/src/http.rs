//! HTTP/1.1 messages, written out by hand so that a fault can be made to the byte.

use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use serde::Serialize;

/// A request, just as it was sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The request target: the path and perhaps a query, still percent-encoded.
    pub target: String,
    /// The headers in their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The target without the query, still percent-encoded.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// The query, still percent-encoded.
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The token of `Authorization: Bearer`.
    pub fn bearer(&self) -> Option<&str> {
        self.header("Authorization")?.strip_prefix("Bearer ")
    }

    /// The user name and the password of `Authorization: Basic` (RFC 7617).
    pub fn basic(&self) -> Option<(String, String)> {
        let encoded = self.header("Authorization")?.strip_prefix("Basic ")?;
        let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (user_name, password) = decoded.split_once(':')?;
        Some((user_name.to_owned(), password.to_owned()))
    }

    /// Returns whether the body claims to be of this media type.
    pub fn is_of(&self, media_type: &str) -> bool {
        self.header("Content-Type").and_then(|value| value.split(';').next()).map(str::trim) == Some(media_type)
    }

    /// The parameters of the query, decoded.
    pub fn parameters(&self) -> Vec<(String, String)> {
        form(self.query().unwrap_or_default().as_bytes())
    }

    /// Returns whether the client means to send another request on the same connection.
    pub fn keeps_alive(&self) -> bool {
        !self.header("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// An answer to a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The status line in full, where it is not the one that goes with the status code.
    pub status_line: Option<String>,
    /// The headers, without `Content-Length`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer with no body.
    pub fn empty(status: u16) -> Self {
        Self { status, status_line: None, headers: Vec::new(), body: Vec::new() }
    }

    /// An answer of text.
    pub fn text(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::empty(status) }.with_header("Content-Type", content_type)
    }

    /// An answer of JSON, its fields in the order of the type's.
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        // Numbers, texts and lists, and keys that are texts: there is nothing in an answer that JSON could not hold.
        #[expect(clippy::expect_used, reason = "as said above")]
        let body = serde_json::to_vec(value).expect("an answer is valid JSON");
        Self::text(status, "application/json;charset=utf-8", body)
    }

    /// The page that a web server shows where no API answers.
    pub fn page(status: u16) -> Self {
        let title = format!("{status} {}", reason(status));
        let body = format!("<html>\n<head><title>{title}</title></head>\n<body><h1>{title}</h1></body>\n</html>\n");
        Self::text(status, "text/html;charset=utf-8", body)
    }

    /// The same answer with a header more.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The status line and the headers to the empty line, announcing `content_length` bytes or none at all.
    pub fn head(&self, content_length: Option<u64>) -> Vec<u8> {
        let mut head = match &self.status_line {
            Some(line) => format!("{line}\r\n"),
            None => format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status)),
        };
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if let Some(length) = content_length {
            let _ = write!(head, "Content-Length: {length}\r\n");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// The whole answer.
    pub fn bytes(&self) -> Vec<u8> {
        // RFC 9110, section 8.6: a 204 announces no length.
        let length = (self.status != 204).then_some(self.body.len() as u64);
        let mut bytes = self.head(length);
        bytes.extend(&self.body);
        bytes
    }
}

/// Decodes what is encoded as `application/x-www-form-urlencoded`.
pub(crate) fn form(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

/// Decodes one segment of a path; says what is wrong with one that is not encoded as it should be.
pub(crate) fn segment(encoded: &str) -> Result<String, &'static str> {
    if encoded.contains('@') {
        return Err("an @ in a path is sent as %40");
    }
    let is_escape = |rest: &str| rest.get(..2).is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if !encoded.split('%').skip(1).all(is_escape) {
        return Err("a % in a path is followed by two hexadecimal digits");
    }
    let decoded = percent_decode_str(encoded).decode_utf8().map_err(|_| "a path is UTF-8")?;
    Ok(decoded.into_owned())
}

fn reason(status: u16) -> &'static str {
    REASONS.iter().find(|(code, _)| *code == status).map_or("Unnamed", |(_, reason)| reason)
}

/// RFC 9110, section 15, and what vendors add to it.
const REASONS: &[(u16, &str)] = &[
    (200, "OK"),
    (201, "Created"),
    (204, "No Content"),
    (301, "Moved Permanently"),
    (302, "Found"),
    (303, "See Other"),
    (307, "Temporary Redirect"),
    (308, "Permanent Redirect"),
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (405, "Method Not Allowed"),
    (408, "Request Timeout"),
    (409, "Conflict"),
    (411, "Length Required"),
    (413, "Content Too Large"),
    (415, "Unsupported Media Type"),
    (422, "Unprocessable Content"),
    (423, "Locked"),
    (425, "Too Early"),
    (429, "Too Many Requests"),
    (431, "Request Header Fields Too Large"),
    (477, "Migration in Progress"),
    (500, "Internal Server Error"),
    (501, "Not Implemented"),
    (502, "Bad Gateway"),
    (503, "Service Unavailable"),
    (504, "Gateway Timeout"),
    (505, "HTTP Version Not Supported"),
];
