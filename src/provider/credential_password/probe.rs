//! Logins with stored passwords, which a refresh makes where `verify.on_refresh` asks for them.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::{
    schema::{PASSWORD, USERNAME},
    staleness::Evidence,
    verify::{self, Place},
};
use crate::{
    backend::Operation,
    framework::{diagnostic::Diagnostic, value::Value},
    provider::{mail_server, target::Target},
    secret::Secret,
    smtp::{Failure, Roots, Server},
};

/// The logins of this process: servers lock out whoever fails too often, so that one is enough for each stored password.
#[derive(Debug, Default)]
pub(super) struct Probes(Mutex<Vec<Probe>>);

#[derive(Clone, Debug)]
struct Probe {
    id: String,
    password: Secret,
    ended: Arc<OnceCell<Result<(), Failure>>>,
}

/// What a login with a stored password has shown; nothing where there was none.
#[derive(Debug, Default)]
pub(super) struct Probed {
    /// What it says about the password.
    pub(super) evidence: Evidence,
    /// Why, where the user should know: it was refused, or could not be tried.
    pub(super) warning: Option<Diagnostic>,
}

impl Probes {
    /// Logs in with the password of a state, where the state asks for it and has what it takes. A refresh does not fail for it.
    pub(super) async fn probe(&self, op: &Operation, target: &Target, state: &Value, roots: Roots) -> Probed {
        let probed = self.log_in(op, target, state, roots).await;
        probed.unwrap_or_default()
    }

    async fn log_in(&self, op: &Operation, target: &Target, state: &Value, roots: Roots) -> Option<Probed> {
        let place = Place::of(state).filter(|_| verify::is_on_refresh(state))?;
        let server = place.server(None, target.vendor, roots).ok()?;
        let (username, password) = (state.get(USERNAME).as_str()?, state.get(PASSWORD).as_secret()?);
        let ended = self.ended(target, password);
        let login = ended.get_or_init(|| server.login(username, password));
        // A refresh that is cut short has nothing to say about the password.
        let ended = op.wait(login).await.ok()?;
        Some(Probed::of(target, &server, ended))
    }

    fn ended(&self, target: &Target, password: &Secret) -> Arc<OnceCell<Result<(), Failure>>> {
        let id = target.id();
        let mut probes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = probes.iter().find(|probe| probe.id == id && probe.password == *password);
        if let Some(known) = known {
            return Arc::clone(&known.ended);
        }
        let ended = Arc::default();
        probes.push(Probe { id, password: password.clone(), ended: Arc::clone(&ended) });
        ended
    }
}

impl Probed {
    fn of(target: &Target, server: &Server, ended: &Result<(), Failure>) -> Self {
        match ended {
            Ok(()) => Self { evidence: Evidence::Live, warning: None },
            Err(failure) if failure.is_wrong_password() => {
                Self { evidence: Evidence::Replaced, warning: Some(mail_server::refused(target, server, failure)) }
            }
            Err(failure) => {
                Self { evidence: Evidence::Nothing, warning: Some(mail_server::not_tried(target, server, failure)) }
            }
        }
    }

    /// The warnings of a refresh. A refusal says more than that the password is stale, and is as much or as little wanted.
    pub(super) fn warnings(self, stale: Option<Diagnostic>) -> impl Iterator<Item = Diagnostic> {
        let warnings = match self.evidence {
            Evidence::Replaced => [stale.and(self.warning), None],
            Evidence::Live | Evidence::Nothing => [self.warning, stale],
        };
        warnings.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::FailureKind;

    fn target() -> Target {
        let named = Value::object([("hubspot", Value::object([("user_name", "a@b".into())]))]);
        Target::of(&named).unwrap().unwrap()
    }

    #[test]
    fn a_stored_password_is_tried_once_and_another_by_itself() {
        let probes = Probes::default();
        let [first, again, other] =
            ["one", "one", "two"].map(|password| probes.ended(&target(), &password.to_owned().into()));
        assert!(Arc::ptr_eq(&first, &again) && !Arc::ptr_eq(&first, &other));
    }

    #[test]
    fn only_a_refused_password_is_stale() {
        let server = Server::new("mail.example.com", 587, crate::smtp::Security::StartTls, Roots::default());
        let probed = |ended| Probed::of(&target(), &server, &ended).evidence;
        assert_eq!(probed(Ok(())), Evidence::Live);
        for (kind, code, evidence) in [
            (FailureKind::Refused, Some(535), Evidence::Replaced),
            (FailureKind::Refused, Some(534), Evidence::Nothing),
            (FailureKind::Busy, Some(454), Evidence::Nothing),
            (FailureKind::TurnedAway, Some(535), Evidence::Nothing),
            (FailureKind::Unreachable, None, Evidence::Nothing),
        ] {
            assert_eq!(probed(Err(Failure { kind, code, reason: "a test" })), evidence, "{kind:?} {code:?}");
        }
    }

    #[test]
    fn a_refusal_is_told_as_often_as_staleness_is() {
        let [stale, own] = ["stale", "own"].map(|summary| Diagnostic::warning(summary, ""));
        for (evidence, stale, told) in [
            (Evidence::Replaced, Some(stale.clone()), vec![&own]),
            (Evidence::Replaced, None, vec![]),
            (Evidence::Nothing, Some(stale.clone()), vec![&own, &stale]),
            (Evidence::Nothing, None, vec![&own]),
        ] {
            let probed = Probed { evidence, warning: Some(own.clone()) };
            assert_eq!(probed.warnings(stale).collect::<Vec<_>>().iter().collect::<Vec<_>>(), told);
        }
    }
}
