//! The paths, bodies and errors of [`Smtpd`](super::Smtpd), as documented.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    super::http::{Answer, Request, form},
    ApiKey, KeyState, Role,
    sessions::Granted,
};

/// What a path stands for; ids are still percent-encoded.
pub(crate) enum Route<'path> {
    /// One API key.
    Key(&'path str),
    /// All API keys, and new ones.
    Keys,
    /// The end of a refresh token.
    Logout,
    /// Who is logged in.
    Me,
    /// The end of one API key.
    Revoke(&'path str),
    /// A login, or its renewal.
    Token,
}

impl Route<'_> {
    /// The methods that are imitated here.
    pub(crate) fn methods(&self) -> &'static str {
        match self {
            Self::Key(_) | Self::Me => "GET",
            Self::Keys => "GET, POST",
            Self::Logout | Self::Token => "POST",
            Self::Revoke(_) => "PUT",
        }
    }
}

/// Returns what a path stands for, if anything.
pub(crate) fn route(path: &str) -> Option<Route<'_>> {
    let segments: Vec<_> = path.strip_prefix('/')?.split('/').collect();
    match *segments.as_slice() {
        ["oauth", "me"] => Some(Route::Me),
        ["oauth", "revoke"] => Some(Route::Logout),
        ["oauth", "token"] => Some(Route::Token),
        ["api", "v1", "account", "api_key"] => Some(Route::Keys),
        ["api", "v1", "account", "api_key", id] if !id.is_empty() => Some(Route::Key(id)),
        ["api", "v1", "account", "api_key", id, "revoke"] if !id.is_empty() => Some(Route::Revoke(id)),
        _ => None,
    }
}

/// What a token is given for.
pub(crate) enum GrantType {
    /// A user name and a password, or a key and its secret.
    Password,
    /// A refresh token.
    RefreshToken,
}

impl GrantType {
    /// Reads the query, which holds this and nothing else.
    pub(crate) fn of(request: &Request) -> Result<Self, Answer> {
        match request.query() {
            Some("grant_type=password") => Ok(Self::Password),
            Some("grant_type=refresh_token") => Ok(Self::RefreshToken),
            _ => Err(invalid("the query is grant_type=password or grant_type=refresh_token")),
        }
    }
}

/// Reads a body that holds a refresh token.
pub(crate) fn refresh_token(request: &Request) -> Result<String, Answer> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        refresh_token: String,
    }
    if request.is_of("application/x-www-form-urlencoded") {
        return match form(&request.body).as_slice() {
            [(name, token)] if name == "refresh_token" => Ok(token.clone()),
            _ => Err(invalid("the body holds a refresh_token")),
        };
    }
    json(request, "the body holds a refresh_token").map(|body: Body| body.refresh_token)
}

/// The body that asks for a new API key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    /// What it may do.
    pub role: Role,
    /// Its name.
    pub name: String,
}

impl NewKey {
    /// Reads the body.
    pub(crate) fn of(request: &Request) -> Result<Self, Answer> {
        let asked: Self = json(request, "the body holds a name and a role: iac, standard, read_only or send_only")?;
        if asked.name.is_empty() {
            return Err(invalid("an API key has a name"));
        }
        Ok(asked)
    }
}

fn json<'body, T: Deserialize<'body>>(request: &'body Request, expected: &str) -> Result<T, Answer> {
    if !request.is_of("application/json") {
        return Err(failure(415, "the body is application/json"));
    }
    serde_json::from_slice(&request.body).map_err(|_| invalid(expected))
}

/// The answer to a login or its renewal.
#[derive(Serialize)]
pub(crate) struct LoggedIn {
    token_type: &'static str,
    access_token: String,
    expires_at: i64,
    #[serde(rename = "Scope")]
    scope: [&'static str; 1],
    refresh_token: String,
}

impl LoggedIn {
    /// What was granted, with the end of the access token in milliseconds.
    pub(crate) fn of(granted: Granted, lifetime: Duration) -> Self {
        let Granted { access_token, refresh_token } = granted;
        let lifetime = i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX);
        let expires_at = Timestamp::now().as_millisecond().saturating_add(lifetime);
        Self { token_type: "bearer", access_token, expires_at, scope: ["admin"], refresh_token }
    }
}

/// The answer to the question who is logged in: the account's owner, for every login.
#[derive(Serialize)]
pub(crate) struct Me<'book> {
    id: &'static str,
    account_id: &'book str,
    email_address: &'static str,
    first_name: &'static str,
    surname: &'static str,
    gravatar_url: &'static str,
    is_owner: bool,
    is_verified: bool,
    created_at_utc: i64,
    modified_at_utc: i64,
}

impl<'book> Me<'book> {
    /// The owner of this account; times are in milliseconds.
    pub(crate) fn of(account_id: &'book str) -> Self {
        Self {
            id: "19ab52c7-da60-4dd2-af27-19f17d6afe37",
            account_id,
            email_address: "owner@example.com",
            first_name: "Sand",
            surname: "Box",
            gravatar_url: "",
            is_owner: true,
            is_verified: true,
            created_at_utc: 1_598_610_725_000,
            modified_at_utc: 1_598_610_725_000,
        }
    }
}

/// The answer to a request for a new API key: the only one that contains its secret.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Created<'book> {
    #[serde(rename = "ID")]
    id: &'book str,
    name: &'book str,
    key: &'book str,
    secret: &'book str,
}

impl<'book> Created<'book> {
    /// The key with its secret.
    pub(crate) fn of(key: &'book ApiKey) -> Self {
        Self { id: &key.id, name: &key.name, key: &key.key, secret: &key.secret }
    }
}

/// An API key without its secret; times are in seconds.
#[derive(Serialize)]
pub(crate) struct View<'book> {
    id: &'book str,
    account_id: &'book str,
    name: &'book str,
    key: &'book str,
    is_active: bool,
    last_accessed_at_utc: i64,
    created_at_utc: i64,
    modified_at_utc: i64,
}

impl<'book> View<'book> {
    /// The key of this account.
    pub(crate) fn of(key: &'book ApiKey, account_id: &'book str) -> Self {
        Self {
            id: &key.id,
            account_id,
            name: &key.name,
            key: &key.key,
            is_active: key.state == KeyState::Active,
            last_accessed_at_utc: key.accessed_at,
            created_at_utc: key.created_at,
            modified_at_utc: key.modified_at,
        }
    }
}

#[derive(Serialize)]
struct Failure<'text> {
    code: u32,
    message: &'text str,
}

/// A documented error.
pub(crate) fn code(status: u16, (code, message): (u32, &str)) -> Answer {
    Answer::json(status, &Failure { code, message })
}

/// An error that has no documented code.
pub(crate) fn failure(status: u16, message: &str) -> Answer {
    code(status, (u32::from(status) * 100, &format!("sandbox: {message}")))
}

/// A request that is not what the vendor documents.
pub(crate) fn invalid(message: &str) -> Answer {
    failure(400, message)
}

/// Comes with 403.
pub(crate) const INCORRECT_LOGIN: (u32, &str) = (40102, "Username and password are incorrect");
/// Comes with 403 from a renewal and with 401 from a logout.
pub(crate) const INVALID_REFRESH_TOKEN: (u32, &str) = (40106, "Refresh token is invalid");
