//! Bearer tokens: given by the user, or granted for a while by the vendor (RFC 6750, RFC 6749).

use std::time::Duration;

use tokio::{sync::Mutex, time::Instant};

use crate::{
    http::{Api, Method, Operation, Result},
    secret::Secret,
};

/// How much earlier than the vendor says a token is taken for expired.
const EXPIRY_MARGIN: Duration = Duration::from_mins(1);

/// Where a bearer token comes from.
#[derive(Debug)]
pub(super) enum Bearer {
    /// The user gave it; there is no other.
    Fixed(Secret),
    /// A form is exchanged for it, and again when it has expired or was refused.
    Granted { path: &'static [&'static str], form: Vec<(&'static str, Secret)>, grant: Mutex<Option<Grant>> },
}

#[derive(Debug)]
pub(super) struct Grant {
    token: Secret,
    until: Instant,
}

impl Bearer {
    /// A token that the user gave.
    pub(super) fn fixed(token: Secret) -> Self {
        Self::Fixed(token)
    }

    /// Tokens that `path` grants for `form`.
    pub(super) fn granted(path: &'static [&'static str], form: Vec<(&'static str, Secret)>) -> Self {
        Self::Granted { path, form, grant: Mutex::default() }
    }

    /// The token to send, fetched where there is none that lasts.
    ///
    /// RFC 6749 spells the answer's fields with underscores; some vendors' pages print them in camel case, so both are read.
    pub(super) async fn token(&self, op: &Operation, api: &Api) -> Result<Secret> {
        let (path, form, grant) = match self {
            Self::Fixed(token) => return Ok(token.clone()),
            Self::Granted { path, form, grant } => (path, form, grant),
        };
        let mut grant = op.wait(grant.lock()).await?;
        if let Some(grant) = grant.as_ref().filter(|grant| grant.until > Instant::now()) {
            return Ok(grant.token.clone());
        }
        let answer = api.request(Method::POST, path).form(form.clone()).read(op).await?;
        let token = answer.secret(&["access_token"]).or_else(|| answer.secret(&["accessToken"]));
        let token = token.ok_or_else(|| answer.unreadable("it holds no access token"))?;
        let seconds = answer.number(&["expires_in"]).or_else(|| answer.number(&["expiresIn"])).unwrap_or(0);
        let lifetime = Duration::from_secs(seconds).saturating_sub(EXPIRY_MARGIN);
        *grant = Some(Grant { token: token.clone(), until: Instant::now() + lifetime });
        Ok(token)
    }

    /// Forgets a token that was refused; `false` where there is no way to get another.
    pub(super) async fn forget(&self, refused: &Secret) -> bool {
        let Self::Granted { grant, .. } = self else { return false };
        let mut grant = grant.lock().await;
        if grant.as_ref().is_some_and(|grant| grant.token == *refused) {
            *grant = None;
        }
        true
    }
}
