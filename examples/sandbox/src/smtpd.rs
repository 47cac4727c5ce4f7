//! The API keys of [`Smtpd`], and its logins.
//!
//! <https://docs.smtpd.dev/api/authentication> and <https://docs.smtpd.dev/api/account/api-keys>. Not imitated:
//! profiles, sending, the sessions of a key, its end after 90 days without use, and HTTPS.
//!
//! There is no password to reset at this vendor: a reset is a new API key and the end of the old one. What the
//! documents leave open, and how it is taken here:
//!
//! - A key is the SMTP user name and its secret the password, until it is revoked.
//! - Names need not be unique, or no key could follow another.
//! - A list is a bare array, with the revoked keys in it. Revoking answers 200 with no body, however often.
//! - Who revokes the key that they logged in with is locked out at that moment.
//! - The role `read_only` reads keys, `send_only` nothing of them; the others and users do everything.
//! - An access token lives for an hour and outlives a new grant, a refresh and a logout; a refresh token lasts until the next
//!   grant or its revocation, and is returned again with every refresh.
//! - Refresh tokens are sent as JSON or as a form. Nothing else is sent in a query but `grant_type`.
//! - Errors that have no documented code have the status with two zeros.

mod api;
mod sessions;
mod wire;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use serde::Deserialize;

use self::sessions::Sessions;
use super::{
    accounts::Accounts,
    lock,
    model::{Example, Model, UnderTest},
    random,
};

/// The imitated vendor, with one account and one API key to log in with.
pub struct Smtpd {
    accounts: Arc<Accounts>,
    login: ApiKey,
    book: Mutex<Book>,
}

/// An API key as it is known to its vendor.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Its id.
    pub id: String,
    /// Its name, which others may share.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Who logs in.
    pub key: String,
    /// With what.
    pub secret: String,
    /// Whether it may still be used.
    pub state: KeyState,
    accessed_at: i64,
    created_at: i64,
    modified_at: i64,
    /// How many lists still leave it out.
    hidden: usize,
}

/// What an API key may do.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Infrastructure as code.
    Iac,
    /// Everything.
    Standard,
    /// Reading.
    ReadOnly,
    /// Sending.
    SendOnly,
}

/// Whether an API key may be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyState {
    /// It may.
    Active,
    /// It may not, and never will again.
    Revoked,
}

struct Book {
    account_id: String,
    users: Vec<(String, String)>,
    keys: Vec<ApiKey>,
    scripted: VecDeque<(String, String)>,
    made: Vec<String>,
    /// How many lists leave out a key that is made from now on.
    late: usize,
    sessions: Sessions,
    reuses_keys: bool,
}

impl Smtpd {
    pub(super) fn new(accounts: Arc<Accounts>) -> Self {
        let login = ApiKey::new("terraform", Role::Iac, random::alphanumeric(32), random::alphanumeric(64));
        let book = Book {
            account_id: random::uuid(),
            users: Vec::new(),
            keys: vec![login.clone()],
            scripted: VecDeque::new(),
            made: Vec::new(),
            late: 0,
            sessions: Sessions::default(),
            reuses_keys: false,
        };
        accounts.open_with(&login.key, &login.secret);
        Self { accounts, login, book: Mutex::new(book) }
    }

    /// The API key to log in with, of the role `iac`.
    pub fn login_key(&self) -> &ApiKey {
        &self.login
    }

    /// Lets a user log in with a password.
    pub fn add_user(&self, username: &str, password: &str) {
        lock(&self.book).users.push((username.to_owned(), password.to_owned()));
    }

    /// Adds an API key.
    pub fn add_key(&self, name: &str, role: Role) -> ApiKey {
        self.make(&mut lock(&self.book), name, role)
    }

    /// The newest API key of that name that may still be used.
    pub fn key_named(&self, name: &str) -> Option<ApiKey> {
        let active = |key: &&ApiKey| key.name == name && key.state == KeyState::Active;
        lock(&self.book).keys.iter().rev().find(active).cloned()
    }

    /// All API keys, oldest first.
    pub fn keys(&self) -> Vec<ApiKey> {
        lock(&self.book).keys.clone()
    }

    /// The secret of an API key that may be used, found by its `key`.
    pub fn password(&self, key: &str) -> Option<String> {
        self.accounts.password(key)
    }

    /// How many API keys of that name were made over the API.
    pub fn resets(&self, name: &str) -> usize {
        lock(&self.book).made.iter().filter(|made| *made == name).count()
    }

    /// Scripts the key and the secret that the API makes next; several are used up in their order.
    pub fn next_key(&self, key: &str, secret: &str) {
        lock(&self.book).scripted.push_back((key.to_owned(), secret.to_owned()));
    }

    /// From here on, who asks for a key of a name that is there already gets that key, with another secret: the same
    /// id, the same user name. No document says whether this vendor does that.
    pub fn reuse_keys(&self) {
        lock(&self.book).reuses_keys = true;
    }

    /// Revokes an API key as somebody else would who is logged in at the vendor.
    pub fn revoke(&self, id: &str) {
        self.end(&mut lock(&self.book), id);
    }

    /// Removes an API key from the list.
    pub fn remove(&self, id: &str) {
        let mut book = lock(&self.book);
        self.end(&mut book, id);
        book.keys.retain(|key| key.id != id);
    }

