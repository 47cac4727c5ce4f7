//! Locks that allow only one reset of a credential at a time.
//!
//! Two resources of one run may refer to the same credential, and core applies them concurrently. If their resets
//! overtook each other, it would be unknown which password is the current one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex as BriefMutex, PoisonError, Weak},
};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{
    http::Error,
    vendors::{Operation, VendorApi},
};

/// The locks of all credentials, by id.
#[derive(Debug, Default)]
pub(super) struct CredentialLocks(BriefMutex<BTreeMap<String, Arc<Mutex<History>>>>);

/// The lock of one credential. No other task resets the credential until it is dropped.
#[derive(Debug)]
pub(super) struct CredentialGuard(OwnedMutexGuard<History>);

/// The APIs that sent the last resets. Each run has its own, so they identify runs.
#[derive(Debug, Default)]
struct History {
    /// That of the last attempt.
    tried: Option<Weak<dyn VendorApi>>,
    /// That of the last success.
    worked: Option<Weak<dyn VendorApi>>,
}

/// Whether this run has already reset a credential.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Occurrence {
    /// No.
    First,
    /// Yes, for another resource.
    Again,
}

impl CredentialLocks {
    /// Locks a credential. Fails if the operation is stopped or times out first.
    pub(super) async fn acquire(&self, op: &Operation, id: &str) -> Result<CredentialGuard, Error> {
        let credential = {
            let mut credentials = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(credentials.entry(id.to_owned()).or_default())
        };
        // A free lock needs no wait, so it must not fail because of the operation's deadline.
        match Arc::clone(&credential).try_lock_owned() {
            Ok(free) => Ok(CredentialGuard(free)),
            Err(_) => op.wait(credential.lock_owned()).await.map(CredentialGuard),
        }
    }

    /// Returns whether this run has reset a credential, or is doing so.
    pub(super) fn is_reset(&self, id: &str, api: &Arc<dyn VendorApi>) -> bool {
        let credentials = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        credentials.get(id).is_some_and(|credential| match credential.try_lock() {
            Ok(history) => history.worked.as_ref().is_some_and(|last| last.ptr_eq(&Arc::downgrade(api))),
            Err(_) => true,
        })
    }
}

impl CredentialGuard {
    /// Records that a reset is about to be sent. Returns whether it is this run's first of the credential.
    pub(super) fn attempts(&mut self, api: &Arc<dyn VendorApi>) -> Occurrence {
        Occurrence::after(&mut self.0.tried, api)
    }

    /// Records that a reset succeeded. Returns whether it was this run's first of the credential. Never blocks.
    pub(super) fn succeeds(&mut self, api: &Arc<dyn VendorApi>) -> Occurrence {
        Occurrence::after(&mut self.0.worked, api)
    }
}

impl Occurrence {
    fn after(last: &mut Option<Weak<dyn VendorApi>>, api: &Arc<dyn VendorApi>) -> Self {
        let before = last.replace(Arc::downgrade(api));
        let is_same_run = before.is_some_and(|before| before.ptr_eq(&Arc::downgrade(api)));
        if is_same_run { Self::Again } else { Self::First }
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
        for (id, run) in [("a", &this_run), ("b", &this_run), ("a", &this_run), ("a", &next_run), ("a", &next_run)] {
            seen.push(locks.acquire(&op, id).await.unwrap().succeeds(run));
        }
        assert_eq!(
            seen,
            [Occurrence::First, Occurrence::First, Occurrence::Again, Occurrence::First, Occurrence::Again]
        );
    }

    #[tokio::test]
    async fn a_credential_is_reset_where_this_run_has_done_so_or_is_doing_so() {
        let (locks, op) = (CredentialLocks::default(), operation(Duration::from_mins(1)));
        let [this_run, next_run]: [Arc<dyn VendorApi>; 2] = [Arc::new(UnusedApi), Arc::new(UnusedApi)];
        assert!(!locks.is_reset("a", &this_run));
        let mut guard = locks.acquire(&op, "a").await.unwrap();
        assert!(locks.is_reset("a", &this_run));
        drop(guard);
        assert!(!locks.is_reset("a", &this_run), "it has failed");
        guard = locks.acquire(&op, "a").await.unwrap();
        guard.succeeds(&this_run);
        drop(guard);
        assert!(locks.is_reset("a", &this_run));
        assert!(!locks.is_reset("a", &next_run) && !locks.is_reset("b", &this_run));
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
