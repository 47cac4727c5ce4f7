//! What has become of a password when the answer to its reset is lost: whoever can tell is asked.
//!
//! It is for errors only. Where there is an answer there is a state to store, and nothing is asked.

use std::time::Duration;

use super::schema::{PASSWORD, STALE, USERNAME};
use crate::{
    backend::{Backend, Found, Operation, Renewal, Trace},
    framework::value::Value,
    http::{Ending, Error, Outcome},
    provider::{diagnose, mail_server, target::Target},
    secret::Secret,
    smtp::Server,
};

/// What a witness says of a reset whose answer was lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Testimony {
    /// It has happened.
    Happened,
    /// It has not happened so far.
    NotSoFar,
    /// Nothing.
    Silent,
}

/// The error of a reset, and what was seen after it.
#[derive(Debug)]
pub(super) struct Aftermath {
    pub(super) error: Error,
    /// Whole sentences, or nothing.
    pub(super) seen: String,
}

/// Asks after a reset whose outcome is unknown, for a few seconds at most; and after a credential that was certainly made, by which
/// name it can be ended. Any other error stays as it is.
///
/// What fails here is not told: the first error is the one that counts.
pub(super) async fn of(
    error: Error,
    op: &Operation,
    backend: &dyn Backend,
    target: &Target,
    before: &Found,
    witness: Option<Witness<'_>>,
) -> Aftermath {
    let is_certain = error.outcome != Outcome::MayHaveChanged;
    if is_certain && (error.outcome == Outcome::NotChanged || target.vendor.renewal == Renewal::InPlace) {
        return Aftermath { error, seen: String::new() };
    }
    let (whole, op) = (op, op.within(PATIENCE));
    let pauses: &[_] = if error.ending == Ending::Open { &PAUSES } else { &[] };
    let trace = traced(&op, backend, target, before, pauses).await;
    if is_certain && testimony(&trace) != Testimony::Happened {
        return Aftermath { error, seen: String::new() };
    }
    let mut seen = diagnose::seen_after(target, &trace, error.ending);
    let mut testimonies = vec![testimony(&trace)];
    if let (Outcome::MayHaveChanged, Some(witness)) = (judge(error.ending, &testimonies), witness) {
        let (testimony, words) = witness.ask(&whole.within(PATIENCE), target).await;
        testimonies.push(testimony);
        seen = [seen, words].into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" ");
    }
    let outcome = judge(error.ending, &testimonies);
    Aftermath { error: Error { outcome, ..error }, seen }
}

/// A mail server that can be asked whether it still takes the password from before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Witness<'a> {
    pub(super) server: &'a Server,
    pub(super) former: &'a Former,
}

/// A password that was the live one before a reset, as far as anybody knew.
#[derive(Clone, Debug)]
pub(super) struct Former {
    username: String,
    password: Secret,
}

impl Former {
    /// The password of a state; `None` where it holds none, or one that is known to be stale.
    pub(super) fn of(state: &Value) -> Option<Self> {
        let (username, password) = (state.get(USERNAME).as_str()?, state.get(PASSWORD).as_secret()?);
        let is_stale = *state.get(STALE) == Value::Bool(true);
        (!is_stale).then(|| Self { username: username.to_owned(), password: password.clone() })
    }
}

impl Witness<'_> {
    /// Logs in with the password from before, and tells in a sentence what came of it.
    ///
    /// A credential with a successor keeps its password. And a password that is taken proves nothing: a mail server may hear of
    /// resets late, and no vendor promises that its own does not.
    async fn ask(&self, op: &Operation, target: &Target) -> (Testimony, String) {
        let Former { username, password } = self.former;
        if target.vendor.renewal == Renewal::Successor {
            return (Testimony::Silent, String::new());
        }
        let answer = match op.wait(self.server.log_in(username, password)).await {
            Ok(login) => {
                let answer = login.answer.clone();
                // There may be no time left for that, and all is known.
                let _ = op.wait(login.leave()).await;
                answer
            }
            Err(_) => return (Testimony::Silent, String::new()),
        };
        match answer {
            Ok(()) => (Testimony::Silent, mail_server::still_takes(self.server)),
            Err(failure) if failure.is_wrong_password() => {
                (Testimony::Happened, mail_server::takes_no_more(self.server))
            }
            Err(_) => (Testimony::Silent, String::new()),
        }
    }
}

