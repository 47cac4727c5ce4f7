//! Bearer tokens: given by the user, or granted for a while by the vendor or by another host (RFC 6750, RFC 6749).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::{sync::Mutex, time::Instant};

use super::assertion::Assertion;
use crate::{
    http::{Answer, Api, BodyText, Error, Kind, Method, Operation, Outcome, Request, Result},
    secret::Secret,
};

/// What an assertion is (RFC 7523, section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How much earlier than the vendor says a token is taken for expired.
const EXPIRY_MARGIN: Duration = Duration::from_mins(1);

/// Where a bearer token comes from.
#[derive(Debug)]
pub(super) enum TokenSource {
    /// The user gave it; there is no other.
    Fixed(Secret),
    /// Something is exchanged for it, and again when it has expired or was refused.
    Granted(Box<Grants>),
    /// Nowhere: the settings cannot work, for this reason.
    Unusable(&'static str),
}

/// Where tokens are granted, for what, and the one that was granted last.
#[derive(Debug)]
pub(super) struct Grants {
    authority: Api,
    path: Vec<String>,
    offer: TokenRequest,
    last: Mutex<Option<AccessToken>>,
}

/// What the vendor exchanges for a token.
#[derive(Debug)]
pub(super) enum TokenRequest {
    /// A form (RFC 6749, section 6).
    Form(Vec<(&'static str, BodyText)>),
    /// A form, with a signed statement of somebody else on who it is (RFC 7523, section 2.2).
    Asserted(Vec<(&'static str, BodyText)>, Assertion),
    /// A user name and a password, as HTTP Basic, with the grant type in the query.
    Login { username: String, password: Secret },
}

/// A token that the vendor granted.
#[derive(Debug)]
pub(super) struct AccessToken {
    /// The token.
    pub(super) token: Secret,
    /// What would get another one, where the vendor gives such a thing.
    pub(super) refresh_token: Option<Secret>,
    /// When it expires; `None` if unknown.
    until: Option<Instant>,
}

impl TokenSource {
    /// A token that the user gave.
    pub(super) fn fixed(token: Secret) -> Self {
        Self::Fixed(token)
    }

    /// Tokens that `authority` grants at `path` for `offer`.
    pub(super) fn granted(authority: Api, path: &[&str], offer: TokenRequest) -> Self {
        let path = path.iter().map(|&segment| segment.to_owned()).collect();
        Self::Granted(Box::new(Grants { authority, path, offer, last: Mutex::default() }))
    }

    /// Sends a request with a token, and once more with a new one where the vendor refused the first: what is refused
    /// was not done.
    pub(super) async fn send<F>(&self, op: &Operation, send: impl Fn(Secret) -> F) -> Result<Answer>
    where
        F: Future<Output = Result<Answer>>,
    {
        let token = self.token(op).await?;
        match send(token.clone()).await {
            Err(error)
                if (error.kind, error.outcome) == (Kind::Unauthorized, Outcome::NotChanged)
                    && self.forget(op, &token).await? =>
            {
                send(self.token(op).await?).await
            }
            result => result,
        }
    }

    /// Forgets the granted token, and returns it so that it can be revoked.
    pub(super) async fn end(&self, op: &Operation) -> Option<AccessToken> {
        match self {
            Self::Fixed(_) | Self::Unusable(_) => None,
            Self::Granted(grants) => op.wait(grants.last.lock()).await.ok()?.take(),
        }
    }

    /// The token to send, fetched where there is none that lasts.
    async fn token(&self, op: &Operation) -> Result<Secret> {
        let Grants { authority, path, offer, last } = match self {
            Self::Fixed(token) => return Ok(token.clone()),
            Self::Unusable(reason) => return Err(Error::new(Kind::Setup, Outcome::NotChanged, "", *reason)),
            Self::Granted(grants) => &**grants,
        };
        // Locked during the request, so concurrent calls share one token instead of requesting several.
        let mut grant = op.wait(last.lock()).await?;
        if let Some(grant) = grant.as_ref().filter(|grant| grant.lasts()) {
            return Ok(grant.token.clone());
        }
        let path: Vec<_> = path.iter().map(String::as_str).collect();
        let answer = offer.add_to(op, authority.request(Method::POST, &path)).await?.read(op).await?;
        let granted = AccessToken::read(&answer)?;
        let token = granted.token.clone();
        *grant = Some(granted);
        Ok(token)
    }

    /// Forgets a token that was refused; `false` where there is no way to get another.
    async fn forget(&self, op: &Operation, refused: &Secret) -> Result<bool> {
        let Self::Granted(grants) = self else { return Ok(false) };
        // Only if it is still the rejected one: another call may already have replaced it.
        op.wait(grants.last.lock()).await?.take_if(|grant| grant.token == *refused);
        Ok(true)
    }
}

impl TokenRequest {
    async fn add_to(&self, op: &Operation, request: Request) -> Result<Request> {
        Ok(match self {
            Self::Form(fields) => request.form(fields.clone()),
            Self::Asserted(fields, assertion) => {
                let assertion = ("client_assertion", assertion.get(op).await?.into());
                let of_type = ("client_assertion_type", JWT_BEARER.into());
                request.form(fields.iter().cloned().chain([of_type, assertion]).collect())
            }
            Self::Login { username, password } => request.query("grant_type", "password").basic(username, password),
        })
    }
}

impl AccessToken {
    /// Parses a response that grants a token.
    ///
    /// RFC 6749 spells its fields with underscores; some vendors' pages print them in camel case, so both are read.
    fn read(answer: &Answer) -> Result<Self> {
        let secret = |snake, camel| answer.secret(snake).or_else(|| answer.secret(camel));
        let token = secret("/access_token", "/accessToken");
        Ok(Self {
            token: token.ok_or_else(|| answer.unreadable("it has no access token"))?,
            refresh_token: secret("/refresh_token", "/refreshToken"),
            until: lifetime(answer).and_then(|lifetime| Instant::now().checked_add(lifetime)),
        })
    }

    fn lasts(&self) -> bool {
        self.until.is_none_or(|until| until > Instant::now())
    }
}

/// Returns the lifetime of a token, reported in seconds or as an end in milliseconds since 1970. An end in the past is
/// ignored, since it only shows that the clocks differ.
fn lifetime(answer: &Answer) -> Option<Duration> {
    let seconds = answer.number("/expires_in").or_else(|| answer.number("/expiresIn")).map(Duration::from_secs);
    let lifetime = seconds.or_else(|| {
        let end = UNIX_EPOCH.checked_add(Duration::from_millis(answer.number("/expires_at")?))?;
        end.duration_since(SystemTime::now()).ok()
    })?;
    // A token that lasts less long than that is used once.
    Some(lifetime.saturating_sub(EXPIRY_MARGIN))
}
