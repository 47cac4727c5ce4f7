//! Decides what a failed exchange proves about the password, and whether it may be retried.
//!
//! Common retry layers get this wrong for resets: they treat a closed connection as a request that was not sent, and
//! retry after a timeout or a 5xx regardless of the method. A reset may be sent again only if the vendor certainly has
//! not processed the previous one.

use super::{
    error::{Finality, Kind, Outcome},
    error_format::ErrorFormat,
    transport::TransportError,
    words::Origin,
};

/// What a request does at the vendor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Intent {
    /// Reads only. It may be repeated and abandoned at any time.
    Read,
    /// Makes the vendor generate a password. The response is its only copy.
    Reset,
    /// Sets a password of the caller's. Repeating it has the same result.
    Set,
}

/// How far an exchange got.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// There was no connection yet, so nothing was sent.
    Connecting,
    /// Connected: some or all of the request may have arrived.
    Sent,
    /// A 2xx status had arrived, and the body was being read.
    Agreed,
}

/// A judgement on a failed exchange.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Classification {
    pub(super) kind: Kind,
    pub(super) outcome: Outcome,
    pub(super) finality: Finality,
    /// The number of tries that such a failure allows, this one included.
    pub(super) tries: u32,
}

/// No retry.
pub(super) const ONCE: u32 = 1;

/// Enough for a short interruption, without adding load to a vendor in trouble.
const FEW: u32 = 4;

/// About half a minute of refused connections: long enough for a restart, short enough to report a mistyped host soon.
const SOME: u32 = 8;

/// Until the operation times out: the vendor is up and asks to wait.
const ANY: u32 = u32::MAX;

/// Classifies an exchange without a complete response.
pub(super) fn classify_transport_error(
    transport_error: TransportError,
    stage: Stage,
    intent: Intent,
) -> Classification {
    let kind = match transport_error {
        TransportError::Certificate(_) => Kind::Certificate,
        TransportError::Interrupted => Kind::Interrupted,
        TransportError::Setup(_) => Kind::Setup,
        TransportError::Stopped => Kind::Stopped,
        TransportError::TimedOut => Kind::TimedOut,
        TransportError::TooLarge => Kind::TooLarge,
        TransportError::ProxyRefused | TransportError::Unreachable(_) => Kind::Unreachable,
    };
    let outcome = match (intent, stage) {
        (Intent::Read, _) | (_, Stage::Connecting) => Outcome::NotChanged,
        // Half a response to a request that sets a password proves nothing: the other half might report an error.
        (Intent::Reset | Intent::Set, Stage::Sent) | (Intent::Set, Stage::Agreed) => Outcome::MayHaveChanged,
        (Intent::Reset, Stage::Agreed) => Outcome::Changed,
    };
    let finality =
        if outcome == Outcome::MayHaveChanged || stage == Stage::Sent { Finality::InFlight } else { Finality::Final };
    let tries = match (transport_error, stage, intent) {
        (TransportError::Unreachable(_), Stage::Connecting, _) => SOME,
        (TransportError::Interrupted | TransportError::TimedOut, _, Intent::Read | Intent::Set)
        | (TransportError::TooLarge, Stage::Agreed, Intent::Set) => FEW,
        _ => ONCE,
    };
    Classification { kind, outcome, finality, tries }
}

/// Classifies a 2xx response that is not in the vendor's format, after a request that sets a password. It does not come
/// from the vendor, so the request may be repeated.
pub(super) fn classify_foreign_success() -> Classification {
    Classification { kind: Kind::NotTheApi, outcome: Outcome::MayHaveChanged, finality: Finality::InFlight, tries: FEW }
}

