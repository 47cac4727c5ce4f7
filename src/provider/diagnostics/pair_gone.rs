//! Diagnostics about credentials of a pair that do not exist.

use crate::{
    framework::diagnostic::{Diagnostic, Path},
    http::Outcome,
    provider::{attributes::target::path, password::names::PREVIOUS},
    vendors::Target,
};

/// The warning of a refresh for a credential of the pair, not the current one, that does not exist.
pub(in crate::provider) fn other_gone(target: &Target) -> Diagnostic {
    let title = target.vendor.title;
    Diagnostic::warning(
        "The other credential does not exist",
        format!(
            "Reading `{}`: {title} has no such credential in this account. The password in the state belongs to the \
             current credential and is not affected, but a rotation to the other one fails. {} Create the credential at {title}, \
             or list another one.",
            target.id(),
            Outcome::NotChanged.sentence()
        ),
    )
    .at(path(target))
}

/// The warning of an apply that resets another credential of the pair than the one that does not exist.
pub(in crate::provider) fn other_missing(target: &Target) -> Diagnostic {
    let title = target.vendor.title;
    Diagnostic::warning(
        "The other credential does not exist",
        format!(
            "Checking `{}`: {title} has no such credential in this account. This apply resets another credential and \
             does not need it, but a later rotation to this one fails. Create the credential at {title}, or list \
             another one.",
            target.id()
        ),
    )
    .at(path(target))
}

/// The warning of a refresh that finds only the credential that is not in use.
pub(in crate::provider) fn current_gone(target: &Target) -> Diagnostic {
    let title = target.vendor.title;
    Diagnostic::warning(
        "The current credential does not exist",
        format!(
            "Reading `{}`: {title} no longer has this credential, so the password in the state does not work. {} \
             Change `rotation_trigger`: the other credential is then reset and takes over.",
            target.id(),
            Outcome::NotChanged.sentence()
        ),
    )
    .at(path(target))
}

/// The warning of a refresh for the previous credential of a pair, which has left the list and does not exist.
pub(in crate::provider) fn previous_gone(target: &Target) -> Diagnostic {
    let (id, title) = (target.id(), target.vendor.title);
    Diagnostic::warning(
        "The previous credential does not exist",
        format!(
            "Reading `{id}`: {title} has no such credential in this account, so `previous` becomes null. The password in \
             the state belongs to the current credential and is not affected. {} Whatever still uses `{id}` needs the \
             current user name and password.",
            Outcome::NotChanged.sentence()
        ),
    )
    .at(Path::attribute(PREVIOUS))
}

/// The warning of a refresh that removes a pair from the state, because `current`, the credential in use, and the
/// `others` of the list do not exist.
pub(in crate::provider) fn both_gone(current: &Target, others: &[&Target], has_password: bool) -> Diagnostic {
    let title = current.vendor.title;
    let ids: Vec<_> = [current].iter().chain(others).map(|target| format!("`{}`", target.id())).collect();
    // Without a password in the state there is none to look for.
    let [together, backup] = if has_password {
        [
            " together with its password",
            " If this is a mistake, the password is still in earlier versions of the state.",
        ]
    } else {
        [""; 2]
    };
    Diagnostic::warning(
        "Both credentials do not exist",
        format!(
            "Reading {}: {title} no longer has these credentials, so the resource is removed from the state{together}. \
             {}{backup} Create the credentials at {title}, or list others, before the next apply: it creates the resource \
             again, and resets the first credential of the list.",
            ids.join(" and "),
            Outcome::NotChanged.sentence()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        framework::value::Value,
        provider::attributes::{configured::Configured, target},
    };

    fn credential(name: &str) -> Target {
        let fields = Value::object([("user_name", name.into())]);
        target::of(&Value::object([("hubspot", fields)]), Configured::default()).unwrap().unwrap()
    }

    #[test]
    fn every_warning_is_short_and_names_the_credentials_that_are_gone() {
        let [a, b] = ["a", "b"].map(credential);
        for (warning, names) in [
            (current_gone(&a), &["`hubspot/a`"][..]),
            (other_gone(&a), &["`hubspot/a`"]),
            (other_missing(&a), &["`hubspot/a`"]),
            (previous_gone(&a), &["`hubspot/a`"]),
            (both_gone(&a, &[&b], true), &["`hubspot/a`", "`hubspot/b`"]),
            (both_gone(&a, &[&b], false), &["`hubspot/a`", "`hubspot/b`"]),
        ] {
            assert!(warning.summary.split(' ').count() <= 8, "{}", warning.summary);
            assert!(names.iter().all(|name| warning.detail.contains(name)), "{}", warning.detail);
            assert!(!warning.detail.contains("-replace"), "a replacement may reset the one in use: {}", warning.detail);
            assert!(!warning.detail.contains("  "), "{}", warning.detail);
        }
    }

    #[test]
    fn only_a_password_that_was_in_the_state_is_looked_for_in_earlier_ones() {
        let [a, b] = ["a", "b"].map(credential);
        for has_password in [true, false] {
            let detail = both_gone(&a, &[&b], has_password).detail;
            assert_eq!(detail.contains("earlier versions of the state"), has_password, "{detail}");
            assert_eq!(detail.contains("together with its password"), has_password, "{detail}");
        }
    }
}
