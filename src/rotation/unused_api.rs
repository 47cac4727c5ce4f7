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

/// Returns a credential of the first vendor with this kind of reset.
pub(super) fn target(kind: ResetKind, name: &str) -> Target {
    target_where(|vendor| vendor.reset_kind == kind, name)
}

/// Returns a credential of the first vendor whose resets make new ones and of which this is true.
pub(super) fn target_at(is_meant: impl Fn(&Vendor) -> bool, name: &str) -> Target {
    target_where(|vendor| vendor.reset_kind == ResetKind::NewCredential && is_meant(vendor), name)
}

/// Returns a credential of the first vendor of which this is true.
pub(super) fn target_where(is_meant: impl Fn(&Vendor) -> bool, name: &str) -> Target {
    // One whose credentials work at once, so that nothing waits.
    let vendor = VENDORS.iter().copied().find(|vendor| vendor.lag.is_none() && is_meant(vendor)).unwrap();
    let mut fields = Fields::default();
    for field in vendor.target.iter().filter(|field| field.list.is_none()) {
        let texts = if field.name == "role" { ["standard"; 2] } else { [name, "eu-central-1"] };
        let text = texts.into_iter().find(|text| (field.check)(text).is_ok()).unwrap();
        fields.insert(field, Secret::new(text)).unwrap();
    }
    Target { vendor, fields }
}
