//! What a rotation is asked for.

use super::{endpoint::SmtpEndpoint, live_credentials::StoredCredential, password_policy::PasswordPolicy};
use crate::secret::Secret;

/// One rotation, as a resource asks for it.
#[derive(Debug)]
pub(crate) struct Request {
    /// Where the new password comes from.
    pub(crate) password: NewPassword,
    /// Whether the vendor is to be asked for its submission host.
    pub(crate) wants_smtp_host: bool,
    /// Where the new password is tried; `None` where it is not.
    pub(crate) endpoint: Option<SmtpEndpoint>,
    /// The user name that the state will have; `None` where the vendor names it.
    pub(crate) username: Option<String>,
    /// What the state holds that is replaced; `None` for a new one.
    pub(crate) replaces: Option<StoredCredential>,
}

/// Where a new password comes from.
#[derive(Debug)]
pub(crate) enum NewPassword {
    /// The vendor makes it.
    ByVendor,
    /// The provider makes it, and the vendor is sent it.
    Generated(PasswordPolicy),
    /// The user has made it. It is sent and never stored.
    Own(Secret),
}
