//! Diagnostics about the previous credential that `retire_previous` keeps, and about a rotation that was undone.

use super::{
    mail_server,
    vendor::{self, Step, answered, naming, stored},
};
use crate::{
    framework::diagnostic::{Diagnostic, Path},
    http::{Error, Outcome},
    provider::attributes::{
        VERIFY,
        retire_previous::{PREVIOUS, RETIRE_PREVIOUS},
    },
    rotation::Refused,
    vendors::Target,
};

/// The error for a previous credential that could not be revoked. The state keeps it.
pub(in crate::provider) fn not_revoked(target: &Target, previous: &str, error: &Error) -> Diagnostic {
    let previous = stored(previous);
    Diagnostic::error(
        vendor::summary(Step::Revoking, target, error),
        format!(
            "Revoking `{previous}`, the previous credential of `{}`: {} {} The state still has it as `{PREVIOUS}`. {}",
            target.id(),
            answered(target, error),
            // What is revoked is not the credential whose password is in the state.
            Outcome::NotChanged.sentence(),
            vendor::advice(Step::Revoking, target, error),
        ),
    )
    .at(Path::attribute(RETIRE_PREVIOUS))
}

/// The error for a rotation that was undone because the mail server refused the new credential. `error` is why that
/// could not be revoked.
pub(in crate::provider) fn undone(target: &Target, refused: &Refused, error: Option<&Error>) -> Diagnostic {
    let new = stored(refused.id());
    let (revoked, advice) = match error {
        None => (format!("The new credential, `{new}`, is revoked."), String::new()),
        Some(error) => (
            format!("Revoking the new credential, `{new}`, failed: {}", answered(target, error)),
            format!(" `{new}` may still be valid: revoke it by hand."),
        ),
    };
    Diagnostic::error(
        "The rotation was undone",
        format!(
            "Verifying the new credential of `{}`: {} The state has the old credential again. {revoked} {}{advice} The \
             mail server may need longer to pick up a new credential: raise `verify.timeout`, and apply again.",
            target.id(),
            mail_server::answered(&refused.server, &refused.failure),
            // The state has the old password again, so for its user nothing has changed.
            Outcome::NotChanged.sentence(),
        ),
    )
    .at(Path::attribute(VERIFY))
}

/// Adds to an error that the previous credential was revoked before, if there was one.
pub(in crate::provider) fn after_previous(mut diagnostic: Diagnostic, previous: Option<&str>) -> Diagnostic {
    if let Some(previous) = previous {
        let previous = stored(previous);
        let detail = diagnostic.detail;
        diagnostic.detail = format!("{detail} `{previous}`, the credential before it, was revoked first.");
    }
    diagnostic
}

/// The warning for a credential that leaves the state, and whose id is unknown.
pub(in crate::provider) fn unidentified(target: &Target, username: &str) -> Diagnostic {
    let (title, username) = (target.vendor.title, stored(username));
    Diagnostic::warning(
        naming("The previous credential may still be valid", &username),
        format!(
            "Revoking the credential of `{}` with the user name `{username}`: {title} did not return its id when it was \
             made, so it cannot be revoked. {} Revoke it by hand at {title}.",
            target.id(),
            Outcome::NotChanged.sentence()
        ),
    )
}

/// The warning of a refresh that removes a resource from the state while its previous credential may still be valid.
pub(in crate::provider) fn left_behind(target: &Target, previous: &str) -> Diagnostic {
    let previous = stored(previous);
    Diagnostic::warning(
        naming("The previous credential may still be valid", &previous),
        format!(
            "Reading `{}`: {} no longer has the credential in the state, so the resource is removed from the state, and \
             with it `{PREVIOUS}`. {} Revoke `{previous}` by hand if nothing uses it.",
            target.id(),
            target.vendor.title,
            Outcome::NotChanged.sentence()
        ),
    )
}
