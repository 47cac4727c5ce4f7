//! The input of a rotation.

use super::{
    endpoint::SmtpEndpoint, live_credentials::StoredCredential, password_policy::PasswordPolicy, revoke::Predecessor,
    spared::Spared,
};
use crate::secret::Secret;

/// A rotation to carry out.
#[derive(Debug)]
pub(crate) struct Request {
    /// Where the new password comes from.
    pub(crate) password: NewPassword,
    /// Whether to ask the vendor for its submission host.
    pub(crate) wants_smtp_host: bool,
    /// Where to try the new password; `None` to skip that.
    pub(crate) endpoint: Option<SmtpEndpoint>,
    /// Whether to also try the previous password, once the new one has logged in.
    pub(crate) tries_previous: bool,
    /// The planned user name; `None` if the vendor chooses it.
    pub(crate) username: Option<String>,
    /// The credentials that this reset must not touch.
    pub(crate) spared: Vec<Spared>,
    /// The credential in the state that this rotation replaces; `None` for a new state.
    pub(crate) replaces: Option<StoredCredential>,
    /// A credential to revoke before the reset. If that fails, nothing is reset.
    pub(crate) revokes: Option<Predecessor>,
    /// Whether the credential that is replaced stays valid, so a new one that the mail server refuses can be undone.
    pub(crate) undoes_refusal: bool,
}

/// The source of a new password.
#[derive(Debug)]
pub(crate) enum NewPassword {
    /// The vendor generates it.
    ByVendor,
    /// The provider generates it and sends it to the vendor.
    Generated(PasswordPolicy),
    /// The user provides it. It is sent to the vendor and never stored.
    Own(Secret),
}
