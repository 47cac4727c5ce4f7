//! `max_requests_per_second`: spaces out a client's requests evenly.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    error::{Error, Kind, Outcome, Result},
    operation::Operation,
};

/// Decides when the next request of a client may be sent.
#[derive(Debug)]
pub(super) struct RateLimiter {
    distance: Option<Duration>,
    next: Mutex<Option<Instant>>,
}

impl RateLimiter {
    pub(super) fn new(per_second: Option<f64>) -> Self {
        let distance = per_second.and_then(|rate| Duration::try_from_secs_f64(rate.recip()).ok());
        Self { distance, next: Mutex::default() }
    }

    /// Waits for this request's turn. Fails at once if that comes after the operation's deadline.
    pub(super) async fn acquire(&self, op: &Operation, host: &str) -> Result<()> {
        let Some(distance) = self.distance else { return Ok(()) };
        let turn = self.reserve(distance, Instant::now(), op.deadline).ok_or_else(|| {
            let reason = "`max_requests_per_second` does not allow the request within the operation's timeout";
            Error::new(Kind::TimedOut, Outcome::NotChanged, host, reason)
        })?;
        op.wait(tokio::time::sleep_until(turn)).await
    }

    /// Reserves the next turn, unless it comes after the deadline.
    fn reserve(&self, distance: Duration, now: Instant, deadline: Instant) -> Option<Instant> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.map_or(now, |next| next.max(now));
        (turn < deadline).then(|| {
            // Only a request that will be sent uses up a turn.
            *next = turn.checked_add(distance);
            turn
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_at_even_distances_and_none_after_the_deadline() {
        let limit = RateLimiter::new(Some(4.0));
        let distance = limit.distance.unwrap();
        let now = Instant::now();
        let deadline = now + Duration::from_millis(600);
        let turns: Vec<_> = (0..5).map(|_| limit.reserve(distance, now, deadline).map(|turn| turn - now)).collect();
        let ms = |ms| Some(Duration::from_millis(ms));
        assert_eq!(turns, [ms(0), ms(250), ms(500), None, None]);
    }

    #[test]
    fn time_that_was_not_used_is_not_saved_up() {
        let limit = RateLimiter::new(Some(1.0));
        let now = Instant::now();
        let (later, deadline) = (now + Duration::from_mins(1), now + Duration::from_mins(10));
        let second = Duration::from_secs(1);
        assert_eq!(limit.reserve(second, now, deadline), Some(now));
        assert_eq!(limit.reserve(second, later, deadline), Some(later));
        assert_eq!(limit.reserve(second, later, deadline), Some(later + second));
    }

    #[test]
    fn a_rate_that_makes_no_sense_is_no_limit() {
        for rate in [None, Some(0.0), Some(-1.0), Some(f64::NAN), Some(1e-300)] {
            assert_eq!(RateLimiter::new(rate).distance, None, "{rate:?}");
        }
    }
}
