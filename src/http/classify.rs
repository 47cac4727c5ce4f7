//! What an exchange proves about the password, and how often it may be tried.
//!
//! Common retry layers get this wrong for a reset: they take a closed connection for a request that was not sent, and
//! send again after a timeout or a 5xx whatever the method. A reset may be sent again only when it is proven that the
//! vendor has not processed the earlier one.

use super::transport::Trouble;
use super::{Dialect, Ending, Kind, Outcome};

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
    pub(super) ending: Ending,
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
pub(super) fn judge_trouble(trouble: Trouble, stage: Stage, intent: Intent) -> Verdict {
    let kind = match trouble {
        Trouble::Certificate(_) => Kind::Certificate,
        Trouble::Interrupted => Kind::Interrupted,
        Trouble::Setup(_) => Kind::Setup,
        Trouble::Stopped => Kind::Stopped,
        Trouble::TimedOut => Kind::TimedOut,
        Trouble::TooLarge => Kind::TooLarge,
        Trouble::ProxyRefused | Trouble::Unreachable(_) => Kind::Unreachable,
    };
    let outcome = match (intent, stage) {
        (Intent::Read, _) | (_, Stage::Connecting) => Outcome::NotChanged,
        (Intent::Reset | Intent::Set, Stage::Sent) => Outcome::MayHaveChanged,
        (Intent::Reset | Intent::Set, Stage::Agreed) => Outcome::Changed,
    };
    let ending = if stage == Stage::Sent { Ending::Open } else { Ending::Settled };
    let tries = match (trouble, stage, intent) {
        (Trouble::Unreachable(_), Stage::Connecting, _) => SOME,
        (Trouble::Interrupted | Trouble::TimedOut, _, Intent::Read | Intent::Set) => FEW,
        _ => ONCE,
    };
    Verdict { kind, outcome, ending, tries }
}

/// Judges a status outside 200–299. A 404 stands for a missing thing only in the vendor's own words.
pub(super) fn judge_status(status: u16, intent: Intent, dialect: &Dialect, own_words: OwnWords) -> Verdict {
    // A refusal is the end of a request. What may have been processed has ended when the vendor itself says so: what stands in
    // between gives up earlier, with a status of its own kind or in other words.
    let by_vendor = own_words == OwnWords::Yes && !matches!(status, 408 | 502 | 504 | 520..=599);
    let verdict = |kind, outcome, tries| {
        let is_settled = by_vendor || outcome == Outcome::NotChanged;
        Verdict { kind, outcome, ending: if is_settled { Ending::Settled } else { Ending::Open }, tries }
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
        status if dialect.unprocessed.contains(&status) => not_changed(Kind::Unavailable, ANY),
        307 | 308 => not_changed(Kind::Redirected, ONCE),
        // A 303 is how a processed POST may be answered, and 301 and 302 are used for it too.
        300..=399 => unknown(Kind::Redirected, ONCE),
        401 => not_changed(Kind::Unauthorized, ONCE),
        403 => not_changed(Kind::Forbidden, ONCE),
        404 if own_words == OwnWords::Yes => not_changed(Kind::NotFound, ONCE),
        404 => not_changed(Kind::NotTheApi, ONCE),
        409 => not_changed(Kind::Conflict, ONCE),
        408 | 500..=599 => unknown(Kind::Unavailable, FEW),
        400..=499 => not_changed(Kind::Rejected, ONCE),
        _ => unknown(Kind::NotTheApi, ONCE),
    }
}

impl Verdict {
    /// Takes the vendor's own code as the better word on why it refused. It changes nothing about what was done or may be tried.
    pub(super) fn in_other_words(self, status: u16, meaning: Option<Kind>) -> Self {
        let is_refusal = (400..500).contains(&status) && self.outcome == Outcome::NotChanged && self.tries == ONCE;
        Self { kind: meaning.filter(|_| is_refusal).unwrap_or(self.kind), ..self }
    }
}

/// Whether a body speaks the vendor's dialect.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum OwnWords {
    Yes,
    No,
}

#[cfg(test)]
mod tests {
    use Outcome::{Changed, MayHaveChanged, NotChanged};

    use super::*;

    const DIALECT: Dialect = Dialect {
        code: &[],
        codes: &[],
        message: &["message"],
        fields: None,
        request_id: &[],
        unprocessed: &[423, 477],
    };

