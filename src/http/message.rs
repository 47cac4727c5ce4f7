//! Encodes a request for the wire (RFC 9112, section 3).

use http::{HeaderMap, HeaderValue, Method};
use url::Url;
use zeroize::Zeroizing;

/// Encodes a request. The bytes contain a token and are wiped when they are dropped.
pub(super) fn encode(
    method: &Method,
    url: &Url,
    (user_agent, accept): (&str, &str),
    headers: &HeaderMap,
    body: &[u8],
) -> Zeroizing<Vec<u8>> {
    let host = authority(url);
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let line = format!("{method} {}{query} HTTP/1.1\r\n", url.path());
    let own = [("host", &*host), ("user-agent", user_agent), ("accept", accept)];
    let own = own.iter().map(|(name, value)| (*name, value.as_bytes()));
    let fields: Vec<_> =
        own.chain(headers.iter().map(|(name, value)| (name.as_str(), HeaderValue::as_bytes(value)))).collect();

    // Allocate everything at once: a growing buffer would leave copies behind.
    let room: usize = fields.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    let mut bytes = Zeroizing::new(Vec::with_capacity(line.len() + room + 2 + body.len()));
    bytes.extend_from_slice(line.as_bytes());
    for (name, value) in fields {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// Returns the host of a URL, with its port unless that is the scheme's default.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
