//! What an exchange proves about the password, and how often it may be tried.
//!
//! Common retry layers get this wrong for a reset: they take a closed connection for a request that was not sent, and
//! send again after a timeout or a 5xx whatever the method. A reset may be sent again only when it is proven that the
//! vendor has not processed the earlier one.

use super::transport::TransportError;
use super::words::Words;
use super::{ErrorFormat, Finality, Kind, Outcome};

/// What a request does at the vendor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Intent {
    /// Looks only: it may be sent any number of times, and given up at any time.
    Read,
    /// Makes a new password, and the answer is its only copy.
    Reset,
    /// Sets a password that the caller made: sent again, it has the same end.
    Set,
}

/// How far an exchange came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// No connection stood, so nothing was sent.
    Connecting,
    /// A connection stood: some or all of the request may have arrived.
    Sent,
    /// The vendor agreed with a 2xx, and its body was being read.
    Agreed,
}

/// A judgement on a failed exchange.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Verdict {
    pub(super) kind: Kind,
    pub(super) outcome: Outcome,
    pub(super) finality: Finality,
    /// How many tries such a failure allows, this one included.
    pub(super) tries: u32,
}

/// Never again.
pub(super) const ONCE: u32 = 1;

/// Enough for a hiccup, at a vendor that is in trouble already.
const FEW: u32 = 4;

/// About half a minute of refused connections: a restart is survived, and a mistyped host is told soon.
const SOME: u32 = 8;

/// As long as the operation's time lasts: the vendor answers, and asks for patience.
const ANY: u32 = u32::MAX;

/// Judges an exchange without a whole answer.
pub(super) fn judge_trouble(trouble: TransportError, stage: Stage, intent: Intent) -> Verdict {
    let kind = match trouble {
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
        // Half a response to a password of the caller's own is no agreement: the vendor's words are in the other half.
        (Intent::Reset | Intent::Set, Stage::Sent) | (Intent::Set, Stage::Agreed) => Outcome::MayHaveChanged,
        (Intent::Reset, Stage::Agreed) => Outcome::Changed,
    };
    let finality =
        if outcome == Outcome::MayHaveChanged || stage == Stage::Sent { Finality::InFlight } else { Finality::Final };
    let tries = match (trouble, stage, intent) {
        (TransportError::Unreachable(_), Stage::Connecting, _) => SOME,
        (TransportError::Interrupted | TransportError::TimedOut, _, Intent::Read | Intent::Set)
        | (TransportError::TooLarge, Stage::Agreed, Intent::Set) => FEW,
        _ => ONCE,
    };
    Verdict { kind, outcome, finality, tries }
}

/// Judges a 2xx in other words than the vendor's, where a password of the caller's own should have been set: whatever agreed, it was
/// not the vendor. The request may be sent again.
pub(super) fn judge_disagreement() -> Verdict {
    Verdict { kind: Kind::NotTheApi, outcome: Outcome::MayHaveChanged, finality: Finality::InFlight, tries: FEW }
}

/// Judges a status outside 200–299. A refusal in other words than the vendor's is that of something in between.
pub(super) fn judge_status(status: u16, intent: Intent, error_format: &ErrorFormat, words: Words) -> Verdict {
    // A refusal is the end of a request. What may have been processed has ended when the vendor itself says so: what stands in
    // between gives up earlier, with a status of its own kind or in other words.
    let by_vendor = words == Words::Own && !matches!(status, 408 | 502 | 504 | 520..=599);
    let verdict = |kind, outcome, tries| {
        let is_settled = by_vendor || outcome == Outcome::NotChanged;
        Verdict { kind, outcome, finality: if is_settled { Finality::Final } else { Finality::InFlight }, tries }
    };
    let not_changed = |kind, tries| verdict(kind, Outcome::NotChanged, tries);
    // What may have been processed: nobody knows after a reset, and nothing can have changed after a read.
    let unknown = |kind, tries| match intent {
        Intent::Read => not_changed(kind, tries),
        Intent::Reset => verdict(kind, Outcome::MayHaveChanged, ONCE),
        Intent::Set => verdict(kind, Outcome::MayHaveChanged, tries),
    };

    match status {
        429 => not_changed(Kind::RateLimited, ANY),
        status if error_format.unprocessed.contains(&status) => not_changed(Kind::Unavailable, ANY),
        307 | 308 => not_changed(Kind::Redirected, ONCE),
        // A 303 is how a processed POST may be answered, and 301 and 302 are used for it too.
        300..=399 => unknown(Kind::Redirected, ONCE),
        408 | 500..=599 => unknown(Kind::Unavailable, FEW),
        400..=499 if words == Words::Other => not_changed(Kind::NotTheApi, ONCE),
        401 => not_changed(Kind::Unauthorized, ONCE),
        403 => not_changed(Kind::Forbidden, ONCE),
        404 => not_changed(Kind::NotFound, ONCE),
        409 => not_changed(Kind::Conflict, ONCE),
        400..=499 => not_changed(Kind::Rejected, ONCE),
        _ => unknown(Kind::NotTheApi, ONCE),
    }
}

