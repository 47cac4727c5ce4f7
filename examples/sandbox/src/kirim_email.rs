//! The SMTP credentials of [`KirimEmail`].
//!
//! <https://smtp-docs.kirim.email/openapi/operations/3bb48e47b58f0aa9c096797e224cbdf3> and `docs.json` in
//! <https://github.com/kirimemail/n8n-nodes-smtp-management>. Not imitated: making and deleting credentials, and
//! domains.
//!
//! What these leave open, and how it is taken here:
//!
//! - A reset moves `modified_at` on, and `last_password_changed` where that is sent.
//! - While a reset is not synchronised, the mail server knows the old password and not the new one.
//! - `success: false` comes with 200 too, if scripted; then nothing was reset unless a password comes with it.
//! - A domain that the user does not own is a 404. A credential is named by its GUID, never by its number.
//! - A list has pages in both forms; the array shows that there is a further page only by being full.
//! - What is not documented (a query, a body) is a 422, with the `errors` that the vendor's clients read.

mod api;
mod wire;

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    accounts::Accounts,
    imitation::{self, Imitation},
    lock,
    model::{Example, Model},
    random,
};

/// The imitated vendor, with one user ([`KirimEmail::USERNAME`]) and one API key.
pub type KirimEmail = Imitation<Book>;

/// How a list is wrapped: the vendor's specification and its clients differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Envelope {
    /// `data` is the array.
    Array,
    /// `data.data` is the array, next to `data.pagination`.
    Paged,
}

/// How a time is written: the vendor's specification and its guide differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Times {
    /// Seconds since 1970.
    Seconds,
    /// ISO 8601.
    Text,
}

/// A 200 that says `success: false`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denial {
    /// Nothing was reset.
    Bare,
    /// The password was reset, and comes along.
    WithPassword,
}

/// What the vendor knows.
pub struct Book {
    users: Vec<User>,
    domains: Vec<Domain>,
    credentials: Vec<Credential>,
    envelope: Envelope,
    format: Format,
}

struct User {
    username: String,
    api_key: String,
}

struct Domain {
    name: String,
    owner: String,
}

/// A credential.
pub struct Credential {
    id: u64,
    domain: String,
    guid: String,
    user_name: String,
    answers_as: Option<String>,
    modified_at: i64,
    lateness: Lateness,
    denial: Option<Denial>,
    mail_server: MailServer,
}

/// How late a change shows.
#[derive(Clone, Copy, Default)]
struct Lateness {
    /// How many reads after each change still show the previous stamp.
    reads: usize,
    /// How many of them are left.
    left: usize,
    /// Whether the answer to a reset shows it too.
    answers: bool,
    /// The stamp before the last change.
    before: i64,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum MailServer {
    InStep,
    Behind,
}

/// How credentials are written.
#[derive(Clone, Copy)]
struct Format {
    times: Times,
    stamp: Stamp,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Stamp {
    Modified,
    ModifiedAndPasswordChanged,
}

impl KirimEmail {
    /// The name of the first user.
    pub const USERNAME: &str = "owner@example.com";
    /// The domain of the vendor's own example.
    pub const DOMAIN: &str = "example.com";
    /// The credential of the vendor's own example.
    pub const GUID: &str = "92703823-f3a4-48e2-8e87-7adf25454800";

    pub(super) fn new(accounts: Arc<Accounts>) -> Self {
        let book = Book {
            users: Vec::new(),
            domains: Vec::new(),
            credentials: Vec::new(),
            envelope: Envelope::Array,
            format: Format { times: Times::Seconds, stamp: Stamp::Modified },
        };
        let vendor = Self::with(accounts, random::alphanumeric(40), book);
        vendor.add_account(Self::USERNAME, &vendor.token);
        vendor.add_domain(Self::USERNAME, Self::DOMAIN);
        vendor
    }

    /// The API key of the first user.
    pub fn api_key(&self) -> &str {
        &self.token
    }

    /// Adds a user with an API key.
    pub fn add_account(&self, username: &str, api_key: &str) {
        lock(&self.book).users.push(User { username: username.to_owned(), api_key: api_key.to_owned() });
    }

    /// Makes an API key worthless.
    pub fn revoke_api_key(&self, api_key: &str) {
        lock(&self.book).users.retain(|user| user.api_key != api_key);
    }

    /// Gives a user a domain.
    pub fn add_domain(&self, username: &str, domain: &str) {
        lock(&self.book).domains.push(Domain { name: domain.to_owned(), owner: username.to_owned() });
    }

    /// Adds a credential, or starts it over, and returns its password.
    pub fn add_credential(&self, domain: &str, guid: &str, user_name: &str) -> String {
        let mut book = lock(&self.book);
        book.credentials.retain(|credential| credential.guid != guid);
        let id = book.credentials.last().map_or(1, |last| last.id + 1);
        book.credentials.push(Credential {
            id,
            domain: domain.to_owned(),
            guid: guid.to_owned(),
            user_name: user_name.to_owned(),
            answers_as: None,
            modified_at: CREATED_AT.as_second(),
            lateness: Lateness::default(),
            denial: None,
            mail_server: MailServer::InStep,
        });
        self.accounts.open(user_name)
    }

