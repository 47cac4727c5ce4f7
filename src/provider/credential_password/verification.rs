//! Whether a password works: what can be looked at before a reset, and the logins after it.

use std::{future::pending, time::Duration};

use tokio::time::{Instant, sleep_until, timeout_at};

use super::verify::{self, Place};
use crate::{
    backend::Operation,
    framework::{Call, diagnostic::Diagnostic, value::Value},
    http::Kind,
    provider::{
        diagnose::{self, Doing},
        mail_server,
        target::Target,
    },
    secret::Secret,
    smtp::{Failure, FailureKind, Roots, Server},
};

/// A login that is to show that a new password works.
#[derive(Debug)]
pub(super) struct Verification {
    target: Target,
    server: Server,
    timeout: Duration,
}

/// How it ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verified {
    /// The password logged in.
    Yes,
    /// It did not, for as long as it was tried.
    No,
    /// It was not asked for, or cut short.
    Open,
}

impl Verification {
    /// The verification that a change asks for, at a host that the vendor may have told.
    pub(super) fn of(
        planned: &Value,
        target: &Target,
        told: Option<&str>,
        roots: &Roots,
    ) -> Result<Option<Self>, Diagnostic> {
        let Some(place) = Place::of(planned) else { return Ok(None) };
        let server = place.server(told, target.vendor, roots.clone())?;
        Ok(Some(Self { target: target.clone(), server, timeout: verify::timeout(planned) }))
    }

    /// The server that is logged in at.
    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// Checks all that can be checked while nobody has the new password.
    pub(super) async fn check(&self, op: &Operation) -> Result<(), Diagnostic> {
        check(op, &self.target, &self.server).await
    }

    /// Tries the new password until it works, for as long as `verify` says and the operation lasts.
    ///
    /// It comes after the reset: it fails in no way but by its answer, and whatever it has to say is a warning.
    pub(super) async fn run(&self, call: &Call, op: &Operation, username: Option<&str>, password: &Secret) -> Verified {
        let Some(username) = username else {
            call.warn(mail_server::nobody_to_log_in(&self.target));
            return Verified::Open;
        };
        let end = Instant::now().checked_add(self.timeout).map_or(op.deadline, |end| end.min(op.deadline));
        let mut last = Err(no_time());
        let ended = op.wait(timeout_at(end, self.log_in_until(end, username, password, &mut last))).await;
        // A login that was accepted is one, whatever the time ran out for after it.
        match (last, ended) {
            (Ok(()), _) => Verified::Yes,
            (Err(failure), Ok(_)) => {
                call.warn(mail_server::not_verified(&self.target, &self.server, &failure));
                Verified::No
            }
            (Err(_), Err(_)) => {
                call.warn(mail_server::cut_short(&self.target, &self.server));
                Verified::Open
            }
        }
    }

    /// Tries again whatever comes: a refusal may be a server that has not heard of the reset, and anything else may pass too.
    ///
    /// Who waits for this cuts it off. What the server has answered by then is in `last`.
    async fn log_in_until(&self, end: Instant, username: &str, password: &Secret, last: &mut Result<(), Failure>) {
        let mut tries = Tries::until(end);
        loop {
            let login = self.server.log_in(username, password).await;
            last.clone_from(&login.answer);
            if login.leave().await.is_ok() {
                return;
            }
            match tries.next(Instant::now()) {
                Some(next) => sleep_until(next).await,
                None => pending().await,
            }
        }
    }
}

/// When to try again: after pauses that grow, and once more shortly before the end.
#[derive(Debug)]
struct Tries {
    last: Instant,
    pause: Duration,
}

impl Tries {
    fn until(end: Instant) -> Self {
        let now = Instant::now();
        let time = end.saturating_duration_since(now);
        Self { last: now + time.saturating_sub(LAST_TRY.min(time / 4)), pause: FIRST_PAUSE }
    }

    /// The time of the next try; `None` after the last.
    fn next(&mut self, now: Instant) -> Option<Instant> {
        if now >= self.last {
            return None;
        }
        let next = now + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        // Two in a row would see the same.
        Some(if next + FIRST_PAUSE >= self.last { self.last } else { next })
    }
}

/// Checks that a login could be tried at a server.
pub(super) async fn check(op: &Operation, target: &Target, server: &Server) -> Result<(), Diagnostic> {
    match op.wait(server.check()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(failure)) => Err(mail_server::not_ready(target, server, &failure)),
        Err(stopped) if stopped.kind == Kind::Stopped => Err(diagnose::failed(Doing::Checking, target, &stopped)),
        Err(_) => Err(mail_server::not_ready(target, server, &no_time())),
    }
}

impl From<Verified> for Value {
    fn from(verified: Verified) -> Self {
        match verified {
            Verified::Yes => Self::Bool(true),
            Verified::No => Self::Bool(false),
            Verified::Open => Self::Null,
        }
    }
}

fn no_time() -> Failure {
    Failure { kind: FailureKind::TimedOut, code: None, reason: "it gave no answer in time" }
}

const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Servers lock out whoever fails too often, and in a minute these make eight tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// How long before the end the last try is made: enough for a login, also at a server that is far away.
const LAST_TRY: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    /// When the tries come, in milliseconds, if each is refused after `answered_in`.
    fn tries(timeout: Duration, answered_in: Duration) -> Vec<u128> {
        let start = Instant::now();
        let mut tries = Tries::until(start + timeout);
        let mut at = vec![start];
        while let Some(next) = tries.next(at[at.len() - 1] + answered_in) {
            at.push(next);
        }
        at.into_iter().map(|at| (at - start).as_millis()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn tries_are_few_and_the_last_one_comes_shortly_before_the_end() {
        let seconds = Duration::from_secs;
        for (timeout, expected) in [
            (2, &[0, 1500][..]),
            (4, &[0, 1000, 3000]),
            (20, &[0, 1000, 3000, 7000, 15_000, 17_000]),
            (60, &[0, 1000, 3000, 7000, 15_000, 30_000, 45_000, 57_000]),
            (63, &[0, 1000, 3000, 7000, 15_000, 30_000, 45_000, 60_000]),
            (64, &[0, 1000, 3000, 7000, 15_000, 30_000, 45_000, 61_000]),
        ] {
            assert_eq!(tries(seconds(timeout), Duration::ZERO), expected, "{timeout} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_needs_the_whole_time_is_tried_once() {
        for (timeout, answered_in) in [(5, 5), (20, 18), (60, 60)].map(|pair| (pair.0, Duration::from_secs(pair.1))) {
            assert_eq!(tries(Duration::from_secs(timeout), answered_in), [0], "{timeout} s");
        }
        assert_eq!(tries(Duration::ZERO, Duration::ZERO), [0]);
    }
}
