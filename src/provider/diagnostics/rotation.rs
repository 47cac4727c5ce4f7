//! Diagnostics about a rotation: why it failed, and warnings about one that succeeded.

use super::{
    lost_reset, mail_server, overlap, pair, previous_login, reset, revocation,
    vendor::{self, Step},
};
use crate::{
    framework::diagnostic::Diagnostic,
    provider::attributes::verify,
    rotation::{Kept, Notice, Predecessor, RotationError},
    vendors::Target,
};

/// The error for a failed rotation, or for a failed check before it.
pub(in crate::provider) fn failed(target: &Target, error: &RotationError) -> Diagnostic {
    match error {
        RotationError::Waiting(error) => vendor::failed(Step::Waiting, target, error),
        RotationError::Checking(error) => vendor::failed(Step::Checking, target, error),
        RotationError::Gone => vendor::gone(target),
        RotationError::Spared(spared) => pair::same_user(target, spared),
        RotationError::MailServer { server, failure } => mail_server::not_ready(target, server, failure),
        RotationError::NoServer => verify::no_host(target.vendor),
        RotationError::NoRandomBytes => no_password(),
        RotationError::Revoking { id, error } => overlap::not_revoked(target, id, error),
        RotationError::Reset(lost) => {
            let seen = lost_reset::seen(target, lost.evidence.as_ref());
            vendor::failed_with(Step::Resetting, target, &lost.error, &seen)
        }
    }
}

/// The error for a password that could not be generated.
pub(in crate::provider) fn no_password() -> Diagnostic {
    Diagnostic::error(
        "No password could be generated",
        "The system did not provide random bytes. The password was not changed. Try again later.",
    )
}

/// The warning for a notice about a reset that has happened.
pub(in crate::provider) fn notice(target: &Target, notice: &Notice) -> Diagnostic {
    match notice {
        Notice::ResetAgain => reset::reset_again(target),
        Notice::ResetOfPrevious => reset::reset_of_previous(target),
        Notice::PasswordRecomposed => reset::recomposed(target),
        Notice::OtherUser(named) => reset::another_user(target, named),
        Notice::NoUsername => mail_server::no_username(target),
        Notice::LoginFailed { server, failure } => mail_server::not_verified(target, server, failure),
        Notice::LoginInterrupted { server } => mail_server::interrupted(target, server),
        Notice::PreviousAccepted { server } => previous_login::accepted(target, server),
        Notice::PreviousNotTried { server, failure } => previous_login::not_tried(target, server, failure.as_ref()),
        Notice::Vendor(note) => reset::noted(target, *note),
    }
}

/// The warning for a previous credential that was not revoked after a reset.
pub(in crate::provider) fn kept(predecessor: &Predecessor, kept: &Kept) -> Diagnostic {
    let (target, id) = (&predecessor.target, predecessor.id());
    match kept {
        Kept::StillHeld => revocation::same_credential(target, id),
        Kept::SuccessorRejected => revocation::spared(target, id),
        Kept::SuccessorUnsettled => revocation::not_settled(target, id),
        Kept::Failed(error) => revocation::not_revoked(target, id, error),
    }
}
