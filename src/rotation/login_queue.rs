//! Queues that make logins at a mail server run one after the other.
//!
//! Mail servers pick up resets late, and they lock out an address after too many failed logins. At each server,
//! therefore, only one login may be failing at a time: while it is retried, the others wait. The same applies if a
//! server is busy or limits connections or logins per minute: one client retries, with pauses, and the others wait for
//! it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex as BriefMutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::{Instant, sleep_until},
};

use crate::smtp::{Failure, Mechanism, Server, Tried};

/// The queues at all mail servers, by host and port.
#[derive(Clone, Debug, Default)]
pub(crate) struct LoginQueues(Arc<BriefMutex<BTreeMap<String, Queues>>>);

#[derive(Clone, Debug, Default)]
struct Queues {
    logins: Arc<Mutex<History>>,
    checks: Arc<Mutex<()>>,
}

/// The history of the logins at one server.
#[derive(Debug, Default)]
struct History {
    last: LastLogin,
    works: Option<Mechanism>,
    refused_at_refresh: usize,
}

/// The result of the logins with one password.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum LastLogin {
    /// The last login succeeded, or there was none yet.
    #[default]
    Accepted,
    /// The server stayed busy.
    Busy,
    /// All logins failed.
    Failed,
}

/// The right to log in at one mail server. No other task of this process logs in there until it is dropped.
#[derive(Debug)]
pub(super) struct LoginGuard(OwnedMutexGuard<History>);

impl LoginQueues {
    /// Waits until no other login at a server is in progress. The caller limits the wait.
    pub(super) async fn acquire(&self, server: &Server) -> LoginGuard {
        LoginGuard(self.at(server).logins.lock_owned().await)
    }

    /// Checks that a login at a server is possible. A busy server is retried for up to `patience`.
    ///
    /// The caller may stop waiting earlier. The last failure up to then is in `last`.
    pub(super) async fn check(
        &self,
        server: &Server,
        patience: Duration,
        last: &mut Option<Failure>,
    ) -> Result<(), Failure> {
        let end = Instant::now() + patience.min(MAX_PATIENCE);
        let checks = self.at(server).checks;
        // Wait while another check retries a busy server. Otherwise checks run concurrently.
        drop(checks.lock().await);
        let mut checked = server.check().await;
        if !is_busy(&checked) {
            return checked;
        }
        *last = checked.as_ref().err().cloned();
        let _guard = checks.lock().await;
        let mut pauses = Pauses::default();
        loop {
            let next = (Instant::now() + pauses.next()).min(end);
            let is_last = next == end;
            sleep_until(next).await;
            checked = server.check().await;
            if is_last || !is_busy(&checked) {
                return checked;
            }
            *last = checked.as_ref().err().cloned();
        }
    }

    fn at(&self, server: &Server) -> Queues {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queues.entry(server.to_string()).or_default().clone()
    }
}

impl LoginGuard {
    /// Returns the result of the logins with the previous password.
    pub(super) fn last(&self) -> LastLogin {
        self.0.last
    }

    /// Starts counting the logins with one password, at most `at_most` of them rejected. The mechanism that worked
    /// before is tried first.
    pub(super) fn tried(&self, at_most: usize) -> Tried {
        Tried::at_most(at_most).preferring(self.0.works)
    }

    /// Records the result of the logins with a new password.
    pub(super) fn record(&mut self, answer: &Result<(), Failure>, tried: &Tried) {
        self.0.works = tried.works();
        self.0.last = match answer {
            Ok(()) => LastLogin::Accepted,
            Err(failure) if failure.is_busy() => LastLogin::Busy,
            Err(_) => LastLogin::Failed,
        };
    }

    /// Returns how many more logins with stored passwords may be rejected.
    pub(super) fn probes_left(&self) -> usize {
        MOST_REFUSED_AT_REFRESH.saturating_sub(self.0.refused_at_refresh)
    }