/// Classifies a status outside 200–299, with the code in the vendor's error. An error that is not in the vendor's format comes from something in between.
pub(super) fn classify_status(
    status: u16,
    intent: Intent,
    error_format: &ErrorFormat,
    words: Origin,
    code: Option<&str>,
) -> Classification {
    // The vendor's own error means that it is done with the request. A proxy or gateway may give up earlier, with a
    // gateway status or a body in another format, while the vendor is still at work.
    let by_vendor = words == Origin::Vendor && !matches!(status, 408 | 502 | 504 | 520..=599);
    let classification = |kind, outcome, tries| {
        let is_settled = by_vendor || outcome == Outcome::NotChanged;
        Classification { kind, outcome, finality: if is_settled { Finality::Final } else { Finality::InFlight }, tries }
    };
    let not_changed = |kind, tries| classification(kind, Outcome::NotChanged, tries);
    // The request may have been processed. A read changes nothing; for a reset the outcome is unknown.
    let unknown = |kind, tries| match intent {
        Intent::Read => not_changed(kind, tries),
        Intent::Reset => classification(kind, Outcome::MayHaveChanged, ONCE),
        Intent::Set => classification(kind, Outcome::MayHaveChanged, tries),
    };

    let is_rate_limit = code.is_some_and(|code| error_format.rate_limits.contains(&code)) && by_vendor;
    match status {
        400..=499 if is_rate_limit => not_changed(Kind::RateLimited, ANY),
        429 => not_changed(Kind::RateLimited, ANY),
        status if error_format.unprocessed.contains(&status) => not_changed(Kind::Unavailable, ANY),
        307 | 308 => not_changed(Kind::Redirected, ONCE),
        // A server may respond to a processed POST with a 303, and some use 301 and 302 for that.
        300..=399 => unknown(Kind::Redirected, ONCE),
        408 | 500..=599 => unknown(Kind::Unavailable, FEW),
        400..=499 if words == Origin::Foreign => not_changed(Kind::NotTheApi, ONCE),
        401 => not_changed(Kind::Unauthorized, ONCE),
        403 => not_changed(Kind::Forbidden, ONCE),
        404 => not_changed(Kind::NotFound, ONCE),
        409 => not_changed(Kind::Conflict, ONCE),
        400..=499 => not_changed(Kind::Rejected, ONCE),
        _ => unknown(Kind::NotTheApi, ONCE),
    }
}

impl Classification {
    /// Refines the kind by the vendor's own error code, without changing the outcome. The number of tries changes in
    /// one case: if both the status and the code mean a rate limit, it is one that outlasts any operation, so a retry
    /// is pointless.
    pub(super) fn with_vendor_kind(self, status: u16, meaning: Option<Kind>) -> Self {
        if (self.kind, meaning) == (Kind::RateLimited, Some(Kind::RateLimited)) {
            return Self { tries: ONCE, ..self };
        }
        let is_refusal = (400..500).contains(&status) && self.outcome == Outcome::NotChanged && self.tries == ONCE;
        Self { kind: meaning.filter(|_| is_refusal).unwrap_or(self.kind), ..self }
    }
}

#[cfg(test)]
mod tests {
    use Outcome::{Changed, MayHaveChanged, NotChanged};

    use super::*;

    const DIALECT: ErrorFormat = ErrorFormat {
        refusal: crate::http::Form(&[]),
        code: &[],
        codes: &[],
        message: &["/message"],
        fields: None,
        request_id: &[],
        unprocessed: &[423, 477],
        rate_limits: &["Throttling"],
    };

    #[test]
    fn a_reset_without_an_answer_is_judged_by_how_far_it_came() {
        let refused = TransportError::Unreachable("the connection was refused");
        let expired = TransportError::Certificate("its certificate has expired");
        for (transport_error, stage, kind, outcome, tries) in [
            (refused, Stage::Connecting, Kind::Unreachable, NotChanged, SOME),
            (expired, Stage::Connecting, Kind::Certificate, NotChanged, ONCE),
            (TransportError::ProxyRefused, Stage::Connecting, Kind::Unreachable, NotChanged, ONCE),
            (TransportError::Stopped, Stage::Connecting, Kind::Stopped, NotChanged, ONCE),
            (TransportError::Interrupted, Stage::Sent, Kind::Interrupted, MayHaveChanged, ONCE),
            (TransportError::TimedOut, Stage::Sent, Kind::TimedOut, MayHaveChanged, ONCE),
            (refused, Stage::Sent, Kind::Unreachable, MayHaveChanged, ONCE),
            (TransportError::Interrupted, Stage::Agreed, Kind::Interrupted, Changed, ONCE),
            (TransportError::TimedOut, Stage::Agreed, Kind::TimedOut, Changed, ONCE),
            (TransportError::TooLarge, Stage::Agreed, Kind::TooLarge, Changed, ONCE),
        ] {
            let classification = classify_transport_error(transport_error, stage, Intent::Reset);
            let finality = if outcome == MayHaveChanged { Finality::InFlight } else { Finality::Final };
            assert_eq!(
                classification,
                Classification { kind, outcome, finality, tries },
                "{transport_error:?} while {stage:?}"
            );
        }
    }

    #[test]
    fn a_reset_is_retried_only_if_its_status_proves_it_unprocessed() {
        for status in (100..200).chain(300..1000) {
            let Classification { outcome, tries, .. } =
                classify_status(status, Intent::Reset, &DIALECT, Origin::Vendor, None);
            assert_eq!(tries > ONCE, [423, 429, 477].contains(&status), "{status}");
            let refused = matches!(status, 307 | 308 | 400..=407 | 409..=499);
            assert_eq!(outcome, if refused { NotChanged } else { MayHaveChanged }, "{status}");
        }
    }

