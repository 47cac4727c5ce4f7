//! A vendor that does not exist: a small API in JSON, at which users try what they write in the provider's `http` block.
//!
//! All paths are below [`ExampleMail::PATH`]. Every request has the token as a bearer token.
//!
//! | request | does | response |
//! |---|---|---|
//! | `GET /domains/{domain}/users?page={page}` | lists users, two on each page | `users`, `page`, `pages` |
//! | `GET /domains/{domain}/users/{user}` | shows one | `user` |
//! | `PUT /domains/{domain}/users/{user}/password` | sets the `password` in the body | `changed_at` |
//! | `POST /domains/{domain}/users/{user}/rotate` | makes a password | `password`, `changed_at` |
//! | `GET /domains/{domain}/users/{user}/keys?page={page}` | lists keys, two on each page | `keys`, `page`, `pages` |
//! | `POST /domains/{domain}/users/{user}/keys` | makes a key, a credential of its own | `id`, `username`, `password` |
//! | `DELETE /domains/{domain}/users/{user}/keys/{id}` | revokes a key | |
//!
//! A user has a `name`, an `address`, which is the user name for SMTP, and `changed_at`, the time of the last change of the
//! password. A key has an `id`, a `username`, `created_at` and the `user` that it belongs to. A response has `ok`, which is true
//! after a success. An error has `"ok": false` and `"error": { "code": …, "message": … }`. A password that is too short or
//! too long is such an error with status 200.

mod api;
mod wire;

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use super::{Sandbox, accounts::Accounts, lock, random};

/// The vendor that does not exist, with one token.
pub struct ExampleMail {
    accounts: Arc<Accounts>,
    token: String,
    users: Mutex<Vec<User>>,
}

/// A user of a domain.
struct User {
    domain: String,
    name: String,
    changed_at: Timestamp,
    keys: Vec<Key>,
}

/// A credential in addition to the user's own.
struct Key {
    id: String,
    created_at: Timestamp,
}

impl ExampleMail {
    /// What every path begins with.
    pub const PATH: &str = "/example-mail/v1";
    /// The users of every sandbox, each as a configuration names it.
    pub const USERS: [&str; 3] = ["mail.example/newsletter", "mail.example/alerts-a", "mail.example/alerts-b"];
    /// The variable of [`Self::CONFIGURATION`] that is the token.
    pub const TOKEN_VARIABLE: &str = "TF_VAR_example_mail_token";
    /// A provider block that describes the API, for a sandbox at [`Self::PORTS`].
    pub const CONFIGURATION: &str = include_str!("../example_mail.tf");
    /// The ports in [`Self::CONFIGURATION`]: of the APIs, and of the mail server.
    pub const PORTS: [u16; 2] = [8025, 2525];

    pub(super) fn new(accounts: Arc<Accounts>) -> Self {
        let vendor = Self { accounts, token: random::alphanumeric(40), users: Mutex::default() };
        for name in Self::USERS {
            vendor.add(name);
        }
        vendor
    }

    /// What logs in.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Adds a user, named as in a configuration: `domain/user`.
    pub fn add(&self, name: &str) {
        let (domain, name) = parts(name);
        let user = User { domain: domain.to_owned(), name: name.to_owned(), changed_at: CREATED_AT, keys: Vec::new() };
        self.accounts.open(&user.address());
        lock(&self.users).push(user);
    }

    /// The user name for SMTP of a user that is named as in a configuration.
    pub fn username(name: &str) -> String {
        let (domain, name) = parts(name);
        format!("{name}@{domain}")
    }

    /// The password of a user name for SMTP.
    pub fn password(&self, username: &str) -> Option<String> {
        self.accounts.password(username)
    }

    /// How many resets of a user there have been.
    pub fn resets(&self, username: &str) -> usize {
        self.accounts.resets(username)
    }

    /// Resets a password as somebody else would who is logged in at the vendor.
    pub fn reset_elsewhere(&self, username: &str) {
        lock(&self.users).iter_mut().filter(|user| user.address() == username).for_each(User::touch);
        self.accounts.reset(username);
    }

    /// The user names of all keys.
    pub fn keys(&self) -> Vec<String> {
        lock(&self.users).iter().flat_map(|user| &user.keys).map(Key::username).collect()
    }
}

impl User {
    fn address(&self) -> String {
        format!("{}@{}", self.name, self.domain)
    }

    /// Notes a change, which is always later than the one before it.
    fn touch(&mut self) {
        self.changed_at = Timestamp::now().max(self.changed_at + SignedDuration::from_micros(1));
    }
}

impl Key {
    fn username(&self) -> String {
        format!("key-{}", self.id)
    }
}

impl Sandbox {
    /// The vendor that does not exist.
    pub fn example_mail(&self) -> &ExampleMail {
        &self.vendors().example_mail
    }

    /// A provider block with an `http` block that describes the API of [`ExampleMail`] at this sandbox, complete with its
    /// token.
    pub fn http_block(&self) -> String {
        let (_, block) = ExampleMail::CONFIGURATION.split_once("\n\n").unwrap_or_default();
        self.at_its_ports(block).replace("var.example_mail_token", &format!("\"{}\"", self.example_mail().token()))
    }

    /// A text that names the ports of [`ExampleMail::PORTS`], with the ports of this sandbox.
    pub fn at_its_ports(&self, text: &str) -> String {
        let [http, smtp] = ExampleMail::PORTS.map(|port| port.to_string());
        let at = |ports: [String; 2]| text.replace(&http, &ports[0]).replace(&smtp, &ports[1]);
        // In two steps, since one of the sandbox's ports may be one of those that are replaced.
        let marked = at(["\0http".to_owned(), "\0smtp".to_owned()]);
        marked.replace("\0http", &self.ports.http.to_string()).replace("\0smtp", &self.ports.smtp.to_string())
    }
}

fn parts(name: &str) -> (&str, &str) {
    name.split_once('/').unwrap_or(("mail.example", name))
}

/// When the users were added.
const CREATED_AT: Timestamp = Timestamp::constant(1_767_225_600, 0);
