//! Diagnostics about calls to a vendor.

use std::time::Duration;

use super::lost_reset::Findings;
use crate::{
    framework::diagnostic::{Diagnostic, Path},
    http::{Error, Finality, Kind, Outcome},
    provider::attributes::target::path,
    secret::Shown,
    vendors::{ResetKind, Target, Vendor},
};

/// What was being done when a call failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::provider) enum Step {
    /// Listing an account's credentials.
    Listing,
    /// A refresh.
    Reading,
    /// A plan. Core also plans before a destroy, so it says nothing of a reset.
    Planning,
    /// The checks before a reset.
    Checking,
    /// The reset itself.
    Resetting,
    /// The reset of the credential of a pair that is not in use.
    ResettingOther,
    /// The revocation of a credential.
    Revoking,
    /// Waiting for another reset of the same credential.
    Waiting,
}

impl Step {
    /// Returns whether a reset is what follows, or what this is.
    fn is_of_reset(self) -> bool {
        match self {
            Self::Checking | Self::Resetting | Self::ResettingOther | Self::Waiting => true,
            Self::Listing | Self::Planning | Self::Reading | Self::Revoking => false,
        }
    }

    fn to(self, target: &Target) -> String {
        let id = target.id();
        match self {
            Self::Listing => format!("Listing the credentials of `{id}`"),
            Self::Reading => format!("Reading `{id}`"),
            Self::Planning => format!("Planning `{id}`"),
            Self::Checking => format!("Checking `{id}` before the reset"),
            Self::Resetting | Self::ResettingOther => format!("Resetting the password of `{id}`"),
            Self::Revoking => format!("Revoking the credential of `{id}`"),
            Self::Waiting => format!("Waiting for another resource of this run to reset `{id}`"),
        }
    }
}

/// The error for a failed call to a vendor: what was being done, the response, the outcome for the password, and what
/// to do.
pub(in crate::provider) fn failed(step: Step, target: &Target, error: &Error) -> Diagnostic {
    failed_with(step, target, error, &Findings::default())
}

/// The same error, with what was observed after it.
pub(in crate::provider) fn failed_with(step: Step, target: &Target, error: &Error, seen: &Findings) -> Diagnostic {
    let (answered, advice) = (answered(target, error), advice(step, target, error));
    let parts = [&*answered, &seen.words, error.outcome.sentence(), &seen.caution, &advice];
    let said: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let detail = format!("{}: {}", step.to(target), said.join(" "));
    let diagnostic = Diagnostic::error(summary(step, target, error), detail);
    match error.kind {
        _ if step == Step::Listing => diagnostic.at(Path::attribute(target.vendor.name)),
        Kind::NotFound | Kind::Conflict => diagnostic.at(path(target)),
        _ => diagnostic,
    }
}

/// The warning for listed credentials whose names the resource does not accept.
pub(in crate::provider) fn left_out(scope: &Target, count: usize) -> Diagnostic {
    Diagnostic::warning(
        "Some credentials are omitted",
        format!(
            "{}: {} returned {count} credentials whose names `smtp_credential_password` does not accept; they are \
             omitted. {}",
            Step::Listing.to(scope),
            scope.vendor.title,
            Outcome::NotChanged.sentence()
        ),
    )
    .at(Path::attribute(scope.vendor.name))
}

/// The warning for a list that `limit` cuts. Core's own limit, where none is set, is silent.
pub(in crate::provider) fn cut(scope: &Target, limit: usize, count: usize) -> Diagnostic {
    Diagnostic::warning(
        "The list is not complete",
        format!(
            "{}: {} has {count} credentials that can be imported, and the first {limit} are listed. {} To see them all, \
             set `limit` in the list block to at least {count}.",
            Step::Listing.to(scope),
            scope.vendor.title,
            Outcome::NotChanged.sentence()
        ),
    )
}

