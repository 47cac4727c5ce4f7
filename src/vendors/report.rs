//! What is known of a credential, and what a vendor reports of it.

use jiff::Timestamp;

use super::fields::Fields;
use crate::secret::{Name, Secret};

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

/// A credential as the vendor reports it. Without a password, so a refresh cannot overwrite the one in state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// What of the target an import could not know.
    pub target: Fields,
    /// The user name for SMTP.
    pub username: Option<Name>,
    /// The vendor's last-changed marker.
    pub version: Option<Name>,
    /// All such markers, if the vendor has several.
    pub versions: Vec<Name>,
}

/// A credential in a list. Without a password.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// The fields of the target that the list contains. Invalid names are omitted.
    pub target: Fields,
    /// The user name for SMTP.
    pub username: Option<Name>,
    /// The vendor's last-changed marker.
    pub version: Option<Name>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
}

/// What a vendor shows after a reset whose response was lost.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Observation {
    /// Credentials of this name that it did not list before, at a vendor with
    /// [`ResetKind::NewCredential`](super::ResetKind::NewCredential). Others may have made them.
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
    /// The new password if the vendor generated it. It cannot be fetched again.
    pub password: Option<Secret>,
    /// The user name in the vendor's response.
    pub username: Option<Name>,
    /// The vendor's last-changed marker after this reset.
    pub version: Option<Name>,
    /// What the user should know about it.
    pub notes: Vec<Note>,
}

/// Something about a reset that worked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Note {
    /// The mail server has not picked up the reset: for a while the old password may still work, and the new one may
    /// not.
    NotYetActive,
    /// The response contradicts itself or is incomplete, although the reset is certain.
    UndocumentedResponse,
}
