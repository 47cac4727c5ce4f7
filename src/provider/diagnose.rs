//! What a user reads when a vendor could not be asked, or its answer was bad. The only place that words it.

use super::target::Target;
use crate::{
    framework::diagnostic::Diagnostic,
    http::{Error, Kind, Outcome},
};

/// What was being done for a credential, as the beginning of a sentence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Doing {
    /// A refresh.
    Reading,
    /// What Apply checks before it resets.
    Checking,
    /// The reset itself.
    Resetting,
}

impl Doing {
    fn words(self) -> &'static str {
        match self {
            Self::Reading => "Reading",
            Self::Checking => "Checking, before the reset,",
            Self::Resetting => "Resetting the password of",
        }
    }
}

/// The error for a call to a vendor that failed: what was being done, what was answered, what became of the password, what to do.
pub(super) fn failed(doing: Doing, target: &Target, error: &Error) -> Diagnostic {
    let detail = format!(
        "{} `{}`: {} {} {}",
        doing.words(),
        target.id(),
        answered(target, error),
        error.outcome.sentence(),
        advice(target, error)
    );
    let diagnostic = Diagnostic::error(summary(target, error), detail);
    match error.kind {
        Kind::NotFound | Kind::Conflict => diagnostic.at(target.path()),
        _ => diagnostic,
    }
}

/// The error for a credential that the vendor says does not exist, found before a reset.
pub(super) fn gone(target: &Target) -> Diagnostic {
    let title = target.vendor.title;
    Diagnostic::error(
        format!("{title} does not know this credential"),
        format!(
            "{} `{}`: {title} has no such credential in this account. {} Check the name, and that the token belongs to the \
             account that the credential is in.",
            Doing::Checking.words(),
            target.id(),
            Outcome::NotChanged.sentence()
        ),
    )
    .at(target.path())
}

/// The warning for a reset whose answer names another user than the one asked for.
pub(super) fn another_user(target: &Target, named: &str) -> Diagnostic {
    let named: String = named.chars().filter(|character| !character.is_control()).take(320).collect();
    Diagnostic::warning(
        "The answer names another user",
        format!(
            "Resetting the password of `{}`: {} answered with the user name `{named}`. {} The new password is stored, under the user \
             name that was asked for. Try to log in with it before you rely on it.",
            target.id(),
            target.vendor.title,
            Outcome::Changed.sentence()
        ),
    )
    .at(target.path())
}

/// The warning for a resource that a refresh drops together with its password.
pub(super) fn dropped(target: &Target) -> Diagnostic {
    Diagnostic::warning(
        "A stored password was dropped",
        format!(
            "Reading `{}`: {} no longer has this credential, so the resource is removed from the state, its password with it. {} \
             If that is a mistake, earlier versions of the state still hold the password.",
            target.id(),
            target.vendor.title,
            Outcome::NotChanged.sentence()
        ),
    )
}

fn summary(target: &Target, error: &Error) -> String {
    let title = target.vendor.title;
    match (error.outcome, error.kind) {
        (Outcome::Changed, _) => "The new password was lost".to_owned(),
        (Outcome::MayHaveChanged, _) => "The outcome of the reset is unknown".to_owned(),
        (Outcome::NotChanged, kind) => match kind {
            Kind::Setup => "The HTTP client cannot be set up".to_owned(),
            Kind::Unreachable => format!("{title} cannot be reached"),
            Kind::Certificate => format!("{title}'s certificate is not trusted"),
            Kind::TimedOut => format!("{title} did not answer in time"),
            Kind::Interrupted => format!("The connection to {title} broke"),
            Kind::Stopped => "Stopped before the reset".to_owned(),
            Kind::Unauthorized => format!("{title} refused the credentials"),
            Kind::Forbidden => format!("{title} denied the access"),
            Kind::NotFound => format!("{title} does not know this credential"),
            Kind::Conflict => format!("{title} reports a conflict"),
            Kind::Rejected => format!("{title} rejected the request"),
            Kind::RateLimited => format!("{title}'s rate limit is reached"),
            Kind::Unavailable => format!("{title} has a problem"),
            Kind::Redirected => format!("{title}'s API answered with a redirect"),
            Kind::NotTheApi | Kind::TooLarge | Kind::Unreadable => format!("{title}'s answer is not as documented"),
        },
    }
}

fn answered(target: &Target, error: &Error) -> String {
    let status = error.status.map_or_else(|| "gave no answer".to_owned(), |status| format!("answered {status}"));
    let code = error.code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
    let message = error.message.as_ref().map(|message| format!(", “{message}”")).unwrap_or_default();
    let request_id = error.request_id.as_ref().map(|id| format!(" (request id {id})")).unwrap_or_default();
    // A refusal speaks for itself; no answer, or one that cannot be used, needs our words.
    let reason = match error.status {
        Some(status) if !(200..300).contains(&status) => String::new(),
        _ => format!(": {}", error.reason),
    };
    format!("{} ({}) {status}{code}{message}{request_id}{reason}.", target.vendor.title, error.host)
}

fn advice(target: &Target, error: &Error) -> String {
    let title = target.vendor.title;
    match (error.outcome, error.kind) {
        (Outcome::Changed, _) => {
            "The password in the state, if there is one, no longer works. Apply again: the password is reset once \
                                  more, and the new one stored."
                .to_owned()
        }
        (Outcome::MayHaveChanged, _) => {
            "Apply again: the password is reset once more, and the last reset counts. Until then the password in \
                                         the state may no longer work."
                .to_owned()
        }
        (Outcome::NotChanged, kind) => match kind {
            Kind::Setup => "Correct the provider's settings and try again.".to_owned(),
            Kind::Unreachable => {
                format!("Check the network, the proxy and `base_url` of `{}`, then try again.", target.vendor.name)
            }
            Kind::Certificate => {
                "Check that nothing stands between this machine and the vendor; a proxy's own certificate goes into \
                                  `ca_certificate_file`."
                    .to_owned()
            }
            Kind::TimedOut | Kind::Interrupted | Kind::Unavailable => "Try again later.".to_owned(),
            Kind::Stopped => "Nothing was sent. Apply again when you are ready.".to_owned(),
            Kind::Unauthorized => {
                format!("Check that the token is right and has not expired. It needs {}.", target.vendor.rights)
            }
            Kind::Forbidden => format!("The token needs {}.", target.vendor.rights),
            Kind::NotFound => {
                "Check the name, and that the token belongs to the account that the credential is in.".to_owned()
            }
            Kind::Conflict => format!("Look at the credential in {title}, then try again."),
            Kind::Rejected => "Check the arguments; the vendor's words say more.".to_owned(),
            Kind::RateLimited => match error.retry_after {
                Some(wait) => format!(
                    "{title} asks to wait {} s, longer than this operation may take: try again then, or raise `timeouts`.",
                    wait.as_secs()
                ),
                None => "Try again later, raise `timeouts`, or set `max_requests_per_second`.".to_owned(),
            },
            Kind::Redirected | Kind::NotTheApi | Kind::TooLarge | Kind::Unreadable => {
                format!("Check `base_url` of `{}` and any proxy on the way.", target.vendor.name)
            }
        },
    }
}