/// The error, before a reset, for a credential that does not exist according to the vendor.
pub(in crate::provider) fn gone(target: &Target) -> Diagnostic {
    let title = target.vendor.title;
    Diagnostic::error(
        format!("{title} does not know this credential"),
        format!(
            "{}: {title} has no such credential in this account. {} Check the name, and that the {} belongs to the \
             account that the credential is in.",
            Step::Checking.to(target),
            Outcome::NotChanged.sentence(),
            login(target.vendor)
        ),
    )
    .at(path(target))
}

/// The error for importing a credential that does not exist according to the vendor.
pub(in crate::provider) fn unknown_id(vendor: &Vendor) -> Diagnostic {
    let title = vendor.title;
    Diagnostic::error(
        format!("{title} does not know this credential"),
        format!(
            "Importing a credential by its id: {title} has no active credential with this id in this account. {} Check \
             the id, and that the {} belongs to the account that the credential is in.",
            Outcome::NotChanged.sentence(),
            login(vendor)
        ),
    )
}

/// The error for an import of a credential that is not called by the name in the import id.
pub(in crate::provider) fn another_name(scope: &Target) -> Diagnostic {
    let title = scope.vendor.title;
    Diagnostic::error(
        "The credential has another name",
        format!(
            "{}: {title} has a credential with this id, but under another name. {} Check the name and the id.",
            Step::Reading.to(scope),
            Outcome::NotChanged.sentence()
        ),
    )
}

/// The warning for a resource that a refresh removes from state together with its password.
pub(in crate::provider) fn dropped(target: &Target) -> Diagnostic {
    Diagnostic::warning(
        "A stored password was removed from state",
        format!(
            "Reading `{}`: {} no longer has this credential, or has deactivated it, so the resource is removed from the \
             state together with its password. {} If this is a mistake, the password is still in earlier versions of the state.",
            target.id(),
            target.vendor.title,
            Outcome::NotChanged.sentence()
        ),
    )
}

/// The warning for a resource that a refresh keeps although the vendor does not show its credential, since that may be
/// too new.
pub(in crate::provider) fn unseen(target: &Target) -> Diagnostic {
    let title = target.vendor.title;
    Diagnostic::warning(
        "A new credential is not shown yet",
        format!(
            "Reading `{}`: {title} has no such credential, or has deactivated it. But its last reset was a moment ago, and \
             {title} may show a new credential late, so the resource stays in the state with its password. {} Plan again \
             in a few minutes. If the credential is still not there, the resource is then removed from the state, or an \
             error says why not.",
            target.id(),
            Outcome::NotChanged.sentence()
        ),
    )
}

/// Makes an id from a state safe to display. Release 0.1.0 stored ids as the vendor sent them.
pub(in crate::provider) fn stored(id: &str) -> Shown {
    Shown::sentence(id).unwrap_or_default()
}

/// Returns the summary of a warning that names a credential which may stay valid. Core shows only the first of several
/// warnings with the same summary, so each needs its own.
pub(super) fn naming(summary: &str, id: &Shown) -> String {
    format!("{summary}: {id}")
}

