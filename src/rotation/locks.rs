//! Locks that allow only one reset of a credential at a time.
//!
//! Two resources of one run may refer to the same credential, and core applies them concurrently. If their resets
//! overtook each other, it would be unknown which password is the current one.
//!
//! A lock also knows what this run has done with the credential.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex as BriefMutex, MutexGuard, PoisonError, Weak},
};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{
    http::Error,
    text::name_key,
    vendors::{Operation, VendorApi},
};

/// The locks of all credentials, by id. All spellings of an id have the same lock.
#[derive(Debug, Default)]
pub(super) struct CredentialLocks(BriefMutex<BTreeMap<String, Credential>>);

/// The lock of one credential. No other task resets the credential until it is dropped.
#[derive(Debug)]
pub(super) struct CredentialGuard {
    history: Arc<BriefMutex<History>>,
    _lock: OwnedMutexGuard<()>,
}

#[derive(Clone, Debug, Default)]
struct Credential {
    lock: Arc<Mutex<()>>,
    /// Has a lock of its own, since it is also read while a reset is under way.
    history: Arc<BriefMutex<History>>,
}

/// The APIs of what was done last. Each run has its own, so they identify runs.
#[derive(Debug, Default)]
struct History {
    /// That of the last attempt.
    tried: Option<Weak<dyn VendorApi>>,
    /// That of the last success.
    worked: Option<Weak<dyn VendorApi>>,
    /// That of the last pair to rotate away from it.
    left: Option<Weak<dyn VendorApi>>,
}

/// Whether this run has already reset a credential.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Occurrence {
    /// No.
    First,
    /// Yes, for another resource.
    Again,
    /// No, but a pair of this run has it as the previous credential, and relies on its password.
    OfPrevious,
}

impl CredentialLocks {
    /// Locks a credential. Fails if the operation is stopped or times out first.
    pub(super) async fn acquire(&self, op: &Operation, id: &str) -> Result<CredentialGuard, Error> {
        let Credential { lock, history } = self.credential(id);
        // A free lock needs no wait, so it must not fail because of the operation's deadline.
        let lock = match Arc::clone(&lock).try_lock_owned() {
            Ok(free) => free,
            Err(_) => op.wait(lock.lock_owned()).await?,
        };
        Ok(CredentialGuard { history, _lock: lock })
    }

    /// Records that a pair has rotated away from a credential, whose password is meant to go on working. Returns whether
    /// this run has already reset it for another resource. A later reset is [`Occurrence::OfPrevious`].
    pub(super) fn leave(&self, id: &str, api: &Arc<dyn VendorApi>) -> bool {
        let history = self.credential(id).history;
        let mut history = locked(&history);
        history.left = Some(Arc::downgrade(api));
        is_of(history.worked.as_ref(), api)
    }

    fn credential(&self, id: &str) -> Credential {
        locked(&self.0).entry(name_key(id)).or_default().clone()
    }
}

