//! Diagnostics about a stored password that no longer works.

use super::mail_server;
use crate::{
    framework::diagnostic::{Diagnostic, Path},
    rotation::ProbeResult,
    smtp::Server,
    vendors::Target,
};

/// The warning of a refresh that found a stored password to be stale.
pub(in crate::provider) fn stale(id: &str) -> Diagnostic {
    Diagnostic::warning(
        "The stored password is stale",
        format!(
            "Reading `{id}`: it was changed after the password in the state was stored, by somebody else or by a reset \
             whose response was lost. The password in the state most likely no longer works. Reset it again: change \
             `rotation_trigger`, or apply with `-replace`. `on_external_change = \"rotate\"` does this automatically, \
             and `\"ignore\"` silences this warning."
        ),
    )
    .at(Path::attribute("stale"))
}

/// The warning of a plan that resets because the stored password is stale.
pub(in crate::provider) fn rotation(id: &str) -> Diagnostic {
    Diagnostic::warning(
        "A rotation is planned for a stale password",
        format!(
            "`{id}` was changed after the password in the state was stored, by somebody else or by a reset whose \
             response was lost. According to `on_external_change`, it is reset again. The password that works now will \
             then stop working."
        ),
    )
    .at(Path::attribute("on_external_change"))
}

/// The warning of a plan that does not reset a stale password, because `rotations` resets in a row have not helped.
pub(in crate::provider) fn rotations_exhausted(id: &str, rotations: u32) -> Diagnostic {
    Diagnostic::warning(
        "Somebody else keeps resetting the password",
        format!(
            "The password of `{id}` is stale again, after {rotations} rotations in a row because of \
             `on_external_change = \"rotate\"`. Somebody else keeps resetting it, such as another state with the same \
             credential. No further rotation is planned, since each one invalidates the password that the other side \
             relies on. Find out who it is, and then change `rotation_trigger`, or apply with `-replace`."
        ),
    )
    .at(Path::attribute("on_external_change"))
}

/// The warning for the login of a refresh with a stored password, if it needs one. `is_silenced` is whether the user
/// does not want warnings of stale passwords.
pub(in crate::provider) fn probed(
    target: &Target,
    server: &Server,
    probe: &ProbeResult,
    is_silenced: bool,
) -> Option<Diagnostic> {
    match probe {
        ProbeResult::LoggedIn => None,
        ProbeResult::Rejected(failure) => Some(mail_server::refused(target, server, failure)),
        ProbeResult::RejectedWithoutProof(failure) => {
            (!is_silenced).then(|| mail_server::never_accepted(target, server, failure))
        }
        ProbeResult::NotTried(failure) => Some(mail_server::not_tried(target, server, failure)),
        ProbeResult::Skipped => Some(mail_server::spared(target, server)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_warning_is_short_and_names_the_credential() {
        let id = "vendor/credential";
        for warning in [stale(id), rotation(id), rotations_exhausted(id, 2)] {
            assert!(warning.summary.split(' ').count() <= 8, "{}", warning.summary);
            assert!(warning.detail.contains("`vendor/credential`"), "{}", warning.detail);
        }
    }
}
