//! Finds out what happened to a reset whose response was lost.
//!
//! This is for errors only: if there is a response, the state is stored and nothing is looked up. A definite outcome
//! needs definite proof. That nothing has changed proves nothing, because a vendor may show a reset late, or not at all
//! if its times are in whole seconds. So this module never concludes that the password was not changed.

use std::time::Duration;

use jiff::Timestamp;

use super::endpoint::SmtpEndpoint;
use crate::{
    http::{Error, Outcome},
    secret::Secret,
    smtp::Server,
    vendors::{Before, Observation, Operation, PriorCredential, ResetKind, Target, VendorApi},
};

/// The error of a reset, and what was found afterwards.
#[derive(Debug)]
pub(crate) struct Reconciled {
    /// The error. Its outcome is definite if the evidence proves it.
    pub(crate) error: Error,
    /// The evidence; `None` if nothing was looked up.
    pub(crate) evidence: Option<Evidence>,
}

/// What was found after a reset whose response was lost.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// What the vendor shows.
    pub(crate) observation: Observation,
    /// What the reset may have made, as [`VendorApi::successor`] calls it.
    pub(crate) successor: &'static str,
    /// When the reset was sent.
    pub(crate) begun: Timestamp,
    /// The mail server that the previous password was tried at, and whether it rejected it.
    pub(crate) previous_login: Option<(Box<Server>, bool)>,
}

/// A reset whose response was lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct LostReset<'a> {
    pub(super) target: &'a Target,
    pub(super) api: &'a dyn VendorApi,
    /// What was known of the credential before.
    pub(super) before: &'a Before,
    /// When the reset was sent.
    pub(super) begun: Timestamp,
    /// The previous password, and the mail server to try it at.
    pub(super) previous: Option<(&'a Server, &'a PreviousPassword)>,
}

/// What a state knows of a credential before it is reset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) credential: PriorCredential,
    /// The login in the state, whether or not it works.
    pub(crate) login: Option<StoredLogin>,
    pub(crate) previous_password: Option<PreviousPassword>,
    /// The credential before it, if the state has it as `previous`.
    pub(crate) previous: Option<PriorCredential>,
    /// Whether the first half of a replacement has revoked `previous`.
    pub(crate) is_previous_revoked: bool,
}

/// A user name and password in a state.
#[derive(Clone, Debug)]
pub(crate) struct StoredLogin {
    pub(crate) username: String,
    pub(crate) password: Secret,
}

/// A password that worked before a reset, as far as is known, and that a mail server has accepted.
#[derive(Clone, Debug)]
pub(crate) struct PreviousPassword {
    pub(crate) username: String,
    pub(crate) password: Secret,
    /// Where it has logged in. A rejection by a server that never accepted the password proves nothing.
    pub(crate) logged_in_at: SmtpEndpoint,
}

/// Investigates a reset whose outcome is unknown, for up to [`PATIENCE`] per question. Also looks for a credential that
/// was certainly created, so that the user can revoke it. Any other error is returned unchanged.
///
/// Failures in here are not reported, since the user needs to see the original error.
pub(super) async fn reconcile(error: Error, op: &Operation, lost: LostReset<'_>) -> Reconciled {
    // There is nothing to find if nothing was changed. If the password certainly was changed in place, nothing that
    // could be found would help: the next apply resets it again either way.
    let is_certain = error.outcome != Outcome::MayHaveChanged;
    if error.outcome == Outcome::NotChanged || (is_certain && lost.target.vendor.reset_kind == ResetKind::InPlace) {
        return Reconciled { error, evidence: None };
    }
    let observation = observe(&op.within(PATIENCE), lost, &PAUSES).await;
    // Only a later change of the password itself is proof. A later change of the credential may be an edit of something
    // else.
    let is_proven = is_certain || observation == Observation::PasswordChanged;
    let previous_login = match lost.previous {
        Some((server, previous)) if !is_proven => {
            let is_refused = is_refused(&op.within(PATIENCE), lost.target, server, previous).await;
            is_refused.map(|is_refused| (Box::new(server.clone()), is_refused))
        }
        _ => None,
    };
    let is_refused = matches!(previous_login, Some((_, true)));
    // A rejection of a password that this server has accepted proves a change, unless the credential was deleted.
    let is_proven = is_proven || is_refused && is_still_there(&op.within(PATIENCE), lost).await;
    let outcome = if is_proven { Outcome::Changed } else { error.outcome };
    let evidence = Evidence { observation, successor: lost.api.successor(), begun: lost.begun, previous_login };
    Reconciled { error: Error { outcome, ..error }, evidence: Some(evidence) }
}

