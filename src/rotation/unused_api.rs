//! An API that must not be called, for tests.

use async_trait::async_trait;

use crate::{
    http::Error,
    secret::Secret,
    vendors::{Before, Fields, Listed, Operation, Presence, PriorCredential, Reset, Target, VENDORS, VendorApi},
};

/// An API that panics on every call.
#[derive(Debug)]
pub(super) struct UnusedApi;

#[async_trait]
impl VendorApi for UnusedApi {
    async fn read(&self, _: &Operation, _: &Fields, _: &PriorCredential) -> Result<Presence, Error> {
        unreachable!("nobody is asked")
    }

    async fn list(&self, _: &Operation, _: &Fields) -> Result<Vec<Listed>, Error> {
        unreachable!("nobody is asked")
    }

    async fn reset(&self, _: &Operation, _: &Fields, _: &Before, _: Option<&Secret>) -> Result<Reset, Error> {
        unreachable!("nobody is asked")
    }
}

/// Returns a credential of the first vendor with this kind of reset.
pub(super) fn target(kind: crate::vendors::ResetKind, name: &str) -> Target {
    let vendor = VENDORS.iter().copied().find(|vendor| vendor.reset_kind == kind).unwrap();
    let mut fields = Fields::default();
    for field in vendor.target {
        let texts = if field.name == "role" { ["standard"; 2] } else { [name, "eu-central-1"] };
        let text = texts.into_iter().find(|text| (field.check)(text).is_ok()).unwrap();
        fields.insert(field, Secret::new(text)).unwrap();
    }
    Target { vendor, fields }
}
