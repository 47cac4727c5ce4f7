//! An API that must not be called, for tests.

use async_trait::async_trait;

use crate::{
    http::Error,
    secret::Secret,
    vendors::{
        Before, Fields, Listed, Operation, Presence, PriorCredential, Reset, ResetKind, Target, VENDORS, Vendor,
        VendorApi,
    },
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

/// Returns a credential of the first vendor with this kind of reset whose credentials work at once, and where those that
/// resets make have user names of their own.
pub(super) fn target(kind: ResetKind, name: &str) -> Target {
    let is_plain = |vendor: &Vendor| {
        vendor.settles.is_none() && (kind == ResetKind::InPlace || (vendor.username)(&Fields::default()).is_none())
    };
    let vendor = VENDORS.iter().copied().find(|vendor| vendor.reset_kind == kind && is_plain(vendor)).unwrap();
    let mut fields = Fields::default();
    for field in vendor.target {
        let text = if field.name == "role" { "standard" } else { name };
        fields.insert(field, Secret::new(text)).unwrap();
    }
    Target { vendor, fields }
}
