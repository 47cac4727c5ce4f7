//! Runs the real Terraform or OpenTofu as a user would, in a directory of its own and against a sandbox of its own.
//!
//! `TF_ACC_TERRAFORM_PATH` chooses the program; without it, it is `terraform`, or else `tofu`, from the `PATH`. Where there is none,
//! every test that needs one fails, unless `TF_ACC=0` says that they are to be skipped.

#![allow(dead_code, unreachable_pub, reason = "a library to those that include it, and each of them uses a part")]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod mail;
mod program;
mod run;
mod state;
mod workspace;

pub use self::{
    run::{Diagnostic, Run},
    workspace::Workspace,
};

/// The user name in the vendor's own example; every sandbox has a credential of that name.
pub const USER: &str = "zh48wgsfld@62515.smtp.hubspot.net";

/// The address of the resource that [`credential`] writes.
pub const ADDRESS: &str = "smtp_credential_password.this";

/// A provider block with these settings for HubSpot.
pub fn provider(settings: &str) -> String {
    format!("provider \"smtp\" {{\n  hubspot = {{ {settings} }}\n}}\n")
}

/// A resource for the credential of [`USER`], with further arguments.
pub fn credential(arguments: &str) -> String {
    resource("this", USER, arguments)
}

/// A resource for a credential, with further arguments.
pub fn resource(name: &str, user_name: &str, arguments: &str) -> String {
    format!(
        "resource \"smtp_credential_password\" \"{name}\" {{\n  hubspot = {{ user_name = \"{user_name}\" }}\n  {arguments}\n}}\n"
    )
}
