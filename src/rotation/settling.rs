//! Waits until a new credential works everywhere, at vendors that need some time for that.
//!
//! A login that has worked shows it, so only without one is there a wait, before the credential that the new one
//! replaces is revoked.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::time::{Instant, sleep_until};

use crate::vendors::{Operation, Target};

/// When the new credentials of this process work everywhere, by the id of the resource. It has none that has logged in.
#[derive(Debug, Default)]
pub(super) struct Settling(Mutex<BTreeMap<String, Instant>>);

impl Settling {
    /// Records that a new credential was made.
    pub(super) fn begin(&self, target: &Target) {
        if let Some(end) = target.vendor.lag.and_then(|lag| Instant::now().checked_add(lag.settle)) {
            self.lock().insert(target.id(), end);
        }
    }

    /// Records that the new credential has logged in.
    pub(super) fn end(&self, target: &Target) {
        self.lock().remove(&target.id());
    }

    /// Waits until the new credential with this id works everywhere. Returns whether it does by then: a stop or the
    /// deadline ends the wait, and one that would outlast the deadline is not begun.
    pub(super) async fn wait(&self, op: &Operation, id: &str) -> bool {
        let end = self.lock().get(id).copied();
        match end {
            // A wait that cannot end in time would only delay what is reported.
            Some(end) if end > op.deadline => false,
            Some(end) => op.wait(sleep_until(end)).await.is_ok(),
            None => true,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{
        rotation::unused_api::target,
        vendors::{Lag, ResetKind, Vendor},
    };

    const WAIT: Duration = Duration::from_secs(30);

    fn slow() -> Target {
        let target = target(ResetKind::NewCredential, "a");
        let vendor = Vendor { lag: Some(Lag { verify: WAIT, settle: WAIT, unseen: WAIT }), ..*target.vendor };
        Target { vendor: Box::leak(Box::new(vendor)), ..target }
    }

    fn op(timeout: Duration) -> Operation {
        Operation::new(timeout, CancellationToken::new())
    }

    /// Returns whether the credential has settled, and after how many seconds.
    async fn waited(settling: &Settling, op: &Operation, id: &str) -> (bool, u64) {
        let start = Instant::now();
        (settling.wait(op, id).await, start.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_credential_settles_once_its_time_is_over() {
        let (settling, target) = (Settling::default(), slow());
        settling.begin(&target);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(waited(&settling, &op(Duration::from_mins(1)), "another").await, (true, 0));
        assert_eq!(waited(&settling, &op(Duration::from_mins(1)), &target.id()).await, (true, 20));
        assert_eq!(waited(&settling, &op(Duration::from_mins(1)), &target.id()).await, (true, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_ends_the_wait_and_most_vendors_need_none() {
        let (settling, slow) = (Settling::default(), slow());
        settling.begin(&slow);
        settling.end(&slow);
        let fast = target(ResetKind::NewCredential, "b");
        settling.begin(&fast);
        for target in [slow, fast] {
            assert_eq!(waited(&settling, &op(Duration::from_mins(1)), &target.id()).await, (true, 0));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_wait_and_one_beyond_the_deadline_is_not_begun() {
        let (settling, target) = (Settling::default(), slow());
        settling.begin(&target);
        assert_eq!(waited(&settling, &op(Duration::from_secs(20)), &target.id()).await, (false, 0));
        let stopped = op(Duration::from_mins(1));
        let stop = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            stopped.stop.cancel();
        };
        let id = target.id();
        let (settled, ()) = tokio::join!(waited(&settling, &stopped, &id), stop);
        assert_eq!(settled, (false, 5));
    }
}
