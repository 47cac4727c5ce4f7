//! Vendors: what differs by value is data, what differs by shape is a few short methods over the shared HTTP client.
//!
//! This module knows nothing of Terraform. `docs/add-a-vendor.md` says how to add one.

mod bearer;
mod check;
mod fields;
mod hubspot;

use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;

pub use check::Check;
pub use fields::{Field, Fields, Visibility};

pub use crate::http::{Client, Operation, Settings};
use crate::{http::Result, secret::Secret};

/// Every vendor, by name.
pub static VENDORS: &[&Vendor] = &[&hubspot::VENDOR];

/// What is known of a vendor without calling it.
#[derive(Debug)]
pub struct Vendor {
    /// The attribute in HCL, the file here, the folder of fixtures and the docs page.
    pub name: &'static str,
    /// The name that people use.
    pub title: &'static str,
    /// Where the vendor documents the reset.
    pub api_docs: &'static str,
    /// What the provider block takes.
    pub settings: &'static [&'static Field],
    /// The settings that log in, as alternatives: each list is complete by itself.
    pub logins: &'static [&'static [&'static Field]],
    /// What a token needs to be allowed, in words that end a sentence.
    pub rights: &'static str,
    /// What names one credential; joined by `/` it is the import id.
    pub target: &'static [&'static Field],
    /// The user name for SMTP, where the target tells it.
    pub username: fn(&Fields) -> Option<&str>,
    /// The submission server, where it is the same for every credential.
    pub smtp: Option<Endpoint>,
    /// Makes the backend from checked settings. Sends nothing.
    pub connect: fn(&Fields, &Client) -> Arc<dyn Backend>,
}

/// A submission server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// Its host name.
    pub host: &'static str,
    /// Its port.
    pub port: u16,
}

/// Resets passwords at one vendor, with one account.
#[async_trait]
pub trait Backend: Debug + Send + Sync {
    /// Looks the credential up. [`Presence::Gone`] only when the vendor definitely says so; any doubt is an error.
    async fn read(&self, op: &Operation, target: &Fields) -> Result<Presence>;

    /// Resets the password and tells the new one. At most one reset takes effect.
    async fn reset(&self, op: &Operation, target: &Fields) -> Result<Reset>;
}

/// Whether a credential exists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Presence {
    /// It exists.
    Found,
    /// It does not exist any more.
    Gone,
}

/// A reset that has happened.
#[derive(Debug)]
pub struct Reset {
    /// The new password; the vendor does not tell it again.
    pub password: Secret,
    /// The user whom the vendor says it reset.
    pub username: Option<String>,
}
