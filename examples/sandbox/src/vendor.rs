//! What the sandbox asks of an imitated vendor, and of any HTTP API.

use serde::Deserialize;

use super::{
    http::{Answer, Request},
    model::UnderTest,
};

/// An HTTP API.
pub trait Api: Send + Sync {
    /// Returns what a request asks for, by its path; nothing where the path is not this API's.
    fn call(&self, request: &Request) -> Option<Call>;

    /// Does what a request asks for, and answers as the vendor would.
    fn answer(&self, request: &Request) -> Answer;

    /// An answer with this status, in the vendor's manner.
    fn failure(&self, status: u16) -> Answer;
}

/// Imitates the HTTP API of one vendor.
pub(crate) trait Vendor: Api + UnderTest {
    /// The variables, without the base URL, that let the provider in.
    fn credentials(&self) -> Vec<(&'static str, String)>;

    /// The variable for the base URL.
    fn base_url_variable(&self) -> &'static str;
}

/// One call of a vendor's API, as far as faults distinguish calls.
pub struct Call {
    /// What it asks for.
    pub operation: Operation,
    /// The user name, in clear, where the request has it; at SMTPD the API key's name, which a reset does not change.
    pub user_name: Option<String>,
}

/// What a call asks for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// What there is to know of the account.
    Account,
    /// One credential, without its password.
    Get,
    /// A page of credentials, without their passwords.
    List,
    /// The end of a refresh token.
    Logout,
    /// An access token.
    Oauth,
    /// A new password.
    Reset,
    /// The end of a credential.
    Revoke,
}
