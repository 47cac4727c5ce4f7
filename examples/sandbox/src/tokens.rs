//! Access tokens: what each of them stands for and how long it lasts.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use super::lock;

/// The access tokens of one vendor.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<HashMap<String, Token>>);

struct Token {
    grant: Grant,
    expires: Option<Instant>,
}

/// What a token allows.
#[derive(Clone)]
pub(crate) struct Grant {
    /// The account at the vendor, in the vendor's own terms.
    pub account: u64,
    /// The scopes, in the vendor's own terms.
    pub scopes: Vec<String>,
}

/// What a token allows, at this account and with these scopes.
pub(crate) fn grant(account: u64, scopes: &[&str]) -> Grant {
    Grant { account, scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect() }
}

/// Why a token is worth nothing.
pub(crate) enum Refused {
    /// It was good once.
    Expired,
    /// It was never given out, or it was revoked.
    Unknown,
}

impl Tokens {
    /// Makes `token` good for ever.
    pub(crate) fn grant(&self, token: &str, grant: Grant) {
        lock(&self.0).insert(token.to_owned(), Token { grant, expires: None });
    }

    /// Makes `token` good for `lifetime`.
    pub(crate) fn lend(&self, token: &str, grant: Grant, lifetime: Duration) {
        lock(&self.0).insert(token.to_owned(), Token { grant, expires: Instant::now().checked_add(lifetime) });
    }

    /// Makes `token` worthless.
    pub(crate) fn revoke(&self, token: &str) {
        lock(&self.0).remove(token);
    }

    /// Ends the life of every token that has an end.
    pub(crate) fn expire(&self) {
        let now = Instant::now();
        for token in lock(&self.0).values_mut() {
            token.expires = token.expires.map(|_| now);
        }
    }

    /// Returns what `token` allows at this moment.
    pub(crate) fn check(&self, token: &str) -> Result<Grant, Refused> {
        let tokens = lock(&self.0);
        let token = tokens.get(token).ok_or(Refused::Unknown)?;
        match token.expires {
            Some(end) if end <= Instant::now() => Err(Refused::Expired),
            _ => Ok(token.grant.clone()),
        }
    }
}