/// What the witnesses together prove.
///
/// One that saw the reset is enough. That it has not happened so far is proof only where the vendor will do nothing more.
fn judge(ending: Ending, testimonies: &[Testimony]) -> Outcome {
    if testimonies.contains(&Testimony::Happened) {
        Outcome::Changed
    } else if ending == Ending::Settled && testimonies.contains(&Testimony::NotSoFar) {
        Outcome::NotChanged
    } else {
        Outcome::MayHaveChanged
    }
}

/// What the vendor shows: at once, and after each pause until there is a change.
async fn traced(op: &Operation, backend: &dyn Backend, target: &Target, before: &Found, pauses: &[Duration]) -> Trace {
    let mut last = Trace::Untold;
    let mut pauses = pauses.iter();
    loop {
        match op.wait(backend.look_back(op, &target.fields, before)).await {
            Ok(Ok(Trace::NoChange)) => last = Trace::NoChange,
            Ok(Ok(told)) => return told,
            Ok(Err(_)) | Err(_) => return last,
        }
        let Some(pause) = pauses.next() else { return last };
        if op.wait(tokio::time::sleep(*pause)).await.is_err() {
            return last;
        }
    }
}

fn testimony(trace: &Trace) -> Testimony {
    match trace {
        Trace::Change(_) => Testimony::Happened,
        Trace::NoChange => Testimony::NotSoFar,
        Trace::Untold => Testimony::Silent,
    }
}

