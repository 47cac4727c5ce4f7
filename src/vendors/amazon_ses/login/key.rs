//! Access keys, and the errors of where they come from.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use crate::{
    clock,
    http::{Answer, Error, Kind, Outcome, Result},
    secret::{Name, Secret},
};

/// How long before they expire temporary credentials are fetched again.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// The shortest life of temporary credentials: 900 seconds, by the documentation of `AssumeRole`.
const SHORTEST: SignedDuration = SignedDuration::from_mins(15);

/// An access key to sign requests with.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::vendors::amazon_ses) struct AwsKey {
    pub(in crate::vendors::amazon_ses) id: String,
    pub(in crate::vendors::amazon_ses) secret: Secret,
    pub(in crate::vendors::amazon_ses) session_token: Option<Secret>,
    /// When it expires, if it is temporary.
    pub(in crate::vendors::amazon_ses) expires_at: Option<Timestamp>,
}

impl AwsKey {
    /// A key that does not expire.
    pub(super) fn lasting(id: &str, secret: &Secret, session_token: Option<&Secret>) -> Self {
        let (id, secret, session_token) = (id.to_owned(), secret.clone(), session_token.cloned());
        Self { id, secret, session_token, expires_at: None }
    }

    /// Reads a temporary key from the object at a JSON pointer of a response, whose field for the token is called
    /// `token`.
    pub(super) fn granted(answer: &Answer, object: &str, token: &str) -> Result<Self> {
        let lacks = || answer.unreadable("it has no complete credentials");
        let secret = |name: &str| answer.secret(&format!("{object}/{name}")).ok_or_else(lacks);
        let text = |name: &str| answer.text(&format!("{object}/{name}"));
        let id = text("AccessKeyId").filter(|id| !id.raw().is_empty()).ok_or_else(lacks)?;
        // One that does not say when it ends would never be fetched again.
        let shortest = || clock::now().saturating_add(SHORTEST).unwrap_or(Timestamp::MAX);
        let expires_at = text("Expiration").and_then(|time| time.raw().parse().ok()).unwrap_or_else(shortest);
        let (secret, session_token) = (secret("SecretAccessKey")?, Some(secret(token)?));
        Ok(Self { id: id.raw().to_owned(), secret, session_token, expires_at: Some(expires_at) })
    }

    pub(super) fn lasts(&self) -> bool {
        self.expires_at.is_none_or(|end| clock::now().duration_until(end) > MARGIN)
    }
}

/// The error of a source of credentials that does not work. Nothing was sent to the vendor.
pub(super) fn setup(host: &str, reason: impl Into<Cow<'static, str>>) -> Error {
    Error::new(Kind::NoLogin, Outcome::NotChanged, host, reason)
}

/// Says which source has failed, and how.
pub(super) fn failed(source: &str, error: Error) -> Error {
    // A stop is no fault of the source, and callers recognize it by its kind.
    if error.kind == Kind::Stopped {
        return error;
    }
    let said = match (error.status, &error.code, &error.message) {
        (None, ..) => format!("{} sent no usable response: {}", error.host, error.reason),
        (Some(status), None, None) => format!("{} returned {status}: {}", error.host, error.reason),
        (Some(status), code, message) => {
            let code = code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
            let message = message.as_ref().map(|message| format!(", “{message}”")).unwrap_or_default();
            format!("{} returned {status}{code}{message}", error.host)
        }
    };
    setup("", format!("{source} failed: {said}"))
}

/// Names a profile, whose name may be anything.
pub(super) fn shown_profile(name: &str) -> String {
    Name::new(name).map_or_else(|| "the profile".to_owned(), |name| format!("the profile `{name}`"))
}
