//! A limit on how often the vendors may be called.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use super::lock;

/// So many requests in each window of time; without a limit until one is set.
#[derive(Default)]
pub struct RateLimit(Mutex<Option<Window>>);

struct Window {
    allowed: usize,
    length: Duration,
    used: usize,
    start: Instant,
}

impl RateLimit {
    /// Allows `allowed` requests in each `length` of time; the first window starts now.
    pub fn set(&self, allowed: usize, length: Duration) {
        *lock(&self.0) = Some(Window { allowed, length, used: 0, start: Instant::now() });
    }

    /// Allows any number of requests.
    pub fn lift(&self) {
        *lock(&self.0) = None;
    }

    /// Counts a request; tells how long to wait where it is one too many.
    pub fn admit(&self) -> Result<(), Duration> {
        let mut window = lock(&self.0);
        let Some(window) = window.as_mut() else { return Ok(()) };
        if window.start.elapsed() >= window.length {
            *window = Window { used: 0, start: Instant::now(), ..*window };
        }
        if window.used == window.allowed {
            return Err(window.length.saturating_sub(window.start.elapsed()));
        }
        window.used += 1;
        Ok(())
    }
}
