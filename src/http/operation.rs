//! The deadline and the stop signal of an operation.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::error::{Error, Kind, Outcome, Result};

/// One operation on one credential.
#[derive(Clone, Debug)]
pub struct Operation {
    /// When it has to end.
    pub deadline: Instant,
    /// Cancelled to end it early. The response to a reset that has been sent is still awaited.
    pub stop: CancellationToken,
}

impl Operation {
    /// Starts an operation that ends after `timeout`, or early when `stop` is cancelled.
    pub fn new(timeout: Duration, stop: CancellationToken) -> Self {
        let now = Instant::now();
        let deadline = now.checked_add(timeout).unwrap_or(now + LONGEST);
        Self { deadline, stop }
    }

    /// Returns the same operation, limited to `timeout` from now.
    #[must_use]
    pub fn within(&self, timeout: Duration) -> Self {
        let end = Instant::now().checked_add(timeout).unwrap_or(self.deadline);
        Self { deadline: self.deadline.min(end), ..self.clone() }
    }

    /// Waits for `future`. Fails if the deadline or a stop comes first. The future is then dropped, so it must not be a
    /// request that changes a password.
    pub async fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(stopped("")),
            () = tokio::time::sleep_until(self.deadline) => Err(out_of_time("")),
            value = future => Ok(value),
        }
    }

    /// Returns the remaining time.
    pub(super) fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// Creates the error for an operation that was stopped before anything was sent.
pub(super) fn stopped(host: &str) -> Error {
    Error::new(Kind::Stopped, Outcome::NotChanged, host, "the operation was stopped before the request was sent")
}

/// Creates the error for an operation that timed out before anything was sent.
pub(super) fn out_of_time(host: &str) -> Error {
    Error::new(Kind::TimedOut, Outcome::NotChanged, host, "the operation timed out before the request was sent")
}

/// The minimum time for a vendor to respond. A reset is not sent with less time left, since a response after the
/// deadline would be lost.
pub(super) const LEAST_TO_SEND: Duration = Duration::from_secs(1);

/// Caps the timeout, because a larger one could overflow the clock.
const LONGEST: Duration = Duration::from_hours(365 * 24);
