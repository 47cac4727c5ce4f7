//! The paths, bodies and errors of [`ExampleMail`].

use serde_json::{Value, json};

use super::{
    super::{
        http::{Answer, Request, segment},
        vendor::Operation,
    },
    ExampleMail,
};

/// What a request asks for, and of which user.
pub(crate) struct Asked<'path> {
    /// The domain, still percent-encoded.
    domain: &'path str,
    /// The user, still percent-encoded; nothing where the whole domain is meant.
    user: Option<&'path str>,
    /// What it is.
    pub what: What<'path>,
}

/// What a request asks for, by its method.
#[derive(Clone, Copy)]
pub(crate) enum What<'path> {
    /// The users of a domain.
    Users,
    /// One user.
    User,
    /// A password of the caller's own.
    Set,
    /// A new password.
    Rotate,
    /// The keys of a user.
    Keys,
    /// A new key.
    Create,
    /// The end of a key, whose id is still percent-encoded.
    Revoke(&'path str),
    /// Nothing that the path has with this method.
    OtherMethod,
}

impl What<'_> {
    pub(crate) fn operation(self) -> Operation {
        match self {
            Self::Users | Self::Keys => Operation::List,
            Self::User | Self::OtherMethod => Operation::Get,
            Self::Set | Self::Rotate | Self::Create => Operation::Reset,
            Self::Revoke(_) => Operation::Revoke,
        }
    }
}

impl<'path> Asked<'path> {
    /// Returns what a request asks for; nothing where its path is not of this API.
    pub(crate) fn by(request: &'path Request) -> Option<Self> {
        let rest = request.path().strip_prefix(ExampleMail::PATH)?.strip_prefix("/domains/")?;
        let segments: Vec<_> = rest.split('/').collect();
        let (domain, user, rest) = match *segments.as_slice() {
            [domain, "users"] => (domain, None, &[][..]),
            [domain, "users", user, ..] => (domain, Some(user), &segments[3..]),
            _ => return None,
        };
        let what = match (request.method.as_str(), user, rest) {
            ("GET", None, _) => What::Users,
            ("GET", Some(_), []) => What::User,
            ("PUT", Some(_), ["password"]) => What::Set,
            ("POST", Some(_), ["rotate"]) => What::Rotate,
            ("GET", Some(_), ["keys"]) => What::Keys,
            ("POST", Some(_), ["keys"]) => What::Create,
            ("DELETE", Some(_), ["keys", id]) => What::Revoke(id),
            (_, None, _) | (_, Some(_), [] | ["password" | "rotate" | "keys"] | ["keys", _]) => What::OtherMethod,
            _ => return None,
        };
        Some(Self { domain, user, what })
    }

    /// Decodes the domain.
    pub(crate) fn domain(&self) -> Result<String, Refusal> {
        segment(self.domain).map_err(|why| Refusal::new(400, "invalid_path", why))
    }

    /// Decodes the user.
    pub(crate) fn user(&self) -> Result<Option<String>, Refusal> {
        self.user.map(segment).transpose().map_err(|why| Refusal::new(400, "invalid_path", why))
    }
}

/// Reads the body of a request for a password of the caller's own.
pub(crate) fn password(request: &Request) -> Result<String, Refusal> {
    if !request.is_of("application/json") {
        return Err(Refusal::new(415, "invalid_content_type", "The body must be application/json."));
    }
    let body: Option<Value> = serde_json::from_slice(&request.body).ok();
    let fields = body.as_ref().and_then(Value::as_object).filter(|fields| fields.len() == 1);
    let password = fields.and_then(|fields| fields.get("password")?.as_str());
    let password = password
        .ok_or_else(|| Refusal::new(400, "invalid_body", "The body must be an object with `password` alone."))?;
    // Some APIs report failures with status 200, and this is how a description of one is tried.
    if !LENGTHS.contains(&password.chars().count()) {
        return Err(Refusal::new(200, "invalid_password", "A password must have 16 to 64 characters."));
    }
    Ok(password.to_owned())
}

/// Returns a page of entries under a name, by the number in the query. A page after the last one is empty.
pub(crate) fn page(request: &Request, name: &str, entries: &[Value]) -> Result<Answer, Refusal> {
    let mut number = 1;
    for (parameter, value) in request.parameters() {
        number = match value.parse::<usize>() {
            Ok(number) if parameter == "page" && number > 0 => number,
            _ => return Err(Refusal::new(400, "invalid_query", "The query may only have `page`, a number from 1.")),
        };
    }
    let shown: Vec<_> = entries.iter().skip((number - 1).saturating_mul(PAGE)).take(PAGE).collect();
    let pages = entries.len().div_ceil(PAGE).max(1);
    Ok(Answer::json(200, &json!({ "ok": true, name: shown, "page": number, "pages": pages })))
}

/// Why a request is refused.
pub(crate) struct Refusal {
    status: u16,
    code: &'static str,
    message: &'static str,
}

impl Refusal {
    /// A refusal with a code for programs and a message for people.
    pub(crate) fn new(status: u16, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message }
    }

    /// What goes with a status.
    pub(crate) fn of(status: u16) -> Self {
        let (code, message) = match status {
            401 => ("unauthorized", "The token is missing or wrong."),
            404 => ("not_found", "There is no such user or key."),
            405 => ("method_not_allowed", "This path does not have that method."),
            429 => ("too_many_requests", "There were too many requests."),
            _ => ("sandbox_fault", "The sandbox was asked to fail."),
        };
        Self::new(status, code, message)
    }

    /// The answer.
    pub(crate) fn answer(self) -> Answer {
        let Self { status, code, message } = self;
        Answer::json(status, &json!({ "ok": false, "error": { "code": code, "message": message } }))
    }
}

/// How many entries a page has: few, so that some users make several pages.
const PAGE: usize = 2;

/// How many characters a password has.
const LENGTHS: std::ops::RangeInclusive<usize> = 16..=64;
