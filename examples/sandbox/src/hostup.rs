//! The mailboxes of [`HostUp`], whose passwords the caller makes.
//!
//! <https://developer.hostup.se/endpoints/webhosting-services/get-v2-shared-hosting-accountid-email-accounts> and the
//! pages next to it. Not imitated: listing the accounts, making mailboxes, and version 1.
//!
//! What these leave open, and how it is taken here:
//!
//! - Somebody else's account is a 404, though the text for 403 mentions ownership too; a missing scope is a 403.
//! - `account_not_eligible_cpanel` is the `code` of the 409, and comes before the password is looked at. Such an account can
//!   still be read.
//! - The codes of the other errors are `unauthorized`, `forbidden`, `not_found`, `rate_limited` and `internal_error`.
//! - Which passwords are too weak is not documented: here those of fewer than 8 characters, unless scripted otherwise. That
//!   is an `invalid_request` with the pointer `/newPassword`.
//! - A path holds no bare `@`, and a body no field but `newPassword`.
//! - The details of an account hold `access` alone, and its host is this sandbox's, unless scripted otherwise.

mod api;
mod wire;

use std::sync::Arc;

use serde_json::Value;

use super::{
    accounts::Accounts,
    imitation::{self, Imitation},
    lock,
    model::{Example, Model},
    random,
    tokens::{Tokens, grant},
};

/// The imitated vendor, with one account ([`HostUp::ACCOUNT_ID`]) and one API key.
pub type HostUp = Imitation<Book>;

/// Returns why a password is too weak; nothing where it is strong enough.
pub type Weakness = fn(&str) -> Option<&'static str>;

/// What the vendor knows.
pub struct Book {
    keys: Tokens,
    hostings: Vec<Hosting>,
    mailboxes: Vec<Mailbox>,
    weakness: Weakness,
}

struct Hosting {
    id: String,
    customer: u64,
    panel: Panel,
    server_hostname: Option<String>,
    email_client: Value,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Panel {
    Cpanel,
    Legacy,
}

/// A mailbox.
#[derive(Clone)]
pub struct Mailbox {
    id: String,
    account_id: String,
    address: String,
    answers_as: Option<String>,
}

impl HostUp {
    /// The account of the vendor's own example.
    pub const ACCOUNT_ID: &str = "acct_01hxa3b4c5d6e7f8g9h0j1k2m3";
    /// The scope for lists and details.
    pub const READ: &str = "read:hosting";
    /// The scope for resets.
    pub const WRITE: &str = "write:hostingconsole:services";

    pub(super) fn new(accounts: Arc<Accounts>) -> Self {
        let book = Book { keys: Tokens::default(), hostings: Vec::new(), mailboxes: Vec::new(), weakness: short };
        let vendor = Self::with(accounts, random::alphanumeric(48), book);
        vendor.add_api_key(FIRST_CUSTOMER, &vendor.token, &[Self::READ, Self::WRITE]);
        vendor.add_account(FIRST_CUSTOMER, Self::ACCOUNT_ID);
        vendor
    }

    /// The API key of the first customer.
    pub fn api_key(&self) -> &str {
        &self.token
    }

    /// Gives out one more API key for a customer, with these scopes; the first customer is number 1.
    pub fn add_api_key(&self, customer: u64, api_key: &str, scopes: &[&str]) {
        lock(&self.book).keys.grant(api_key, grant(customer, scopes));
    }

    /// Makes an API key worthless.
    pub fn revoke_api_key(&self, api_key: &str) {
        lock(&self.book).keys.revoke(api_key);
    }

    /// Opens a shared-hosting account for a customer.
    pub fn add_account(&self, customer: u64, account_id: &str) {
        lock(&self.book).hostings.push(Hosting {
            id: account_id.to_owned(),
            customer,
            panel: Panel::Cpanel,
            server_hostname: Some("localhost".to_owned()),
            email_client: Value::Null,
        });
    }

    /// Moves an account to the legacy control panel, where no password can be changed.
    pub fn make_legacy(&self, account_id: &str) {
        self.change_account(account_id, |hosting| hosting.panel = Panel::Legacy);
    }

    /// Scripts the host in an account's details; by default `localhost`.
    pub fn server_hostname(&self, account_id: &str, host: Option<&str>) {
        self.change_account(account_id, |hosting| hosting.server_hostname = host.map(str::to_owned));
    }

    /// Scripts the settings for mail clients in an account's details; by default null.
    pub fn email_client(&self, account_id: &str, settings: &Value) {
        self.change_account(account_id, |hosting| hosting.email_client = settings.clone());
    }

    /// Adds a mailbox, or starts it over, and returns its id; [`HostUp::password`] returns its password.
    pub fn add_mailbox(&self, account_id: &str, address: &str) -> String {
        let mut book = lock(&self.book);
        book.mailboxes.retain(|mailbox| mailbox.address != address);
        let id = format!("mail_{}", wire::ulid());
        book.mailboxes.push(Mailbox {
            id: id.clone(),
            account_id: account_id.to_owned(),
            address: address.to_owned(),
            answers_as: None,
        });
        self.accounts.open(address);
        id
    }

    /// Which passwords are refused from now on.
    pub fn refuse_passwords(&self, weakness: Weakness) {
        lock(&self.book).weakness = weakness;
    }

    fn change_account(&self, account_id: &str, change: impl Fn(&mut Hosting)) {
        lock(&self.book).hostings.iter_mut().filter(|hosting| hosting.id == account_id).for_each(change);
    }
}

impl imitation::Book for Book {
    type Credential = Mailbox;

    const MODEL: &'static Model = &Model {
        name: "hostup",
        title: "HostUp",
        takes_passwords: true,
        makes_successors: false,
        shows_changes: false,
        restores_tokens: true,
        token_variable: "HOSTUP_API_KEY",
        submission: Some(("localhost", 587)),
        first_request: "GET /api/v2/shared-hosting/acct_01hxa3b4c5d6e7f8g9h0j1k2m3/email-accounts ",
        examples: [
            Example {
                name: "info@example.com",
                fields: &[("account_id", HostUp::ACCOUNT_ID), ("address", "info@example.com")],
            },
            Example {
                name: "o'neill+news@example.com",
                fields: &[("account_id", HostUp::ACCOUNT_ID), ("address", "o'neill+news@example.com")],
            },
        ],
        fields: |name| vec![("account_id", HostUp::ACCOUNT_ID.to_owned()), ("address", name.to_owned())],
        reset_response: |password| format!("{{\"email\":{password}}}"),
    };

    fn credentials(&mut self) -> &mut Vec<Mailbox> {
        &mut self.mailboxes
    }

    fn add(vendor: &HostUp, name: &str) {
        vendor.add_mailbox(HostUp::ACCOUNT_ID, name);
    }

    fn admit(&mut self, token: &str) {
        self.keys.grant(token, grant(FIRST_CUSTOMER, &[HostUp::READ, HostUp::WRITE]));
    }

    fn revoke(&mut self, token: &str) {
        self.keys.revoke(token);
    }
}

impl imitation::Credential for Mailbox {
    fn user_name(&self) -> &str {
        &self.address
    }

    fn answer_as(&mut self, other_name: &str) {
        self.answers_as = Some(other_name.to_owned());
    }
}

fn short(password: &str) -> Option<&'static str> {
    (password.chars().count() < 8).then_some("The password must have at least 8 characters.")
}

const FIRST_CUSTOMER: u64 = 1;
