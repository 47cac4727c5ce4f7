//! Why a rotation failed.

use super::reconcile::Reconciled;
use crate::{
    http::Error,
    smtp::{Failure, Server},
};

/// Why a rotation, or a check before it, failed. Only [`Reset`](Self::Reset) comes after a reset was sent: with every other the
/// password was not changed.
#[derive(Debug)]
pub(crate) enum RotationError {
    /// Another reset of the credential did not end in time.
    Waiting(Error),
    /// The vendor could not be asked before the reset.
    Checking(Error),
    /// The vendor has no such credential.
    Gone,
    /// No login could be tried at the mail server.
    MailServer { server: Box<Server>, failure: Failure },
    /// No mail server is known to try the password at.
    NoServer,
    /// The system gave no random bytes for a password.
    NoRandomBytes,
    /// The reset failed, or its response was lost.
    Reset(Box<Reconciled>),
}
