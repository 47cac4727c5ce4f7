//! The gate at which stalled answers wait.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use super::lock;

/// Holds answers back until somebody releases them.
#[derive(Default)]
pub struct Gate {
    held: Mutex<usize>,
    changed: Condvar,
    releases: watch::Sender<usize>,
}

impl Gate {
    /// Waits for the next release.
    pub async fn hold(&self) {
        let mut releases = self.releases.subscribe();
        let _held = PriorCredential::at(self);
        // Fails only when the gate is gone, and with it whatever was held.
        let _ = releases.changed().await;
    }

    /// Lets all go on that wait at this moment.
    pub fn release(&self) {
        self.releases.send_modify(|count| *count += 1);
    }

    /// Blocks until `count` answers wait, for at most a minute; returns whether they do.
    pub fn wait_for(&self, count: usize) -> bool {
        let held = lock(&self.held);
        let few = |held: &mut usize| *held < count;
        let waited = self.changed.wait_timeout_while(held, Duration::from_mins(1), few);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

/// Counts as one answer that waits, for as long as it lives.
struct PriorCredential<'gate>(&'gate Gate);

impl<'gate> PriorCredential<'gate> {
    fn at(gate: &'gate Gate) -> Self {
        *lock(&gate.held) += 1;
        gate.changed.notify_all();
        Self(gate)
    }
}

impl Drop for PriorCredential<'_> {
    fn drop(&mut self) {
        *lock(&self.0.held) -= 1;
    }
}
