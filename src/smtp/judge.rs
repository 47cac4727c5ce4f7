//! Interprets the reply to a login (RFC 4954, section 6).
//!
//! Only 535 can mean a wrong password. Some servers send 535 for other reasons too and distinguish them by the enhanced
//! code (RFC 3463): Microsoft 365 sends 5.7.139 if AUTH is disabled, and 5.7.57 or 5.7.3 if something else is missing.

use super::{Enhanced, Failure, FailureKind, reply::Reply};

/// Interprets the last reply to AUTH.
pub(super) fn judge(reply: &Reply) -> Result<(), Failure> {
    let (kind, reason) = match reply.code {
        235 => return Ok(()),
        421 => (FailureKind::Busy, "it closes the connection temporarily"),
        432 => (FailureKind::Mechanism, "it requires a password transition to this mechanism first"),
        454 => (FailureKind::Busy, "it cannot check passwords at the moment"),
        400..=499 => return Err(Failure::busy(reply)),
        504 => (FailureKind::Mechanism, "it does not support the mechanism that it offers"),
        530 => (FailureKind::Denied, "it requires something else before a login"),
        534 => (FailureKind::Mechanism, "it rejects the mechanism as too weak for the account"),
        535 if reply.enhanced().is_none_or(Enhanced::is_of_password) => {
            (FailureKind::Refused, "it rejects the user name or the password")
        }
        535 => (FailureKind::Denied, "it rejects the login for a reason other than the password"),
        538 => (FailureKind::Mechanism, "it rejects the mechanism for lack of encryption"),
        500..=599 => (FailureKind::Denied, "it rejects the login, but not because of the password"),
        _ => return Err(Failure::unexpected(reply)),
    };
    Err(Failure::replied(kind, reply, reason))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reply(code: u16, text: &str) -> Reply {
        Reply { code, lines: vec![text.to_owned()] }
    }

    #[test]
    fn only_a_535_that_names_no_other_reason_is_about_the_password() {
        for (code, text, kind) in [
            (535, "5.7.8 Authentication credentials invalid", FailureKind::Refused),
            (535, "5.7.0 Invalid login or password", FailureKind::Refused),
            (535, "Incorrect authentication data", FailureKind::Refused),
            (535, "", FailureKind::Refused),
            (535, "authentication failed (#5.7.1)", FailureKind::Refused),
            (535, "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled", FailureKind::Denied),
            (535, "5.7.57 Client not authenticated to send mail", FailureKind::Denied),
            (535, "5.7.3 Authentication unsuccessful", FailureKind::Denied),
            (535, "4.7.8 Later", FailureKind::Denied),
            (534, "5.7.9 Application-specific password required", FailureKind::Mechanism),
            (530, "5.7.0 Must issue a STARTTLS command first", FailureKind::Denied),
            (504, "5.5.4 Unrecognized authentication type", FailureKind::Mechanism),
            (538, "5.7.11 Encryption required", FailureKind::Mechanism),
            (454, "4.7.0 Temporary authentication failure", FailureKind::Busy),
            (432, "4.7.12 A password transition is needed", FailureKind::Mechanism),
            (421, "4.7.0 Too many errors", FailureKind::Busy),
            (450, "4.7.1 Too many AUTH commands", FailureKind::Busy),
            (550, "5.7.1 Denied", FailureKind::Denied),
            (503, "5.5.1 Bad sequence", FailureKind::Denied),
            (250, "2.0.0 Ok", FailureKind::Malformed),
            (334, "", FailureKind::Malformed),
        ] {
            let failure = judge(&reply(code, text)).unwrap_err();
            assert_eq!((failure.kind, failure.code), (kind, Some(code)), "{code} {text}");
        }
        let reasons =
            [421, 432, 450, 454, 504, 530, 534, 535, 538, 550].map(|code| judge(&reply(code, "")).unwrap_err().reason);
        assert_eq!(std::collections::BTreeSet::from(reasons).len(), 10, "each of these has words of its own");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn no_other_reply_is_an_agreement_or_a_refusal_of_the_password(
            code in 200_u16..600,
            enhanced in prop::option::of((prop::sample::select(vec![2_u8, 4, 5]), 0_u16..1000, 0_u16..1000)),
            near in prop::option::of(0_u16..12),
            text in "[ -~]{0,40}",
        ) {
            // Codes near those that count come often enough to matter.
            let code = if code < 300 { 235 } else if code < 420 { 535 } else { code };
            let enhanced = match near {
                Some(detail) if code == 535 => Some((5, 7, detail)),
                _ => enhanced,
            };
            let said = enhanced.map(|(class, subject, detail)| format!("{class}.{subject}.{detail} {text}"));
            let said = said.unwrap_or_else(|| format!("no code: {text}"));
            let judged = judge(&reply(code, &said));
            prop_assert_eq!(judged.is_ok(), code == 235);
            if let Err(failure) = judged {
                let is_of_password = matches!(enhanced, None | Some((5, 7, 0 | 8)));
                prop_assert_eq!(failure.is_wrong_password(), code == 535 && is_of_password);
                prop_assert_eq!(failure.kind == FailureKind::Busy, (400..500).contains(&code) && code != 432);
                prop_assert_eq!(failure.is_refused_login(), code >= 500 || code == 432);
                let shown = failure.enhanced.map(|code| code.to_string());
                prop_assert_eq!(shown, enhanced.map(|(class, subject, detail)| format!("{class}.{subject}.{detail}")));
            }
        }
    }
}
