//! Whether a credential is gone.
//!
//! A credential is only gone if the vendor says so explicitly. That a list lacks it proves nothing: the list may be
//! truncated, filtered, outdated or that of another account. If the vendor has a call for a single credential, it
//! decides. Otherwise the list is fetched once more, bypassing the cache. An empty list is an error if the state holds
//! a credential.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    cache::{Cache, Weigh},
    report::{Found, Presence, PriorCredential},
};
use crate::http::{Error, Kind, Operation, Outcome, Result};

/// What a list says of one credential.
#[derive(Debug)]
pub(super) enum Sight {
    /// It is there.
    Here(Found),
    /// It is there, and said to have ended.
    Ended,
    /// It is not there.
    Missing,
}

/// Interprets a call for a single credential: the vendor's own 404 means that it is gone.
pub(super) fn asked(answer: Result<Presence>) -> Result<Presence> {
    match answer {
        Err(error) if error.kind == Kind::NotFound => Ok(Presence::Gone),
        answer => answer,
    }
}

/// Looks a credential up at a vendor that has nothing but lists.
#[derive(Debug)]
pub(super) struct Lists<'a, T> {
    /// The cached lists.
    pub(super) cache: &'a Cache<T>,
    /// The scope.
    pub(super) key: &'a str,
    /// The host of the API.
    pub(super) host: &'a str,
}

impl<T: Weigh> Lists<'_, T> {
    /// Looks the credential up, and once more in a fresh list if it is missing. `see` also returns whether the list is
    /// empty.
    pub(super) async fn look<F>(
        &self,
        op: &Operation,
        prior: &PriorCredential,
        ask: impl Fn() -> F,
        see: impl Fn(&T) -> Result<(Sight, bool)>,
    ) -> Result<Presence>
    where
        F: Future<Output = Result<T>>,
    {
        let mut list: Arc<T> = self.cache.get_or_fetch(op, self.key, ask()).await?;
        // Only a list that is requested after the first one confirms it, no matter which caller requests it.
        let since = Instant::now();
        let mut is_second = false;
        loop {
            match see(&list)? {
                (Sight::Here(found), _) => return Ok(Presence::Found(found)),
                (Sight::Ended, _) => return Ok(Presence::Gone),
                // At an import there is nothing in the state that an empty list would contradict.
                (Sight::Missing, true) if *prior != PriorCredential::default() => {
                    return Err(contradiction(self.host, EMPTY));
                }
                (Sight::Missing, _) if is_second => return Ok(Presence::Gone),
                (Sight::Missing, _) => {}
            }
            list = self.cache.get_or_fetch_since(op, self.key, since, ask()).await?;
            is_second = true;
        }
    }
}

/// Interprets a look-up of a credential that no state holds: an empty list lacks it.
pub(super) fn without_state(answer: Result<Presence>) -> Result<Presence> {
    match answer {
        Err(error) if error.kind == Kind::Contradiction && error.reason == EMPTY => Ok(Presence::Gone),
        answer => answer,
    }
}

/// The error of a list that contradicts the state.
pub(super) fn contradiction(host: &str, reason: &'static str) -> Error {
    Error { status: Some(200), ..Error::new(Kind::Contradiction, Outcome::NotChanged, host, reason) }
}

/// The reason where an API key logs in, which is on a list of API keys that is whole.
pub(super) const WITHOUT_OWN_KEY: &str =
    "the list of API keys is empty, although the provider logs in with one of them";

const EMPTY: &str = "the list of credentials is empty, though the state holds one of them";
