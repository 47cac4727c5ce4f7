//! What has become of a password when the response to its reset is lost: whoever can tell is asked.
//!
//! It is for errors only. Where there is a response there is a state to store, and nothing is asked. A certain sentence needs certain
//! proof, and absence is none: a vendor may show a reset late, or not at all where its times are in whole seconds. So nothing that is
//! seen here says that the password was not changed.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    schema::{PASSWORD, STALE, USERNAME},
    verify::Place,
};
use crate::{
    framework::value::Value,
    http::{Error, Outcome},
    provider::{
        lost::{self, Seen},
        mail_server,
        target::Target,
    },
    secret::Secret,
    smtp::Server,
    vendors::{Before, Observation, Operation, PriorCredential, ResetKind, VendorApi},
};

/// The error of a reset, and what was seen after it.
#[derive(Debug)]
pub(super) struct Aftermath {
    pub(super) error: Error,
    pub(super) seen: Seen,
}

/// A reset whose response was lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost<'a> {
    pub(super) target: &'a Target,
    pub(super) api: &'a dyn VendorApi,
    /// What was known before it.
    pub(super) before: &'a Before,
    /// When it was begun.
    pub(super) begun: Timestamp,
    /// The mail server that can be asked.
    pub(super) witness: Option<Witness<'a>>,
}

/// Asks after a reset whose outcome is unknown, for a few seconds at most; and after a credential that was certainly made, by which
/// name it can be ended. Any other error stays as it is.
///
/// A failure in here is not reported: the first error is the one that counts.
pub(super) async fn of(error: Error, op: &Operation, lost: Lost<'_>) -> Aftermath {
    let reset_kind = lost.target.vendor.reset_kind;
    let is_certain = error.outcome != Outcome::MayHaveChanged;
    if error.outcome == Outcome::NotChanged || (is_certain && reset_kind == ResetKind::InPlace) {
        return Aftermath { error, seen: Seen::default() };
    }
    let (whole, op) = (op, op.within(PATIENCE));
    let trace = traced(&op, lost, &PAUSES).await;
    let mut seen = lost::seen_after(lost.target, &trace, lost.begun);
    let mut is_changed = is_certain || trace == Observation::PasswordChanged;
    if let (false, Some(witness)) = (is_changed, lost.witness) {
        let (refuses, words) = witness.ask(&whole.within(PATIENCE), lost.target).await;
        is_changed = refuses && is_still_there(&whole.within(PATIENCE), lost).await;
        seen.add(&words);
    }
    let outcome = if is_changed { Outcome::Changed } else { error.outcome };
    Aftermath { error: Error { outcome, ..error }, seen }
}

/// A mail server that can be asked whether it still accepts the previous password.
#[derive(Clone, Copy, Debug)]
pub(super) struct Witness<'a> {
    pub(super) server: &'a Server,
    pub(super) former: &'a Former,
}

/// What a state knows of a credential before it is reset.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) held: PriorCredential,
    pub(super) former: Option<Former>,
}

/// A password that was the live one before a reset, as far as anybody knew, and that a mail server has accepted.
#[derive(Clone, Debug)]
pub(super) struct Former {
    username: String,
    password: Secret,
    proven: Place,
}

impl Former {
    /// The password of a state that has logged in at `proven`; `None` where there is none, or one that is known to be stale. A server
    /// that never accepted a password proves nothing by refusing it.
    pub(super) fn of(state: &Value, proven: Option<Place>) -> Option<Self> {
        let (username, password) = (state.get(USERNAME).as_str()?, state.get(PASSWORD).as_secret()?);
        let is_stale = *state.get(STALE) == Value::Bool(true);
        let proven = proven.filter(|_| !is_stale)?;
        Some(Self { username: username.to_owned(), password: password.clone(), proven })
    }

    /// Whether it has logged in there.
    pub(super) fn is_proven_at(&self, place: &Place) -> bool {
        self.proven == *place
    }
}

impl Witness<'_> {
    /// Logs in with the previous password. Returns whether it is refused, and what came of it in a sentence.
    ///
    /// A credential with a successor keeps its password. And a password that is accepted proves nothing: a mail server may learn of
    /// resets late, and no vendor promises that its own does not.
    async fn ask(&self, op: &Operation, target: &Target) -> (bool, String) {
        let Former { username, password, .. } = self.former;
        if target.vendor.reset_kind == ResetKind::NewCredential {
            return (false, String::new());
        }
        let answer = match op.wait(self.server.log_in(username, password)).await {
            Ok(login) => {
                let answer = login.answer.clone();
                // There may be no time left for that, and all is known.
                let _ = op.wait(login.leave()).await;
                answer
            }
            Err(_) => return (false, String::new()),
        };
        match answer {
            Ok(()) => (false, mail_server::still_takes(self.server)),
            Err(failure) if failure.is_wrong_password() => (true, mail_server::takes_no_more(self.server)),
            Err(_) => (false, String::new()),
        }
    }
}

