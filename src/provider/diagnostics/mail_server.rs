//! What a user reads about a mail server at which a password is tried. The only place that words it.

use crate::{
    framework::diagnostic::{Diagnostic, Path},
    http::Outcome,
    provider::attributes::VERIFY,
    smtp::{Failure, FailureKind, Server},
    vendors::Target,
};

/// The error for a server at which no login could be tried, found before a reset.
pub(in crate::provider) fn not_ready(target: &Target, server: &Server, failure: &Failure) -> Diagnostic {
    let detail = format!(
        "Checking `{}` before the reset: {} {} {}",
        target.id(),
        answered(server, failure),
        Outcome::NotChanged.sentence(),
        advice(failure.kind)
    );
    Diagnostic::error(summary(failure.kind), detail).at(Path::attribute(VERIFY))
}

/// The warning for a plan that takes the vendor's usual submission server, though the login points to another.
pub(in crate::provider) fn another_smtp_host(target: &Target, other: &str) -> Diagnostic {
    let title = target.vendor.title;
    Diagnostic::warning(
        "The submission server may be another",
        format!(
            "Planning a reset of `{}`: the access token belongs to a data centre of {title} whose submission server is `{other}`. \
             `smtp_host` is not set, so it becomes the usual server of {title}. {} Set `smtp_host` to the right one of the two.",
            target.id(),
            Outcome::NotChanged.sentence()
        ),
    )
    .at(Path::attribute("smtp_host"))
}

/// The warning for a new password that did not log in as long as it was tried.
pub(in crate::provider) fn not_verified(target: &Target, server: &Server, failure: &Failure) -> Diagnostic {
    let advice = if failure.is_wrong_password() {
        "A mail server may need longer to learn of a reset: try to log in later, and raise `verify.timeout` for the next time. If it \
         stays refused, reset it once more, with another `rotation_trigger` or with `-replace`."
            .to_owned()
    } else {
        format!(
            "Nothing speaks against the password itself: log in with it before you rely on it. {}",
            advice(failure.kind)
        )
    };
    warning("The new password did not log in", target, &answered(server, failure), &advice)
}

/// The warning for a new password that there was no time left to try.
pub(in crate::provider) fn cut_short(target: &Target, server: &Server) -> Diagnostic {
    let what = format!("logging in at the mail server `{server}` was cut short, by a stop or because the time was up.");
    warning("The new password was not tried out", target, &what, "Try to log in with it before you rely on it.")
}

/// The warning for a new password whose user the vendor did not name.
pub(in crate::provider) fn nobody_to_log_in(target: &Target) -> Diagnostic {
    let what = format!("{} names no user name to log in with.", target.vendor.title);
    warning("The new password was not tried out", target, &what, "Try to log in with it before you rely on it.")
}

/// The warning of a refresh whose login with the stored password was refused, where that has logged in before.
pub(in crate::provider) fn refused(target: &Target, server: &Server, failure: &Failure) -> Diagnostic {
    let detail = format!(
        "Reading `{}`: {} The password has logged in before. Somebody has most likely reset it since, or the mail server has lost what it \
         knew. Reset it once more, with another `rotation_trigger` or with `-replace`; `on_external_change = \"rotate\"` does so by \
         itself, and `\"ignore\"` ends this warning.",
        target.id(),
        answered(server, failure)
    );
    Diagnostic::warning("The stored password is refused", detail).at(Path::attribute("stale"))
}

/// The warning of a refresh whose login was refused with a password that has never logged in, which proves nothing of it.
pub(in crate::provider) fn never_accepted(target: &Target, server: &Server, failure: &Failure) -> Diagnostic {
    let detail = format!(
        "Reading `{}`: {} The password has not logged in there since it was stored, so that the refusal may be the server's for every \
         password. `stale` is left as it was, and nothing is reset for it. Log in with it elsewhere; if it fails there too, reset it \
         once more, with another `rotation_trigger` or with `-replace`.",
        target.id(),
        answered(server, failure)
    );
    Diagnostic::warning("The stored password has never logged in", detail).at(Path::attribute(VERIFY))
}

/// The warning of a refresh that makes no more logins, because too many were refused.
pub(in crate::provider) fn spared(target: &Target, server: &Server) -> Diagnostic {
    let detail = format!(
        "Reading `{}`: the mail server `{server}` has refused several logins of this refresh already, and servers lock out clients for \
         too many of these. Whether this stored password still works is not known, and `stale` is left as it was.",
        target.id(),
    );
    Diagnostic::warning("The stored password was not tried out", detail).at(Path::attribute(VERIFY))
}

