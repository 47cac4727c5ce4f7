//! The paths, bodies and errors of [`HubSpot`](super::HubSpot), as documented.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    super::{
        http::{Answer, Request, form},
        random,
    },
    Credential, State,
};

/// What a path stands for; names and ids are still percent-encoded.
pub(crate) enum Route<'path> {
    /// One token.
    Get(&'path str),
    /// All tokens.
    List(Generation),
    /// The password reset of one token.
    Reset(Generation, &'path str),
    /// OAuth's token endpoint.
    Token,
}

/// A generation of the API, as far as bodies differ.
#[derive(Clone, Copy)]
pub(crate) enum Generation {
    /// Version 1.
    First,
    /// Version 3 and those named by a date.
    Later,
}

impl Route<'_> {
    /// The one method that is imitated here.
    pub(crate) fn method(&self) -> &'static str {
        match self {
            Self::Get(_) | Self::List(_) => "GET",
            Self::Reset(..) | Self::Token => "POST",
        }
    }
}

/// Returns what a path stands for, if anything.
pub(crate) fn route(path: &str) -> Option<Route<'_>> {
    let segments: Vec<_> = path.strip_prefix('/')?.split('/').collect();
    match *segments.as_slice() {
        ["oauth", "v1" | "2026-03", "token"] => Some(Route::Token),
        ["email", "public", "v1", "smtpapi", "tokens"] => Some(Route::List(Generation::First)),
        ["email", "public", "v1", "smtpapi", "tokens", name, "password-reset"] if !name.is_empty() => {
            Some(Route::Reset(Generation::First, name))
        }
        ["marketing", "v3", "transactional", "smtp-tokens", ref rest @ ..]
        | ["marketing", "transactional", "2026-03", "smtp-tokens", ref rest @ ..] => later_route(rest),
        _ => None,
    }
}

fn later_route<'path>(rest: &[&'path str]) -> Option<Route<'path>> {
    match *rest {
        [] => Some(Route::List(Generation::Later)),
        [id] if !id.is_empty() => Some(Route::Get(id)),
        [id, "password-reset"] if !id.is_empty() => Some(Route::Reset(Generation::Later, id)),
        _ => None,
    }
}

/// A token in version 1, its fields in the order of the document's example.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Legacy<'book> {
    portal_id: u64,
    user_name: &'book str,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'book str>,
    password_hash: Option<&'static str>,
    email_campaign_id: u64,
    created_at: i64,
    deleted: bool,
    created_by: &'static str,
    app_id: u64,
    campaign_name: &'book str,
}

impl<'book> Legacy<'book> {
    /// The credential with its password, or without.
    pub(crate) fn of(credential: &'book Credential, password: Option<&'book str>) -> Self {
        Self {
            portal_id: credential.portal_id,
            user_name: &credential.user_name,
            password,
            password_hash: None,
            email_campaign_id: credential.email_campaign_id,
            created_at: CREATED_AT.as_millisecond(),
            deleted: credential.state == State::Deleted,
            created_by: CREATED_BY,
            app_id: 22709,
            campaign_name: &credential.campaign_name,
        }
    }
}

/// `SmtpApiTokenView`: a token in version 3 and later.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct View<'book> {
    created_by: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'book str>,
    email_campaign_id: String,
    created_at: String,
    id: &'book str,
    create_contact: bool,
    campaign_name: &'book str,
}

impl<'book> View<'book> {
    /// The credential with its password, or without.
    pub(crate) fn of(credential: &'book Credential, password: Option<&'book str>) -> Self {
        Self {
            created_by: CREATED_BY,
            password,
            email_campaign_id: credential.email_campaign_id.to_string(),
            created_at: CREATED_AT.to_string(),
            id: &credential.user_name,
            create_contact: false,
            campaign_name: &credential.campaign_name,
        }
    }
}

/// A page of tokens in version 3 and later.
#[derive(Serialize)]
pub(crate) struct Page<'book> {
    /// The tokens.
    pub results: Vec<View<'book>>,
    /// Where the next page is, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paging: Option<Paging>,
}

/// Where the next page is.
#[derive(Serialize)]
pub(crate) struct Paging {
    next: Next,
}

#[derive(Serialize)]
struct Next {
    after: String,
    link: String,
}

impl Paging {
    /// A page that starts with the token of that index.
    pub(crate) fn at(index: usize, path: &str) -> Self {
        let after = STANDARD.encode(index.to_string());
        let link = format!("{path}?after={}", after.replace('=', "%3D"));
        Self { next: Next { after, link } }
    }
}

