//! Logins at mail servers, one after the other at each of them, for everything that a process tries there.
//!
//! Mail servers learn of resets late, and they lock out an address from which too many logins fail. So at each server at most one
//! login may be failing at a time: while it is tried again, the others wait. The same goes for a server that is busy, or that allows
//! so many connections or logins in a minute: one asks again, in pauses, and the others wait for that.

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

/// What the logins at one server have come to.
#[derive(Debug, Default)]
struct History {
    last: LastLogin,
    works: Option<Mechanism>,
    refused_at_refresh: usize,
}

/// How the logins with one password ended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum LastLogin {
    /// With one that worked; or there were none so far.
    #[default]
    Accepted,
    /// The server was busy to the end.
    Busy,
    /// They failed to the end.
    Failed,
}

/// The right to log in at one mail server. Until it is dropped, nothing else of this process logs in there.
#[derive(Debug)]
pub(super) struct LoginGuard(OwnedMutexGuard<History>);

impl LoginQueues {
    /// Waits until no other login at a server is under way. The caller ends the wait.
    pub(super) async fn acquire(&self, server: &Server) -> LoginGuard {
        LoginGuard(self.at(server).logins.lock_owned().await)
    }

    /// Checks that a login could be tried at a server. One that is busy is asked again for as long as `patience`.
    ///
    /// The caller cuts it off. What the server has replied by then is in `last`.
    pub(super) async fn check(
        &self,
        server: &Server,
        patience: Duration,
        last: &mut Option<Failure>,
    ) -> Result<(), Failure> {
        let end = Instant::now() + patience.min(LONGEST_PATIENCE);
        let checks = self.at(server).checks;
        // A check that is asking a busy server again is waited for; all others run side by side.
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
    /// How the logins with the previous password ended.
    pub(super) fn last(&self) -> LastLogin {
        self.0.last
    }

    /// Begins to count tries, with what is known of the server.
    pub(super) fn tried(&self, at_most: usize) -> Tried {
        Tried::at_most(at_most).preferring(self.0.works)
    }

    /// Records how the logins with a new password ended.
    pub(super) fn record(&mut self, answer: &Result<(), Failure>, tried: &Tried) {
        self.0.works = tried.works();
        self.0.last = match answer {
            Ok(()) => LastLogin::Accepted,
            Err(failure) if failure.is_busy() => LastLogin::Busy,
            Err(_) => LastLogin::Failed,
        };
    }

    /// How many logins with stored passwords may still be refused.
    pub(super) fn probes_left(&self) -> usize {
        MOST_REFUSED_AT_REFRESH.saturating_sub(self.0.refused_at_refresh)
    }

    /// Records how a login with a stored password ended.
    pub(super) fn record_probe(&mut self, answer: &Result<(), Failure>, tried: &Tried) {
        self.0.works = tried.works();
        if answer.is_err() {
            self.0.refused_at_refresh += tried.refused();
        }
    }
}

/// Pauses that grow.
#[derive(Debug)]
pub(super) struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(FIRST_PAUSE)
    }
}

impl Pauses {
    /// The next pause.
    pub(super) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}

fn is_busy(checked: &Result<(), Failure>) -> bool {
    checked.as_ref().is_err_and(Failure::is_busy)
}

/// How many logins with stored passwords a server may refuse in one process. Servers lock out an address after five or more in ten
/// minutes, and the verification of what is reset for it has yet to come.
const MOST_REFUSED_AT_REFRESH: usize = 4;

/// The pause after the first failure.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Servers count connections too, over a minute mostly.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Stands in for a patience too long to be a point in time.
const LONGEST_PATIENCE: Duration = Duration::from_hours(24);
