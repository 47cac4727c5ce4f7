//! What users read about a rotation: why it failed, and what there is to know after it.

use super::{
    lost_reset, mail_server, reset, revocation,
    vendor::{self, Step},
};
use crate::{
    framework::diagnostic::Diagnostic,
    http::Outcome,
    provider::attributes::verify,
    rotation::{Kept, Notice, Predecessor, RotationError},
    vendors::Target,
};

/// The error for a rotation that failed, or for a check before it.
pub(in crate::provider) fn failed(target: &Target, error: &RotationError) -> Diagnostic {
    match error {
        RotationError::Waiting(error) => vendor::failed(Step::Waiting, target, error),
        RotationError::Checking(error) => vendor::failed(Step::Checking, target, error),
        RotationError::Gone => vendor::gone(target),
        RotationError::MailServer { server, failure } => mail_server::not_ready(target, server, failure),
        RotationError::NoServer => verify::no_host(target.vendor),
        RotationError::NoRandomBytes => no_password(),
        RotationError::Reset(lost) => {
            let seen = lost_reset::seen(target, lost.evidence.as_ref());
            vendor::failed_and_seen(Step::Resetting, target, &lost.error, &seen)
        }
    }
}

/// What a rotation that failed has done to the password.
pub(in crate::provider) fn outcome(error: &RotationError) -> Outcome {
    match error {
        RotationError::Reset(lost) => lost.error.outcome,
        _ => Outcome::NotChanged,
    }
}

/// The error for a password that could not be made.
pub(in crate::provider) fn no_password() -> Diagnostic {
    Diagnostic::error(
        "No password could be made",
        "The system gave no random bytes. The password was not changed. Try again later.",
    )
}

/// The warning for something about a reset that has happened.
pub(in crate::provider) fn notice(target: &Target, notice: &Notice) -> Diagnostic {
    match notice {
        Notice::ResetAgain => reset::reset_again(target),
        Notice::PasswordRecomposed => reset::stored_otherwise(target),
        Notice::OtherUser(named) => reset::another_user(target, named),
        Notice::NoUsername => mail_server::nobody_to_log_in(target),
        Notice::LoginFailed { server, failure } => mail_server::not_verified(target, server, failure),
        Notice::LoginInterrupted { server } => mail_server::cut_short(target, server),
        Notice::Vendor(note) => reset::noted(target, *note),
    }
}

/// The warning for a previous credential that a reset has left alive.
pub(in crate::provider) fn kept(predecessor: &Predecessor, kept: &Kept) -> Diagnostic {
    let (target, id) = (&predecessor.target, predecessor.id());
    match kept {
        Kept::StillHeld => revocation::same_again(target, id),
        Kept::SuccessorRejected => revocation::spared(target, id),
        Kept::Failed(error) => revocation::not_revoked(target, id, error),
    }
}
