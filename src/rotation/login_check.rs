//! Verifies a new password: the checks before a reset, and the logins after it.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::{
    endpoint::SmtpEndpoint,
    error::RotationError,
    login_queue::{FIRST_PAUSE, LastLogin, LoginQueues, Pauses},
    sink::{Notice, Verified},
};
use crate::{
    http::Kind,
    secret::Secret,
    smtp::{Extent, Failure, FailureKind, Roots, Server, Tried},
    vendors::Operation,
};

/// Verifies new passwords at one endpoint.
#[derive(Debug)]
pub(super) struct LoginCheck {
    endpoint: SmtpEndpoint,
    server: Server,
    logins: LoginQueues,
}

impl LoginCheck {
    /// Creates the check. Fails if the host of the endpoint is not known.
    pub(super) fn new(endpoint: SmtpEndpoint, roots: Roots, logins: LoginQueues) -> Result<Self, RotationError> {
        let server = endpoint.server(roots).ok_or(RotationError::NoServer)?;
        Ok(Self { endpoint, server, logins })
    }

    /// Returns the endpoint.
    pub(super) fn endpoint(&self) -> &SmtpEndpoint {
        &self.endpoint
    }

    /// Returns the server at the endpoint.
    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// Checks before the reset that a login will be possible. A busy server is retried within the endpoint's timeout.
    pub(super) async fn prepare(&self, op: &Operation) -> Result<(), RotationError> {
        let not_ready = |failure| RotationError::MailServer { server: Box::new(self.server.clone()), failure };
        let mut last = None;
        match op.wait(self.logins.check(&self.server, self.endpoint.timeout(), &mut last)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(failure)) => Err(not_ready(failure)),
            Err(stopped) if stopped.kind == Kind::Stopped => Err(RotationError::Checking(stopped)),
            Err(_) => Err(not_ready(last.unwrap_or_else(no_time))),
        }
    }

    /// Tries the new password until it works, within the endpoint's timeout and the operation. First it waits for other
    /// logins at the server. That wait is part of the timeout only if those logins failed: the server has then had that
    /// time to pick up the reset.
    ///
    /// This runs after the reset, so it cannot fail. Returns the result, and a notice for the user if the password was
    /// not verified.
    pub(super) async fn run(
        &self,
        op: &Operation,
        username: Option<&str>,
        password: &Secret,
    ) -> (Verified, Option<Notice>) {
        let interrupted =
            || (Verified::NotChecked, Some(Notice::LoginInterrupted { server: self.server.clone().into() }));
        let Some(username) = username else { return (Verified::NotChecked, Some(Notice::NoUsername)) };
        let asked = Instant::now();
        let Ok(mut guard) = op.wait(self.logins.acquire(&self.server)).await else { return interrupted() };
        let now = Instant::now();
        let timeout = self.endpoint.timeout();
        // A server that refused another password to the end has had the time to pick up this reset, too.
        let clock = if guard.last() == LastLogin::Failed { asked } else { now };
        let end = clock.checked_add(timeout).unwrap_or(op.deadline);
        let mut times = if end < now + timeout.min(LATE) { Tries::one() } else { Tries::until(end.min(op.deadline)) };
        let end = end.max(now + timeout.min(LATE));

        let mut last = Err(no_time());
        let mut tried = guard.tried(MOST_REFUSED);
        let logins = self.log_in_until(&mut times, username, password, &mut last, &mut tried);
        let ended = op.wait(timeout_at(end.min(op.deadline), logins)).await;
        guard.record(&last, &tried);
        // An accepted login is accepted, even if time ran out while the session was closed.
        match (last, ended) {
            (Ok(()), _) => (Verified::LoggedIn, None),
            (Err(failure), Ok(_)) if end <= op.deadline => {
                (Verified::Rejected, Some(Notice::LoginFailed { server: self.server.clone().into(), failure }))
            }
            (Err(_), _) => interrupted(),
        }
    }

    /// Retries after any failure: the server may not have picked up the reset yet, and other problems may be temporary
    /// too.
    ///
    /// The caller limits the time. The last reply up to then is in `last`.
    async fn log_in_until(
        &self,
        times: &mut Tries,
        username: &str,
        password: &Secret,
        last: &mut Result<(), Failure>,
        tried: &mut Tried,
    ) {
        let mut extent = times.first();
        loop {
            let login = self.server.log_in_again(username, password, extent, tried).await;
            last.clone_from(&login.answer);
            *last = login.leave().await;
            let Err(failure) = last else { return };
            let Some((next, with)) = times.next(Instant::now(), failure, tried) else { return };
            extent = with;
            sleep_until(next).await;
        }
    }
}

