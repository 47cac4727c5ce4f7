//! The paths, bodies and errors of [`KirimEmail`](super::KirimEmail), as documented.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    super::http::{Answer, Request},
    CREATED_AT, Credential, Denial, Envelope, Format, MailServer, Stamp, Times,
};

/// A path, its parts still percent-encoded.
pub(crate) struct Path<'path> {
    /// The domain.
    pub domain: &'path str,
    /// What of it.
    pub resource: Resource<'path>,
}

/// What of a domain is meant.
pub(crate) enum Resource<'path> {
    /// One credential.
    Get(&'path str),
    /// All credentials.
    List,
    /// The password reset of one credential.
    Reset(&'path str),
}

impl Resource<'_> {
    /// The one method that is imitated here.
    pub(crate) fn method(&self) -> &'static str {
        match self {
            Self::Get(_) | Self::List => "GET",
            Self::Reset(_) => "PUT",
        }
    }
}

/// Returns what a path stands for, if anything.
pub(crate) fn path(path: &str) -> Option<Path<'_>> {
    let mut segments = path.strip_prefix("/api/domains/")?.split('/');
    let domain = segments.next().filter(|domain| !domain.is_empty())?;
    let resource = match *segments.collect::<Vec<_>>().as_slice() {
        ["credentials"] => Resource::List,
        ["credentials", guid] if !guid.is_empty() => Resource::Get(guid),
        ["credentials", guid, "reset-password"] if !guid.is_empty() => Resource::Reset(guid),
        _ => return None,
    };
    Some(Path { domain, resource })
}

/// A credential, without its password.
#[derive(Serialize)]
pub(crate) struct View<'book> {
    id: u64,
    user_smtp_guid: &'book str,
    username: &'book str,
    created_at: Time,
    modified_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_password_changed: Option<Time>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Time {
    Seconds(i64),
    Text(String),
}

impl<'book> View<'book> {
    /// The credential in this format, as a read shows it.
    pub(crate) fn of(credential: &'book Credential, format: Format) -> Self {
        Self::at(credential.shown(), credential, format)
    }

    /// The credential in this format, last changed in that second since 1970.
    pub(crate) fn at(stamp: i64, credential: &'book Credential, format: Format) -> Self {
        let modified_at = Timestamp::from_second(stamp).unwrap_or(Timestamp::MAX);
        let shows_changes = format.stamp == Stamp::ModifiedAndPasswordChanged;
        Self {
            id: credential.id,
            user_smtp_guid: &credential.guid,
            username: &credential.user_name,
            created_at: Time::of(CREATED_AT, format.times),
            modified_at: Time::of(modified_at, format.times),
            last_password_changed: shows_changes.then(|| Time::of(modified_at, format.times)),
        }
    }

    /// The same under another user name, where there is one.
    pub(crate) fn under(self, user_name: Option<&'book str>) -> Self {
        Self { username: user_name.unwrap_or(self.username), ..self }
    }
}

impl Time {
    fn of(time: Timestamp, times: Times) -> Self {
        match times {
            Times::Seconds => Self::Seconds(time.as_second()),
            Times::Text => Self::Text(time.to_string()),
        }
    }
}

/// The answer to a request for one credential.
#[derive(Serialize)]
pub(crate) struct One<'book> {
    success: bool,
    data: View<'book>,
}

impl<'book> One<'book> {
    /// The credential as an answer.
    pub(crate) fn of(data: View<'book>) -> Self {
        Self { success: true, data }
    }
}

/// The answer to a reset.
#[derive(Serialize)]
pub(crate) struct Outcome<'book> {
    success: bool,
    message: &'static str,
    data: Reset<'book>,
}

#[derive(Serialize)]
struct Reset<'book> {
    credential: View<'book>,
    new_password: &'book str,
    strength_info: Strength,
    remote_synced: bool,
}

/// Free-form in the specification; this is what the vendor's own clients are tested with.
#[derive(Serialize)]
struct Strength {
    score: u8,
    feedback: &'static str,
}

