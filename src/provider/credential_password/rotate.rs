//! The reset, and the state that follows from it.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    plan::smtp_url,
    schema::{PASSWORD, ROTATED_AT, SMTP_URL, USERNAME},
};
use crate::{
    backend::{Backend, Operation, Presence, Reset},
    framework::{Call, Change, NewState, Private, Stored, diagnostic::Diagnostic, value::Value},
    provider::{
        diagnose::{self, Doing},
        target::Target,
    },
};

/// One credential, and the backend that can reset it.
#[derive(Debug)]
pub(super) struct Rotator {
    pub(super) target: Target,
    pub(super) backend: Arc<dyn Backend>,
}

impl Rotator {
    /// Checks all that can be checked without a reset: that the vendor answers, takes the credentials and has the target.
    pub(super) async fn check(&self, op: &Operation) -> Result<(), Diagnostic> {
        match self.backend.read(op, &self.target.fields).await {
            Ok(Presence::Found) => Ok(()),
            Ok(Presence::Gone) => Err(diagnose::gone(&self.target)),
            Err(error) => Err(diagnose::failed(Doing::Checking, &self.target, &error)),
        }
    }

    /// Resets the password and puts the new state where core will find it.
    pub(super) async fn rotate(
        &self,
        call: &Call,
        op: &Operation,
        change: &Change,
        new: &NewState,
    ) -> Result<(), Diagnostic> {
        self.check(op).await?;
        let reset = self.backend.reset(op, &self.target.fields).await;
        let reset = reset.map_err(|error| diagnose::failed(Doing::Resetting, &self.target, &error))?;
        // From here on the only copy of the password is in this process: nothing fails before `put`, and nothing after it
        // can take the state away again.
        let named = reset.username.clone();
        new.put(Stored { state: rotated(change, reset, Timestamp::now()), private: Private::default() });
        if let Some(named) = named.filter(|named| change.planned.get(USERNAME).as_str() != Some(named)) {
            call.warn(diagnose::another_user(&self.target, &named));
        }
        Ok(())
    }
}

/// The planned state with what the reset made known.
fn rotated(change: &Change, reset: Reset, now: Timestamp) -> Value {
    let mut state = change.planned.clone();
    if state.get(USERNAME).is_unknown() {
        state.set(USERNAME, reset.username);
    }
    state.set(PASSWORD, reset.password);
    state.set(ROTATED_AT, rotated_at(now, change.prior.get(ROTATED_AT)));
    let url = smtp_url(&state);
    state.set(SMTP_URL, url);
    state
}

/// `now` as RFC 3339 with six fraction digits; a microsecond later where that is what it was before, because others compare
/// it as a version.
fn rotated_at(now: Timestamp, before: &Value) -> String {
    let text = format!("{now:.6}");
    if before.as_str() == Some(&text) {
        format!("{:.6}", now.saturating_add(jiff::SignedDuration::from_micros(1)).unwrap_or(now))
    } else {
        text
    }
}