/// The schedule of the tries. The last one comes shortly before the end and uses every mechanism.
#[derive(Debug)]
struct Tries {
    start: Instant,
    last: Instant,
    pauses: Pauses,
    is_over: bool,
}

impl Tries {
    fn until(end: Instant) -> Self {
        let start = Instant::now();
        let time = end.saturating_duration_since(start);
        let last = start + time.saturating_sub(LAST_TRY.min(time / 4));
        Self { start, last, pauses: Pauses::default(), is_over: false }
    }

    /// A single try, now.
    fn one() -> Self {
        Self { is_over: true, ..Self::until(Instant::now()) }
    }

    /// Returns the extent of the first try.
    fn first(&self) -> Extent {
        if self.is_over { Extent::Every } else { Extent::One }
    }

    /// Returns the time and extent of the next try; `None` after the last one, or if no more logins may be rejected.
    fn next(&mut self, now: Instant, failure: &Failure, tried: &Tried) -> Option<(Instant, Extent)> {
        // With a single mechanism, a try that lasted until the end already was the thorough one.
        if self.is_over || tried.left() == 0 || (now >= self.last && tried.usable() == 1) {
            return None;
        }
        let next = if failure.is_refused_login() {
            // Keep enough rejections for the last try, which may cost one per mechanism. The others are spread over the
            // time: servers pick up a reset after seconds or after minutes.
            match (tried.left().saturating_sub(tried.usable()), tried.refused()) {
                (0, _) => self.last,
                (1, 1) => self.at(10, 100).max(now + FIRST_PAUSE),
                (_, 1) => self.at(5, 100).max(now + FIRST_PAUSE),
                _ => self.at(40, 100).max(now + FIRST_PAUSE),
            }
        } else {
            now + self.pauses.next()
        };
        // Another try right before the last one would show nothing new.
        self.is_over = next + FIRST_PAUSE >= self.last;
        Some(if self.is_over { (self.last.max(now), Extent::Every) } else { (next, Extent::One) })
    }

    /// Returns the time after `part` in `of` of the time until the last try.
    fn at(&self, part: u32, of: u32) -> Instant {
        self.start + (self.last - self.start) / of * part
    }
}

/// The failure of a server that did not reply in time.
pub(super) fn no_time() -> Failure {
    Failure { kind: FailureKind::TimedOut, code: None, enhanced: None, reason: "it did not reply in time".into() }
}

/// The maximum number of rejected logins with one password. Servers lock out an address after five or more in ten
/// minutes.
const MOST_REFUSED: usize = 4;

/// How long before the end the last try starts: enough for a login at a distant server.
const LAST_TRY: Duration = Duration::from_secs(3);

