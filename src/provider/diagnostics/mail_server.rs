//! Diagnostics about the mail server at which a password is tried.

use crate::{
    framework::diagnostic::{Diagnostic, Path},
    http::Outcome,
    provider::attributes::VERIFY,
    smtp::{Failure, FailureKind, Server},
    vendors::Target,
};

/// The error, before a reset, for a server at which no login could be tried.
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

/// The warning of a plan that uses the vendor's default submission server although the provider's login points to
/// another one.
pub(in crate::provider) fn another_smtp_host(target: &Target, other: &str) -> Diagnostic {
    let title = target.vendor.title;
    Diagnostic::warning(
        "The submission server may be wrong",
        format!(
            "Planning a reset of `{}`: the access token belongs to a {title} data center whose submission server is \
             `{other}`. `smtp_host` is not set, so it defaults to the usual server of {title}. {} Set `smtp_host` to \
             the correct one.",
            target.id(),
            Outcome::NotChanged.sentence()
        ),
    )
    .at(Path::attribute("smtp_host"))
}

/// The warning for a new password that did not log in within the timeout.
pub(in crate::provider) fn not_verified(target: &Target, server: &Server, failure: &Failure) -> Diagnostic {
    let advice = if failure.is_wrong_password() {
        "The mail server may need longer to pick up a reset: try to log in later, and raise `verify.timeout` for the \
         next time. If it is still refused, reset it again, with another `rotation_trigger` or with `-replace`."
            .to_owned()
    } else {
        format!(
            "Nothing suggests that the password is wrong: log in with it before you rely on it. {}",
            advice(failure.kind)
        )
    };
    warning("The new password did not log in", target, &answered(server, failure), &advice)
}

/// The warning for a new password whose login was interrupted or ran out of time.
pub(in crate::provider) fn interrupted(target: &Target, server: &Server) -> Diagnostic {
    let what = format!("the login to the mail server `{server}` was interrupted or timed out.");
    warning("The new password was not verified", target, &what, "Log in with it before you rely on it.")
}

/// The warning for a new password whose user name the vendor did not return.
pub(in crate::provider) fn no_username(target: &Target) -> Diagnostic {
    let what = format!("{} did not return a user name to log in with.", target.vendor.title);
    warning("The new password was not verified", target, &what, "Log in with it before you rely on it.")
}

/// The warning of a refresh whose login was rejected with a stored password that has logged in before.
pub(in crate::provider) fn refused(target: &Target, server: &Server, failure: &Failure) -> Diagnostic {
    let detail = format!(
        "Reading `{}`: {} The password has logged in before. Most likely somebody has reset it since, or the mail \
         server has lost its data. Reset it again, with another `rotation_trigger` or with `-replace`; \
         `on_external_change = \"rotate\"` does this automatically, and `\"ignore\"` silences this warning.",
        target.id(),
        answered(server, failure)
    );
    Diagnostic::warning("The stored password is refused", detail).at(Path::attribute("stale"))
}

/// The warning of a refresh whose login was rejected with a password that has never logged in. That proves nothing.
pub(in crate::provider) fn never_accepted(target: &Target, server: &Server, failure: &Failure) -> Diagnostic {
    let detail = format!(
        "Reading `{}`: {} The password has not logged in there since it was stored, so the server may refuse every \
         password. `stale` is left as it was, and nothing is reset. Log in with it elsewhere; if that fails too, reset \
         it again, with another `rotation_trigger` or with `-replace`.",
        target.id(),
        answered(server, failure)
    );
    Diagnostic::warning("The stored password has never logged in", detail).at(Path::attribute(VERIFY))
}

/// The warning of a refresh that skips a login because the server has rejected too many.
pub(in crate::provider) fn spared(target: &Target, server: &Server) -> Diagnostic {
    let detail = format!(
        "Reading `{}`: the mail server `{server}` has already refused several logins of this refresh, and servers lock \
         out clients after too many. It is not known whether this stored password still works, and `stale` is left as \
         it was.",
        target.id(),
    );
    Diagnostic::warning("The stored password was not verified", detail).at(Path::attribute(VERIFY))
}

/// The warning of a refresh whose login failed for a reason other than the stored password.
pub(in crate::provider) fn not_tried(target: &Target, server: &Server, failure: &Failure) -> Diagnostic {
    let detail = format!(
        "Reading `{}`: {} It is not known whether the stored password still works, and `stale` is left as it was. {} \
         To skip these logins, set `verify.on_refresh` to false.",
        target.id(),
        answered(server, failure),
        advice(failure.kind)
    );
    Diagnostic::warning("The stored password was not verified", detail).at(Path::attribute(VERIFY))
}

/// After a reset whose response was lost: the previous password still logs in.
pub(in crate::provider) fn previous_password_accepted(server: &Server) -> String {
    format!("The mail server `{server}` still accepts the previous password.")
}

/// After a reset whose response was lost: the previous password is rejected.
pub(in crate::provider) fn previous_password_rejected(server: &Server) -> String {
    format!("The mail server `{server}` rejects the previous password with 535.")
}

fn warning(summary: &'static str, target: &Target, what: &str, advice: &str) -> Diagnostic {
    let (id, outcome) = (target.id(), Outcome::Changed.sentence());
    let detail = format!("Verifying the new password of `{id}`: {what} {outcome} The state is up to date. {advice}");
    Diagnostic::warning(summary, detail).at(Path::attribute(VERIFY))
}

