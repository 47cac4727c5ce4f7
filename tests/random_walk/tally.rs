//! The totals of walks.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The totals of walks, which show that something happened in them.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) operations: AtomicUsize,
    pub(crate) resets: AtomicUsize,
    pub(crate) failed_resets: AtomicUsize,
    pub(crate) of_unknown_outcome: AtomicUsize,
    pub(crate) stops: AtomicUsize,
    pub(crate) kills: AtomicUsize,
    pub(crate) hang_ups: AtomicUsize,
    pub(crate) terminations: AtomicUsize,
    pub(crate) verified: AtomicUsize,
    pub(crate) unverified: AtomicUsize,
    pub(crate) stale: AtomicUsize,
    pub(crate) healed: AtomicUsize,
    pub(crate) shared: AtomicUsize,
    pub(crate) dropped: AtomicUsize,
    pub(crate) left: AtomicUsize,
    /// Runs in the middle of which somebody else did something.
    pub(crate) intrusions: AtomicUsize,
    /// Passwords that were dead before they were stored, or were stored and tried.
    pub(crate) overtaken: AtomicUsize,
}

/// Counts more of it.
pub(crate) fn count(counter: &AtomicUsize, more: usize) {
    counter.fetch_add(more, Ordering::Relaxed);
}
