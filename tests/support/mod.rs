//! Runs the real Terraform or OpenTofu as a user would, in a directory of its own and against a sandbox of its own.
//!
//! `TF_ACC_TERRAFORM_PATH` chooses the program; without it, it is `terraform`, or else `tofu`, from the `PATH`, or else
//! a pinned one that is fetched into `target/`. If that fails, every test that needs one fails, unless `TF_ACC=0` says
//! that they are to be skipped.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "a library to those that include it, and each of them uses a part"
)]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod features;
mod marked;
mod needles;
mod program;
mod run;
mod state;
mod workspace;

use sandbox::{HostUp, HubSpot, KirimEmail};

pub use self::{
    run::{Diagnostic, Run},
    workspace::{PROXY_PASSWORD, Workspace},
};

/// The user name in `HubSpot`'s own example; every sandbox has a credential of that name.
pub const USER: &str = HubSpot::MODEL.examples[0].name;

/// The address of a mailbox at `HostUp` that every sandbox has.
pub const MAILBOX: &str = HostUp::MODEL.examples[0].name;

/// The user name of the credential in `KIRIM.EMAIL`'s own example; every sandbox has it.
pub const KIRIM_USER: &str = KirimEmail::MODEL.examples[0].name;

/// The argument that names [`USER`].
pub const HUBSPOT: &str = r#"hubspot = { user_name = "zh48wgsfld@62515.smtp.hubspot.net" }"#;

/// The argument that names [`MAILBOX`].
pub const HOSTUP: &str = r#"hostup = { account_id = "acct_01hxa3b4c5d6e7f8g9h0j1k2m3", address = "info@example.com" }"#;

/// The argument that names the credential of [`KIRIM_USER`].
pub const KIRIM_EMAIL: &str =
    r#"kirim_email = { domain = "example.com", credential_guid = "92703823-f3a4-48e2-8e87-7adf25454800" }"#;

/// The argument for API keys that send.
pub const SMTPD: &str = r#"smtpd = { name = "newsletter", role = "send_only" }"#;

/// The address of the resource that [`credential`] writes.
pub const ADDRESS: &str = "smtp_credential_password.this";

/// A provider block with these settings for HubSpot.
pub fn provider(settings: &str) -> String {
    format!("provider \"smtp\" {{\n  hubspot = {{ {settings} }}\n}}\n")
}

/// A resource for the credential of [`USER`], with further arguments.
pub fn credential(arguments: &str) -> String {
    block("this", HUBSPOT, arguments)
}

/// A resource for one of `HubSpot`'s credentials, with further arguments.
pub fn resource(name: &str, user_name: &str, arguments: &str) -> String {
    block(name, &format!("hubspot = {{ user_name = \"{user_name}\" }}"), arguments)
}

/// A resource for the credential that `target` names, with further arguments.
pub fn block(name: &str, target: &str, arguments: &str) -> String {
    format!("resource \"smtp_credential_password\" \"{name}\" {{\n  {target}\n  {arguments}\n}}\n")
}
