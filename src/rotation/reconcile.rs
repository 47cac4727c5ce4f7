//! What has become of a password when the response to its reset is lost.
//!
//! This is for errors only. Where there is a response there is a state to store, and nothing is asked. A certain sentence needs certain
//! proof, and absence is none: a vendor may show a reset late, or not at all if its times are in whole seconds. So nothing that is
//! found out here says that the password was not changed.

use std::time::Duration;

use jiff::Timestamp;

use super::endpoint::SmtpEndpoint;
use crate::{
    http::{Error, Outcome},
    secret::Secret,
    smtp::Server,
    vendors::{Before, Observation, Operation, PriorCredential, ResetKind, Target, VendorApi},
};

/// The error of a reset, and what was found out after it.
#[derive(Debug)]
pub(crate) struct Reconciled {
    /// The error, whose outcome is certain if what was found out proves it.
    pub(crate) error: Error,
    /// What was found out; `None` where nobody was asked.
    pub(crate) evidence: Option<Evidence>,
}

/// What was found out after a reset whose response was lost.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// What the vendor shows.
    pub(crate) observation: Observation,
    /// When the reset was begun.
    pub(crate) begun: Timestamp,
    /// A mail server that could be asked, and whether it refuses the previous password.
    pub(crate) previous_login: Option<(Box<Server>, bool)>,
}

/// A reset whose response was lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct LostReset<'a> {
    pub(super) target: &'a Target,
    pub(super) api: &'a dyn VendorApi,
    /// What was known before it.
    pub(super) before: &'a Before,
    /// When it was begun.
    pub(super) begun: Timestamp,
    /// The previous password, and the mail server that can be asked about it.
    pub(super) previous: Option<(&'a Server, &'a PreviousPassword)>,
}

/// What a state knows of a credential before it is reset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) credential: PriorCredential,
    pub(crate) previous_password: Option<PreviousPassword>,
}

/// A password that was the live one before a reset, as far as anybody knew, and that a mail server has accepted.
#[derive(Clone, Debug)]
pub(crate) struct PreviousPassword {
    pub(crate) username: String,
    pub(crate) password: Secret,
    /// Where it has logged in. A server that never accepted a password proves nothing by refusing it.
    pub(crate) logged_in_at: SmtpEndpoint,
}

/// Finds out about a reset whose outcome is unknown, for a few seconds at most; and about a credential that was certainly made, by
/// which name it can be revoked. Any other error stays as it is.
///
/// A failure in here is not reported: the first error is the one that counts.
pub(super) async fn reconcile(error: Error, op: &Operation, lost: LostReset<'_>) -> Reconciled {
    let is_certain = error.outcome != Outcome::MayHaveChanged;
    if error.outcome == Outcome::NotChanged || (is_certain && lost.target.vendor.reset_kind == ResetKind::InPlace) {
        return Reconciled { error, evidence: None };
    }
    let observation = observe(&op.within(PATIENCE), lost, &PAUSES).await;
    let is_proven = is_certain || observation == Observation::PasswordChanged;
    let previous_login = match lost.previous {
        Some((server, previous)) if !is_proven => {
            let is_refused = is_refused(&op.within(PATIENCE), lost.target, server, previous).await;
            is_refused.map(|is_refused| (Box::new(server.clone()), is_refused))
        }
        _ => None,
    };
    let is_refused = matches!(previous_login, Some((_, true)));
    let is_proven = is_proven || is_refused && is_still_there(&op.within(PATIENCE), lost).await;
    let outcome = if is_proven { Outcome::Changed } else { error.outcome };
    let evidence = Evidence { observation, begun: lost.begun, previous_login };
    Reconciled { error: Error { outcome, ..error }, evidence: Some(evidence) }
}

/// Logs in with the previous password. Returns whether it is refused; `None` where that could not be found out.
///
/// Where a reset makes another credential, the previous one keeps its password. And a password that is accepted proves nothing: a mail
/// server may learn of resets late, and no vendor promises that its own does not.
async fn is_refused(op: &Operation, target: &Target, server: &Server, previous: &PreviousPassword) -> Option<bool> {
    if target.vendor.reset_kind == ResetKind::NewCredential {
        return None;
    }
    let login = op.wait(server.log_in(&previous.username, &previous.password)).await.ok()?;
    let reply = login.answer.clone();
    // There may be no time left for that, and all is known.
    let _ = op.wait(login.leave()).await;
    match reply {
        Ok(()) => Some(false),
        Err(failure) if failure.is_wrong_password() => Some(true),
        Err(_) => None,
    }
}