impl<'book> Outcome<'book> {
    /// The new password and what to know about it.
    pub(crate) fn of(
        credential: View<'book>,
        new_password: &'book str,
        mail_server: MailServer,
        denial: Option<Denial>,
    ) -> Self {
        let (success, message) = match denial {
            None => (true, "Password reset successfully."),
            Some(_) => (false, FAILED),
        };
        let strength_info = Strength { score: 8, feedback: "Strong" };
        let remote_synced = mail_server == MailServer::InStep;
        Self { success, message, data: Reset { credential, new_password, strength_info, remote_synced } }
    }
}

/// Which part of a list is meant.
pub(crate) struct Page {
    limit: usize,
    page: usize,
}

impl Page {
    /// Reads the documented parameters and refuses all others.
    pub(crate) fn of(request: &Request) -> Result<Self, Answer> {
        let mut page = Self { limit: 15, page: 1 };
        for (name, value) in request.parameters() {
            let number = value.parse().ok().filter(|number| *number >= 1);
            match (name.as_str(), number) {
                ("limit", Some(limit)) if limit <= 100 => page.limit = limit,
                ("limit", _) => return Err(invalid("limit", "the limit is a number from 1 to 100")),
                ("page", Some(number)) => page.page = number,
                ("page", None) => return Err(invalid("page", "the page is a number above 0")),
                _ => return Err(invalid("query", "the query has a parameter that this call does not know")),
            }
        }
        Ok(page)
    }

    fn offset(&self) -> usize {
        (self.page - 1).saturating_mul(self.limit)
    }
}

#[derive(Serialize)]
struct List<'book, T> {
    success: bool,
    data: T,
    domain: &'book str,
}

#[derive(Serialize)]
struct Paged<'book> {
    data: Vec<View<'book>>,
    pagination: Pagination,
}

#[derive(Serialize)]
struct Pagination {
    total: usize,
    page: usize,
    limit: usize,
    offset: usize,
}

/// One page of a domain's credentials.
pub(crate) fn list(all: &[&Credential], asked: &Page, domain: &str, envelope: Envelope, format: Format) -> Answer {
    let offset = asked.offset();
    let views = all.iter().skip(offset).take(asked.limit).map(|credential| View::of(credential, format));
    let data: Vec<_> = views.collect();
    match envelope {
        Envelope::Array => Answer::json(200, &List { success: true, data, domain }),
        Envelope::Paged => {
            let pagination = Pagination { total: all.len(), page: asked.page, limit: asked.limit, offset };
            Answer::json(200, &List { success: true, data: Paged { data, pagination }, domain })
        }
    }
}

/// A reset that failed, though the status does not say so.
pub(crate) fn denied() -> Answer {
    Answer::json(200, &Failure::new(FAILED))
}

/// A domain that the user does not have.
pub(crate) fn no_domain() -> Answer {
    Answer::json(404, &Failure::new("Domain not found"))
}

/// A request that is not what the vendor documents.
pub(crate) fn invalid(field: &'static str, why: &str) -> Answer {
    let errors = BTreeMap::from([(field, [format!("sandbox: {why}")])]);
    Answer::json(422, &Failure { errors: Some(errors), ..Failure::new("The given data was invalid.") })
}

/// The documented answer with this status, where there is one.
pub(crate) fn failure(status: u16) -> Answer {
    let message = match status {
        401 => "Unauthorized",
        403 => "Credential does not belong to the specified domain",
        404 => "Credential not found",
        429 => "Too many attempts. Please try again later.",
        500 => "An error occurred while processing the request.",
        _ => "sandbox: a failure that the vendor does not document",
    };
    let answer = Answer::json(status, &Failure::new(message));
    match status {
        429 => answer.with_header("X-RateLimit-Limit", "60").with_header("X-RateLimit-Remaining", "0"),
        _ => answer,
    }
}

#[derive(Serialize)]
struct Failure {
    success: bool,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<BTreeMap<&'static str, [String; 1]>>,
}

impl Failure {
    fn new(message: &'static str) -> Self {
        Self { success: false, message, errors: None }
    }
}

const FAILED: &str = "Password reset failed.";