/// Logs in with the previous password. Returns whether it was rejected; `None` if that is unknown.
///
/// If resets create new credentials, the previous password stays valid, so there is no point in trying it. An accepted
/// password proves nothing either, since a mail server may pick up a reset late.
async fn is_refused(op: &Operation, target: &Target, server: &Server, previous: &PreviousPassword) -> Option<bool> {
    if target.vendor.reset_kind == ResetKind::NewCredential {
        return None;
    }
    let login = op.wait(server.log_in(&previous.username, &previous.password)).await.ok()?;
    let reply = login.answer.clone();
    // The reply is known; closing the session is optional.
    let _ = op.wait(login.leave()).await;
    match reply {
        Ok(()) => Some(false),
        Err(failure) if failure.is_wrong_password() => Some(true),
        Err(_) => None,
    }
}

/// Returns whether the vendor certainly still has the credential. Logins to a deleted credential are rejected too,
/// although no password was changed.
async fn is_still_there(op: &Operation, lost: LostReset<'_>) -> bool {
    matches!(op.wait(lost.api.shows(op, &lost.target.fields)).await, Ok(Ok(true)))
}

/// Asks the vendor for a trace of the reset, at once and after each pause until there is a change.
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

/// How long each question may delay the error.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pauses between questions to the vendor, which may still be processing the reset or may show it late.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, sync::Mutex};

    use async_trait::async_trait;
    use sandbox::ClosedPort;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{
        http::{Finality, Kind},
        rotation::unused_api::target,
        secret::Name,
        smtp::{Roots, Security},
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

        async fn reset(&self, _: &Operation, _: &Fields, _: &Before, _: Option<&Secret>) -> Result<Reset, Error> {
            Err(error(Outcome::MayHaveChanged, Finality::InFlight))
        }

        async fn shows(&self, _: &Operation, _: &Fields) -> Result<bool, Error> {
            Ok(true)
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

    /// Reconciles where the previous password has logged in at this port.
    async fn after_login_at(port: u16, error: Error, shown: &[Observation]) -> Reconciled {
        let (host, timeout) = (Some("127.0.0.1".to_owned()), None);
        let logged_in_at = SmtpEndpoint { host, port, security: Security::Tls, timeout };
        let server = logged_in_at.server(Roots::default()).unwrap();
        let (username, password) = ("me".to_owned(), Secret::new("the old password"));
        let previous = PreviousPassword { username, password, logged_in_at };
        let (target, vendor, before) = (in_place(), Fake::shows(shown), Before::default());
        let (begun, previous) = (Timestamp::UNIX_EPOCH, Some((&server, &previous)));
        reconcile(error, &op(), LostReset { target: &target, api: &vendor, before: &before, begun, previous }).await
    }

    #[tokio::test]
    async fn a_mail_server_that_is_not_there_proves_nothing() {
        let closed = ClosedPort::bind();
        let lost = error(Outcome::MayHaveChanged, Finality::InFlight);
        let after = after_login_at(closed.port(), lost.clone(), &[]).await;
        assert_eq!(after.error, lost);
        assert!(after.evidence.unwrap().previous_login.is_none());
    }

    #[tokio::test]
    async fn what_the_vendor_proves_needs_no_login() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let lost = error(Outcome::MayHaveChanged, Finality::InFlight);
        let after = after_login_at(port, lost, &[Observation::PasswordChanged]).await;
        assert_eq!(after.error.outcome, Outcome::Changed);
        assert!(listener.accept().is_err(), "nobody has connected");
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