/// The time for a single try if earlier logins have used up the timeout.
const LATE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::smtp::Security;

    fn refused() -> Failure {
        Failure { kind: FailureKind::Refused, ..no_time() }
    }

    /// When the tries come, in milliseconds, if each fails after `answered_in`, and by how many mechanisms.
    fn tries(timeout: Duration, answered_in: Duration, failure: &Failure, mechanisms: usize) -> Vec<(u128, usize)> {
        let start = Instant::now();
        let mut times = Tries::until(start + timeout);
        let mut tried = Tried::at_most(MOST_REFUSED);
        let (mut at, mut extent, mut made) = (start, times.first(), Vec::new());
        loop {
            let by = if extent == Extent::Every { mechanisms } else { 1 };
            made.push(((at - start).as_millis(), by));
            if failure.is_refused_login() {
                tried = Tried::after(MOST_REFUSED, tried.refused() + by, mechanisms);
            }
            let Some((next, with)) = times.next(at + answered_in, failure, &tried) else { break };
            (at, extent) = (next, with);
        }
        made
    }

    #[tokio::test(start_paused = true)]
    async fn at_most_four_logins_are_refused_and_they_are_spread_out() {
        let seconds = Duration::from_secs;
        for (timeout, mechanisms, expected) in [
            (2, 1, &[(0, 1), (1500, 1)][..]),
            (4, 1, &[(0, 1), (1000, 1), (3000, 1)]),
            (20, 1, &[(0, 1), (1000, 1), (6800, 1), (17_000, 1)]),
            (60, 1, &[(0, 1), (2850, 1), (22_800, 1), (57_000, 1)]),
            (600, 1, &[(0, 1), (29_850, 1), (238_800, 1), (597_000, 1)]),
            (2, 2, &[(0, 1), (1500, 2)]),
            (20, 2, &[(0, 1), (1700, 1), (17_000, 2)]),
            (60, 2, &[(0, 1), (5700, 1), (57_000, 2)]),
        ] {
            let made = tries(seconds(timeout), Duration::ZERO, &refused(), mechanisms);
            assert_eq!(made, expected, "{timeout} s, {mechanisms} mechanisms");
        }
        for (timeout, answered_in, mechanisms) in
            (1..400).flat_map(|timeout| [(timeout, 0, 1), (timeout, 0, 2), (timeout, 17, 2)])
        {
            let made = tries(seconds(timeout), seconds(answered_in), &refused(), mechanisms);
            assert!(made.iter().map(|(_, by)| by).sum::<usize>() <= MOST_REFUSED, "{made:?}");
            assert!(made.is_sorted() && (mechanisms == 1 || made.last().is_some_and(|(_, by)| *by == 2)), "{made:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_busy_or_away_is_asked_in_pauses_that_grow() {
        for kind in [FailureKind::Busy, FailureKind::Unreachable] {
            let failure = Failure { kind, ..no_time() };
            let made = tries(Duration::from_secs(60), Duration::ZERO, &failure, 1);
            let at: Vec<_> = made.into_iter().map(|(at, _)| at).collect();
            assert_eq!(at, [0, 1000, 3000, 7000, 15_000, 30_000, 45_000, 57_000]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_needs_the_whole_time_is_tried_once() {
        for (timeout, answered_in) in [(5, 5), (20, 18), (60, 60)].map(|pair| (pair.0, Duration::from_secs(pair.1))) {
            assert_eq!(tries(Duration::from_secs(timeout), answered_in, &refused(), 1), [(0, 1)], "{timeout} s");
        }
        assert_eq!(tries(Duration::ZERO, Duration::ZERO, &refused(), 1), [(0, 1)]);
        assert_eq!(Tries::one().first(), Extent::Every, "no mechanism is left for another try");
    }

    /// A login at a server that accepts connections and says nothing.
    fn silent(timeout: Duration) -> (LoginCheck, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (host, port) = (Some("127.0.0.1".to_owned()), listener.local_addr().unwrap().port());
        let endpoint = SmtpEndpoint { host, port, security: Security::StartTls, timeout: Some(timeout) };
        (LoginCheck::new(endpoint, Roots::default(), LoginQueues::default()).unwrap(), listener)
    }

    fn op(seconds: u64) -> Operation {
        Operation::new(Duration::from_secs(seconds), CancellationToken::new())
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_is_stopped_blames_nobody_and_one_without_an_answer_the_server() {
        let (check, _listener) = silent(Duration::from_mins(1));
        let stopped = op(30);
        stopped.stop.cancel();
        let error = check.prepare(&stopped).await.unwrap_err();
        assert!(matches!(&error, RotationError::Checking(error) if error.kind == Kind::Stopped), "{error:?}");
        let error = check.prepare(&op(20)).await.unwrap_err();
        let RotationError::MailServer { failure, .. } = &error else { panic!("{error:?}") };
        assert_eq!(failure.kind, FailureKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_password_is_rejected_only_after_the_whole_time() {
        let password = Secret::new("a password");
        for (timeout, left, expected) in [(20, 60, Verified::Rejected), (60, 20, Verified::NotChecked)] {
            let (check, _listener) = silent(Duration::from_secs(timeout));
            let start = Instant::now();
            let (verified, notice) = check.run(&op(left), Some("me"), &password).await;
            assert_eq!((verified, start.elapsed().as_secs()), (expected, 20), "{timeout} s, and {left} s left");
            let is_interrupted = matches!(notice, Some(Notice::LoginInterrupted { .. }));
            assert_eq!(is_interrupted, verified == Verified::NotChecked, "{notice:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_that_had_to_wait_for_one_that_failed_still_has_a_short_time() {
        let (check, _listener) = silent(Duration::from_secs(20));
        let mut guard = check.logins.acquire(&check.server).await;
        guard.record(&Err(refused()), &Tried::at_most(MOST_REFUSED));
        let password = Secret::new("a password");
        let (op, start) = (op(300), Instant::now());
        let waiting = async {
            tokio::time::sleep(Duration::from_secs(60)).await;
            drop(guard);
        };
        let ((verified, _), ()) = tokio::join!(check.run(&op, Some("me"), &password), waiting);
        assert_eq!((verified, start.elapsed().as_secs()), (Verified::Rejected, 70));
    }
}
