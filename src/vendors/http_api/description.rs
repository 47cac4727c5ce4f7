//! What the provider's `http` block says.
//!
//! Places in responses are JSON pointers, and paths, queries, bodies and what `match` expects are templates with
//! placeholders in braces.

use std::collections::BTreeMap;

use crate::secret::Secret;

/// A description of an API.
#[derive(Clone, Debug, Default)]
pub struct Description {
    /// Where the API is, and what logs in; `None` while a part of it is unknown.
    pub address: Option<Address>,
    /// The parts of a credential's name, joined by `/`.
    pub credential: String,
    /// Whether requests have a bearer token.
    pub has_bearer_token: bool,
    /// Whether requests have a user name and a password.
    pub has_basic: bool,
    /// The names of the headers of every request.
    pub headers: Vec<String>,
    /// The length of the longest password that the API accepts.
    pub max_password_length: Option<usize>,
    /// The reset of a credential in place.
    pub reset: Option<Reset>,
    /// The creation of a new credential.
    pub create: Option<Reset>,
    /// The revocation of a credential.
    pub revoke: Option<Request>,
    /// The look-up of a credential.
    pub read: Option<Read>,
    /// Where an error response has its code, message and request id.
    pub error: Option<ErrorPlaces>,
    /// The submission server.
    pub smtp: Option<Smtp>,
}

/// Where an API is, and what logs in there.
#[derive(Clone, Debug, Default)]
pub struct Address {
    /// The base URL.
    pub base_url: String,
    /// The bearer token.
    pub bearer_token: Option<Secret>,
    /// The user name and the password.
    pub basic: Option<(String, Secret)>,
    /// The values of the headers, by name.
    pub headers: BTreeMap<String, Secret>,
}

/// A request, and the conditions on its response.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The method.
    pub method: Option<String>,
    /// The path below the base URL.
    pub path: String,
    /// The query.
    pub query: BTreeMap<String, String>,
    /// The fields of a form as the body.
    pub form: Option<BTreeMap<String, String>>,
    /// JSON as the body.
    pub json: Option<String>,
    /// What a success has where.
    pub success: BTreeMap<String, String>,
    /// What a response has where that says, with a 2xx, that nothing was changed.
    pub refused: BTreeMap<String, String>,
}

/// A request that makes a password, and where its response has what.
#[derive(Clone, Debug, Default)]
pub struct Reset {
    /// The request.
    pub request: Request,
    /// The password, where the API makes it.
    pub password: Option<String>,
    /// The user name for SMTP.
    pub username: Option<String>,
    /// The last-changed marker, or the id of the new credential.
    pub version: Option<String>,
}

/// A look-up, and where its response has what.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// The request.
    pub request: Request,
    /// The entries, where the response is a list.
    pub items: Option<String>,
    /// Which entry is the credential: what it has where.
    pub matches: BTreeMap<String, String>,
    /// The id, where a reset makes a new credential.
    pub id: Option<String>,
    /// The user name for SMTP.
    pub username: Option<String>,
    /// The last-changed marker.
    pub version: Option<String>,
    /// The time at which it was made.
    pub created_at: Option<String>,
    /// How further pages are requested.
    pub paging: Paging,
}

/// How further pages of a list are requested.
#[derive(Clone, Debug, Default)]
pub struct Paging {
    /// The query parameter for the number of the page.
    pub page: Option<String>,
    /// The number of the first page.
    pub first_page: Option<i64>,
    /// The query parameter for the cursor.
    pub cursor_parameter: Option<String>,
    /// Where a page has the cursor of the next one.
    pub cursor: Option<String>,
    /// Where a page has the link to the next one.
    pub next: Option<String>,
}

/// Where an error response has what it says, and which prove that nothing was done.
#[derive(Clone, Debug, Default)]
pub struct ErrorPlaces {
    /// The message.
    pub message: Option<String>,
    /// The code.
    pub code: Option<String>,
    /// The request id.
    pub request_id: Option<String>,
    /// The statuses that mean, like 429, that a request was not processed.
    pub unprocessed: Vec<u16>,
}

/// The submission server.
#[derive(Clone, Debug, Default)]
pub struct Smtp {
    /// Its host name.
    pub host: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// The user name.
    pub username: Option<String>,
}
