//! What users read about a stored password that is no longer the live one.

use super::mail_server;
use crate::{
    framework::diagnostic::{Diagnostic, Path},
    rotation::ProbeResult,
    smtp::Server,
    vendors::Target,
};

/// The warning of a refresh that has found a stored password stale.
pub(in crate::provider) fn stale(id: &str) -> Diagnostic {
    Diagnostic::warning(
        "The stored password is stale",
        format!(
            "Reading `{id}`: it was changed after the password in the state was stored, by somebody else or by a reset whose response \
             was lost. The password in the state most likely no longer works. Reset it once more: change `rotation_trigger`, \
             or apply with `-replace`. `on_external_change = \"rotate\"` does so by itself, and `\"ignore\"` ends this warning."
        ),
    )
    .at(Path::attribute("stale"))
}

/// The warning of a plan that rotates for a stale password.
pub(in crate::provider) fn rotation(id: &str) -> Diagnostic {
    Diagnostic::warning(
        "A rotation is planned for a stale password",
        format!(
            "`{id}` was changed after the password in the state was stored, by somebody else or by a reset whose response was \
             lost. As `on_external_change` says, it is reset once more. The password that works now then stops working."
        ),
    )
    .at(Path::attribute("on_external_change"))
}

/// The warning of a plan that does not rotate, after as many rotations in a row as there may be.
pub(in crate::provider) fn brake(id: &str, rotations: u32) -> Diagnostic {
    Diagnostic::warning(
        "Somebody else keeps resetting the password",
        format!(
            "The password of `{id}` is stale again, after {rotations} rotations in a row that `on_external_change = \"rotate\"` asked \
             for: somebody else keeps resetting it, such as another state with the same credential. No further rotation is planned, \
             since each of them ends the password that the other relies on. Find out who it is, and then change `rotation_trigger`, or \
             apply with `-replace`."
        ),
    )
    .at(Path::attribute("on_external_change"))
}

/// The warning of a refresh for what its login with a stored password has shown. `is_silenced` is whether the user wants to hear nothing
/// of passwords that do not work.
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
        for warning in [stale(id), rotation(id), brake(id, 2)] {
            assert!(warning.summary.split(' ').count() <= 8, "{}", warning.summary);
            assert!(warning.detail.contains("`vendor/credential`"), "{}", warning.detail);
        }
    }
}