pub(super) fn summary(step: Step, target: &Target, error: &Error) -> String {
    let title = target.vendor.title;
    match (error.outcome, error.kind) {
        (Outcome::MayHaveChanged | Outcome::Changed, _) if step == Step::Revoking => {
            "The outcome of the revocation is unknown".to_owned()
        }
        (Outcome::Changed, _) => "The new password was lost".to_owned(),
        (Outcome::MayHaveChanged, _) => "The outcome of the reset is unknown".to_owned(),
        (Outcome::NotChanged, kind) => match kind {
            // A certificate, a region, a part of a name: what is missing or wrong shows before anything is sent.
            Kind::Setup => "The request cannot be made".to_owned(),
            Kind::Unreachable => format!("{title} cannot be reached"),
            Kind::Certificate => format!("{title}'s certificate is not trusted"),
            Kind::TimedOut => format!("No response from {title} in time"),
            Kind::Interrupted => format!("The connection to {title} broke"),
            Kind::Stopped if !step.is_of_reset() => "Stopped before the response".to_owned(),
            Kind::Stopped => "Stopped before the reset".to_owned(),
            Kind::Unauthorized => format!("{title} refused the credentials"),
            Kind::Forbidden => format!("{title} denied access"),
            Kind::NotFound if step == Step::Listing => format!("{title} does not know this account"),
            Kind::NotFound if step == Step::Revoking => "A new credential cannot be revoked yet".to_owned(),
            Kind::NotFound => format!("{title} does not know this credential"),
            Kind::Conflict => format!("{title} reports a conflict"),
            Kind::Contradiction => format!("{title}'s list of credentials is inconsistent"),
            Kind::Rejected => format!("{title} rejected the request"),
            Kind::NoLogin => format!("No credentials for {title}"),
            Kind::NoRoom => format!("No room for another credential at {title}"),
            Kind::OwnLogin => "The provider logs in with this credential".to_owned(),
            Kind::NoList => "The credentials cannot be listed".to_owned(),
            Kind::RateLimited => format!("{title}'s rate limit is reached"),
            Kind::Unavailable => format!("{title} has a problem"),
            Kind::Redirected => format!("{title}'s API returned a redirect"),
            Kind::NotDescribed | Kind::NotTheApi | Kind::TooLarge | Kind::Unreadable => {
                format!("{title}'s response is not as documented")
            }
        },
    }
}

pub(super) fn answered(target: &Target, error: &Error) -> String {
    let title = target.vendor.title;
    // An API that the provider block describes is called by its host.
    let vendor = match &*error.host {
        host if host.is_empty() || host == title => title.to_owned(),
        host => format!("{title} ({host})"),
    };
    let Some(status) = error.status else {
        let was_asked = !matches!(error.kind, Kind::NoList | Kind::NoLogin | Kind::OwnLogin | Kind::Setup);
        let silence = if was_asked { "sent no response" } else { "was not called" };
        return format!("{vendor} {silence}: {}.", error.reason);
    };
    let code = error.code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
    let message = error.message.as_ref().map(|message| format!(", “{message}”")).unwrap_or_default();
    let request_id = error.request_id.as_ref().map(|id| format!(" (request id {id})")).unwrap_or_default();
    // A refusal in the vendor's own error format explains itself; any other response needs an explanation.
    let ours = match error.kind {
        Kind::NotTheApi => FOREIGN_FORMAT.to_owned(),
        Kind::Redirected => ", a redirect, which is never followed".to_owned(),
        _ if (200..300).contains(&status) => format!(": {}", error.reason),
        Kind::RateLimited | Kind::Unavailable if error.is_foreign() => FOREIGN_FORMAT.to_owned(),
        _ => String::new(),
    };
    format!("{vendor} returned {status}{code}{message}{request_id}{ours}.")
}

const FOREIGN_FORMAT: &str = ", but the body is not in the API's error format";

/// What the provider logs in with. Where that may come from anywhere, nothing says that it is a token.
fn login(vendor: &Vendor) -> &'static str {
    let is_anything = vendor.logins.iter().any(|settings| settings.is_empty());
    if is_anything { "login" } else { "token" }
}

/// What to do about a response that probably comes from something between this machine and the vendor.
fn intermediary(target: &Target) -> String {
    let Vendor { title, name, .. } = target.vendor;
    format!(
        "Check `base_url` of `{name}`, and whether a proxy, a gateway or a captive portal between this machine and \
         {title} has sent this response."
    )
}

