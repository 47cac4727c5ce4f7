//! New credentials that may not work everywhere yet.
//!
//! At some vendors a new credential works only after a while. If no login has shown that it does, the one before is
//! revoked no sooner than that, or nothing could send mail in between.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::time::{Instant, sleep_until};

use crate::{
    http::Error,
    vendors::{Operation, Target},
};

/// Until when new credentials may not work, by the id of their resources.
#[derive(Debug, Default)]
pub(crate) struct Settling(Mutex<BTreeMap<String, Instant>>);

impl Settling {
    /// Records that there is a new credential. Never fails.
    pub(super) fn begin(&self, target: &Target) {
        if let Some(until) = target.vendor.lag.and_then(|lag| Instant::now().checked_add(lag.settle)) {
            self.lock().insert(target.id(), until);
        }
    }

    /// Records that a new credential has logged in.
    pub(super) fn end(&self, target: &Target) {
        self.lock().remove(&target.id());
    }

    /// Waits until the last credential of this id should work. Fails if the operation is stopped or times out first.
    pub(crate) async fn wait(&self, op: &Operation, id: &str) -> Result<(), Error> {
        let until = self.lock().get(id).copied();
        match until {
            Some(until) => op.wait(sleep_until(until)).await,
            None => Ok(()),
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
        http::Kind,
        vendors::{Fields, VENDORS},
    };

    fn target(lags: bool) -> Target {
        let vendor = VENDORS.iter().copied().find(|vendor| vendor.lag.is_some() == lags).unwrap();
        Target { vendor, fields: Fields::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_credential_is_given_its_time_unless_it_has_logged_in() {
        let op = Operation::new(Duration::from_mins(5), CancellationToken::new());
        let (target, settling) = (target(true), Settling::default());
        let settle = target.vendor.lag.unwrap().settle;
        for (has_logged_in, expected) in [(false, settle), (true, Duration::ZERO)] {
            let start = Instant::now();
            settling.begin(&target);
            if has_logged_in {
                settling.end(&target);
            }
            settling.wait(&op, "another").await.unwrap();
            assert_eq!(start.elapsed(), Duration::ZERO);
            settling.wait(&op, &target.id()).await.unwrap();
            assert!(start.elapsed() >= expected && start.elapsed() < expected + Duration::from_millis(10));
        }
        let start = Instant::now();
        settling.begin(&self::target(false));
        settling.wait(&op, &self::target(false).id()).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO, "at most vendors there is no such time");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_wait() {
        let op = Operation::new(Duration::from_mins(5), CancellationToken::new());
        let (target, settling) = (target(true), Settling::default());
        settling.begin(&target);
        op.stop.cancel();
        assert_eq!(settling.wait(&op, &target.id()).await.unwrap_err().kind, Kind::Stopped);
    }
}