    /// Lets the first so many lists leave out each key that is made from now on; what was left out until now is listed.
    pub fn list_late(&self, lists: usize) {
        let mut book = lock(&self.book);
        book.late = lists;
        book.keys.iter_mut().for_each(|key| key.hidden = 0);
    }

    /// How long the access tokens live that are given out from now on; by default an hour.
    pub fn access_token_lifetime(&self, lifetime: Duration) {
        lock(&self.book).sessions.lifetime = lifetime;
    }

    /// Lets every access token expire.
    pub fn expire_access_tokens(&self) {
        lock(&self.book).sessions.expire_access();
    }

    /// Lets the refresh token expire.
    pub fn expire_refresh_token(&self) {
        lock(&self.book).sessions.expire_refresh();
    }

    fn make(&self, book: &mut Book, name: &str, role: Role) -> ApiKey {
        if let Some(same) = book.reuses_keys.then(|| book.renewed(name)).flatten() {
            self.accounts.open_with(&same.key, &same.secret);
            return same;
        }
        let random = || (random::alphanumeric(32), random::alphanumeric(64));
        let (key, secret) = book.scripted.pop_front().unwrap_or_else(random);
        self.accounts.open_with(&key, &secret);
        let made = ApiKey { hidden: book.late, ..ApiKey::new(name, role, key, secret) };
        book.keys.push(made.clone());
        made
    }

    fn end(&self, book: &mut Book, id: &str) {
        let Some(key) = book.keys.iter_mut().find(|key| key.id == id && key.state == KeyState::Active) else { return };
        key.state = KeyState::Revoked;
        key.modified_at = now();
        self.accounts.close(&key.key);
        book.sessions.end_of(&key.key);
    }
}

impl Book {
    /// The newest key of that name that may be used, with another secret.
    fn renewed(&mut self, name: &str) -> Option<ApiKey> {
        let active = |key: &&mut ApiKey| key.name == name && key.state == KeyState::Active;
        let key = self.keys.iter_mut().rev().find(active)?;
        key.secret = random::alphanumeric(64);
        key.modified_at = now();
        Some(key.clone())
    }
}

impl ApiKey {
    fn new(name: &str, role: Role, key: String, secret: String) -> Self {
        Self {
            id: random::uuid(),
            name: name.to_owned(),
            role,
            key,
            secret,
            state: KeyState::Active,
            accessed_at: 0,
            created_at: now(),
            modified_at: now(),
            hidden: 0,
        }
    }
}

/// In seconds, as API keys have it.
fn now() -> i64 {
    Timestamp::now().as_second()
}

impl Smtpd {
    /// What tests know of it.
    pub const MODEL: &Model = &Model {
        name: "smtpd",
        title: "SMTPD",
        takes_passwords: false,
        makes_successors: true,
        shows_changes: false,
        restores_tokens: false,
        token_variable: "SMTPD_API_SECRET",
        submission: None,
        first_request: "POST /oauth/token",
        examples: [
            Example { name: "newsletter", fields: &[("name", "newsletter"), ("role", "send_only")] },
            Example { name: "発送 \"2\"/%2e", fields: &[("name", "発送 \"2\"/%2e"), ("role", "standard")] },
        ],
        fields: |name| vec![("name", name.to_owned()), ("role", "send_only".to_owned())],
        reset_response: |password| format!("{{\"Secret\":{password}}}"),
    };
}

impl UnderTest for Smtpd {
    fn model(&self) -> &'static Model {
        Self::MODEL
    }

    fn add(&self, name: &str) -> Option<String> {
        let role = if name == Self::MODEL.examples[1].name { Role::Standard } else { Role::SendOnly };
        Some(self.add_key(name, role).id)
    }

    fn add_stranger(&self, name: &str) -> Option<String> {
        Some(self.add_key(name, Role::Standard).id)
    }

    fn username(&self, name: &str) -> Option<String> {
        self.key_named(name).map(|key| key.key)
    }

    fn password(&self, name: &str) -> Option<String> {
        self.key_named(name).map(|key| key.secret)
    }

    fn resets(&self, name: &str) -> usize {
        Smtpd::resets(self, name)
    }

    // Its responses to resets have no user name but the new key's.
    fn answer_as(&self, _name: &str, _other: &str) -> Option<()> {
        None
    }

    fn reset_elsewhere(&self, name: &str) {
        if let Some(key) = self.key_named(name) {
            self.revoke(&key.id);
        }
    }

    fn delete(&self, name: &str) {
        self.reset_elsewhere(name);
    }

    fn show_late(&self, _name: &str, reads: usize, _answers: bool) {
        self.list_late(reads);
    }

    fn successors(&self) -> Vec<String> {
        let made = self.keys().into_iter().filter(|key| key.id != self.login.id && key.state == KeyState::Active);
        made.map(|key| key.id).collect()
    }

    fn token(&self) -> &str {
        &self.login_key().secret
    }

    // A revoked key is never accepted again, so a test that wants that gives the provider another secret.
    fn revoke_token(&self) {}

    fn restore_token(&self) {}

    fn secrets(&self) -> Vec<String> {
        self.keys().into_iter().map(|key| key.secret).collect()
    }
}
