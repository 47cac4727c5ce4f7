//! What diagnostics add about a reset whose response was lost.

use jiff::Timestamp;

use super::mail_server;
use crate::{
    framework::diagnostic::Diagnostic,
    http::Outcome,
    rotation::Evidence,
    vendors::{AppearedCredential, Observation, ResetKind, Target},
};

/// What was observed after a reset whose response was lost, in whole sentences or empty.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(in crate::provider) struct Findings {
    /// What was observed.
    pub(in crate::provider) words: String,
    /// What to check before acting on it.
    pub(in crate::provider) caution: String,
}

impl Findings {
    /// Appends a sentence, which may be empty.
    pub(in crate::provider) fn add(&mut self, words: &str) {
        if !self.words.is_empty() && !words.is_empty() {
            self.words.push(' ');
        }
        self.words.push_str(words);
    }
}

/// Describes what was found after a reset whose response was lost. Empty if nothing was looked up.
pub(in crate::provider) fn seen(target: &Target, evidence: Option<&Evidence>) -> Findings {
    let Some(Evidence { observation, successor, begun, previous_login }) = evidence else { return Findings::default() };
    let mut seen = describe_observation(target, observation, successor, *begun);
    match previous_login {
        Some((server, true)) => seen.add(&mail_server::previous_password_rejected(server)),
        Some((server, false)) => seen.add(&mail_server::previous_password_accepted(server)),
        None => {}
    }
    seen
}

/// Describes what a vendor shows after a reset that was sent at `begun` and whose response was lost.
///
/// Somebody else may have caused it. So the text never suggests a revocation or another reset without saying how to
/// make sure.
fn describe_observation(target: &Target, trace: &Observation, successor: &str, begun: Timestamp) -> Findings {
    let title = target.vendor.title;
    let words = match trace {
        Observation::Appeared(new) => {
            let new: Vec<_> = new.iter().map(appeared).collect();
            format!("{title} now lists {}, which it did not list before the reset.", new.join(" and "))
        }
        Observation::Changed => format!(
            "{title} now shows a later change of the credential. It may be this reset, somebody else's, or a change of something else."
        ),
        Observation::PasswordChanged => {
            format!("{title} now shows a later change of the password, by this reset or by somebody else's.")
        }
        Observation::Unchanged => {
            let change = match target.vendor.reset_kind {
                ResetKind::InPlace => "no later change".to_owned(),
                ResetKind::NewCredential => format!("no new {successor}"),
            };
            format!("{title} shows {change} so far, which proves nothing: it may show one late.")
        }
        Observation::Unknown => String::new(),
    };
    let caution = match (target.vendor.reset_kind, trace) {
        (ResetKind::NewCredential, Observation::Appeared(_)) => format!(
            "If this reset created it, nobody knows its password. Revoke it only if nobody else created it, and if it \
             was created at about {}, when the reset was sent.",
            second(begun)
        ),
        (ResetKind::NewCredential, _) => format!(
            "At {title}, look for any {successor} that was created at about {}, when the reset was sent, or \
             later, and whose id is not the `remote_version` of a resource. If this reset created it, nobody knows its \
             password. Revoke it only if nobody else created it.",
            second(begun)
        ),
        (ResetKind::InPlace, Observation::Changed | Observation::PasswordChanged) => {
            "First make sure that nobody else has reset it: another reset invalidates their password.".to_owned()
        }
        (ResetKind::InPlace, _) => String::new(),
    };
    Findings { words, caution }
}

fn appeared(new: &AppearedCredential) -> String {
    let made = new.created_at.map(|at| format!(" (created at {})", second(at))).unwrap_or_default();
    match &new.id {
        Some(id) => format!("`{id}`{made}"),
        None => format!("a credential{made}"),
    }
}

/// Formats a time in whole seconds, as vendors do.
fn second(time: Timestamp) -> String {
    format!("{time:.0}")
}

/// What a create leaves that may have reset the password.
pub(in crate::provider) const LEFTOVER: &str = " The resource is in the state without a password, and tainted, so the \
    next apply replaces it. (With `prevent_destroy` Terraform refuses to do so: remove the resource from the state first, \
    with `terraform state rm`.)";

/// Where the previous password is, if such a create was replacing another object.
pub(in crate::provider) const DEPOSED: &str = " If it was replacing another object with `create_before_destroy`, the \
    previous password is in the deposed object, which the next apply deletes.";

