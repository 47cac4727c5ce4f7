//! Diagnostics about two credentials that take turns.

use super::{
    lost_reset, mail_server,
    vendor::{self, Step},
};
use crate::{
    framework::{
        diagnostic::{Diagnostic, Path},
        validate::invalid,
    },
    http::Outcome,
    provider::{
        attributes::{VERIFY, target::path},
        password::names::PASSWORD,
    },
    rotation::{Notice, ProbeResult, Reconciled, Spared},
    smtp::Server,
    vendors::{Target, Vendor},
};

/// The error for a list that does not name two credentials.
pub(in crate::provider) fn not_two(at: Path) -> Diagnostic {
    invalid(at, "must list exactly two credentials, which take turns")
}

/// The error for an element of the list that is null.
pub(in crate::provider) fn null_element(at: Path) -> Diagnostic {
    invalid(at, "must not be null")
}

/// The error for a comma in a field, since it separates the two ids.
pub(in crate::provider) fn comma(at: Path) -> Diagnostic {
    invalid(at, "must not contain a comma, which separates the two credentials in `id`")
}

/// The error for two elements that name one credential.
pub(in crate::provider) fn same_credential(at: Path) -> Diagnostic {
    invalid(at, "names the same credential as the other element. Case is ignored")
}

/// The error for a vendor at which a reset makes a new credential, so nothing can take turns.
pub(in crate::provider) fn makes_another(vendor: &Vendor) -> Diagnostic {
    let title = vendor.title;
    Diagnostic::error(
        "A reset there makes a new credential",
        format!(
            "At {title} a reset makes a new credential, and the previous one works until it is revoked, so no second \
             credential is needed. Use `smtp_credential_password` with `retire_previous`."
        ),
    )
    .at(Path::attribute(vendor.name))
}

/// The error for an import id that is not that of a pair.
pub(in crate::provider) fn import_id(words: &str) -> Diagnostic {
    Diagnostic::error(
        "Invalid import id",
        format!(
            "The import id {words}. It must be the ids of two credentials of one vendor, joined by a comma; the first \
             is the one in use."
        ),
    )
}

/// The error for an import of a credential that does not exist.
pub(in crate::provider) fn not_imported(target: &Target) -> Diagnostic {
    let title = target.vendor.title;
    Diagnostic::error(
        format!("{title} does not know this credential"),
        format!(
            "Importing `{}`: {title} has no such credential in this account. {} Check the name, and that the token \
             belongs to the account that the credential is in.",
            target.id(),
            Outcome::NotChanged.sentence()
        ),
    )
}

/// The error, before a reset, for a credential with the user name of one that must not be touched.
pub(in crate::provider) fn same_user(target: &Target, other: &Spared) -> Diagnostic {
    Diagnostic::error(
        "Both credentials are the same mailbox",
        format!(
            "Checking `{}`: its user name is `{}`, and so is that of `{}`, so a reset of one would end the password of \
             the other. {} List two credentials with different user names.",
            target.id(),
            other.username,
            other.id,
            Outcome::NotChanged.sentence()
        ),
    )
    .at(path(target))
}

/// The error, before a reset, for a credential with the user name of the current one, which the list does not name.
pub(in crate::provider) fn same_as_current(target: &Target, current: &Spared) -> Diagnostic {
    let (id, Spared { id: current, username }) = (target.id(), current);
    Diagnostic::error(
        "The current credential is the same mailbox",
        format!(
            "Checking `{id}`: its user name is `{username}`, and so is that of the current credential, `{current}`, so \
             a reset would end the password in use. {} Replace `{id}` in the list with `{current}`, or with another \
             credential.",
            Outcome::NotChanged.sentence()
        ),
    )
    .at(path(target))
}

/// The warning of a deletion before a create that resets the credential in use.
pub(in crate::provider) fn first_is_current(target: &Target) -> Diagnostic {
    Diagnostic::warning(
        "The replacement resets the current credential",
        format!(
            "Replacing the pair: a create resets the first credential, `{}`, which is the one in use, so its password \
             stops working at once. To rotate without a gap, change `rotation_trigger` instead of replacing the \
             resource.",
            target.id()
        ),
    )
    .at(path(target))
}

/// The warning for a previous credential that another resource of the same run has reset.
pub(in crate::provider) fn previous_reset(target: &Target) -> Diagnostic {
    let id = target.id();
    Diagnostic::warning(
        "The previous credential no longer works",
        format!(
            "Rotating from `{id}` to the other credential: another resource of this run resets `{id}` too, so the \
             password that this pair had for it no longer works, although `previous` names it. {} The password in the \
             state is that of the current credential and is not affected. Manage each credential with one resource.",
            Outcome::Changed.sentence()
        ),
    )
    .at(path(target))
}

