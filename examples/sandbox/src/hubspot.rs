//! The SMTP API tokens of [`HubSpot`], in all three generations, and its OAuth refresh.
//!
//! <https://developers.hubspot.com/docs/api-reference/legacy/transactional-emails-v1/post-email-public-v1-smtpapi-tokens-userName-password-reset>
//! and `transactionalSingleSend.json` in <https://github.com/HubSpot/HubSpot-public-api-spec-collection>. Not imitated:
//! making and deleting tokens over HTTP.

mod api;
mod wire;

use std::{sync::Arc, time::Duration};

use super::{
    accounts::Accounts,
    imitation::{self, Imitation},
    lock,
    model::{Example, Model},
    random,
    tokens::{Tokens, grant},
};

/// The imitated vendor, with one portal ([`HubSpot::PORTAL_ID`]) and one access token.
pub type HubSpot = Imitation<Book>;

/// An app that may refresh its access tokens.
#[derive(Clone, Debug)]
pub struct OauthClient {
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The refresh token that a portal gave it.
    pub refresh_token: String,
}

/// What the vendor knows.
pub struct Book {
    tokens: Tokens,
    credentials: Vec<Credential>,
    clients: Vec<(u64, OauthClient)>,
    page_size: usize,
    lifetime: Duration,
}

/// A token of the SMTP API.
#[derive(Clone)]
pub struct Credential {
    portal_id: u64,
    user_name: String,
    answers_as: Option<String>,
    email_campaign_id: u64,
    campaign_name: String,
    state: State,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum State {
    Listed,
    Unlisted,
    Deleted,
}

impl HubSpot {
    /// The portal of the vendor's own example.
    pub const PORTAL_ID: u64 = 62515;

    pub(super) fn new(accounts: Arc<Accounts>) -> Self {
        let access_token = format!("pat-na1-{}", random::uuid());
        let book = Book {
            tokens: Tokens::default(),
            credentials: Vec::new(),
            clients: Vec::new(),
            page_size: 100,
            lifetime: Duration::from_mins(30),
        };
        let hubspot = Self::with(accounts, access_token, book);
        hubspot.add_account(Self::PORTAL_ID, &hubspot.token);
        hubspot
    }

    /// The access token of the first portal.
    pub fn access_token(&self) -> &str {
        &self.token
    }

    /// Opens a portal with an access token that may do everything.
    pub fn add_account(&self, portal_id: u64, token: &str) {
        self.add_token(portal_id, token, &[SCOPE]);
    }

    /// Gives out one more access token for a portal, with these scopes.
    pub fn add_token(&self, portal_id: u64, token: &str, scopes: &[&str]) {
        lock(&self.book).tokens.grant(token, grant(portal_id, scopes));
    }

    /// Makes an access token worthless.
    pub fn revoke_token(&self, token: &str) {
        lock(&self.book).tokens.revoke(token);
    }

    /// Lets an app refresh its access tokens for a portal.
    pub fn add_oauth_client(&self, portal_id: u64, client: OauthClient) {
        lock(&self.book).clients.push((portal_id, client));
    }

    /// How long the access tokens live that are given out from now on; by default 30 minutes.
    pub fn access_token_lifetime(&self, lifetime: Duration) {
        lock(&self.book).lifetime = lifetime;
    }

    /// Lets every access token expire that came from a refresh.
    pub fn expire_access_tokens(&self) {
        lock(&self.book).tokens.expire();
    }

    /// Adds a credential, or starts it over, and returns its password.
    pub fn add_credential(&self, portal_id: u64, user_name: &str) -> String {
        let mut book = lock(&self.book);
        book.credentials.retain(|credential| credential.user_name != user_name);
        let email_campaign_id = book.credentials.last().map_or(14_860_979, |last| last.email_campaign_id + 1);
        book.credentials.push(Credential {
            portal_id,
            user_name: user_name.to_owned(),
            answers_as: None,
            email_campaign_id,
            campaign_name: "test transactional email".to_owned(),
            state: State::Listed,
        });
        self.accounts.open(user_name)
    }

    /// Deletes a credential. Version 1 goes on listing it, as `deleted`.
    pub fn delete(&self, user_name: &str) {
        self.change(user_name, |credential| credential.state = State::Deleted);
        self.accounts.close(user_name);
    }

    /// Keeps a credential off the lists that no filter asks for, except in version 1; it can still be read and reset.
    pub fn unlist(&self, user_name: &str) {
        self.change(user_name, |credential| credential.state = State::Unlisted);
    }

    /// How many credentials a page holds at most; by default 100. Version 1 has no pages.
    pub fn page_size(&self, count: usize) {
        lock(&self.book).page_size = count.max(1);
    }
}

impl imitation::Book for Book {
    type Credential = Credential;

    const MODEL: &'static Model = &Model {
        name: "hubspot",
        title: "HubSpot",
        takes_passwords: false,
        makes_successors: false,
        shows_changes: false,
        restores_tokens: true,
        token_variable: "HUBSPOT_ACCESS_TOKEN",
        submission: Some(("smtp.hubapi.com", 587)),
        first_request: "GET /email/public/v1/smtpapi/tokens",
        examples: [
            Example {
                name: "zh48wgsfld@62515.smtp.hubspot.net",
                fields: &[("user_name", "zh48wgsfld@62515.smtp.hubspot.net")],
            },
            Example {
                name: "ünï cødé+&?#=:;!@62515.smtp.hubspot.net",
                fields: &[("user_name", "ünï cødé+&?#=:;!@62515.smtp.hubspot.net")],
            },
        ],
        fields: |name| vec![("user_name", name.to_owned())],
        reset_response: |password| format!("{{\"password\":{password}}}"),
    };

    fn credentials(&mut self) -> &mut Vec<Credential> {
        &mut self.credentials
    }

    fn add(vendor: &HubSpot, name: &str) {
        vendor.add_credential(HubSpot::PORTAL_ID, name);
    }

    fn admit(&mut self, token: &str) {
        self.tokens.grant(token, grant(HubSpot::PORTAL_ID, &[SCOPE]));
    }

    fn revoke(&mut self, token: &str) {
        self.tokens.revoke(token);
    }
}

impl imitation::Credential for Credential {
    fn user_name(&self) -> &str {
        &self.user_name
    }

    fn answer_as(&mut self, other_name: &str) {
        self.answers_as = Some(other_name.to_owned());
    }
}

/// The scope that all calls of the SMTP API need.
const SCOPE: &str = "transactional-email";