pub(super) fn advice(step: Step, target: &Target, error: &Error) -> String {
    let (title, login) = (target.vendor.title, login(target.vendor));
    // Both are needed: what to check, and what to do about a password that may have changed.
    // An error in the API's own form was not sent by anything in between.
    let is_doubtful = error.kind == Kind::NotTheApi || error.kind == Kind::NotDescribed && error.is_foreign();
    if is_doubtful && error.outcome != Outcome::NotChanged {
        let known = Error { kind: Kind::Unreadable, ..error.clone() };
        return format!("{} {}", intermediary(target), advice(step, target, &known));
    }
    let makes_another = target.vendor.reset_kind == ResetKind::NewCredential;
    // A vendor's own advice is about a rejected request, so it does not apply if something may have changed.
    let own = target.vendor.advice.iter().find(|(code, _)| error.code.as_deref() == Some(code));
    if let (Some((_, advice)), Outcome::NotChanged) = (own, error.outcome) {
        return (*advice).to_owned();
    }
    match (error.outcome, error.kind) {
        (Outcome::MayHaveChanged | Outcome::Changed, _) if step == Step::Revoking => {
            "Try again; revoking it twice is harmless.".to_owned()
        }
        (Outcome::MayHaveChanged | Outcome::Changed, _) if makes_another => {
            format!(
                "The credential that was to be replaced, if there is one, still works. Apply again to create another; if \
                 {title} has no room for it, first revoke the one whose password was lost."
            )
        }
        (outcome @ (Outcome::MayHaveChanged | Outcome::Changed), _) => {
            // A vendor may process a request long after the connection broke, and nothing limits how long.
            let wait = match error.finality {
                Finality::InFlight => format!(
                    "{title} may still be processing the reset, and if it takes effect late, it invalidates the \
                     password of the next one: wait a few minutes first. "
                ),
                Finality::Final => String::new(),
            };
            if step == Step::ResettingOther {
                return format!(
                    "{wait}Apply again: it is reset again, and takes over once its new password is stored."
                );
            }
            let dead = if outcome == Outcome::Changed { "no longer works" } else { "may no longer work" };
            format!(
                "{wait}Apply again: the password is reset again and the new one is stored. If the state holds a \
                 password, it {dead}."
            )
        }
        (Outcome::NotChanged, kind) => match kind {
            Kind::Setup => "Correct the provider's settings and try again.".to_owned(),
            Kind::NoList => "Import the credentials by their names instead.".to_owned(),
            Kind::Unreachable => {
                format!("Check the network, the proxy and `base_url` of `{}`, then try again.", target.vendor.name)
            }
            Kind::Certificate => {
                "Check for a proxy that intercepts TLS; if it uses its own CA, set `ca_certificate_file`.".to_owned()
            }
            Kind::TimedOut => "Try again later, or raise `timeouts`.".to_owned(),
            Kind::Interrupted | Kind::Unavailable => match error.retry_after {
                Some(wait) => wait_advice(title, wait),
                None => "Try again later.".to_owned(),
            },
            Kind::Stopped if !step.is_of_reset() => "Run it again when you are ready.".to_owned(),
            Kind::Stopped => "Nothing was sent. Apply again when you are ready.".to_owned(),
            Kind::Unauthorized => {
                format!("Check that the {login} is correct and has not expired. It needs {}.", target.vendor.rights)
            }
            Kind::Forbidden => format!("The {login} needs {}.", target.vendor.rights),
            Kind::NotFound => not_found(step, title, login),
            Kind::Contradiction => format!(
                "Check that the {login} belongs to the account that the credential is in, and try again later. If the \
                 credential was deleted at {title}, remove the resource from the state: `terraform state rm`, with its \
                 address."
            ),
            Kind::Conflict => format!("Look at the credential in {title}, then try again."),
            Kind::Rejected => "Check the arguments against the vendor's message.".to_owned(),
            Kind::NoLogin => format!(
                "Check the provider's credentials for {title}: `{}` of the provider block, and the environment.",
                target.vendor.name
            ),
            Kind::NoRoom => format!(
                "Delete one at {title} that is not in use, then apply again. If a resource has one of them as \
                 `previous`, set its `retire_previous` to `at_once` and change nothing else: that apply revokes it and \
                 resets nothing."
            ),
            Kind::OwnLogin => format!(
                "Log in to {title} with another credential, set in `{}` of the provider block or in the environment, and try again.",
                target.vendor.name
            ),
            Kind::RateLimited => match error.retry_after {
                Some(wait) => wait_advice(title, wait),
                None => "Try again later, raise `timeouts`, or set `max_requests_per_second`.".to_owned(),
            },
            Kind::NotTheApi => intermediary(target),
            Kind::NotDescribed | Kind::Redirected | Kind::TooLarge | Kind::Unreadable => {
                format!("Check `base_url` of `{}` and any proxy on the way.", target.vendor.name)
            }
        },
    }
}

