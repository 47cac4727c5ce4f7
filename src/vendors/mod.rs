//! Vendors: what differs by value is data, what differs by shape is a few short methods over the shared HTTP client.
//!
//! This module knows nothing of Terraform. `docs/add-a-vendor.md` says how to add one.

mod absence;
mod before;
mod cache;
mod check;
mod fields;
mod hostup;
mod hubspot;
mod kirim_email;
mod listing;
mod oauth;
mod smtpd;
mod target;

use std::{cmp::Ordering, fmt::Debug, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;

pub use before::Before;
pub use check::Check;
pub use fields::{Field, Fields, Visibility};
pub use target::Target;

pub use crate::http::{CertificateFile, Client, Operation, Settings};
use crate::{
    http::Result,
    secret::{Name, Secret},
};

/// Every vendor, by name.
pub static VENDORS: &[&Vendor] = &[&hostup::VENDOR, &hubspot::VENDOR, &kirim_email::VENDOR, &smtpd::VENDOR];

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
    /// What to do about a refusal with one of the vendor's own codes, where the general advice is not enough.
    pub advice: &'static [(&'static str, &'static str)],
    /// What names one credential.
    pub target: &'static [&'static Field],
    /// The part of the target that the resource's id is made of, joined by `/`.
    pub identity: &'static [&'static Field],
    /// The part of the target that says which credentials a list holds, where the login does not.
    pub scope: &'static [&'static Field],
    /// What an import id holds after the vendor's name.
    pub import: ImportId,
    /// Who makes the password.
    pub password_source: PasswordSource,
    /// What a reset does to the credential.
    pub reset_kind: ResetKind,
    /// Whether the vendor's answers tell a credential's version.
    pub reports_version: bool,
    /// The user name for SMTP, where the target tells it.
    pub username: fn(&Fields) -> Option<&str>,
    /// The submission server.
    pub smtp: SmtpDefaults,
    /// Makes the API from checked settings. Sends nothing.
    pub connect: fn(&Fields, &Client) -> Arc<dyn VendorApi>,
}

/// What an import id holds after the vendor's name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ImportId {
    /// The vendor's id of the credential, which is its `remote_version`; a read then tells the target.
    Credential,
    /// The fields of the identity.
    Identity,
}

/// Who makes the password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PasswordSource {
    /// The caller: the vendor is told it.
    Caller,
    /// The vendor, which tells it once.
    Vendor,
}

/// What a reset does to the credential.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ResetKind {
    /// It changes the credential's password.
    InPlace,
    /// It makes a new credential. The old one stays valid until it is revoked.
    NewCredential,
}

/// Where mail is submitted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SmtpDefaults {
    /// At the same server for every credential.
    At {
        /// Its host name.
        host: &'static str,
        /// Its port.
        port: u16,
    },
    /// At a host that the vendor tells on being asked.
    Reported {
        /// The port there.
        port: u16,
    },
    /// The vendor documents none.
    Undocumented,
}

