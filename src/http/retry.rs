//! The retry loop around every request.

use std::time::Duration;

use super::{
    answer::Answer,
    classify::ONCE,
    error::{Error, Finality, Kind, Outcome, Result},
    operation::{LEAST_TO_SEND, Operation, stopped},
    random::Jitter,
};

/// A failed try, and the number of tries that such a failure allows.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) tries: u32,
}

impl Failure {
    /// Creates a failure without a retry.
    pub(super) fn last(error: Error) -> Self {
        Self { error, tries: ONCE }
    }
}

/// The delays between tries if the vendor does not specify one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    first: Duration,
    most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), most: Duration::from_secs(8) }
    }
}

/// Tries until one succeeds, until the failure allows no more tries, or until the operation would time out.
///
/// `attempt` receives the number of the try, from 1.
pub(super) async fn with_retries<F>(
    op: &Operation,
    backoff: Backoff,
    mut attempt: impl FnMut(u32) -> F,
) -> Result<Answer>
where
    F: Future<Output = Result<Answer, Failure>>,
{
    let mut number = 1;
    let mut worst = (Outcome::NotChanged, Finality::Final);
    loop {
        let Failure { mut error, tries } = match attempt(number).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        // A later rejection does not undo what an earlier try may have done.
        worst = (worst.0.max(error.outcome), worst.1.max(error.finality));
        (error.outcome, error.finality) = worst;
        if number >= tries {
            return Err(error);
        }
        if error.kind == Kind::RateLimited {
            // The gate decides which request is sent next, and when.
            number += 1;
            continue;
        }
        let delay = backoff.wait(error.retry_after, number);
        if delay.saturating_add(LEAST_TO_SEND) > op.remaining() {
            return Err(error);
        }
        op.wait(tokio::time::sleep(delay)).await.map_err(|_| {
            let (outcome, finality) = worst;
            Error { outcome, finality, ..stopped(&error.host) }
        })?;
        number += 1;
    }
}

impl Backoff {
    /// Returns the delay after a failed try. `asked` is how long the vendor asked to wait.
    fn wait(self, asked: Option<Duration>, number: u32) -> Duration {
        match asked {
            // A little longer, so requests that were rejected together do not return together.
            Some(asked) if !asked.is_zero() => asked.saturating_add(self.delay(1) / 2),
            // A vendor that sends 0 may not mean it, and must not be flooded.
            _ => self.delay(number),
        }
    }

    /// Doubles with every try up to the maximum, and then takes a random part between half and all of it.
    fn delay(self, number: u32) -> Duration {
        let whole = self.first.saturating_mul(1 << (number - 1).min(16)).min(self.most);
        whole.mul_f64(f64::midpoint(1.0, Jitter::new().next()))
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::http::Kind;

    const QUICK: Backoff = Backoff { first: Duration::from_millis(1), most: Duration::from_millis(4) };

    fn failure(tries: u32) -> Failure {
        Failure { error: Error::new(Kind::Unavailable, Outcome::NotChanged, "example.com", "it returned 503"), tries }
    }

    async fn tries_made(op: &Operation, allowed: u32, retry_after: Option<Duration>) -> (u32, Error) {
        let mut made = 0;
        let result = with_retries(op, QUICK, |number| {
            made = number;
            let mut failure = failure(allowed);
            failure.error.retry_after = retry_after;
            async { Err(failure) }
        });
        let error = result.await.unwrap_err();
        (made, error)
    }

    #[tokio::test]
    async fn as_many_tries_are_made_as_the_failure_allows() {
        let op = Operation::new(Duration::from_mins(1), CancellationToken::new());
        for allowed in [1, 2, 5] {
            assert_eq!(tries_made(&op, allowed, None).await.0, allowed);
        }
    }

    #[tokio::test]
    async fn tries_that_were_too_many_for_the_vendor_are_counted_too() {
        let op = Operation::new(Duration::from_mins(1), CancellationToken::new());
        let mut made = 0;
        let result = with_retries(&op, QUICK, |number| {
            made += 1;
            let mut failure = failure(if number <= 3 { u32::MAX } else { 5 });
            failure.error.kind = if number <= 3 { Kind::RateLimited } else { Kind::Unavailable };
            async { Err(failure) }
        });
        assert_eq!(result.await.unwrap_err().kind, Kind::Unavailable);
        assert_eq!(made, 5);
    }

    #[test]
    fn a_vendor_that_asks_for_no_delay_is_given_the_usual_one() {
        for _ in 0..100 {
            let wait = QUICK.wait(Some(Duration::ZERO), 3);
            assert!((QUICK.first * 2..=QUICK.most).contains(&wait), "{wait:?}");
            let wait = QUICK.wait(Some(Duration::from_millis(9)), 3);
            assert!((Duration::from_micros(9_250)..=Duration::from_micros(9_500)).contains(&wait), "{wait:?}");
        }
    }

    #[tokio::test]
    async fn a_wait_beyond_the_deadline_is_not_begun() {
        let op = Operation::new(Duration::from_mins(1), CancellationToken::new());
        for wait in [Duration::from_mins(1), Duration::from_secs(99_999), Duration::MAX] {
            let (made, error) = tries_made(&op, u32::MAX, Some(wait)).await;
            assert_eq!((made, error.kind, error.retry_after), (1, Kind::Unavailable, Some(wait)));
        }
    }

    #[tokio::test]
    async fn a_stop_ends_the_wait() {
        let op = Operation::new(Duration::from_hours(1), CancellationToken::new());
        let waiting = tries_made(&op, u32::MAX, Some(Duration::from_mins(30)));
        let stopping = async { op.stop.cancel() };
        let ((made, error), ()) = tokio::join!(waiting, stopping);
        assert_eq!((made, error.kind, error.outcome), (1, Kind::Stopped, Outcome::NotChanged));
        assert_eq!(&*error.host, "example.com");
        // What the tries before have shown stays true.
        assert_eq!(error.finality, failure(1).error.finality);
        let op = Operation::new(Duration::from_hours(1), CancellationToken::new());
        let waiting = with_retries(&op, QUICK, |_| async {
            let mut failure = failure(u32::MAX);
            (failure.error.finality, failure.error.retry_after) = (Finality::Final, Some(Duration::from_mins(30)));
            Err(failure)
        });
        let stopping = async { op.stop.cancel() };
        let (stopped, ()) = tokio::join!(waiting, stopping);
        assert_eq!(stopped.unwrap_err().finality, Finality::Final);
    }

    #[test]
    fn nothing_comes_back_sooner_than_asked() {
        let backoff = Backoff::default();
        let wait = backoff.wait(Some(Duration::from_secs(1)), 1);
        assert!(Duration::from_millis(1125) <= wait && wait <= Duration::from_millis(1250), "{wait:?}");
        assert_eq!(backoff.wait(Some(Duration::MAX), 1), Duration::MAX);
    }

    #[test]
    fn delays_double_up_to_the_most_and_are_never_cut_to_less_than_half() {
        let backoff = Backoff::default();
        for (number, whole_ms) in [(1, 500), (2, 1000), (4, 4000), (5, 8000), (6, 8000), (u32::MAX, 8000)] {
            let delay = backoff.delay(number);
            let whole = Duration::from_millis(whole_ms);
            assert!(whole / 2 <= delay && delay <= whole, "try {number}: {delay:?}");
        }
    }
}