fn locked<T>(mutex: &BriefMutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether what was done was done by this run.
fn is_of(done: Option<&Weak<dyn VendorApi>>, api: &Arc<dyn VendorApi>) -> bool {
    done.is_some_and(|done| done.ptr_eq(&Arc::downgrade(api)))
}

impl CredentialGuard {
    /// Records that a reset is about to be sent. Returns whether it is this run's first of the credential.
    pub(super) fn attempts(&mut self, api: &Arc<dyn VendorApi>) -> Occurrence {
        Occurrence::after(&mut locked(&self.history).tried, api)
    }

    /// Records that a reset succeeded. Returns whether it was this run's first of the credential. Never waits for
    /// another reset.
    pub(super) fn succeeds(&mut self, api: &Arc<dyn VendorApi>) -> Occurrence {
        let mut history = locked(&self.history);
        match Occurrence::after(&mut history.worked, api) {
            Occurrence::First if is_of(history.left.as_ref(), api) => Occurrence::OfPrevious,
            occurrence => occurrence,
        }
    }
}

impl Occurrence {
    fn after(last: &mut Option<Weak<dyn VendorApi>>, api: &Arc<dyn VendorApi>) -> Self {
        let before = last.replace(Arc::downgrade(api));
        if is_of(before.as_ref(), api) { Self::Again } else { Self::First }
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, task::Poll, time::Duration};

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{http::Outcome, rotation::unused_api::UnusedApi};

    fn operation(timeout: Duration) -> Operation {
        Operation::new(timeout, CancellationToken::new())
    }

    #[tokio::test]
    async fn another_reset_of_the_same_credential_in_the_same_run_is_noticed() {
        let (locks, op) = (CredentialLocks::default(), operation(Duration::from_mins(1)));
        let [this_run, next_run]: [Arc<dyn VendorApi>; 2] = [Arc::new(UnusedApi), Arc::new(UnusedApi)];
        let mut seen = Vec::new();
        for (id, run) in [("a", &this_run), ("b", &this_run), ("A", &this_run), ("a", &next_run), ("a", &next_run)] {
            seen.push(locks.acquire(&op, id).await.unwrap().succeeds(run));
        }
        assert_eq!(
            seen,
            [Occurrence::First, Occurrence::First, Occurrence::Again, Occurrence::First, Occurrence::Again]
        );
    }

    #[tokio::test]
    async fn a_reset_of_what_a_pair_rotates_away_from_is_noticed_in_either_order_and_once() {
        let op = operation(Duration::from_mins(1));
        let [this_run, next_run]: [Arc<dyn VendorApi>; 2] = [Arc::new(UnusedApi), Arc::new(UnusedApi)];
        // Another spelling is the same credential.
        for id in ["hubspot/a@b", "hubspot/A@B"] {
            let locks = CredentialLocks::default();
            let mut guard = locks.acquire(&op, "hubspot/a@b").await.unwrap();
            guard.attempts(&this_run);
            assert!(!locks.leave(id, &next_run), "nothing is known to be reset yet");
            assert_eq!(guard.succeeds(&this_run), Occurrence::First, "another run has left it");
            assert!(locks.leave(id, &this_run), "it is reset, whether or not the other resource is done");
            drop(guard);
            assert!(locks.leave(id, &this_run));
            assert!(!locks.leave(id, &next_run) && !locks.leave("hubspot/b@b", &this_run));

            let locks = CredentialLocks::default();
            assert!(!locks.leave(id, &this_run));
            let mut guard = locks.acquire(&op, "hubspot/a@b").await.unwrap();
            assert_eq!(guard.attempts(&this_run), Occurrence::First);
            assert_eq!(guard.succeeds(&this_run), Occurrence::OfPrevious);
            assert_eq!(guard.succeeds(&this_run), Occurrence::Again);
        }
    }

    #[tokio::test]
    async fn a_lock_waits_for_the_previous_reset_of_the_same_credential_only() {
        let (locks, op) = (CredentialLocks::default(), operation(Duration::from_mins(1)));
        let first = locks.acquire(&op, "a").await.unwrap();
        let mut second = pin!(locks.acquire(&op, "a"));
        assert!(matches!(poll_once(second.as_mut()), Poll::Pending));
        locks.acquire(&op, "b").await.unwrap();
        drop(first);
        second.await.unwrap();
    }

    #[tokio::test]
    async fn a_lock_that_comes_too_late_changes_nothing() {
        let locks = CredentialLocks::default();
        let _held = locks.acquire(&operation(Duration::from_mins(1)), "a").await.unwrap();
        let stopped = operation(Duration::from_mins(1));
        stopped.stop.cancel();
        for op in [operation(Duration::ZERO), stopped] {
            assert_eq!(locks.acquire(&op, "a").await.unwrap_err().outcome, Outcome::NotChanged);
        }
    }

    fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    }
}