    /// Records the result of a login with a stored password.
    pub(super) fn record_probe(&mut self, answer: &Result<(), Failure>, tried: &Tried) {
        self.0.works = tried.works();
        if answer.is_err() {
            self.0.refused_at_refresh += tried.refused();
        }
    }
}

/// Growing pauses between retries.
#[derive(Debug)]
pub(super) struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(FIRST_PAUSE)
    }
}

impl Pauses {
    /// Returns the next pause.
    pub(super) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}

fn is_busy(checked: &Result<(), Failure>) -> bool {
    checked.as_ref().is_err_and(Failure::is_busy)
}

/// The maximum number of rejected logins with stored passwords, per server and process. Servers lock out an address
/// after five or more in ten minutes, and the new passwords of stale credentials will have to log in later.
const MOST_REFUSED_AT_REFRESH: usize = 4;

/// The pause after the first failure.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Servers also limit connections, usually per minute.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Caps the patience, because a larger duration could overflow the clock.
const MAX_PATIENCE: Duration = Duration::from_hours(24);

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        net::TcpListener,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;
    use crate::smtp::{FailureKind, Roots, Security};

    fn failure(kind: FailureKind) -> Failure {
        Failure { kind, code: None, enhanced: None, reason: "a test".into() }
    }

    async fn guard() -> LoginGuard {
        let server = Server::new("127.0.0.1", 1, Security::Tls, Roots::default());
        LoginQueues::default().acquire(&server).await
    }

    #[tokio::test]
    async fn only_rejected_logins_with_stored_passwords_use_up_what_is_left() {
        let mut guard = guard().await;
        let refused = failure(FailureKind::Refused);
        assert_eq!(guard.probes_left(), 4);
        for (answer, rejected, left) in
            [(Err(refused.clone()), 1, 3), (Ok(()), 1, 3), (Err(refused.clone()), 2, 1), (Err(refused), 2, 0)]
        {
            guard.record_probe(&answer, &Tried::after(usize::MAX, rejected, 2));
            assert_eq!(guard.probes_left(), left, "{answer:?}");
        }
    }

    #[tokio::test]
    async fn the_last_login_with_a_new_password_is_remembered() {
        let mut guard = guard().await;
        let failed = |kind| Err(failure(kind));
        assert_eq!(guard.last(), LastLogin::Accepted);
        for (answer, last) in [
            (failed(FailureKind::Busy), LastLogin::Busy),
            (failed(FailureKind::Refused), LastLogin::Failed),
            (failed(FailureKind::Unreachable), LastLogin::Failed),
            (Ok(()), LastLogin::Accepted),
        ] {
            guard.record(&answer, &Tried::at_most(4));
            assert_eq!(guard.last(), last, "{answer:?}");
        }
    }

    /// A server that greets with one line after the other, the last one again and again, and then closes. Counts its
    /// connections.
    fn greeting(lines: &'static [&'static str]) -> (Server, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let number = counted.fetch_add(1, Ordering::Relaxed);
                let line = lines[number.min(lines.len() - 1)];
                // The client may have gone.
                let _ = stream.and_then(|mut stream| write!(stream, "{line}\r\n"));
            }
        });
        (Server::new("127.0.0.1", port, Security::StartTls, Roots::default()), connections)
    }

    #[tokio::test]
    async fn a_busy_server_is_asked_again_after_pauses_until_it_is_not_busy() {
        for (lines, kind, at_most) in [
            (&["421 4.3.2 Busy", "554 5.3.2 No"][..], FailureKind::TurnedAway, 2),
            (&["421 4.3.2 Busy"], FailureKind::Busy, 3),
        ] {
            let (server, connections) = greeting(lines);
            let (queues, mut last) = (LoginQueues::default(), None);
            let checked = queues.check(&server, Duration::from_secs(2), &mut last).await;
            assert_eq!(checked.unwrap_err().kind, kind);
            assert_eq!(last.map(|failure| failure.kind), Some(FailureKind::Busy));
            let connections = connections.load(Ordering::Relaxed);
            assert!((2..=at_most).contains(&connections), "{connections} connections");
        }
    }
}
