//! Why a rotation failed.

use super::{reconcile::Reconciled, spared::Spared};
use crate::{
    http::{Error, Outcome},
    smtp::{Failure, Server},
};

/// Why a rotation, or a check before it, failed. [`Reset`](Self::Reset) is the only variant after a reset was sent.
/// With every other one the password was not changed.
#[derive(Debug)]
pub(crate) enum RotationError {
    /// Another reset of the credential did not end in time.
    Waiting(Error),
    /// A call to the vendor before the reset failed.
    Checking(Error),
    /// The vendor has no such credential.
    Gone,
    /// The credential is one that this rotation must not touch: it has the same user name.
    Spared(Spared),
    /// The mail server is not ready for a login.
    MailServer { server: Box<Server>, failure: Failure },
    /// It is not known at which mail server to try the password.
    NoServer,
    /// The system did not provide random bytes for a password.
    NoRandomBytes,
    /// The credential to revoke before the reset may not be revoked.
    Revoking { id: String, error: Box<Error> },
    /// The reset failed, or its response was lost.
    Reset(Box<Reconciled>),
}

impl RotationError {
    /// What the rotation has done to the password.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Reset(lost) => lost.error.outcome,
            _ => Outcome::NotChanged,
        }
    }
}