/// What to do about something that a vendor does not know.
fn not_found(step: Step, title: &str, login: &str) -> String {
    match step {
        Step::Listing => format!("Check the name, and that the {login} belongs to the account."),
        // A revocation fails with it only if the credential was made a moment ago.
        Step::Revoking => format!(
            "It was created a moment ago, and {title} may not know it everywhere yet: try again in a few minutes."
        ),
        _ => format!("Check the name, and that the {login} belongs to the account that the credential is in."),
    }
}

/// What to do if a vendor asks to wait longer than the operation may take.
fn wait_advice(title: &str, wait: Duration) -> String {
    let words = match wait.as_secs() {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7199 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h", seconds.div_ceil(3600)),
    };
    // Raising the timeout to hours is no sensible advice.
    let longer = if wait <= LONGEST_TIMEOUT { ", or raise `timeouts`" } else { "" };
    format!("{title} asks to wait {words}, which is longer than this operation may take: try again then{longer}.")
}

/// The longest wait for which the advice to raise `timeouts` makes sense.
const LONGEST_TIMEOUT: Duration = Duration::from_mins(30);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::value::Value;
    use crate::provider::attributes::configured::Configured;

    const KINDS: [Kind; 23] = [
        Kind::Certificate,
        Kind::Conflict,
        Kind::Contradiction,
        Kind::Forbidden,
        Kind::Interrupted,
        Kind::NoList,
        Kind::NoLogin,
        Kind::NoRoom,
        Kind::NotDescribed,
        Kind::NotFound,
        Kind::NotTheApi,
        Kind::OwnLogin,
        Kind::RateLimited,
        Kind::Redirected,
        Kind::Rejected,
        Kind::Setup,
        Kind::Stopped,
        Kind::TimedOut,
        Kind::TooLarge,
        Kind::Unauthorized,
        Kind::Unavailable,
        Kind::Unreachable,
        Kind::Unreadable,
    ];

    fn target() -> Target {
        let named = Value::object([("hubspot", Value::object([("user_name", "zh48@62515".into())]))]);
        crate::provider::attributes::target::of(&named, Configured::default()).unwrap().unwrap()
    }

    #[test]
    fn every_error_has_a_short_summary_and_says_what_became_of_the_password() {
        for kind in KINDS {
            for outcome in [Outcome::NotChanged, Outcome::MayHaveChanged, Outcome::Changed] {
                let error = Error::new(kind, outcome, "api.hubapi.com", "the reason");
                let listing = failed(Step::Listing, &target(), &error);
                assert!(listing.summary.split(' ').count() <= 8, "{}", listing.summary);
                assert_eq!(listing.path, Path::attribute("hubspot"));
                let diagnostic = failed(Step::Resetting, &target(), &error);
                assert!(diagnostic.summary.split(' ').count() <= 8, "{}", diagnostic.summary);
                assert_eq!(diagnostic.detail.matches(outcome.sentence()).count(), 1, "{}", diagnostic.detail);
                assert!(
                    !diagnostic.detail.ends_with(outcome.sentence()),
                    "it says what to do now: {}",
                    diagnostic.detail
                );
            }
        }
    }

    #[test]
    fn only_a_step_of_a_reset_speaks_of_one() {
        for (step, is_of_reset) in [
            (Step::Listing, false),
            (Step::Planning, false),
            (Step::Reading, false),
            (Step::Checking, true),
            (Step::Resetting, true),
            (Step::ResettingOther, true),
            (Step::Revoking, false),
            (Step::Waiting, true),
        ] {
            for kind in [Kind::OwnLogin, Kind::Stopped] {
                let error = Error::new(kind, Outcome::NotChanged, "api.hubapi.com", "the reason");
                let Diagnostic { summary, detail, .. } = failed(step, &target(), &error);
                let said = format!("{summary}: {detail}").to_lowercase();
                assert!(is_of_reset || !said.contains("reset"), "{step:?}: {said}");
            }
        }
    }

    /// Amazon SES has access keys, and finds them in many places.
    #[test]
    fn only_a_token_is_called_one() {
        let fields = [("user_name", "ses-newsletter".into()), ("region", "eu-central-1".into())];
        let named = Value::object([("amazon_ses", Value::object(fields))]);
        let ses = crate::provider::attributes::target::of(&named, Configured::default()).unwrap().unwrap();
        for (target, is_token) in [(target(), true), (ses, false)] {
            for kind in [Kind::Contradiction, Kind::Forbidden, Kind::NotFound, Kind::Unauthorized] {
                let error = Error::new(kind, Outcome::NotChanged, "host", "the reason");
                let detail = failed(Step::Checking, &target, &error).detail;
                assert_eq!(detail.contains("token"), is_token, "{detail}");
                assert_eq!(detail.contains(" login "), !is_token, "{detail}");
            }
        }
    }

    #[test]
    fn an_error_gives_the_step_the_response_the_outcome_and_the_advice() {
        let error = Error {
            status: Some(403),
            code: Shown::token("MISSING_SCOPES"),
            message: Shown::sentence("This app lacks a scope"),
            request_id: Shown::token("aeb5f871"),
            ..Error::new(Kind::Forbidden, Outcome::NotChanged, "api.hubapi.com", "it returned 403")
        };
        let diagnostic = failed(Step::Resetting, &target(), &error);
        assert_eq!(diagnostic.summary, "HubSpot denied access");
        assert_eq!(
            diagnostic.detail,
            "Resetting the password of `hubspot/zh48@62515`: HubSpot (api.hubapi.com) returned 403 MISSING_SCOPES, \
             “This app lacks a scope” (request id aeb5f871). The password was not changed. The token needs the scope \
             `transactional-email`, in an account with the Transactional Email add-on."
        );
    }

    #[test]
    fn the_wait_that_a_vendor_asks_for_is_said() {
        for (kind, status, seconds, words) in [
            (
                Kind::Unavailable,
                477,
                86_400,
                "HubSpot asks to wait 24 h, which is longer than this operation may take: try again then.",
            ),
            (
                Kind::RateLimited,
                429,
                86_400,
                "HubSpot asks to wait 24 h, which is longer than this operation may take: try again then.",
            ),
            (
                Kind::RateLimited,
                429,
                600,
                "HubSpot asks to wait 10 min, which is longer than this operation may take: try again then, or raise `timeouts`.",
            ),
            (
                Kind::RateLimited,
                429,
                90,
                "HubSpot asks to wait 90 s, which is longer than this operation may take: try again then, or raise `timeouts`.",
            ),
        ] {
            let error = Error::new(kind, Outcome::NotChanged, "api.hubapi.com", "it did not");
            let error = Error { status: Some(status), retry_after: Some(Duration::from_secs(seconds)), ..error };
            let detail = failed(Step::Resetting, &target(), &error).detail;
            assert!(detail.ends_with(words), "{detail}");
        }
    }

    #[test]
    fn a_daily_limit_is_not_answered_with_a_longer_timeout() {
        let error = Error::new(Kind::RateLimited, Outcome::NotChanged, "api.hubapi.com", "it returned 429");
        let error = Error { status: Some(429), code: Shown::token("DAILY"), ..error };
        let detail = failed(Step::Resetting, &target(), &error).detail;
        assert!(detail.contains("midnight") && detail.contains("`timeouts` does not help"), "{detail}");
        assert!(!detail.contains("raise"), "{detail}");
    }

    #[test]
    fn an_error_without_an_answer_says_why() {
        let error = Error::new(Kind::Unreachable, Outcome::NotChanged, "api.hubapi.com", "the connection was refused");
        let detail = failed(Step::Reading, &target(), &error).detail;
        assert!(detail.contains("HubSpot (api.hubapi.com) sent no response: the connection was refused."), "{detail}");
    }
}