/// Which tokens a list is to hold.
#[derive(Default)]
pub(crate) struct Query {
    /// The index of the first one.
    pub start: usize,
    /// How many at most.
    pub limit: Option<usize>,
    campaign_name: Option<String>,
    email_campaign_id: Option<String>,
}

impl Query {
    /// Reads the documented parameters and refuses all others.
    pub(crate) fn of(request: &Request) -> Result<Self, Answer> {
        let mut query = Self::default();
        for (name, value) in request.parameters() {
            match name.as_str() {
                "after" => query.start = index(&value).ok_or_else(|| invalid("after is not from a page before"))?,
                "campaignName" => query.campaign_name = Some(value),
                "emailCampaignId" => query.email_campaign_id = Some(value),
                "limit" => query.limit = Some(count(&value).ok_or_else(|| invalid("limit is a number above 0"))?),
                _ => return Err(invalid("the query has a parameter that this call does not know")),
            }
        }
        Ok(query)
    }

    /// Returns whether a credential belongs in the list.
    pub(crate) fn matches(&self, credential: &Credential) -> bool {
        let filtered = self.campaign_name.is_some() || self.email_campaign_id.is_some();
        let shown = match credential.state {
            State::Listed => true,
            State::Unlisted => filtered,
            State::Deleted => false,
        };
        shown
            && self.campaign_name.as_ref().is_none_or(|name| *name == credential.campaign_name)
            && self.email_campaign_id.as_ref().is_none_or(|id| *id == credential.email_campaign_id.to_string())
    }
}

fn index(after: &str) -> Option<usize> {
    String::from_utf8(STANDARD.decode(after).ok()?).ok()?.parse().ok()
}

fn count(limit: &str) -> Option<usize> {
    limit.parse().ok().filter(|count| *count > 0)
}

/// What an app sends to refresh its access token.
#[derive(Default)]
pub(crate) struct TokenRequest {
    /// The app's id.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: String,
    /// The portal's refresh token.
    pub refresh_token: String,
}

impl TokenRequest {
    /// Reads the form. The parameters come in the body and nowhere else.
    pub(crate) fn of(request: &Request) -> Result<Self, Answer> {
        if request.query().is_some() {
            return Err(oauth_failure("BAD_REQUEST", "the parameters come in the body, not in the query"));
        }
        if !request.is_of("application/x-www-form-urlencoded") {
            return Err(failure(415, "VALIDATION_ERROR", "the body is application/x-www-form-urlencoded"));
        }
        let parameters = form(&request.body);
        let parameter = |name: &str| {
            let found = parameters.iter().find(|(given, _)| given == name);
            found.map(|(_, value)| value.clone()).ok_or_else(|| oauth_failure("BAD_REQUEST", &format!("no {name}")))
        };
        if parameter("grant_type")? != "refresh_token" {
            return Err(oauth_failure("BAD_GRANT_TYPE", "the grant_type is refresh_token"));
        }
        Ok(Self {
            client_id: parameter("client_id")?,
            client_secret: parameter("client_secret")?,
            refresh_token: parameter("refresh_token")?,
        })
    }
}

/// An error in the form that all calls but OAuth's share.
pub(crate) fn failure(status: u16, category: &str, message: &str) -> Answer {
    let category = Some(category);
    Answer::json(status, &Failure { category, ..Failure::new("error", message) })
}

/// A request that is not what the vendor documents.
pub(crate) fn invalid(message: &str) -> Answer {
    failure(400, "VALIDATION_ERROR", message)
}

/// A token that does not exist.
pub(crate) fn not_found(message: &str) -> Answer {
    failure(404, "OBJECT_NOT_FOUND", message)
}

/// An error of OAuth's, where the status names it.
pub(crate) fn oauth_failure(status: &str, message: &str) -> Answer {
    Answer::json(400, &Failure::new(status, message))
}

/// One call too many, which has a form of its own.
pub(crate) fn too_many_requests() -> Answer {
    let limit = Failure::new("error", "too many requests");
    let limit = Failure { error_type: Some("RATE_LIMIT"), policy_name: Some("SECONDLY"), ..limit };
    Answer::json(429, &Failure { request_id: Some(random::uuid()), ..limit })
}

/// <https://developers.hubspot.com/docs/api-reference/error-handling>
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'text> {
    status: &'text str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_type: Option<&'static str>,
    correlation_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'text str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl<'text> Failure<'text> {
    fn new(status: &'text str, message: &str) -> Self {
        Self {
            status,
            message: format!("sandbox: {message}"),
            error_type: None,
            correlation_id: random::uuid(),
            category: None,
            policy_name: None,
            request_id: None,
        }
    }
}

const CREATED_AT: Timestamp = Timestamp::constant(1_415_740_569, 8_000_000);
const CREATED_BY: &str = "demo@hubspot.com";
