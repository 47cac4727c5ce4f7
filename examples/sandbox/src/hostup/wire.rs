//! The paths, bodies and errors of [`HostUp`], as documented.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{
    super::{
        http::{Answer, Request},
        random,
    },
    HostUp, Hosting, Mailbox,
};

/// A path, its parts still percent-encoded.
pub(crate) struct Path<'path> {
    /// The shared-hosting account.
    pub account_id: &'path str,
    /// What of it.
    pub resource: Resource<'path>,
}

/// What of an account is meant.
pub(crate) enum Resource<'path> {
    /// The account's details.
    Details,
    /// Its mailboxes.
    List,
    /// The password of one mailbox.
    Password(&'path str),
}

impl Resource<'_> {
    /// The one method that is imitated here.
    pub(crate) fn method(&self) -> &'static str {
        match self {
            Self::Details | Self::List => "GET",
            Self::Password(_) => "PUT",
        }
    }

    /// The scope that an API key needs.
    pub(crate) fn scope(&self) -> &'static str {
        match self {
            Self::Details | Self::List => HostUp::READ,
            Self::Password(_) => HostUp::WRITE,
        }
    }
}

/// Returns what a path stands for, if anything.
pub(crate) fn path(path: &str) -> Option<Path<'_>> {
    let mut segments = path.strip_prefix("/api/v2/shared-hosting/")?.split('/');
    let account_id = segments.next().filter(|id| !id.is_empty())?;
    let resource = match *segments.collect::<Vec<_>>().as_slice() {
        ["account-details"] => Resource::Details,
        ["email-accounts"] => Resource::List,
        ["email-accounts", address, "password"] if !address.is_empty() => Resource::Password(address),
        _ => return None,
    };
    Some(Path { account_id, resource })
}

/// Reads the query of a list: a domain or nothing.
pub(crate) fn domain(request: &Request) -> Result<Option<String>, Refusal> {
    let mut domain = None;
    for (name, value) in request.parameters() {
        match name.as_str() {
            "domain" => domain = Some(value),
            _ => return Err(Refusal::invalid("", "the query has an unknown parameter", "unrecognized_parameter")),
        }
    }
    Ok(domain)
}

/// Reads the body of a reset.
pub(crate) fn new_password(request: &Request) -> Result<String, Refusal> {
    if !request.is_of("application/json") {
        return Err(Refusal::invalid("", "the body is application/json", "invalid_content_type"));
    }
    let invalid = |detail, code| Refusal::invalid("/newPassword", detail, code);
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|_| Refusal::invalid("", "the body is not JSON", "invalid_json"))?;
    let fields = body.as_object().ok_or_else(|| Refusal::invalid("", "the body is an object", "invalid_type"))?;
    if let Some(unknown) = fields.keys().find(|name| *name != "newPassword") {
        return Err(Refusal::invalid(&format!("/{unknown}"), "this field is unknown", "unrecognized_key"));
    }
    match fields.get("newPassword") {
        None => Err(invalid("`newPassword` is required.", "missing_required")),
        Some(Value::String(password)) => Ok(password.clone()),
        Some(_) => Err(invalid("`newPassword` is a string.", "invalid_type")),
    }
}

/// The answer to a reset.
#[derive(Serialize)]
pub(crate) struct Reset<'book> {
    /// The mailbox.
    pub email: &'book str,
}

/// The answer to a request for an account's details.
#[derive(Serialize)]
pub(crate) struct Details<'book> {
    access: Access<'book>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Access<'book> {
    server_hostname: Option<&'book str>,
    email_client: &'book Value,
}

impl<'book> Details<'book> {
    /// The account's details.
    pub(crate) fn of(hosting: &'book Hosting) -> Self {
        let server_hostname = hosting.server_hostname.as_deref();
        Self { access: Access { server_hostname, email_client: &hosting.email_client } }
    }
}

/// The answer to a request for the mailboxes of an account.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct List<'book> {
    email_accounts: Vec<View<'book>>,
    quota: Quota,
    actions: Actions,
}

#[derive(Serialize)]
struct View<'book> {
    id: &'book str,
    email: &'book str,
    domain: &'book str,
    quota: Space,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Space {
    used_gb: f64,
    limit_gb: f64,
    usage_percent: f64,
    exceeded: bool,
}

