//! Whether a credential is gone.
//!
//! It is gone when the vendor says so of it, and only then. A list that lacks it says nothing of it: it may be cut short, filtered, a
//! copy that is behind, or somebody else's. So a list is followed by a question about the single credential where a vendor has such a
//! call. Where it has none the list is fetched once more, past whatever this process was told before; and an empty list, while the
//! state holds a credential, is an error that says what to do.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    Found, Presence, PriorCredential,
    cache::{Cache, Weigh},
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

/// What a call about a single credential says: gone is what the vendor's own 404 says, or what it tells of the credential itself.
pub(super) fn asked(answer: Result<Presence>) -> Result<Presence> {
    match answer {
        Err(error) if error.kind == Kind::NotFound => Ok(Presence::Gone),
        answer => answer,
    }
}

/// Looks a credential up at a vendor that has nothing but lists.
#[derive(Debug)]
pub(super) struct Lists<'a, T> {
    /// What was told.
    pub(super) told: &'a Cache<T>,
    /// Of which scope.
    pub(super) key: &'a str,
    /// By whom.
    pub(super) host: &'a str,
}

impl<T: Weigh> Lists<'_, T> {
    /// Looks, and looks once more past what was told before, if the credential is missing. `see` tells whether a list is empty, too.
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
        let mut list: Arc<T> = self.told.get_or_fetch(op, self.key, ask()).await?;
        let since = Instant::now();
        let mut is_second = false;
        loop {
            match see(&list)? {
                (Sight::Here(found), _) => return Ok(Presence::Found(found)),
                (Sight::Ended, _) => return Ok(Presence::Gone),
                (Sight::Missing, true) if *prior != PriorCredential::default() => {
                    return Err(contradiction(self.host, EMPTY));
                }
                (Sight::Missing, _) if is_second => return Ok(Presence::Gone),
                (Sight::Missing, _) => {}
            }
            list = self.told.get_or_fetch_since(op, self.key, since, ask()).await?;
            is_second = true;
        }
    }
}

/// The error of a list that contradicts the state.
pub(super) fn contradiction(host: &str, reason: &'static str) -> Error {
    Error { status: Some(200), ..Error::new(Kind::Contradiction, Outcome::NotChanged, host, reason) }
}

pub(super) const EMPTY: &str = "the list of credentials is empty, though the state holds one of them";