/// What a failed rotation leaves.
#[derive(Clone, Copy, Debug)]
pub(in crate::provider) struct Kept<'a> {
    /// The id of the credential that is still the current one.
    pub(in crate::provider) current: &'a str,
    /// Whether the state had what may be the credential that was to be reset as the previous one, and no longer has.
    pub(in crate::provider) ends_previous: bool,
}

impl Kept<'_> {
    fn words(&self) -> String {
        let previous = if self.ends_previous { " `previous` is null now." } else { "" };
        format!(
            "The current credential is still `{}`: it was not touched, and its data in the state is unchanged.{previous}",
            vendor::stored(self.current)
        )
    }
}

/// The error of an update whose reset failed or whose response was lost.
pub(in crate::provider) fn failed(target: &Target, kept: Kept<'_>, lost: &Reconciled) -> Diagnostic {
    let seen = lost_reset::seen(target, lost.evidence.as_ref());
    let mut diagnostic = vendor::failed_with(Step::ResettingOther, target, &lost.error, &seen);
    if lost.error.outcome != Outcome::NotChanged {
        diagnostic.detail.push(' ');
        diagnostic.detail.push_str(&kept.words());
    }
    diagnostic
}

/// The error of an update whose new password was not proven to work. `notices` are those of the reset.
pub(in crate::provider) fn not_proven(target: &Target, kept: Kept<'_>, notices: &[Notice]) -> Diagnostic {
    let mut summary = "The new password was not verified";
    let mut what = String::new();
    let mut advice = "Apply again: it is reset again, and takes over once its new password has logged in.".to_owned();
    let mut hints = Vec::new();
    for notice in notices {
        match notice {
            Notice::LoginFailed { server, failure } => {
                summary = "The new password did not log in";
                what = mail_server::answered(server, failure);
                advice = if failure.is_wrong_password() {
                    format!(
                        "{advice} If the mail server needs longer to pick up a reset, raise `verify.timeout` first."
                    )
                } else {
                    format!("{} {advice}", mail_server::advice(failure.kind))
                };
            }
            Notice::LoginInterrupted { server } => {
                what = format!("the login to the mail server `{server}` was interrupted or timed out.");
            }
            Notice::NoUsername => {
                what = format!("{} did not return a user name to log in with.", target.vendor.title);
            }
            Notice::ResetAgain => hints.push(
                "This run had already reset it for another resource. If that resource stores the password of that reset, it \
                 no longer works."
                    .to_owned(),
            ),
            Notice::ResetOfPrevious => hints.push(
                "Another pair has rotated away from it in this run, so the password that pair had for it no longer works."
                    .to_owned(),
            ),
            Notice::OtherUser(named) => hints.push(format!("The response to the reset names the user `{named}`.")),
            Notice::PasswordRecomposed => hints.push(
                "The password has characters that Unicode can encode in several ways, and the login used the composed \
                 form."
                    .to_owned(),
            ),
            // Neither comes before the new password has logged in, and a pair never tries the previous one.
            Notice::PreviousAccepted { .. } | Notice::PreviousNotTried { .. } | Notice::Vendor(_) => {}
        }
    }
    hints.push(Outcome::Changed.sentence().to_owned());
    let detail = format!(
        "Verifying the new password of `{}`: {what} {} {} {advice}",
        target.id(),
        hints.join(" "),
        kept.words()
    );
    Diagnostic::error(summary, detail).at(Path::attribute(VERIFY))
}

/// Adds to the error of a create what it leaves in the state, and where the previous password is. `is_second_half` is
/// whether a deletion of the same replacement came before it.
pub(in crate::provider) fn of_create(mut diagnostic: Diagnostic, outcome: Outcome, is_second_half: bool) -> Diagnostic {
    if outcome != Outcome::NotChanged {
        diagnostic.detail.push_str(lost_reset::LEFTOVER);
    }
    match (is_second_half, outcome) {
        (true, _) => diagnostic.detail.push_str(
            " This create is the second half of a replacement. If another credential was the current one, its password \
             still works: it is in the state's backup or an earlier version of the state. A changed `rotation_trigger` \
             would have kept it in the state.",
        ),
        (false, Outcome::NotChanged) => {}
        (false, _) => diagnostic.detail.push_str(lost_reset::DEPOSED),
    }
    diagnostic
}