/// The warning of a refresh that could not log in with the stored password, for a reason that says nothing of it.
pub(in crate::provider) fn not_tried(target: &Target, server: &Server, failure: &Failure) -> Diagnostic {
    let detail = format!(
        "Reading `{}`: {} Whether the stored password still works is not known, and `stale` is left as it was. {} To leave these \
         logins out, set `verify.on_refresh` to false.",
        target.id(),
        answered(server, failure),
        advice(failure.kind)
    );
    Diagnostic::warning("The stored password was not tried out", detail).at(Path::attribute(VERIFY))
}

/// What is seen of a reset whose answer was lost, where the password from before still logs in.
pub(in crate::provider) fn still_takes(server: &Server) -> String {
    format!("The mail server `{server}` still takes the password from before.")
}

/// What is seen of a reset whose answer was lost, where the password from before is refused.
pub(in crate::provider) fn takes_no_more(server: &Server) -> String {
    format!("The mail server `{server}` refuses the password from before with 535.")
}

fn warning(summary: &'static str, target: &Target, what: &str, advice: &str) -> Diagnostic {
    let (id, outcome) = (target.id(), Outcome::Changed.sentence());
    let detail = format!("Verifying the new password of `{id}`: {what} {outcome} The state is up to date. {advice}");
    Diagnostic::warning(summary, detail).at(Path::attribute(VERIFY))
}

/// What a server said. Of its own words the codes are all that is shown.
fn answered(server: &Server, failure: &Failure) -> String {
    let reason = &failure.reason;
    match (failure.code, failure.enhanced) {
        (Some(code), Some(enhanced)) => format!("the mail server `{server}` answered {code} {enhanced}: {reason}."),
        (Some(code), None) => format!("the mail server `{server}` answered {code}: {reason}."),
        (None, _) => format!("the mail server `{server}` was of no description: {reason}."),
    }
}

fn summary(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Busy => "The mail server is busy",
        FailureKind::Certificate => "The mail server's certificate is not trusted",
        FailureKind::ClientCertificate => "The mail server demands a client certificate",
        FailureKind::Denied | FailureKind::Mechanism | FailureKind::Refused => "The mail server refused the login",
        FailureKind::EndedAfterTls => "The mail server ended the session",
        FailureKind::HelloRefused => "The mail server refuses EHLO",
        FailureKind::Malformed => "The mail server does not speak SMTP",
        FailureKind::NoAuth => "The mail server offers no login",
        FailureKind::NoStartTls => "The mail server offers no STARTTLS",
        FailureKind::Setup => "The SMTP client cannot be set up",
        FailureKind::TimedOut => "No answer from the mail server in time",
        FailureKind::Tls | FailureKind::TlsMismatch => "No TLS with the mail server",
        FailureKind::TurnedAway => "The mail server turns this machine away",
        FailureKind::Unreachable => "The mail server cannot be reached",
        FailureKind::Unresolved => "The mail server's name is not known",
    }
}