/// How long whoever waits for an error waits for more of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long between one look and the next, where the vendor may still be at work.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{
        backend::{Fields, Held, Listed, Presence, Reset},
        http::Kind,
        secret::Name,
    };

    /// A vendor that shows one thing after the other, and then nothing but errors.
    #[derive(Debug)]
    struct Fake(Mutex<Vec<Trace>>);

    impl Fake {
        fn shows(traces: &[Trace]) -> Self {
            Self(Mutex::new(traces.iter().rev().cloned().collect()))
        }
    }

    #[async_trait]
    impl Backend for Fake {
        async fn read(&self, _: &Operation, _: &Fields, _: &Held) -> Result<Presence, Error> {
            Err(error(Outcome::NotChanged, Ending::Settled))
        }

        async fn list(&self, _: &Operation, _: &Fields) -> Result<Vec<Listed>, Error> {
            Err(error(Outcome::NotChanged, Ending::Settled))
        }

        async fn reset(&self, _: &Operation, _: &Fields, _: Option<&Secret>) -> Result<Reset, Error> {
            Err(error(Outcome::MayHaveChanged, Ending::Open))
        }

        async fn look_back(&self, _: &Operation, _: &Fields, _: &Found) -> Result<Trace, Error> {
            self.0.lock().unwrap().pop().ok_or_else(|| error(Outcome::NotChanged, Ending::Settled))
        }
    }

    fn error(outcome: Outcome, ending: Ending) -> Error {
        Error { ending, ..Error::new(Kind::Unavailable, outcome, "api.example.com", "a test") }
    }

    fn target() -> Target {
        let named = Value::object([("hubspot", Value::object([("user_name", "a@b".into())]))]);
        Target::of(&named).unwrap().unwrap()
    }

    fn op() -> Operation {
        Operation::new(Duration::from_mins(1), CancellationToken::new())
    }

    async fn after(error: Error, traces: &[Trace]) -> Aftermath {
        of(error, &op(), &Fake::shows(traces), &target(), &Found::default(), None).await
    }

    #[test]
    fn one_witness_of_the_reset_is_enough_and_one_against_it_only_when_the_vendor_has_done() {
        use Testimony::{Happened, NotSoFar, Silent};
        for (ending, testimonies, outcome) in [
            (Ending::Open, &[Happened][..], Outcome::Changed),
            (Ending::Settled, &[Happened], Outcome::Changed),
            (Ending::Settled, &[NotSoFar, Happened], Outcome::Changed),
            (Ending::Settled, &[NotSoFar], Outcome::NotChanged),
            (Ending::Settled, &[Silent, NotSoFar], Outcome::NotChanged),
            (Ending::Open, &[NotSoFar], Outcome::MayHaveChanged),
            (Ending::Open, &[Silent], Outcome::MayHaveChanged),
            (Ending::Settled, &[Silent], Outcome::MayHaveChanged),
            (Ending::Settled, &[], Outcome::MayHaveChanged),
        ] {
            assert_eq!(judge(ending, testimonies), outcome, "{ending:?} {testimonies:?}");
        }
    }

    #[tokio::test]
    async fn what_was_seen_is_told_and_what_failed_is_not() {
        let lost = || error(Outcome::MayHaveChanged, Ending::Settled);
        for (trace, outcome, seen) in [
            (Some(Trace::Change(vec![])), Outcome::Changed, "now shows a change"),
            (
                Some(Trace::Change(["one", "two"].into_iter().filter_map(Name::new).collect())),
                Outcome::Changed,
                "now has `one` and `two`,",
            ),
            (Some(Trace::NoChange), Outcome::NotChanged, "shows no newer change."),
            (Some(Trace::Untold), Outcome::MayHaveChanged, ""),
            (None, Outcome::MayHaveChanged, ""),
        ] {
            let after = after(lost(), trace.as_slice()).await;
            assert_eq!(after.error, Error { outcome, ..lost() });
            assert!(after.seen.contains(seen) && after.seen.is_empty() == seen.is_empty(), "{}", after.seen);
        }
    }

    #[tokio::test]
    async fn what_is_certain_stays_and_only_a_credential_that_was_made_is_looked_for() {
        let named = Value::object([("smtpd", Value::object([("name", "a".into()), ("role", "standard".into())]))]);
        let successor = Target::of(&named).unwrap().unwrap();
        let made = Trace::Change(Name::new("one").into_iter().collect());
        for (target, outcome, trace, seen) in [
            (target(), Outcome::NotChanged, &made, ""),
            (target(), Outcome::Changed, &made, ""),
            (successor.clone(), Outcome::NotChanged, &made, ""),
            (successor.clone(), Outcome::Changed, &made, "now has `one`,"),
            (successor.clone(), Outcome::Changed, &Trace::NoChange, ""),
        ] {
            let vendor = Fake::shows(std::slice::from_ref(trace));
            let after = of(error(outcome, Ending::Settled), &op(), &vendor, &target, &Found::default(), None).await;
            assert_eq!(after.error.outcome, outcome);
            assert!(after.seen.contains(seen) && after.seen.is_empty() == seen.is_empty(), "{}", after.seen);
        }
    }

    #[tokio::test]
    async fn a_change_that_comes_late_is_waited_for_and_one_that_does_not_come_is_not() {
        const NONE: [Duration; 2] = [Duration::ZERO; 2];
        let change = Trace::Change(vec![]);
        for (traces, expected) in [
            (&[Trace::NoChange, Trace::NoChange, change.clone()][..], change.clone()),
            (&[Trace::NoChange, Trace::NoChange, Trace::NoChange, change.clone()], Trace::NoChange),
            (&[Trace::NoChange], Trace::NoChange),
            (&[], Trace::Untold),
        ] {
            let vendor = Fake::shows(traces);
            assert_eq!(traced(&op(), &vendor, &target(), &Found::default(), &NONE).await, expected);
        }
    }

    #[tokio::test]
    async fn a_stop_ends_the_asking() {
        let op = op();
        op.stop.cancel();
        let vendor = Fake::shows(&[Trace::Change(vec![])]);
        let lost = error(Outcome::MayHaveChanged, Ending::Open);
        let after = of(lost.clone(), &op, &vendor, &target(), &Found::default(), None).await;
        assert_eq!((after.error, after.seen.as_str()), (lost, ""));
    }
}