/// The warning for a create whose new password did not log in, or for any other notice of a reset that is stored.
pub(in crate::provider) fn not_verified(target: &Target, notice: &Notice) -> Option<Diagnostic> {
    let Notice::LoginFailed { server, failure } = notice else { return None };
    let advice = if failure.is_wrong_password() {
        "The mail server may need longer to pick up a reset: try to log in later, and raise `verify.timeout` for the \
         next time. If it is still refused, change `rotation_trigger`: the other credential is then reset and takes over."
            .to_owned()
    } else {
        format!(
            "Nothing suggests that the password is wrong: log in with it before you rely on it. {}",
            mail_server::advice(failure.kind)
        )
    };
    let detail = format!(
        "Verifying the new password of `{}`: {} {} The state is up to date. {advice}",
        target.id(),
        mail_server::answered(server, failure),
        Outcome::Changed.sentence()
    );
    Some(Diagnostic::warning("The new password did not log in", detail).at(Path::attribute(VERIFY)))
}

/// The warning of a refresh that found the password of the current credential to be stale.
pub(in crate::provider) fn stale(id: &str) -> Diagnostic {
    Diagnostic::warning(
        "The stored password is stale",
        format!(
            "Reading `{id}`: a refresh found that it was changed after the password in the state was stored, by \
             somebody else or by a reset whose response was lost, or that it did not exist. The password in the state \
             most likely no longer works. Change `rotation_trigger`: the other credential is then reset and takes over. \
             `on_external_change = \"rotate\"` does this automatically, and `\"ignore\"` silences this warning."
        ),
    )
    .at(Path::attribute("stale"))
}

/// The warning of a plan that rotates because the password of the current credential is stale.
pub(in crate::provider) fn rotation(id: &str) -> Diagnostic {
    Diagnostic::warning(
        "A rotation is planned for a stale password",
        format!(
            "The password of `{id}` in the state most likely no longer works. According to `on_external_change`, the \
             other credential is reset and takes over. `{id}` is not touched."
        ),
    )
    .at(Path::attribute("on_external_change"))
}

/// The warning of a plan that does not rotate for a stale password, because `rotations` in a row have not helped.
pub(in crate::provider) fn rotations_exhausted(id: &str, rotations: u32) -> Diagnostic {
    Diagnostic::warning(
        "Somebody else keeps resetting the password",
        format!(
            "The password of `{id}` is stale again, after {rotations} rotations in a row because of \
             `on_external_change = \"rotate\"`. Somebody else keeps resetting the credentials, such as another state with \
             the same pair. No further rotation is planned. Find out who it is, and then change `rotation_trigger`."
        ),
    )
    .at(Path::attribute("on_external_change"))
}

/// The warning for an argument that is adopted without a rotation, after an import.
pub(in crate::provider) fn adoption(at: &Path) -> Diagnostic {
    Diagnostic::warning(
        "No reset after the import",
        format!(
            "The imported credentials were adopted without a reset. The password of the current one is not known. When \
             `{at}` changes again, the other credential is reset and takes over."
        ),
    )
    .at(at.clone())
}

/// The warning of a plan that makes a pair of a single credential whose password is not in the state.
pub(in crate::provider) fn moved_without_password(id: &str) -> Diagnostic {
    Diagnostic::warning(
        "The password is not in the state",
        format!(
            "Moving `{id}` to a pair: the state does not have its password, such as one that was set with `password_wo`, \
             so `password` is null until the first rotation. {} Until then, take the password from where it was set. To \
             have one in the state, change `rotation_trigger`: the other credential is then reset and takes over.",
            Outcome::NotChanged.sentence()
        ),
    )
    .at(Path::attribute(PASSWORD))
}