/// Resets passwords at one vendor, with one account.
#[async_trait]
pub trait VendorApi: Debug + Send + Sync {
    /// Looks the credential up. [`Presence::Gone`] only when the vendor definitely says so; any doubt is an error.
    async fn read(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<Presence>;

    /// Checks all that can be checked before a reset: that the vendor answers, takes the login, and has what is to be reset.
    async fn check(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<Presence> {
        self.read(op, target, prior).await
    }

    /// Compares two of the vendor's words on a credential's last change; `None` where they cannot be compared. Asks nobody.
    fn compare(&self, one: &str, other: &str) -> Option<Ordering> {
        (one == other).then_some(Ordering::Equal)
    }

    /// Refuses to replace or to revoke what it is itself logged in with. Asks nobody, so that a plan can tell.
    fn refuse_own_login(&self, _held: &PriorCredential) -> Result<()> {
        Ok(())
    }

    /// The submission server that the login points to, where it is another than [`Vendor::smtp`]. Asks nobody, so that a plan can tell.
    fn other_smtp_host(&self) -> Option<&'static str> {
        None
    }

    /// Lists the live credentials of a scope, all pages of it, in any order. What a process was told once is not asked again.
    async fn list(&self, op: &Operation, scope: &Fields) -> Result<Vec<Listed>>;

    /// Resets the password: to `new` where the caller makes it. At most one reset takes effect.
    async fn reset(&self, op: &Operation, target: &Fields, new: Option<&Secret>) -> Result<Reset>;

    /// Whether the vendor shows the credential now, past anything that was read earlier; `false` where it does not say.
    async fn shows(&self, _op: &Operation, _target: &Fields) -> Result<bool> {
        Ok(false)
    }

    /// Looks again, past anything that was read earlier, for a reset whose response was lost.
    ///
    /// It reports what the vendor shows, and that may be late, or of somebody else's making.
    async fn find_lost_reset(&self, _op: &Operation, _target: &Fields, _before: &Before) -> Result<Observation> {
        Ok(Observation::Unknown)
    }

    /// Reads what the vendor says now of the credential's last change, past anything that was read earlier; empty where it says
    /// nothing.
    async fn versions(&self, _op: &Operation, _target: &Fields) -> Result<Vec<Name>> {
        Ok(Vec::new())
    }

    /// Revokes what an earlier reset made, for a vendor with [`ResetKind::NewCredential`]. Succeeds where it is already gone.
    async fn revoke(&self, _op: &Operation, _held: &PriorCredential) -> Result<()> {
        Ok(())
    }

    /// Asks for the submission host, at a vendor with [`SmtpDefaults::Reported`].
    async fn smtp_host(&self, _op: &Operation, _target: &Fields) -> Result<Option<Name>> {
        Ok(None)
    }

    /// Logs out, where there is something to log out of. Best effort, at the end of the process.
    async fn close(&self, _op: &Operation) {}
}

/// What the state holds of a credential.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PriorCredential {
    /// Its `remote_version`.
    pub version: Option<String>,
    /// Its user name for SMTP.
    pub username: Option<String>,
}

/// Whether a credential exists.
#[derive(Clone, Debug, PartialEq)]
pub enum Presence {
    /// It exists.
    Found(Found),
    /// It does not exist any more.
    Gone,
}

/// What a look at a credential tells. It has no password, so that a refresh cannot overwrite the one in state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// What of the target an import could not know.
    pub target: Fields,
    /// The user name for SMTP.
    pub username: Option<Name>,
    /// The vendor's word on its last change.
    pub version: Option<Name>,
    /// Every such word, where the vendor has several.
    pub versions: Vec<Name>,
}

/// What a list tells of a credential. It has no password.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// What of the target the list tells. A name that cannot be a target's is left out.
    pub target: Fields,
    /// The user name for SMTP.
    pub username: Option<Name>,
    /// The vendor's word on its last change.
    pub version: Option<Name>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
}

/// What a vendor shows after a reset whose response was lost.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Observation {
    /// Credentials of this name that it did not list before, at a vendor with [`ResetKind::NewCredential`]. Others may have made them.
    Appeared(Vec<AppearedCredential>),
    /// A later change of the credential than any known before. It may be of something other than the password.
    Changed,
    /// No change so far. That proves nothing: a read may lag behind, and times may be in whole seconds.
    Unchanged,
    /// A later change of the password than the one that made the stored password, by this reset or by another.
    PasswordChanged,
    /// Nothing that can be compared.
    Unknown,
}

/// A credential that was not listed before a reset.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AppearedCredential {
    /// What the vendor knows it by, where that is fit to be shown.
    pub id: Option<Name>,
    /// When it was made, by the vendor's clock.
    pub created_at: Option<Timestamp>,
}

/// A reset that has happened.
#[derive(Debug, Default)]
pub struct Reset {
    /// The new password where the vendor made it; the vendor does not tell it again.
    pub password: Option<Secret>,
    /// The user whom the vendor says it reset.
    pub username: Option<Name>,
    /// The vendor's word on this change.
    pub version: Option<Name>,
    /// What the user should know about it.
    pub notes: Vec<Note>,
}

/// Something about a reset that worked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Note {
    /// The mail server has not caught up: for a while the old password may still work, and the new one not yet.
    NotYetEverywhere,
    /// The answer contradicts itself or lacks something, though the reset is certain.
    OddAnswer,
}
