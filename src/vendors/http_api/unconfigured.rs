//! What is known of the API before the provider is configured.

use std::sync::Arc;

use async_trait::async_trait;

use super::checks;
use crate::vendors::{
    Before, Field, Fields, ImportId, Listed, Operation, PasswordSource, Presence, PriorCredential, ResetKind,
    SmtpDefaults, Vendor, VendorApi, VendorOrigin, report::Reset as Done,
};
use crate::{
    http::{Api, Error, ErrorFormat, Form, Kind, Outcome, Result},
    secret::Secret,
};

/// What is known before the provider is configured: how a credential is named.
pub static VENDOR: Vendor = Vendor {
    name: "http",
    origin: VendorOrigin::NotConfigured,
    title: "the HTTP API",
    api_docs: "",
    base_url: "",
    base_url_of: |_| None,
    error_format: &ErrorFormat {
        refusal: Form(&[]),
        code: &[],
        codes: &[],
        message: &[],
        fields: None,
        request_id: &[],
        unprocessed: &[],
        rate_limits: &[],
    },
    rate_window: None,
    settings: &[],
    logins: &[],
    rights: "the right to reset passwords and to look credentials up",
    advice: &[],
    target: &[&NAME],
    identity: &[&NAME],
    scope: &[],
    import: ImportId::Identity,
    password_source: PasswordSource::Caller,
    longest_password: None,
    reset_kind: ResetKind::InPlace,
    reset_delay: None,
    lag: None,
    reports_version: true,
    username: &|_| None,
    smtp: SmtpDefaults::Undocumented,
    connect: &|_, api| Arc::new(NotDescribed(api)),
};

/// The name of a credential.
pub(super) static NAME: Field = Field::shown(
    "name",
    "Name of the credential: its parts as `credential` in the `http` block of the provider lists them, joined by `/`, \
     such as `example.com/info`.",
    checks::name,
);

/// An API of which nothing is known, so nothing is sent.
#[derive(Debug)]
struct NotDescribed(Api);

impl NotDescribed {
    fn error(&self) -> Error {
        let reason = "the `http` block of the provider does not describe it";
        Error::new(Kind::Setup, Outcome::NotChanged, self.0.host(), reason)
    }
}

#[async_trait]
impl VendorApi for NotDescribed {
    async fn read(&self, _: &Operation, _: &Fields, _: &PriorCredential) -> Result<Presence> {
        Err(self.error())
    }

    async fn list(&self, _: &Operation, _: &Fields) -> Result<Vec<Listed>> {
        Err(self.error())
    }

    async fn reset(&self, _: &Operation, _: &Fields, _: &Before, _: Option<&Secret>) -> Result<Done> {
        Err(self.error())
    }
}