fn advice(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Busy | FailureKind::TurnedAway => "Try again later, or from another network.",
        FailureKind::Certificate => {
            "Its certificate must be for `verify.host`; an authority of your own goes into `ca_certificate_file` of the provider block."
        }
        FailureKind::ClientCertificate => {
            "Client certificates are not supported. Set `verify.host` and `verify.port` to where a password is enough."
        }
        FailureKind::Denied => {
            "Make sure that the account may log in over SMTP, from this machine; the mail server's own log tells why it does not."
        }
        FailureKind::EndedAfterTls => {
            "Try again later. Where that is of no description, set `verify.host` and `verify.port` to where no certificate of the client is \
             needed: client certificates are not supported."
        }
        FailureKind::HelloRefused => {
            "It was given an IP address for a name, in brackets, as RFC 5321 has it. Allow that at the mail server, or set `verify.host` \
             and `verify.port` to one that does."
        }
        FailureKind::Malformed | FailureKind::NoAuth | FailureKind::Refused => {
            "Set `verify.host` and `verify.port` to where mail is submitted with a login."
        }
        FailureKind::Mechanism => {
            "AUTH PLAIN and AUTH LOGIN are supported, with a password. The server must accept one of them for the account."
        }
        FailureKind::NoStartTls => {
            "No password is sent without TLS. Set `verify.port` to a port that has it, with `verify.security = \"tls\"` where it is TLS \
             from the first byte."
        }
        FailureKind::Setup => "Correct the provider's settings and apply again.",
        FailureKind::TimedOut | FailureKind::Tls => {
            "Check `verify.host` and `verify.port`. `verify.security` must be `tls` where the port is TLS from the first byte, as 465 \
             mostly is, and `starttls` elsewhere."
        }
        FailureKind::TlsMismatch => {
            "TLS 1.2 or later is needed, with ECDHE (X25519, P-256 or P-384), an AEAD cipher (AES-GCM or ChaCha20-Poly1305), and \
             certificates whose keys are RSA of 2048 to 8192 bits, ECDSA with P-256 or P-384, or Ed25519. Client certificates are not \
             supported. Set the mail server up for that, or set `verify.host` and `verify.port` to one that is."
        }
        FailureKind::Unreachable | FailureKind::Unresolved => {
            "Check `verify.host`, `verify.port` and the network. The server is called directly, whatever proxy is set."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        framework::value::Value,
        smtp::{Roots, Security},
    };

    const KINDS: [FailureKind; 18] = [
        FailureKind::Busy,
        FailureKind::Certificate,
        FailureKind::ClientCertificate,
        FailureKind::Denied,
        FailureKind::EndedAfterTls,
        FailureKind::HelloRefused,
        FailureKind::Malformed,
        FailureKind::Mechanism,
        FailureKind::NoAuth,
        FailureKind::NoStartTls,
        FailureKind::Refused,
        FailureKind::Setup,
        FailureKind::TimedOut,
        FailureKind::Tls,
        FailureKind::TlsMismatch,
        FailureKind::TurnedAway,
        FailureKind::Unreachable,
        FailureKind::Unresolved,
    ];

    fn failure(kind: FailureKind, code: Option<u16>) -> Failure {
        Failure { kind, code, enhanced: None, reason: "a test".into() }
    }

    #[test]
    fn only_a_refused_password_is_said_to_need_another_reset() {
        let named = Value::object([("hubspot", Value::object([("user_name", "a@b".into())]))]);
        let target = crate::provider::attributes::target::of(&named).unwrap().unwrap();
        let server = Server::new("::1", 587, Security::StartTls, Roots::default());
        for kind in KINDS {
            let detail = not_verified(&target, &server, &failure(kind, Some(535))).detail;
            let is_refused = kind == FailureKind::Refused;
            assert_eq!(
                detail.contains("learn of a reset") && detail.contains("reset it once more"),
                is_refused,
                "{detail}"
            );
            assert_eq!(detail.contains("Nothing speaks against the password itself"), !is_refused, "{detail}");
        }
    }

    #[test]
    fn every_word_is_short_names_the_server_and_says_what_became_of_the_password() {
        let named = Value::object([("hubspot", Value::object([("user_name", "zh48@62515".into())]))]);
        let target = crate::provider::attributes::target::of(&named).unwrap().unwrap();
        let server = Server::new("::1", 587, Security::StartTls, Roots::new(None));
        let check = |diagnostic: Diagnostic, outcome: Outcome, is_about: &str| {
            let detail = &diagnostic.detail;
            assert!(diagnostic.summary.split(' ').count() <= 8, "{}", diagnostic.summary);
            for words in ["`hubspot/zh48@62515`", is_about, outcome.sentence()] {
                assert_eq!(detail.matches(words).count(), 1, "{detail}");
            }
            assert!(!detail.ends_with(outcome.sentence()) && diagnostic.path.to_string().starts_with(VERIFY));
        };
        for kind in KINDS {
            for code in [None, Some(535)] {
                let failure = failure(kind, code);
                check(not_ready(&target, &server, &failure), Outcome::NotChanged, "`[::1]:587`");
                check(not_verified(&target, &server, &failure), Outcome::Changed, "`[::1]:587`");
            }
        }
        for diagnostic in [refused, never_accepted, not_tried]
            .map(|of| of(&target, &server, &failure(FailureKind::Refused, Some(535))))
        {
            assert!(diagnostic.summary.split(' ').count() <= 8, "{}", diagnostic.summary);
            assert!(diagnostic.detail.contains("`[::1]:587` answered 535: a test."), "{}", diagnostic.detail);
        }
        let spared = spared(&target, &server);
        assert!(spared.summary.split(' ').count() <= 8 && spared.detail.contains("`[::1]:587`"), "{spared:?}");
        check(cut_short(&target, &server), Outcome::Changed, "`[::1]:587`");
        check(nobody_to_log_in(&target), Outcome::Changed, "HubSpot");
    }
}