/// Describes a server's reply. Of the reply itself only the codes are shown.
pub(super) fn answered(server: &Server, failure: &Failure) -> String {
    let reason = &failure.reason;
    match (failure.code, failure.enhanced) {
        (Some(code), Some(enhanced)) => format!("the mail server `{server}` replied {code} {enhanced}: {reason}."),
        (Some(code), None) => format!("the mail server `{server}` replied {code}: {reason}."),
        (None, _) => format!("the mail server `{server}` could not be used: {reason}."),
    }
}

fn summary(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Busy => "The mail server is busy",
        FailureKind::Certificate => "The mail server's certificate is not trusted",
        FailureKind::ClientCertificate => "The mail server requires a client certificate",
        FailureKind::Denied | FailureKind::Mechanism | FailureKind::Refused => "The mail server refused the login",
        FailureKind::EndedAfterTls => "The mail server closed the session",
        FailureKind::HelloRefused => "The mail server rejected EHLO",
        FailureKind::Malformed => "The mail server does not speak SMTP",
        FailureKind::NoAuth => "The mail server offers no login",
        FailureKind::NoStartTls => "The mail server offers no STARTTLS",
        FailureKind::Setup => "The SMTP client cannot be set up",
        FailureKind::TimedOut => "No reply from the mail server in time",
        FailureKind::Tls | FailureKind::TlsMismatch => "No TLS connection to the mail server",
        FailureKind::TurnedAway => "The mail server rejected the connection",
        FailureKind::Unreachable => "The mail server cannot be reached",
        FailureKind::Unresolved => "The mail server's name cannot be resolved",
    }
}

pub(super) fn advice(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Busy | FailureKind::TurnedAway => "Try again later, or from another network.",
        FailureKind::Certificate => {
            "Its certificate must be valid for `verify.host`; if it comes from a private CA, set `ca_certificate_file` \
             in the provider block."
        }
        FailureKind::ClientCertificate => {
            "Client certificates are not supported. Set `verify.host` and `verify.port` to a server that needs only a \
             password."
        }
        FailureKind::Denied => {
            "Make sure that the account may log in over SMTP from this machine; the mail server's log says why it was \
             denied."
        }
        FailureKind::EndedAfterTls => {
            "Try again later. If that does not help, set `verify.host` and `verify.port` to a server that needs no \
             client certificate, since these are not supported."
        }
        FailureKind::HelloRefused => {
            "The provider introduced itself with an IP address in brackets, as RFC 5321 allows. Allow that on the mail \
             server, or set `verify.host` and `verify.port` to a server that does."
        }
        FailureKind::Malformed | FailureKind::NoAuth | FailureKind::Refused => {
            "Set `verify.host` and `verify.port` to a server that accepts mail after a login."
        }
        FailureKind::Mechanism => {
            "The provider supports AUTH PLAIN and AUTH LOGIN. The server must accept one of them for the account."
        }
        FailureKind::NoStartTls => {
            "No password is sent without TLS. Set `verify.port` to a port that offers it, with `verify.security = \
             \"tls\"` if the port uses TLS from the first byte."
        }
        FailureKind::Setup => "Correct the provider's settings and apply again.",
        FailureKind::TimedOut | FailureKind::Tls => {
            "Check `verify.host` and `verify.port`. `verify.security` must be `tls` if the port uses TLS from the \
             first byte, as 465 usually does, and `starttls` otherwise."
        }
        FailureKind::TlsMismatch => {
            "TLS 1.2 or later is needed, with ECDHE (X25519, P-256 or P-384), an AEAD cipher (AES-GCM or \
             ChaCha20-Poly1305), and certificates whose keys are RSA of 2048 to 8192 bits, ECDSA with P-256 or P-384, \
             or Ed25519. Client certificates are not supported. Configure the mail server accordingly, or set \
             `verify.host` and `verify.port` to another."
        }
        FailureKind::Unreachable | FailureKind::Unresolved => {
            "Check `verify.host`, `verify.port` and the network. The connection is direct, even if a proxy is set."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::attributes::configured::Configured;
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
        let target = crate::provider::attributes::target::of(&named, Configured::default()).unwrap().unwrap();
        let server = Server::new("::1", 587, Security::StartTls, Roots::default());
        for kind in KINDS {
            let detail = not_verified(&target, &server, &failure(kind, Some(535))).detail;
            let is_refused = kind == FailureKind::Refused;
            assert_eq!(detail.contains("pick up a reset") && detail.contains("reset it again"), is_refused, "{detail}");
            assert_eq!(detail.contains("Nothing suggests that the password is wrong"), !is_refused, "{detail}");
        }
    }

    #[test]
    fn every_word_is_short_names_the_server_and_says_what_became_of_the_password() {
        let named = Value::object([("hubspot", Value::object([("user_name", "zh48@62515".into())]))]);
        let target = crate::provider::attributes::target::of(&named, Configured::default()).unwrap().unwrap();
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
            assert!(diagnostic.detail.contains("`[::1]:587` replied 535: a test."), "{}", diagnostic.detail);
        }
        let spared = spared(&target, &server);
        assert!(spared.summary.split(' ').count() <= 8 && spared.detail.contains("`[::1]:587`"), "{spared:?}");
        check(interrupted(&target, &server), Outcome::Changed, "`[::1]:587`");
        check(no_username(&target), Outcome::Changed, "HubSpot");
    }
}