/// Whether the vendor still has the credential for certain. To delete a credential ends its logins too, and changes no password.
async fn is_still_there(op: &Operation, lost: LostReset<'_>) -> bool {
    matches!(op.wait(lost.api.shows(op, &lost.target.fields)).await, Ok(Ok(true)))
}

/// What the vendor shows, at once and after each pause until there is a change.
async fn observe(op: &Operation, lost: LostReset<'_>, pauses: &[Duration]) -> Observation {
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

/// How much longer an error may be delayed to find out what happened.
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
        rotation::unused_api::target,
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

    fn in_place() -> Target {
        target(ResetKind::InPlace, "a@b")
    }

    fn makes_another() -> Target {
        target(ResetKind::NewCredential, "a")
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

    async fn after(error: Error, op: &Operation, target: &Target, shown: &[Observation]) -> Reconciled {
        let (vendor, before) = (Fake::shows(shown), Before::default());
        let lost = LostReset { target, api: &vendor, before: &before, begun: Timestamp::UNIX_EPOCH, previous: None };
        reconcile(error, op, lost).await
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_later_change_of_the_password_itself_makes_the_outcome_certain() {
        use Observation::{Changed, PasswordChanged, Unchanged, Unknown};
        for finality in [Finality::InFlight, Finality::Final] {
            for (target, shown, is_proven, observed) in [
                (in_place(), vec![PasswordChanged], true, PasswordChanged),
                (in_place(), vec![Changed], false, Changed),
                (in_place(), vec![Unchanged, Unchanged, Unchanged], false, Unchanged),
                (in_place(), vec![Unchanged, Unchanged, PasswordChanged], true, PasswordChanged),
                (in_place(), vec![Unknown], false, Unknown),
                (in_place(), vec![], false, Unknown),
                (makes_another(), vec![appeared(&["one"])], false, appeared(&["one"])),
                (makes_another(), vec![Unchanged, appeared(&["one", "two"])], false, appeared(&["one", "two"])),
                (makes_another(), vec![Unchanged, Unchanged, Unchanged], false, Unchanged),
                (makes_another(), vec![], false, Unknown),
            ] {
                let lost = error(Outcome::MayHaveChanged, finality);
                let after = after(lost.clone(), &op(), &target, &shown).await;
                let outcome = if is_proven { Outcome::Changed } else { Outcome::MayHaveChanged };
                assert_eq!(after.error, Error { outcome, ..lost });
                assert_eq!(after.evidence.unwrap().observation, observed, "{shown:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_certain_outcome_stays_and_only_a_new_credential_is_looked_for() {
        for (target, outcome, shown, observed) in [
            (in_place(), Outcome::NotChanged, Observation::PasswordChanged, None),
            (in_place(), Outcome::Changed, Observation::PasswordChanged, None),
            (makes_another(), Outcome::NotChanged, appeared(&["one"]), None),
            (makes_another(), Outcome::Changed, appeared(&["one"]), Some(appeared(&["one"]))),
            (makes_another(), Outcome::Changed, Observation::Unchanged, Some(Observation::Unchanged)),
        ] {
            let after = after(error(outcome, Finality::Final), &op(), &target, &[shown]).await;
            assert_eq!(after.error.outcome, outcome);
            assert_eq!(after.evidence.map(|evidence| evidence.observation), observed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_change_is_waited_for_but_not_for_ever() {
        use Observation::{Changed, Unchanged, Unknown};
        let (target, before) = (in_place(), Before::default());
        for (shown, expected) in [
            (&[Unchanged, Unchanged, Changed][..], Changed),
            (&[Unchanged, Unchanged, Unchanged, Changed], Unchanged),
            (&[Unchanged], Unchanged),
            (&[], Unknown),
        ] {
            let vendor = Fake::shows(shown);
            let begun = Timestamp::UNIX_EPOCH;
            let lost = LostReset { target: &target, api: &vendor, before: &before, begun, previous: None };
            assert_eq!(observe(&op(), lost, &PAUSES).await, expected);
        }
    }

    #[tokio::test]
    async fn a_stop_ends_the_search() {
        let op = op();
        op.stop.cancel();
        let lost = error(Outcome::MayHaveChanged, Finality::InFlight);
        let after = after(lost.clone(), &op, &in_place(), &[Observation::PasswordChanged]).await;
        assert_eq!((after.error, after.evidence.unwrap().observation), (lost, Observation::Unknown));
    }
}