/// The warning for the login of a refresh with the stored password, if it needs one.
pub(in crate::provider) fn probed(
    target: &Target,
    server: &Server,
    probe: &ProbeResult,
    is_silenced: bool,
) -> Option<Diagnostic> {
    let advice = "Change `rotation_trigger`: the other credential is then reset and takes over";
    match probe {
        ProbeResult::Rejected(failure) => {
            let detail = format!(
                "Reading `{}`: {} The password has logged in before. Most likely somebody has reset it since, or the \
                 mail server has lost its data. {advice}; `on_external_change = \"rotate\"` does this automatically, and \
                 `\"ignore\"` silences this warning.",
                target.id(),
                mail_server::answered(server, failure)
            );
            Some(Diagnostic::warning("The stored password is refused", detail).at(Path::attribute("stale")))
        }
        ProbeResult::RejectedWithoutProof(failure) if !is_silenced => {
            let detail = format!(
                "Reading `{}`: {} The password has not logged in there since it was stored, so the server may refuse \
                 every password. `stale` is left as it was, and nothing is reset. Log in with it elsewhere. If that \
                 fails too: {advice}.",
                target.id(),
                mail_server::answered(server, failure)
            );
            Some(Diagnostic::warning("The stored password has never logged in", detail).at(Path::attribute(VERIFY)))
        }
        ProbeResult::LoggedIn | ProbeResult::RejectedWithoutProof(_) => None,
        ProbeResult::NotTried(failure) => Some(mail_server::not_tried(target, server, failure)),
        ProbeResult::Skipped => Some(mail_server::spared(target, server)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::attributes::configured::Configured;
    use crate::{
        framework::value::Value,
        http::{Error, Kind},
        provider::attributes::target,
        smtp::{Failure, FailureKind, Roots, Security},
    };

    fn credential(name: &str) -> Target {
        let fields = Value::object([("user_name", name.into())]);
        target::of(&Value::object([("hubspot", fields)]), Configured::default()).unwrap().unwrap()
    }

    fn refused() -> Notice {
        let server = Server::new("mail.example.com", 587, Security::StartTls, Roots::default());
        let failure =
            Failure { kind: FailureKind::Refused, code: None, enhanced: None, reason: "it rejects the login".into() };
        Notice::LoginFailed { server: Box::new(server), failure }
    }

    #[test]
    fn every_failed_rotation_says_that_the_current_credential_was_not_touched() {
        let target = credential("b");
        for ends_previous in [false, true] {
            let kept = Kept { current: "hubspot/a", ends_previous };
            let mut errors = vec![
                not_proven(&target, kept, &[refused()]),
                not_proven(&target, kept, &[Notice::ResetAgain, Notice::NoUsername]),
                not_proven(&target, kept, &[Notice::ResetOfPrevious, refused()]),
            ];
            for outcome in [Outcome::MayHaveChanged, Outcome::Changed] {
                let error = Error::new(Kind::Interrupted, outcome, "api.example.com", "it broke");
                errors.push(failed(&target, kept, &Reconciled { error, evidence: None }));
            }
            for Diagnostic { summary, detail, .. } in errors {
                assert!(summary.split(' ').count() <= 8, "{summary}");
                assert!(detail.contains("The current credential is still `hubspot/a`: it was not touched"), "{detail}");
                assert_eq!(detail.contains("`previous` is null now."), ends_previous, "{detail}");
                let outcomes = [Outcome::NotChanged, Outcome::MayHaveChanged, Outcome::Changed];
                let said = outcomes.iter().filter(|outcome| detail.contains(outcome.sentence())).count();
                assert_eq!(said, 1, "{detail}");
                assert!(
                    !detail.contains("no longer work")
                        || detail.contains("in this run")
                        || detail.contains("This run had"),
                    "{detail}"
                );
                assert!(!detail.contains("  "), "{detail}");
            }
        }
    }

    #[test]
    fn a_refusal_has_nothing_to_say_of_the_other_credential() {
        let error = Error::new(Kind::Forbidden, Outcome::NotChanged, "api.example.com", "no");
        let kept = Kept { current: "hubspot/a", ends_previous: true };
        let detail = failed(&credential("b"), kept, &Reconciled { error, evidence: None }).detail;
        assert!(detail.contains("`hubspot/b`") && !detail.contains("`hubspot/a`"), "{detail}");
    }

    #[test]
    fn every_warning_is_short_and_names_the_credential() {
        let target = credential("a");
        let id = target.id();
        for warning in [
            first_is_current(&target),
            previous_reset(&target),
            moved_without_password(&id),
            rotation(&id),
            rotations_exhausted(&id, 2),
            stale(&id),
            not_verified(&target, &refused()).unwrap(),
        ] {
            assert!(warning.summary.split(' ').count() <= 8, "{}", warning.summary);
            assert!(warning.detail.contains("`hubspot/a`"), "{}", warning.detail);
            assert!(!warning.detail.contains("-replace"), "a replacement may reset the one in use: {}", warning.detail);
        }
    }

    /// A reset that the vendor carries out late ends the password of the credential that has just taken over.
    #[test]
    fn a_stale_password_may_be_the_work_of_a_reset_of_our_own() {
        let detail = stale("hubspot/a").detail;
        for cause in ["by somebody else", "by a reset whose response was lost", "it did not exist"] {
            assert!(detail.contains(cause), "{detail}");
        }
    }
}