/// Adds to the error of a create what it leaves in the state, and where the previous password is. `predecessors` are
/// the ids of the credentials that it was to replace; `None` if it is not known to replace anything.
pub(in crate::provider) fn of_create(
    mut diagnostic: Diagnostic,
    outcome: Outcome,
    predecessors: Option<&[String]>,
) -> Diagnostic {
    let detail = &mut diagnostic.detail;
    if outcome != Outcome::NotChanged {
        detail.push_str(LEFTOVER);
    }
    match predecessors {
        // After a reset in place the previous password is useless, so there is no point in saying where it is.
        Some([]) if outcome == Outcome::Changed => return diagnostic,
        // Nothing was replaced and nothing was changed, so everything is where it was.
        None if outcome == Outcome::NotChanged => return diagnostic,
        None => {
            detail.push_str(DEPOSED);
            return diagnostic;
        }
        Some(_) => {}
    }
    detail.push_str(
        " This create is the second half of a replacement: the previous password is still in the state's backup or an \
         earlier version of the state. With `create_before_destroy`, or `rotation_mode = \"in_place\"`, it would have \
         stayed in the state.",
    );
    let old = predecessors.unwrap_or_default();
    let ids = old.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
    let words = match old {
        [] => String::new(),
        [_] => {
            format!(" The previous credential, {ids}, still works: revoke it by hand once nothing uses it.")
        }
        _ => format!(
            " The previous credentials, {ids}, still work: revoke them by hand once \
             nothing uses them."
        ),
    };
    detail.push_str(&words);
    diagnostic
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::attributes::configured::Configured;
    use crate::{framework::value::Value, provider::attributes::target, secret::Name};

    fn named(vendor: &'static str, fields: &[(&'static str, &str)]) -> Target {
        let fields = Value::object(fields.iter().map(|(name, text)| (*name, (*text).into())));
        target::of(&Value::object([(vendor, fields)]), Configured::default()).unwrap().unwrap()
    }

    const NOUN: &str = "access key of this IAM user";

    #[test]
    fn no_observation_leads_to_another_persons_credential_without_a_caution() {
        let in_place = named("kirim_email", &[("domain", "example.com"), ("credential_guid", "guid")]);
        let successor = named("smtpd", &[("name", "a"), ("role", "standard")]);
        let new = AppearedCredential { id: Name::new("one"), created_at: Some(Timestamp::UNIX_EPOCH) };
        for (target, trace, is_cautious) in [
            (&in_place, Observation::Changed, true),
            (&in_place, Observation::PasswordChanged, true),
            (&in_place, Observation::Unchanged, false),
            (&in_place, Observation::Unknown, false),
            (&successor, Observation::Appeared(vec![new]), true),
            (&successor, Observation::Unchanged, true),
            (&successor, Observation::Unknown, true),
        ] {
            let Findings { words, caution } = describe_observation(target, &trace, NOUN, Timestamp::UNIX_EPOCH);
            let is_named =
                target.vendor.reset_kind == ResetKind::NewCredential && !matches!(trace, Observation::Appeared(_));
            assert_eq!(caution.contains(&format!("any {NOUN} that")), is_named, "{trace:?}: {caution}");
            assert_eq!(words.contains(&format!("no new {NOUN} so far")), is_named && trace == Observation::Unchanged);
            assert_eq!(caution.contains("nobody else"), is_cautious, "{trace:?}: {caution}");
            assert_eq!(
                caution.contains("at about 1970-01-01T00:00:00Z"),
                target.vendor.reset_kind == ResetKind::NewCredential
            );
            let proves = words.contains("not changed") || words.contains("was changed");
            assert!(!proves, "what is seen is no outcome: {words}");
        }
    }

    #[test]
    fn a_failed_create_says_what_it_leaves_and_where_the_previous_password_is() {
        use Outcome::{Changed, MayHaveChanged, NotChanged};
        const LEFT: &str = "without a password, and tainted";
        const BACKUP: &str = "the state's backup";
        const KEY: &str = "The previous credential, `old`, still works";
        let old = ["old".to_owned()];
        for (outcome, predecessors, said) in [
            (NotChanged, None, &[][..]),
            (MayHaveChanged, None, &[LEFT]),
            (Changed, None, &[LEFT]),
            (NotChanged, Some(&[][..]), &[BACKUP]),
            (MayHaveChanged, Some(&[]), &[LEFT, BACKUP]),
            (Changed, Some(&[]), &[LEFT]),
            (NotChanged, Some(&old), &[BACKUP, KEY]),
            (Changed, Some(&old), &[LEFT, BACKUP, KEY]),
        ] {
            let detail = of_create(Diagnostic::error("", ""), outcome, predecessors).detail;
            for words in [LEFT, BACKUP, KEY] {
                assert_eq!(detail.contains(words), said.contains(&words), "{outcome:?} {predecessors:?}: {detail}");
            }
            assert!(!detail.contains("  "), "{detail}");
        }
    }
}
