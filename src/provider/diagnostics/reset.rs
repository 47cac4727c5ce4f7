//! Warnings about a reset that has happened.

use crate::{
    framework::diagnostic::Diagnostic,
    http::Outcome,
    provider::attributes::target::path,
    secret::Name,
    vendors::{Note, Target},
};

/// The warning for a reset whose response names another user than the one requested.
pub(in crate::provider) fn another_user(target: &Target, named: &Name) -> Diagnostic {
    Diagnostic::warning(
        "The response names another user",
        format!(
            "Resetting the password of `{}`: {} returned the user name `{named}`. {} The state is up to date, with the \
             user name that was requested. Log in with it before you rely on it.",
            target.id(),
            target.vendor.title,
            Outcome::Changed.sentence()
        ),
    )
    .at(path(target))
}

/// The warning for what a vendor reports about a successful reset.
pub(in crate::provider) fn noted(target: &Target, note: Note) -> Diagnostic {
    let (summary, words) = match note {
        Note::NotYetActive => (
            "The new password is not active everywhere",
            "the mail server has not picked up the reset yet. For a while the old password may still work, and the new \
             one may not.",
        ),
        Note::UndocumentedResponse => (
            "The vendor's response is not as documented",
            "the response to the reset is incomplete or contradicts itself. Log in with the new password before you \
             rely on it.",
        ),
    };
    let (id, title, outcome) = (target.id(), target.vendor.title, Outcome::Changed.sentence());
    let detail = format!("Resetting the password of `{id}` at {title}: {words} {outcome} The state is up to date.");
    Diagnostic::warning(summary, detail).at(path(target))
}

/// The warning for a reset that invalidates the password of another resource of the same run.
pub(in crate::provider) fn reset_again(target: &Target) -> Diagnostic {
    Diagnostic::warning(
        "Two resources reset the same credential",
        format!(
            "Resetting the password of `{}`: this run had already reset it for another resource. If that resource \
             stores the password of that reset, it no longer works, because the last reset wins. {} The state of this resource is \
             up to date. Manage each credential with one resource, and refer to that resource wherever the password is \
             needed.",
            target.id(),
            Outcome::Changed.sentence()
        ),
    )
    .at(path(target))
}

/// The warning for a reset of the credential that a pair of the same run has just rotated away from.
pub(in crate::provider) fn reset_of_previous(target: &Target) -> Diagnostic {
    Diagnostic::warning(
        "The previous credential of a pair was reset",
        format!(
            "Resetting the password of `{}`: in this run a pair has rotated from this credential to its other one, so \
             the password that the pair had for it no longer works, although its `previous` names it. {} The state of \
             this resource is up to date. Manage each credential with one resource.",
            target.id(),
            Outcome::Changed.sentence()
        ),
    )
    .at(path(target))
}

/// The warning for a password that core changes: it stores strings in Unicode's composed form (NFC).
pub(in crate::provider) fn recomposed(target: &Target) -> Diagnostic {
    Diagnostic::warning(
        "The stored password may differ",
        format!(
            "Resetting the password of `{}`: {} generated a password with characters that Unicode can encode in \
             several ways, and core stores only the composed form (NFC). The password in the state is the same text in \
             different bytes. {} A mail server that compares bytes rejects it: log in with the password in the state \
             before you rely on it. If that fails, apply with `-replace` to get another.",
            target.id(),
            target.vendor.title,
            Outcome::Changed.sentence()
        ),
    )
    .at(path(target))
}
