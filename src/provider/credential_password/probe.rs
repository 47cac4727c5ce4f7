//! Logins with stored passwords, which a refresh makes where `verify.on_refresh` asks for them.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::{
    schema::{PASSWORD, USERNAME},
    staleness::{Evidence, has_logged_in, is_silenced},
    verification::no_time,
    verify::{self, Place},
};
use crate::{
    framework::{diagnostic::Diagnostic, value::Value},
    http::Kind,
    provider::{logins::Logins, mail_server, target::Target},
    secret::Secret,
    smtp::{Extent, Failure, Roots, Server},
    vendors::Operation,
};

/// The logins of this process: servers lock out whoever fails too often, so that one is enough for each stored password.
#[derive(Debug, Default)]
pub(super) struct Probes(Mutex<Vec<Probe>>);

#[derive(Clone, Debug)]
struct Probe {
    id: String,
    password: Secret,
    ended: Arc<OnceCell<Ended>>,
}

/// How a login with a stored password ended.
#[derive(Clone, Debug)]
enum Ended {
    /// The server has answered, or failed to.
    Answered(Result<(), Failure>),
    /// It was not made, since the server has refused too many.
    Spared,
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
    pub(super) async fn probe(
        &self,
        op: &Operation,
        target: &Target,
        state: &Value,
        roots: Roots,
        logins: &Logins,
        proven: Option<&Place>,
    ) -> Probed {
        let probed = self.log_in(op, target, state, roots, logins, proven).await;
        probed.unwrap_or_default()
    }

    async fn log_in(
        &self,
        op: &Operation,
        target: &Target,
        state: &Value,
        roots: Roots,
        logins: &Logins,
        proven: Option<&Place>,
    ) -> Option<Probed> {
        let place = Place::of(state).filter(|_| verify::is_on_refresh(state))?;
        let server = place.server(None, target.vendor, roots).ok()?;
        let is_proof = has_logged_in(state, proven, &place);
        let (username, password) = (state.get(USERNAME).as_str()?, state.get(PASSWORD).as_secret()?);
        let ended = self.ended(target, password);
        match op.wait(ended.get_or_init(|| log_in(logins, &server, username, password))).await {
            Ok(ended) => Some(Probed::of(target, &server, ended, state, is_proof)),
            // A refresh that is stopped has nothing to say about the password.
            Err(error) if error.kind == Kind::Stopped => None,
            Err(_) => Some(Probed::of(target, &server, &Ended::Answered(Err(no_time())), state, is_proof)),
        }
    }

    fn ended(&self, target: &Target, password: &Secret) -> Arc<OnceCell<Ended>> {
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

/// Logs in when no other login at the server is under way, unless it has refused too many.
async fn log_in(logins: &Logins, server: &Server, username: &str, password: &Secret) -> Ended {
    let mut turn = logins.turn(server).await;
    if turn.left_at_refresh() == 0 {
        return Ended::Spared;
    }
    // Each mechanism that is left out could be the one that works.
    let mut tried = turn.tried(usize::MAX);
    let answer = server.log_in_again(username, password, Extent::Every, &mut tried).await.leave().await;
    turn.ended_at_refresh(&answer, &tried);
    Ended::Answered(answer)
}

impl Probed {
    fn of(target: &Target, server: &Server, ended: &Ended, state: &Value, is_proof: bool) -> Self {
        let nothing = |warning| Self { evidence: Evidence::Nothing, warning };
        match ended {
            Ended::Answered(Ok(())) => Self { evidence: Evidence::Live, warning: None },
            Ended::Answered(Err(failure)) if failure.is_wrong_password() && is_proof => {
                Self { evidence: Evidence::Replaced, warning: Some(mail_server::refused(target, server, failure)) }
            }
            Ended::Answered(Err(failure)) if failure.is_wrong_password() => {
                nothing((!is_silenced(state)).then(|| mail_server::never_accepted(target, server, failure)))
            }
            Ended::Answered(Err(failure)) => nothing(Some(mail_server::not_tried(target, server, failure))),
            Ended::Spared => nothing(Some(mail_server::spared(target, server))),
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
    use crate::{
        provider::credential_password::schema::{IGNORE, ON_EXTERNAL_CHANGE, VERIFIED},
        smtp::FailureKind,
    };

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
    fn only_a_refusal_of_a_password_that_has_logged_in_is_stale() {
        let server = Server::new("mail.example.com", 587, crate::smtp::Security::StartTls, Roots::default());
        let place = |host: &str| {
            let verify = Value::object([("host", Value::from(host)), ("port", 587_u16.into())]);
            Place::of(&Value::object([("verify", verify)])).unwrap()
        };
        let [here, elsewhere] = ["mail.example.com", "mail.example.org"].map(place);
        let proof =
            |verified: &Value, proven| has_logged_in(&Value::object([(VERIFIED, verified.clone())]), proven, &here);
        for (verified, proven, expected) in [
            (Value::Bool(true), None, true),
            (Value::Bool(true), Some(&here), true),
            (Value::Bool(true), Some(&elsewhere), false),
            (Value::Bool(false), None, false),
            (Value::Null, None, false),
        ] {
            assert_eq!(proof(&verified, proven), expected, "{verified:?} {proven:?}");
        }
        let probed =
            |ended, is_proof| Probed::of(&target(), &server, &Ended::Answered(ended), &Value::Null, is_proof).evidence;
        for is_proof in [false, true] {
            assert_eq!(probed(Ok(()), is_proof), Evidence::Live);
            for kind in [
                FailureKind::Refused,
                FailureKind::Denied,
                FailureKind::Mechanism,
                FailureKind::Busy,
                FailureKind::TurnedAway,
                FailureKind::Unreachable,
            ] {
                let failure = Failure { kind, ..no_time() };
                let is_stale = kind == FailureKind::Refused && is_proof;
                let evidence = if is_stale { Evidence::Replaced } else { Evidence::Nothing };
                assert_eq!(probed(Err(failure), is_proof), evidence, "{kind:?} {is_proof}");
            }
        }
    }

    #[test]
    fn a_refusal_that_proves_nothing_is_a_warning_unless_all_of_them_are_ignored() {
        let server = Server::new("mail.example.com", 587, crate::smtp::Security::StartTls, Roots::default());
        let refused = Ended::Answered(Err(Failure { kind: FailureKind::Refused, ..no_time() }));
        for (setting, warns) in [("warn", true), ("rotate", true), (IGNORE, false)] {
            let state = Value::object([(ON_EXTERNAL_CHANGE, setting.into())]);
            let warning = Probed::of(&target(), &server, &refused, &state, false).warning;
            assert_eq!(warning.map(|warning| warning.summary).is_some(), warns, "{setting}");
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
