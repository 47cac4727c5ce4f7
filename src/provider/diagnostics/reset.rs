//! What users read about a reset that has happened, beside that it has.

use crate::{
    framework::diagnostic::Diagnostic,
    http::Outcome,
    provider::attributes::target::path,
    secret::Name,
    vendors::{Note, Target},
};

/// The warning for a reset whose answer names another user than the one asked for.
pub(in crate::provider) fn another_user(target: &Target, named: &Name) -> Diagnostic {
    Diagnostic::warning(
        "The answer names another user",
        format!(
            "Resetting the password of `{}`: {} answered with the user name `{named}`. {} The state is up to date, under the \
             user name that was asked for. Try to log in with it before you rely on it.",
            target.id(),
            target.vendor.title,
            Outcome::Changed.sentence()
        ),
    )
    .at(path(target))
}

/// The warning for something about a reset that worked.
pub(in crate::provider) fn noted(target: &Target, note: Note) -> Diagnostic {
    let (summary, words) = match note {
        Note::NotYetEverywhere => (
            "The new password is not everywhere yet",
            "the mail server has not caught up with the reset. For a while the old password may still work, and the new one may not.",
        ),
        Note::OddAnswer => (
            "The vendor's answer is not as documented",
            "the answer to the reset lacks something, or contradicts itself. Try to log in with the new password before you rely on it.",
        ),
    };
    let (id, title, outcome) = (target.id(), target.vendor.title, Outcome::Changed.sentence());
    let detail = format!("Resetting the password of `{id}` at {title}: {words} {outcome} The state is up to date.");
    Diagnostic::warning(summary, detail).at(path(target))
}

/// The warning for a reset by which the password of another resource of the same run is dead.
pub(in crate::provider) fn reset_again(target: &Target) -> Diagnostic {
    Diagnostic::warning(
        "Two resources reset the same credential",
        format!(
            "Resetting the password of `{}`: this run had already reset it for another resource, and the password that this other \
             resource has stored no longer works, because the last reset counts. {} The state of this resource is up to date. Keep \
             a credential in one resource, and let whatever needs its password refer to that.",
            target.id(),
            Outcome::Changed.sentence()
        ),
    )
    .at(path(target))
}

/// The warning for a password that core changes: it stores text in Unicode's composed form (NFC), whatever form came.
pub(in crate::provider) fn stored_otherwise(target: &Target) -> Diagnostic {
    Diagnostic::warning(
        "The password is stored in another form",
        format!(
            "Resetting the password of `{}`: {} made a password with characters that Unicode can write in several ways, and core stores \
             text in the composed way (NFC) only. The password in the state is the same text in other bytes. {} A mail server that \
             compares bytes refuses it: log in with the password in the state before you rely on it; if that fails, apply with \
             `-replace` for another.",
            target.id(),
            target.vendor.title,
            Outcome::Changed.sentence()
        ),
    )
    .at(path(target))
}