    /// Lets so many reads after each change from now on show the credential as it was before; what was late until now
    /// shows.
    pub fn show_late(&self, user_name: &str, reads: usize) {
        self.change(user_name, |credential| {
            credential.lateness.reads = reads;
            credential.lateness.left = 0;
        });
    }

    /// Lets the answers to resets show the credential as it was before, or no longer.
    pub fn answer_late(&self, user_name: &str, answers: bool) {
        self.change(user_name, |credential| credential.lateness.answers = answers);
    }

    /// Lets the next reset be answered with `success: false` and 200.
    pub fn deny(&self, user_name: &str, denial: Denial) {
        self.change(user_name, |credential| credential.denial = Some(denial));
    }

    /// Lets resets be answered with `remote_synced: false`; the mail server goes on with the old password.
    pub fn fall_behind(&self, user_name: &str) {
        self.change(user_name, |credential| credential.mail_server = MailServer::Behind);
    }

    /// Lets the mail server know the current password, and of later resets at once.
    pub fn catch_up(&self, user_name: &str) {
        self.change(user_name, |credential| credential.mail_server = MailServer::InStep);
        self.accounts.catch_up(user_name);
    }

    /// How lists are wrapped from now on; by default as an array.
    pub fn wrap_lists(&self, envelope: Envelope) {
        lock(&self.book).envelope = envelope;
    }

    /// How times are written from now on; by default in seconds.
    pub fn write_times(&self, times: Times) {
        lock(&self.book).format.times = times;
    }

    /// Sends `last_password_changed` as well as `modified_at` from now on.
    pub fn show_password_changes(&self) {
        lock(&self.book).format.stamp = Stamp::ModifiedAndPasswordChanged;
    }
}

impl imitation::Book for Book {
    type Credential = Credential;

    const MODEL: &'static Model = &Model {
        name: "kirim_email",
        title: "KIRIM.EMAIL",
        takes_passwords: false,
        makes_successors: false,
        shows_changes: true,
        restores_tokens: true,
        token_variable: "KIRIM_EMAIL_API_KEY",
        submission: None,
        first_request: "GET /api/domains/example.com/credentials?",
        examples: [
            Example {
                name: "myuser",
                fields: &[("domain", KirimEmail::DOMAIN), ("credential_guid", KirimEmail::GUID)],
            },
            Example {
                name: "zweites:ö@example.com",
                fields: &[("domain", KirimEmail::DOMAIN), ("credential_guid", "0d8f2d0e-5f0c-4b39-8a3e-0e6d1f1f8a11")],
            },
        ],
        fields: |name| {
            let guid = format!("guid-{}", name.split('@').next().unwrap_or(name));
            vec![("domain", KirimEmail::DOMAIN.to_owned()), ("credential_guid", guid)]
        },
        reset_response: |password| format!("{{\"success\":true,\"data\":{{\"new_password\":{password}}}}}"),
    };

    fn credentials(&mut self) -> &mut Vec<Credential> {
        &mut self.credentials
    }

    fn add(vendor: &KirimEmail, name: &str) {
        for (_, guid) in Self::MODEL.fields(name).into_iter().filter(|(field, _)| *field == "credential_guid") {
            vendor.add_credential(KirimEmail::DOMAIN, &guid, name);
        }
    }

    fn admit(&mut self, token: &str) {
        self.users.push(User { username: KirimEmail::USERNAME.to_owned(), api_key: token.to_owned() });
    }

    fn revoke(&mut self, token: &str) {
        self.users.retain(|user| user.api_key != token);
    }
}

impl imitation::Credential for Credential {
    fn user_name(&self) -> &str {
        &self.user_name
    }

    fn answer_as(&mut self, other_name: &str) {
        self.answers_as = Some(other_name.to_owned());
    }

    // The stamp moves on even where two resets come within one second.
    fn touch(&mut self) {
        self.lateness.before = self.modified_at;
        self.lateness.left = self.lateness.reads;
        self.modified_at = Timestamp::now().as_second().max(self.modified_at + 1);
    }

    fn show_late(&mut self, reads: usize, answers: bool) {
        self.lateness.reads = reads;
        self.lateness.left = 0;
        self.lateness.answers = answers;
    }
}

impl Credential {
    /// The stamp that a read shows.
    fn shown(&self) -> i64 {
        if self.lateness.left > 0 { self.lateness.before } else { self.modified_at }
    }

    /// The stamp that the answer to a reset shows.
    fn answered(&self) -> i64 {
        if self.lateness.answers { self.lateness.before } else { self.modified_at }
    }
}

/// Of the vendor's own example.
const CREATED_AT: Timestamp = Timestamp::constant(1_640_995_200, 0);