#[derive(Serialize)]
struct Quota {
    used: usize,
    limit: usize,
    remaining: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Actions {
    can_create: Action,
}

#[derive(Serialize)]
struct Action {
    allowed: bool,
    reason: Option<&'static str>,
    code: Option<&'static str>,
}

impl<'book> List<'book> {
    /// These mailboxes, without their passwords.
    pub(crate) fn of(mailboxes: impl Iterator<Item = &'book Mailbox>) -> Self {
        let views: Vec<_> = mailboxes.map(View::of).collect();
        let quota = Quota { used: views.len(), limit: LIMIT, remaining: LIMIT.saturating_sub(views.len()) };
        let can_create = Action { allowed: quota.remaining > 0, reason: None, code: None };
        Self { email_accounts: views, quota, actions: Actions { can_create } }
    }
}

impl<'book> View<'book> {
    fn of(mailbox: &'book Mailbox) -> Self {
        let quota = Space { used_gb: 0.25, limit_gb: 10.0, usage_percent: 2.5, exceeded: false };
        Self { id: &mailbox.id, email: &mailbox.address, domain: mailbox.domain(), quota }
    }
}

/// Why a request is refused.
pub(crate) struct Refusal {
    status: u16,
    field: Option<Field>,
}

#[derive(Serialize)]
struct Field {
    pointer: String,
    detail: String,
    code: &'static str,
}

impl Refusal {
    /// What goes with a status.
    pub(crate) fn of(status: u16) -> Self {
        Self { status, field: None }
    }

    /// A request that is not what the vendor documents; `pointer` is a JSON Pointer (RFC 6901) into its body.
    pub(crate) fn invalid(pointer: &str, detail: &str, code: &'static str) -> Self {
        let field = Field { pointer: pointer.to_owned(), detail: format!("sandbox: {detail}"), code };
        Self { status: 400, field: Some(field) }
    }

    /// A path that is not encoded as it should be.
    pub(crate) fn invalid_path(why: &'static str) -> Self {
        Self::invalid("", why, "invalid_path")
    }

    /// The answer to a request for this path.
    pub(crate) fn at(self, instance: &str) -> Answer {
        let status = self.status;
        let answer = Answer::json(status, &Problem::of(status, instance, self.field.into_iter().collect()));
        let headers = vec![("Content-Type".to_owned(), "application/problem+json".to_owned())];
        let answer = Answer { headers, ..answer };
        match status {
            429 => answer.with_header("X-RateLimit-Limit", "60").with_header("X-RateLimit-Remaining", "0"),
            _ => answer,
        }
    }
}

/// RFC 7807's members and the vendor's own.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem<'path> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'static str,
    code: &'static str,
    instance: &'path str,
    request_id: String,
    timestamp: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Field>,
}

impl<'path> Problem<'path> {
    fn of(status: u16, instance: &'path str, errors: Vec<Field>) -> Self {
        let (code, title, detail) = match status {
            400 => ("invalid_request", "Validation failed", "The request body failed validation."),
            401 => ("unauthorized", "Unauthorized", "Authentication is required."),
            403 => ("forbidden", "Forbidden", "The API key lacks a required scope."),
            404 => ("not_found", "Not found", "The resource does not exist or is not owned by the caller."),
            409 => {
                ("account_not_eligible_cpanel", "Account not eligible", "The account uses the legacy control panel.")
            }
            429 => ("rate_limited", "Rate limited", "Retry after the limit resets."),
            500 => ("internal_error", "Internal error", "Retry later or contact support if the issue persists."),
            _ => ("sandbox_fault", "Sandbox", "A failure that the vendor does not document."),
        };
        Self {
            kind: format!("https://developer.hostup.se/errors/{code}"),
            title,
            status,
            detail,
            code,
            instance,
            request_id: format!("req_{}", ulid()),
            timestamp: format!("{:.3}", Timestamp::now()),
            errors,
        }
    }
}

/// What the vendor's ids end with.
pub(crate) fn ulid() -> String {
    random::alphanumeric(26).to_lowercase()
}

const LIMIT: usize = 100;
