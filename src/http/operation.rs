//! How long an operation may take, and what ends it early.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Error, Kind, Outcome, Result};

/// One operation of core's on one credential.
#[derive(Clone, Debug)]
pub struct Operation {
    /// When it ends, whatever has been reached.
    pub deadline: Instant,
    /// Cancelled when it is to end early. A reset that has left is still waited for.
    pub stop: CancellationToken,
}

impl Operation {
    /// Starts an operation that ends after `timeout`, or early when `stop` is cancelled.
    pub fn new(timeout: Duration, stop: CancellationToken) -> Self {
        let now = Instant::now();
        let deadline = now.checked_add(timeout).unwrap_or(now + LONGEST);
        Self { deadline, stop }
    }

    /// The same operation, ended after `timeout` at the latest.
    #[must_use]
    pub fn within(&self, timeout: Duration) -> Self {
        let end = Instant::now().checked_add(timeout).unwrap_or(self.deadline);
        Self { deadline: self.deadline.min(end), ..self.clone() }
    }

    /// Waits for `future` unless the deadline or a stop comes first. For waits in which nothing is sent.
    pub async fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(stopped("")),
            () = tokio::time::sleep_until(self.deadline) => Err(out_of_time("")),
            value = future => Ok(value),
        }
    }

    /// The time that is left.
    pub(super) fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// The error of an operation that was stopped before anything was sent.
pub(super) fn stopped(host: &str) -> Error {
    Error::new(Kind::Stopped, Outcome::NotChanged, host, "the operation was stopped before the request was sent")
}

/// The error of an operation whose time ran out before anything was sent.
pub(super) fn out_of_time(host: &str) -> Error {
    Error::new(Kind::TimedOut, Outcome::NotChanged, host, "the operation's time ran out before the request was sent")
}

/// The least time in which a vendor can be expected to answer. A reset is not begun with less, since an answer that comes
/// after the deadline is lost.
pub(super) const LEAST_TO_SEND: Duration = Duration::from_secs(1);

/// Stands in for a timeout too long to be a point in time.
const LONGEST: Duration = Duration::from_hours(365 * 24);
