//! Logins of a refresh with stored passwords.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::{drift::Drift, login_check::no_time, login_queue::LoginQueues};
use crate::{
    http::Kind,
    secret::Secret,
    smtp::{Extent, Failure, Server},
    vendors::Operation,
};

/// The probes of this process. Each stored password is tried only once, since servers lock out clients that fail too
/// often.
#[derive(Debug, Default)]
pub(crate) struct LoginProbes(Mutex<Vec<Probe>>);

#[derive(Clone, Debug)]
struct Probe {
    id: String,
    password: Secret,
    login: Arc<OnceCell<Login>>,
}

/// The result of a login with a stored password.
#[derive(Clone, Debug)]
enum Login {
    /// The login was tried.
    Tried(Result<(), Failure>),
    /// The login was skipped because the server has rejected too many.
    Skipped,
}

/// What a login with a stored password shows about it.
#[derive(Clone, Debug)]
pub(crate) enum ProbeResult {
    /// The password works.
    LoggedIn,
    /// The password was rejected by a server that accepted it before, so it no longer works.
    Rejected(Failure),
    /// The password was rejected by a server that never accepted it, which proves nothing.
    RejectedWithoutProof(Failure),
    /// The login failed for a reason other than the password.
    NotTried(Failure),
    /// The login was skipped because the server has rejected too many logins of this process.
    Skipped,
}

impl LoginProbes {
    /// Logs in with the stored password of the resource `id`, once per process. `has_logged_in` is whether this
    /// password has logged in at this server before. `None` if the operation was stopped.
    pub(crate) async fn probe(
        &self,
        op: &Operation,
        logins: &LoginQueues,
        server: &Server,
        (id, username, password): (&str, &str, &Secret),
        has_logged_in: bool,
    ) -> Option<ProbeResult> {
        let login = self.login(id, password);
        let login = match op.wait(login.get_or_init(|| log_in(logins, server, username, password))).await {
            Ok(login) => login.clone(),
            // A stopped refresh says nothing about the password.
            Err(error) if error.kind == Kind::Stopped => return None,
            Err(_) => Login::Tried(Err(no_time())),
        };
        Some(ProbeResult::of(login, has_logged_in))
    }

    fn login(&self, id: &str, password: &Secret) -> Arc<OnceCell<Login>> {
        let mut probes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Two resources may have the same password, and one resource may have a new one by now.
        let known = probes.iter().find(|probe| probe.id == id && probe.password == *password);
        if let Some(known) = known {
            return Arc::clone(&known.login);
        }
        let login = Arc::default();
        probes.push(Probe { id: id.to_owned(), password: password.clone(), login: Arc::clone(&login) });
        login
    }
}

/// Logs in once no other login at the server is in progress, unless the server has rejected too many.
async fn log_in(logins: &LoginQueues, server: &Server, username: &str, password: &Secret) -> Login {
    let mut guard = logins.acquire(server).await;
    if guard.probes_left() == 0 {
        return Login::Skipped;
    }
    // No limit: any mechanism that was left out could be the one that works.
    let mut tried = guard.tried(usize::MAX);
    let reply = server.log_in_again(username, password, Extent::Every, &mut tried).await.leave().await;
    guard.record_probe(&reply, &tried);
    Login::Tried(reply)
}

impl ProbeResult {
    fn of(login: Login, has_logged_in: bool) -> Self {
        match login {
            Login::Tried(Ok(())) => Self::LoggedIn,
            Login::Tried(Err(failure)) if !failure.is_wrong_password() => Self::NotTried(failure),
            Login::Tried(Err(failure)) if has_logged_in => Self::Rejected(failure),
            Login::Tried(Err(failure)) => Self::RejectedWithoutProof(failure),
            Login::Skipped => Self::Skipped,
        }
    }

    /// Returns what the result means for the stored password.
    pub(crate) fn drift(&self) -> Drift {
        match self {
            Self::LoggedIn => Drift::Absent,
            Self::Rejected(_) => Drift::Confirmed,
            Self::RejectedWithoutProof(_) | Self::NotTried(_) | Self::Skipped => Drift::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, time::Duration};

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::smtp::{FailureKind, Roots, Security};

    #[test]
    fn a_stored_password_is_tried_once_and_another_by_itself() {
        let probes = LoginProbes::default();
        let [first, again, other] =
            ["one", "one", "two"].map(|password| probes.login("hubspot/a@b", &password.to_owned().into()));
        assert!(Arc::ptr_eq(&first, &again) && !Arc::ptr_eq(&first, &other));
    }

    #[test]
    fn only_a_refusal_of_a_password_that_has_logged_in_is_stale() {
        let drift = |reply, is_proof| ProbeResult::of(Login::Tried(reply), is_proof).drift();
        for is_proof in [false, true] {
            assert_eq!(drift(Ok(()), is_proof), Drift::Absent);
            for kind in [
                FailureKind::Refused,
                FailureKind::Denied,
                FailureKind::Mechanism,
                FailureKind::Busy,
                FailureKind::TurnedAway,
                FailureKind::Unreachable,
            ] {
                let is_stale = kind == FailureKind::Refused && is_proof;
                let expected = if is_stale { Drift::Confirmed } else { Drift::Unknown };
                assert_eq!(drift(Err(Failure { kind, ..no_time() }), is_proof), expected, "{kind:?} {is_proof}");
            }
        }
        assert_eq!(ProbeResult::of(Login::Skipped, true).drift(), Drift::Unknown);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stopped_probe_has_no_result_and_an_unanswered_one_is_not_tried() {
        // It accepts connections and says nothing.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Server::new("127.0.0.1", port, Security::StartTls, Roots::default());
        let password = Secret::new("a password");
        for is_stopped in [true, false] {
            let (probes, logins) = (LoginProbes::default(), LoginQueues::default());
            let op = Operation::new(Duration::from_secs(20), CancellationToken::new());
            if is_stopped {
                op.stop.cancel();
            }
            let result = probes.probe(&op, &logins, &server, ("hubspot/a@b", "a@b", &password), true).await;
            match result {
                None => assert!(is_stopped),
                Some(ProbeResult::NotTried(failure)) => {
                    assert_eq!((is_stopped, failure.kind), (false, FailureKind::TimedOut));
                }
                Some(other) => panic!("{other:?}"),
            }
        }
    }
}