    #[test]
    fn a_reset_without_an_answer_is_judged_by_how_far_it_came() {
        let refused = Trouble::Unreachable("the connection was refused");
        let expired = Trouble::Certificate("its certificate has expired");
        for (trouble, stage, kind, outcome, tries) in [
            (refused, Stage::Connecting, Kind::Unreachable, NotChanged, SOME),
            (expired, Stage::Connecting, Kind::Certificate, NotChanged, ONCE),
            (Trouble::ProxyRefused, Stage::Connecting, Kind::Unreachable, NotChanged, ONCE),
            (Trouble::Stopped, Stage::Connecting, Kind::Stopped, NotChanged, ONCE),
            (Trouble::Interrupted, Stage::Sent, Kind::Interrupted, MayHaveChanged, ONCE),
            (Trouble::TimedOut, Stage::Sent, Kind::TimedOut, MayHaveChanged, ONCE),
            (refused, Stage::Sent, Kind::Unreachable, MayHaveChanged, ONCE),
            (Trouble::Interrupted, Stage::Agreed, Kind::Interrupted, Changed, ONCE),
            (Trouble::TimedOut, Stage::Agreed, Kind::TimedOut, Changed, ONCE),
            (Trouble::TooLarge, Stage::Agreed, Kind::TooLarge, Changed, ONCE),
        ] {
            let verdict = judge_trouble(trouble, stage, Intent::Reset);
            let ending = if outcome == MayHaveChanged { Ending::Open } else { Ending::Settled };
            assert_eq!(verdict, Verdict { kind, outcome, ending, tries }, "{trouble:?} while {stage:?}");
        }
    }

    #[test]
    fn a_reset_is_tried_again_only_where_the_status_proves_that_it_was_not_processed() {
        for status in (100..200).chain(300..1000) {
            let Verdict { outcome, tries, .. } = judge_status(status, Intent::Reset, &DIALECT, OwnWords::Yes);
            assert_eq!(tries > ONCE, [423, 429, 477].contains(&status), "{status}");
            let refused = matches!(status, 307 | 308 | 400..=407 | 409..=499);
            assert_eq!(outcome, if refused { NotChanged } else { MayHaveChanged }, "{status}");
        }
    }

    #[test]
    fn only_the_vendors_own_words_settle_what_may_have_been_processed() {
        for (status, own_words, ending) in [
            (500, OwnWords::Yes, Ending::Settled),
            (503, OwnWords::Yes, Ending::Settled),
            (500, OwnWords::No, Ending::Open),
            (503, OwnWords::No, Ending::Open),
            (303, OwnWords::No, Ending::Open),
            // What a gateway answers while the vendor is at work, in whatever words.
            (408, OwnWords::Yes, Ending::Open),
            (502, OwnWords::Yes, Ending::Open),
            (504, OwnWords::Yes, Ending::Open),
            (524, OwnWords::Yes, Ending::Open),
            // A refusal.
            (403, OwnWords::No, Ending::Settled),
            (429, OwnWords::No, Ending::Settled),
        ] {
            for intent in [Intent::Reset, Intent::Set] {
                assert_eq!(judge_status(status, intent, &DIALECT, own_words).ending, ending, "{status} {own_words:?}");
            }
        }
    }

    #[test]
    fn a_code_says_why_a_request_was_refused_and_nothing_else() {
        for intent in [Intent::Read, Intent::Reset, Intent::Set] {
            for status in (100..200).chain(300..1000) {
                let by_status = judge_status(status, intent, &DIALECT, OwnWords::Yes);
                let by_code = by_status.in_other_words(status, Some(Kind::Unauthorized));
                let refused = matches!(status, 400..=407 | 409..=422 | 424..=428 | 430..=476 | 478..=499);
                let kind = if refused { Kind::Unauthorized } else { by_status.kind };
                assert_eq!(by_code, Verdict { kind, ..by_status }, "{intent:?} {status}");
                assert_eq!(by_status.in_other_words(status, None), by_status);
            }
        }
    }

    #[test]
    fn a_read_changes_nothing_whatever_happens() {
        for status in (100..200).chain(300..1000) {
            assert_eq!(judge_status(status, Intent::Read, &DIALECT, OwnWords::No).outcome, NotChanged, "{status}");
        }
        for stage in [Stage::Connecting, Stage::Sent, Stage::Agreed] {
            assert_eq!(judge_trouble(Trouble::TimedOut, stage, Intent::Read).outcome, NotChanged);
        }
    }

    #[test]
    fn nothing_too_large_and_no_bad_certificate_is_tried_again() {
        for trouble in [Trouble::TooLarge, Trouble::Certificate(""), Trouble::ProxyRefused, Trouble::Stopped] {
            for stage in [Stage::Connecting, Stage::Sent, Stage::Agreed] {
                assert_eq!(judge_trouble(trouble, stage, Intent::Read).tries, ONCE, "{trouble:?}");
            }
        }
    }
}