impl Verdict {
    /// Takes the vendor's own code as the better word on why it refused. It changes nothing about what was done or may be tried, but for a
    /// code that means a rate limit where the status does too: it names a limit that lasts longer than an operation.
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
        message: &["message"],
        fields: None,
        request_id: &[],
        unprocessed: &[423, 477],
    };

    #[test]
    fn a_reset_without_an_answer_is_judged_by_how_far_it_came() {
        let refused = TransportError::Unreachable("the connection was refused");
        let expired = TransportError::Certificate("its certificate has expired");
        for (trouble, stage, kind, outcome, tries) in [
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
            let verdict = judge_trouble(trouble, stage, Intent::Reset);
            let finality = if outcome == MayHaveChanged { Finality::InFlight } else { Finality::Final };
            assert_eq!(verdict, Verdict { kind, outcome, finality, tries }, "{trouble:?} while {stage:?}");
        }
    }

    #[test]
    fn a_reset_is_tried_again_only_where_the_status_proves_that_it_was_not_processed() {
        for status in (100..200).chain(300..1000) {
            let Verdict { outcome, tries, .. } = judge_status(status, Intent::Reset, &DIALECT, Words::Own);
            assert_eq!(tries > ONCE, [423, 429, 477].contains(&status), "{status}");
            let refused = matches!(status, 307 | 308 | 400..=407 | 409..=499);
            assert_eq!(outcome, if refused { NotChanged } else { MayHaveChanged }, "{status}");
        }
    }

    #[test]
    fn only_the_vendors_words_settle_what_may_have_been_processed() {
        for (status, words, finality) in [
            (500, Words::Own, Finality::Final),
            (503, Words::Own, Finality::Final),
            (500, Words::Other, Finality::InFlight),
            (503, Words::Other, Finality::InFlight),
            (303, Words::Other, Finality::InFlight),
            // What a gateway answers while the vendor is at work, in whatever words.
            (408, Words::Own, Finality::InFlight),
            (502, Words::Own, Finality::InFlight),
            (504, Words::Own, Finality::InFlight),
            (524, Words::Own, Finality::InFlight),
            // A refusal.
            (403, Words::Other, Finality::Final),
            (429, Words::Other, Finality::Final),
        ] {
            for intent in [Intent::Reset, Intent::Set] {
                assert_eq!(judge_status(status, intent, &DIALECT, words).finality, finality, "{status} {words:?}");
            }
        }
    }

    #[test]
    fn a_code_says_why_a_request_was_refused_and_nothing_else() {
        for intent in [Intent::Read, Intent::Reset, Intent::Set] {
            for status in (100..200).chain(300..1000) {
                let by_status = judge_status(status, intent, &DIALECT, Words::Own);
                let by_code = by_status.with_vendor_kind(status, Some(Kind::Unauthorized));
                let refused = matches!(status, 400..=407 | 409..=422 | 424..=428 | 430..=476 | 478..=499);
                let kind = if refused { Kind::Unauthorized } else { by_status.kind };
                assert_eq!(by_code, Verdict { kind, ..by_status }, "{intent:?} {status}");
                assert_eq!(by_status.with_vendor_kind(status, None), by_status);
            }
        }
    }

    #[test]
    fn a_code_can_name_a_limit_that_no_wait_outlasts() {
        let limited = judge_status(429, Intent::Reset, &DIALECT, Words::Own);
        assert_eq!(limited.with_vendor_kind(429, Some(Kind::RateLimited)), Verdict { tries: ONCE, ..limited });
        assert_eq!(limited.with_vendor_kind(429, Some(Kind::Unauthorized)), limited);
        let refused = judge_status(403, Intent::Reset, &DIALECT, Words::Own);
        assert_eq!(refused.with_vendor_kind(403, Some(Kind::RateLimited)).kind, Kind::RateLimited);
    }

    #[test]
    fn a_read_changes_nothing_whatever_happens() {
        for status in (100..200).chain(300..1000) {
            assert_eq!(judge_status(status, Intent::Read, &DIALECT, Words::Other).outcome, NotChanged, "{status}");
        }
        for stage in [Stage::Connecting, Stage::Sent, Stage::Agreed] {
            assert_eq!(judge_trouble(TransportError::TimedOut, stage, Intent::Read).outcome, NotChanged);
        }
    }

    #[test]
    fn nothing_too_large_and_no_bad_certificate_is_tried_again() {
        for trouble in [
            TransportError::TooLarge,
            TransportError::Certificate(""),
            TransportError::ProxyRefused,
            TransportError::Stopped,
        ] {
            for stage in [Stage::Connecting, Stage::Sent, Stage::Agreed] {
                assert_eq!(judge_trouble(trouble, stage, Intent::Read).tries, ONCE, "{trouble:?}");
            }
        }
    }
}
