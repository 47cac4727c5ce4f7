//! Resets of one credential, one after the other.
//!
//! Nothing keeps two resources of one run from naming the same credential, and core carries them out side by side. Two
//! resets that cross on the way would leave nobody knowing whose password is the last.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex as BriefMutex, PoisonError, Weak},
};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{
    http::Error,
    vendors::{Operation, VendorApi},
};

/// The turns at every credential, by the id of its resource.
#[derive(Debug, Default)]
pub(super) struct Turns(BriefMutex<BTreeMap<String, Arc<Mutex<Past>>>>);

/// A turn at one credential: until it is dropped, nobody else resets that.
#[derive(Debug)]
pub(super) struct Turn(OwnedMutexGuard<Past>);

/// The APIs of the last resets. Core configures a provider for every run, which makes other ones.
#[derive(Debug, Default)]
struct Past {
    /// Of the last that was tried.
    tried: Option<Weak<dyn VendorApi>>,
    /// Of the last that worked.
    worked: Option<Weak<dyn VendorApi>>,
}

/// Whether this run has reset a credential before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reset {
    /// It has not.
    First,
    /// It has, for another resource.
    Again,
}

impl Turns {
    /// Waits for the turn at a credential, if it comes before the operation ends.
    pub(super) async fn take(&self, op: &Operation, id: &str) -> Result<Turn, Error> {
        let credential = {
            let mut credentials = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(credentials.entry(id.to_owned()).or_default())
        };
        match Arc::clone(&credential).try_lock_owned() {
            Ok(free) => Ok(Turn(free)),
            Err(_) => op.wait(credential.lock_owned()).await.map(Turn),
        }
    }
}

impl Turn {
    /// Notes that a reset is about to be tried, and tells whether it is the run's first of this credential.
    pub(super) fn tries(&mut self, api: &Arc<dyn VendorApi>) -> Reset {
        Reset::after(&mut self.0.tried, api)
    }

    /// Notes that a reset has worked, and tells whether it was the run's first of this credential. Waits for nothing.
    pub(super) fn used(&mut self, api: &Arc<dyn VendorApi>) -> Reset {
        Reset::after(&mut self.0.worked, api)
    }
}

impl Reset {
    fn after(last: &mut Option<Weak<dyn VendorApi>>, api: &Arc<dyn VendorApi>) -> Self {
        let before = last.replace(Arc::downgrade(api));
        let is_same_run = before.is_some_and(|before| before.ptr_eq(&Arc::downgrade(api)));
        if is_same_run { Self::Again } else { Self::First }
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, task::Poll, time::Duration};

    use async_trait::async_trait;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{
        http::Outcome,
        secret::Secret,
        vendors::{Fields, Listed, Presence, PriorCredential, Reset as Answer},
    };

    #[derive(Debug)]
    struct Unused;

    #[async_trait]
    impl VendorApi for Unused {
        async fn read(&self, _: &Operation, _: &Fields, _: &PriorCredential) -> Result<Presence, Error> {
            unreachable!("nobody is asked")
        }

        async fn list(&self, _: &Operation, _: &Fields) -> Result<Vec<Listed>, Error> {
            unreachable!("nobody is asked")
        }

        async fn reset(&self, _: &Operation, _: &Fields, _: Option<&Secret>) -> Result<Answer, Error> {
            unreachable!("nobody is asked")
        }
    }

    fn operation(timeout: Duration) -> Operation {
        Operation::new(timeout, CancellationToken::new())
    }

    #[tokio::test]
    async fn another_reset_of_the_same_credential_in_the_same_run_is_noticed() {
        let (turns, op) = (Turns::default(), operation(Duration::from_mins(1)));
        let [this_run, next_run]: [Arc<dyn VendorApi>; 2] = [Arc::new(Unused), Arc::new(Unused)];
        let mut seen = Vec::new();
        for (id, run) in [("a", &this_run), ("b", &this_run), ("a", &this_run), ("a", &next_run), ("a", &next_run)] {
            seen.push(turns.take(&op, id).await.unwrap().used(run));
        }
        assert_eq!(seen, [Reset::First, Reset::First, Reset::Again, Reset::First, Reset::Again]);
    }

    #[tokio::test]
    async fn a_turn_comes_when_the_one_before_is_over_and_others_do_not_wait() {
        let (turns, op) = (Turns::default(), operation(Duration::from_mins(1)));
        let first = turns.take(&op, "a").await.unwrap();
        let mut second = pin!(turns.take(&op, "a"));
        assert!(matches!(poll_once(second.as_mut()), Poll::Pending));
        turns.take(&op, "b").await.unwrap();
        drop(first);
        second.await.unwrap();
    }

    #[tokio::test]
    async fn a_turn_that_does_not_come_in_time_changes_nothing() {
        let turns = Turns::default();
        let _held = turns.take(&operation(Duration::from_mins(1)), "a").await.unwrap();
        let stopped = operation(Duration::from_mins(1));
        stopped.stop.cancel();
        for op in [operation(Duration::ZERO), stopped] {
            assert_eq!(turns.take(&op, "a").await.unwrap_err().outcome, Outcome::NotChanged);
        }
    }

    fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    }
}
