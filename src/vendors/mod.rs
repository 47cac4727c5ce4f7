//! Vendors: what differs by value is data, what differs by shape is a few short methods over the shared HTTP client.
//!
//! This module knows nothing of Terraform. `docs/add-a-vendor.md` says how to add one.

mod absence;
mod amazon_ses;
mod api;
mod assertion;
mod azure_communication;
mod before;
mod cache;
mod check;
mod fields;
mod hostup;
pub mod http_api;
mod hubspot;
mod kirim_email;
mod listing;
mod mailgun;
mod oauth;
mod recipe;
mod report;
mod resend;
mod sendgrid;
mod smtpd;
mod target;
mod vendor;

use std::sync::LazyLock;

pub use self::{
    api::VendorApi,
    before::Before,
    check::{Check, parse_switch},
    fields::{Field, Fields, ListFault, ListRule, Visibility},
    report::{AppearedCredential, Found, Listed, Note, Observation, Presence, PriorCredential, Reset},
    target::Target,
    vendor::{Connect, ImportId, Lag, PasswordSource, ResetKind, SmtpDefaults, UsernameOf, Vendor, VendorOrigin},
};
pub use crate::http::{BaseUrl, CertificateFile, Client, Operation, Settings};

/// Every built-in vendor, by name.
pub static VENDORS: &[&Vendor] = &[
    &amazon_ses::VENDOR,
    &azure_communication::VENDOR,
    &hostup::VENDOR,
    &hubspot::VENDOR,
    &kirim_email::VENDOR,
    &mailgun::VENDOR,
    &resend::VENDOR,
    &sendgrid::VENDOR,
    &smtpd::VENDOR,
];

/// Every vendor that a resource may name, by name: the built-in ones, and the API that the provider block describes.
pub static NAMED_VENDORS: LazyLock<Vec<&'static Vendor>> = LazyLock::new(|| {
    let mut vendors = [VENDORS, &[&http_api::VENDOR]].concat();
    vendors.sort_by_key(|vendor| vendor.name);
    vendors
});
