//! Vendors: what differs by value is data, what differs by shape is a few short methods over the shared HTTP client.
//!
//! This module knows nothing of Terraform. `docs/add-a-vendor.md` says how to add one.

mod absence;
mod api;
mod assertion;
mod azure_communication;
mod before;
mod cache;
mod check;
mod fields;
mod hostup;
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

pub use self::{
    api::VendorApi,
    before::Before,
    check::{Check, parse_switch},
    fields::{Field, Fields, Visibility},
    report::{AppearedCredential, Found, Listed, Note, Observation, Presence, PriorCredential, Reset},
    target::Target,
    vendor::{ImportId, PasswordSource, ResetKind, SmtpDefaults, Vendor},
};
pub use crate::http::{BaseUrl, CertificateFile, Client, Operation, Settings};

/// Every vendor, by name.
pub static VENDORS: &[&Vendor] = &[
    &azure_communication::VENDOR,
    &hostup::VENDOR,
    &hubspot::VENDOR,
    &kirim_email::VENDOR,
    &mailgun::VENDOR,
    &resend::VENDOR,
    &sendgrid::VENDOR,
    &smtpd::VENDOR,
];