/// Whether the vendor certainly has the credential yet. Whoever deletes one ends its logins too, and that changes no password.
async fn is_still_there(op: &Operation, lost: Lost<'_>) -> bool {
    matches!(op.wait(lost.api.shows(op, &lost.target.fields)).await, Ok(Ok(true)))
}

/// What the vendor shows: at once, and after each pause until there is a change.
async fn traced(op: &Operation, lost: Lost<'_>, pauses: &[Duration]) -> Observation {
    let mut shown = Observation::Unknown;
    let mut pauses = pauses.iter();
    loop {
        match op.wait(lost.api.find_lost_reset(op, &lost.target.fields, lost.before)).await {
            Ok(Ok(Observation::Unchanged)) => shown = Observation::Unchanged,
            Ok(Ok(Observation::Unknown) | Err(_)) | Err(_) => return shown,
            Ok(Ok(change)) => return change,
        }
        let Some(pause) = pauses.next() else { return shown };
        if op.wait(tokio::time::sleep(*pause)).await.is_err() {
            return shown;
        }
    }
}

/// How long whoever waits for an error waits for more of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long between one look and the next: the vendor may still be at work, and may show late what it has done.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{
        http::{Finality, Kind},
        secret::Name,
        vendors::{AppearedCredential, Fields, Listed, Presence, Reset},
    };

    /// A vendor that shows one thing after the other, and then nothing but errors.
    #[derive(Debug)]
    struct Fake(Mutex<Vec<Observation>>);

    impl Fake {
        fn shows(traces: &[Observation]) -> Self {
            Self(Mutex::new(traces.iter().rev().cloned().collect()))
        }
    }

    #[async_trait]
    impl VendorApi for Fake {
        async fn read(&self, _: &Operation, _: &Fields, _: &PriorCredential) -> Result<Presence, Error> {
            Err(error(Outcome::NotChanged, Finality::Final))
        }

        async fn list(&self, _: &Operation, _: &Fields) -> Result<Vec<Listed>, Error> {
            Err(error(Outcome::NotChanged, Finality::Final))
        }

        async fn reset(&self, _: &Operation, _: &Fields, _: Option<&Secret>) -> Result<Reset, Error> {
            Err(error(Outcome::MayHaveChanged, Finality::InFlight))
        }

        async fn find_lost_reset(&self, _: &Operation, _: &Fields, _: &Before) -> Result<Observation, Error> {
            self.0.lock().unwrap().pop().ok_or_else(|| error(Outcome::NotChanged, Finality::Final))
        }
    }

    fn error(outcome: Outcome, finality: Finality) -> Error {
        Error { finality, ..Error::new(Kind::Unavailable, outcome, "api.example.com", "a test") }
    }

    fn target() -> Target {
        let named = Value::object([("hubspot", Value::object([("user_name", "a@b".into())]))]);
        Target::of(&named).unwrap().unwrap()
    }

    fn successor() -> Target {
        let named = Value::object([("smtpd", Value::object([("name", "a".into()), ("role", "standard".into())]))]);
        Target::of(&named).unwrap().unwrap()
    }

    fn appeared(ids: &[&str]) -> Observation {
        let begun = Some(Timestamp::UNIX_EPOCH);
        Observation::Appeared(
            ids.iter().map(|id| AppearedCredential { id: Name::new(id), created_at: begun }).collect(),
        )
    }

    fn op() -> Operation {
        Operation::new(Duration::from_mins(1), CancellationToken::new())
    }

    async fn after(error: Error, op: &Operation, target: &Target, traces: &[Observation]) -> Aftermath {
        let (vendor, before) = (Fake::shows(traces), Before::default());
        let lost = Lost { target, api: &vendor, before: &before, begun: Timestamp::UNIX_EPOCH, witness: None };
        of(error, op, lost).await
    }

    fn words(Seen { words, caution }: &Seen) -> String {
        format!("{words} {caution}").trim().to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_later_change_of_the_password_itself_makes_the_outcome_certain() {
        use Outcome::{Changed, MayHaveChanged};
        for finality in [Finality::InFlight, Finality::Final] {
            for (target, traces, outcome, seen) in [
                (target(), vec![Observation::PasswordChanged], Changed, "shows a later change of the password"),
                (target(), vec![Observation::Changed], MayHaveChanged, "shows a later change of the credential"),
                (target(), vec![Observation::Unchanged; 3], MayHaveChanged, "proves nothing"),
                (
                    target(),
                    vec![Observation::Unchanged, Observation::Unchanged, Observation::PasswordChanged],
                    Changed,
                    "shows a later change",
                ),
                (target(), vec![Observation::Unknown], MayHaveChanged, ""),
                (target(), vec![], MayHaveChanged, ""),
                (successor(), vec![appeared(&["one"])], MayHaveChanged, "`one` (made at 1970-01-01T00:00:00Z)"),
                (
                    successor(),
                    vec![Observation::Unchanged, appeared(&["one", "two"])],
                    MayHaveChanged,
                    "`one` (made at",
                ),
                (successor(), vec![Observation::Unchanged; 3], MayHaveChanged, "only if nobody else made it"),
                (successor(), vec![], MayHaveChanged, "only if nobody else made it"),
            ] {
                let lost = error(MayHaveChanged, finality);
                let after = after(lost.clone(), &op(), &target, &traces).await;
                assert_eq!(after.error, Error { outcome, ..lost });
                let words = words(&after.seen);
                assert!(words.contains(seen) && words.is_empty() == seen.is_empty(), "{traces:?}: {words}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_certain_stays_and_only_a_credential_that_was_made_is_looked_for() {
        for (target, outcome, trace, seen) in [
            (target(), Outcome::NotChanged, Observation::PasswordChanged, ""),
            (target(), Outcome::Changed, Observation::PasswordChanged, ""),
            (successor(), Outcome::NotChanged, appeared(&["one"]), ""),
            (successor(), Outcome::Changed, appeared(&["one"]), "`one`"),
            (successor(), Outcome::Changed, Observation::Unchanged, "no new credential of this name so far"),
        ] {
            let after = after(error(outcome, Finality::Final), &op(), &target, &[trace]).await;
            assert_eq!(after.error.outcome, outcome);
            let words = words(&after.seen);
            assert!(words.contains(seen) && words.is_empty() == seen.is_empty(), "{words}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_that_shows_late_is_waited_for_but_not_for_ever() {
        let (target, before) = (target(), Before::default());
        for (traces, expected) in [
            (&[Observation::Unchanged, Observation::Unchanged, Observation::Changed][..], Observation::Changed),
            (
                &[Observation::Unchanged, Observation::Unchanged, Observation::Unchanged, Observation::Changed],
                Observation::Unchanged,
            ),
            (&[Observation::Unchanged], Observation::Unchanged),
            (&[], Observation::Unknown),
        ] {
            let vendor = Fake::shows(traces);
            let lost =
                Lost { target: &target, api: &vendor, before: &before, begun: Timestamp::UNIX_EPOCH, witness: None };
            assert_eq!(traced(&op(), lost, &PAUSES).await, expected);
        }
    }

    #[tokio::test]
    async fn a_stop_ends_the_asking() {
        let op = op();
        op.stop.cancel();
        let lost = error(Outcome::MayHaveChanged, Finality::InFlight);
        let after = after(lost.clone(), &op, &target(), &[Observation::PasswordChanged]).await;
        assert_eq!((after.error, words(&after.seen).as_str()), (lost, ""));
    }

    #[test]
    fn only_a_password_that_has_logged_in_and_is_not_stale_can_be_asked_about() {
        let place = |port: u16| {
            let verify = Value::object([("host", "mail.example.com".into()), ("port", port.into())]);
            Place::of(&Value::object([("verify", verify)]))
        };
        let state = |stale: Value, password: Value| {
            Value::object([("username", "a".into()), ("password", password), ("stale", stale)])
        };
        let secret = || Value::from(Secret::new("old"));
        assert!(Former::of(&state(false.into(), secret()), None).is_none());
        assert!(Former::of(&state(true.into(), secret()), place(587)).is_none());
        assert!(Former::of(&state(false.into(), Value::Null), place(587)).is_none());
        let former = Former::of(&state(false.into(), secret()), place(587)).unwrap();
        assert!(former.is_proven_at(&place(587).unwrap()) && !former.is_proven_at(&place(588).unwrap()));
    }
}
