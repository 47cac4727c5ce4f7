//! Warnings about the login with the previous password, after the new one has logged in.

use super::mail_server;
use crate::{
    framework::diagnostic::{Diagnostic, Path},
    http::Outcome,
    provider::attributes::VERIFY,
    smtp::{Failure, Server},
    vendors::Target,
};

/// The warning for a mail server that still accepts the previous password.
pub(super) fn accepted(target: &Target, server: &Server) -> Diagnostic {
    let title = target.vendor.title;
    let delay = target.vendor.reset_delay.map_or_else(
        || format!("{title} documents no delay of a reset."),
        |delay| format!("{title} documents a delay: {}", lowercase(delay)),
    );
    warning(
        "The previous password still works",
        target,
        &format!("the mail server `{server}` accepted it after the new one had logged in there."),
        &format!(
            "{delay} Log in with the previous password later. If it still works, anyone who has it can send mail: ask \
             {title} about it."
        ),
    )
}

/// The warning for a previous password of which it is not known whether it still works.
pub(super) fn not_tried(target: &Target, server: &Server, failure: Option<&Failure>) -> Diagnostic {
    let what = failure.map_or_else(
        || format!("the login to the mail server `{server}` was interrupted or timed out."),
        |failure| mail_server::answered(server, failure),
    );
    let advice = "The previous password may still work. Log in with it to find out.";
    warning("Whether the previous password works is unknown", target, &what, advice)
}

fn warning(summary: &str, target: &Target, what: &str, advice: &str) -> Diagnostic {
    let (id, outcome) = (target.id(), Outcome::Changed.sentence());
    let detail = format!("Trying the previous password of `{id}`: {what} {outcome} The state is up to date. {advice}");
    // Core shows only the first of several warnings with the same summary.
    Diagnostic::warning(format!("{summary}: {id}"), detail).at(Path::attribute(VERIFY).then("previous"))
}

/// Returns a sentence as it continues one after a colon.
fn lowercase(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rotation::SmtpEndpoint,
        smtp::{FailureKind, Roots, Security},
        vendors::{Fields, VENDORS},
    };

    #[test]
    fn both_name_the_server_and_what_the_vendor_documents() {
        let endpoint =
            SmtpEndpoint { host: Some("mail.example.com".into()), port: 587, security: Security::Tls, timeout: None };
        let server = endpoint.server(Roots::default()).unwrap();
        let failure = Failure { kind: FailureKind::Busy, code: Some(421), enhanced: None, reason: "a test".into() };
        for vendor in VENDORS {
            let target = Target { vendor, fields: Fields::default() };
            let accepted = accepted(&target, &server);
            let delay = if vendor.reset_delay.is_some() { "documents a delay: a reset" } else { "documents no delay" };
            assert!(accepted.detail.contains(&format!("{} {delay}", vendor.title)), "{}", accepted.detail);
            let [failed, interrupted] = [Some(&failure), None].map(|failure| not_tried(&target, &server, failure));
            assert!(failed.detail.contains("replied 421: a test."), "{}", failed.detail);
            for warning in [accepted, failed, interrupted] {
                assert!(warning.summary.split(' ').count() <= 8);
                for words in ["`mail.example.com:587`", Outcome::Changed.sentence()] {
                    assert_eq!(warning.detail.matches(words).count(), 1, "{}", warning.detail);
                }
            }
        }
    }
}
