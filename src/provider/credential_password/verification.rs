//! Whether a password works: what can be looked at before a reset, and the logins after it.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

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
        let ended = op.wait(timeout_at(end, self.log_in_until(username, password, &mut last))).await;
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
    async fn log_in_until(&self, username: &str, password: &Secret, last: &mut Result<(), Failure>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let login = self.server.log_in(username, password).await;
            last.clone_from(&login.answer);
            if login.leave().await.is_ok() {
                return;
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
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

/// Servers lock out whoever fails too often, and in a minute these make seven tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