    #[test]
    fn only_the_vendors_words_settle_what_may_have_been_processed() {
        for (status, words, finality) in [
            (500, Origin::Vendor, Finality::Final),
            (503, Origin::Vendor, Finality::Final),
            (500, Origin::Foreign, Finality::InFlight),
            (503, Origin::Foreign, Finality::InFlight),
            (303, Origin::Foreign, Finality::InFlight),
            // Responses of a gateway while the vendor is still at work, in any format.
            (408, Origin::Vendor, Finality::InFlight),
            (502, Origin::Vendor, Finality::InFlight),
            (504, Origin::Vendor, Finality::InFlight),
            (524, Origin::Vendor, Finality::InFlight),
            // A refusal.
            (403, Origin::Foreign, Finality::Final),
            (429, Origin::Foreign, Finality::Final),
        ] {
            for intent in [Intent::Reset, Intent::Set] {
                assert_eq!(
                    classify_status(status, intent, &DIALECT, words, None).finality,
                    finality,
                    "{status} {words:?}"
                );
            }
        }
    }

    #[test]
    fn a_code_says_why_a_request_was_refused_and_nothing_else() {
        for intent in [Intent::Read, Intent::Reset, Intent::Set] {
            for status in (100..200).chain(300..1000) {
                let by_status = classify_status(status, intent, &DIALECT, Origin::Vendor, None);
                let by_code = by_status.with_vendor_kind(status, Some(Kind::Unauthorized));
                let refused = matches!(status, 400..=407 | 409..=422 | 424..=428 | 430..=476 | 478..=499);
                let kind = if refused { Kind::Unauthorized } else { by_status.kind };
                assert_eq!(by_code, Classification { kind, ..by_status }, "{intent:?} {status}");
                assert_eq!(by_status.with_vendor_kind(status, None), by_status);
            }
        }
    }

    #[test]
    fn a_code_can_name_a_limit_that_no_wait_outlasts() {
        let limited = classify_status(429, Intent::Reset, &DIALECT, Origin::Vendor, None);
        assert_eq!(limited.with_vendor_kind(429, Some(Kind::RateLimited)), Classification { tries: ONCE, ..limited });
        assert_eq!(limited.with_vendor_kind(429, Some(Kind::Unauthorized)), limited);
        let refused = classify_status(403, Intent::Reset, &DIALECT, Origin::Vendor, None);
        assert_eq!(refused.with_vendor_kind(403, Some(Kind::RateLimited)).kind, Kind::RateLimited);
    }

    #[test]
    fn a_rate_limit_may_be_known_by_its_code() {
        for intent in [Intent::Read, Intent::Reset, Intent::Set] {
            for (status, words, code, kind) in [
                (400, Origin::Vendor, Some("Throttling"), Kind::RateLimited),
                (400, Origin::Vendor, Some("Other"), Kind::Rejected),
                (400, Origin::Vendor, None, Kind::Rejected),
                (400, Origin::Foreign, Some("Throttling"), Kind::NotTheApi),
                // After a 5xx the request may have been processed, whatever its code says.
                (503, Origin::Vendor, Some("Throttling"), Kind::Unavailable),
            ] {
                let classification = classify_status(status, intent, &DIALECT, words, code);
                assert_eq!(classification.kind, kind, "{status} {code:?}");
                let is_settled = status == 400 || intent == Intent::Read;
                assert_eq!(classification.outcome == NotChanged, is_settled, "{status} {code:?}");
                assert_eq!(classification.tries == ANY, kind == Kind::RateLimited, "{status} {code:?}");
            }
        }
    }

    #[test]
    fn a_read_changes_nothing_whatever_happens() {
        for status in (100..200).chain(300..1000) {
            assert_eq!(
                classify_status(status, Intent::Read, &DIALECT, Origin::Foreign, None).outcome,
                NotChanged,
                "{status}"
            );
        }
        for stage in [Stage::Connecting, Stage::Sent, Stage::Agreed] {
            assert_eq!(classify_transport_error(TransportError::TimedOut, stage, Intent::Read).outcome, NotChanged);
        }
    }

    #[test]
    fn nothing_too_large_and_no_bad_certificate_is_tried_again() {
        for transport_error in [
            TransportError::TooLarge,
            TransportError::Certificate(""),
            TransportError::ProxyRefused,
            TransportError::Stopped,
        ] {
            for stage in [Stage::Connecting, Stage::Sent, Stage::Agreed] {
                assert_eq!(
                    classify_transport_error(transport_error, stage, Intent::Read).tries,
                    ONCE,
                    "{transport_error:?}"
                );
            }
        }
    }
}
