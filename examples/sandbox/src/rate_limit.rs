//! A limit on how often the vendors may be called.

use std::{
    collections::VecDeque,
    sync::Mutex,
    time::{Duration, Instant},
};

use serde::Deserialize;

use super::{Sandbox, http::Answer, lock};

/// So many requests in each window of time; without a limit until one is set.
#[derive(Default)]
pub(crate) struct RateLimit(Mutex<Option<Window>>);

/// What is allowed, and what a client learns of it.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// How many requests are taken in each window.
    pub requests: usize,
    /// The length of a window.
    pub per: Duration,
    /// What the limit counts.
    pub counts: Counts,
    /// What the responses say of it.
    pub says: Says,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// The requests since a window began: with the first request after the end of the one before.
    #[default]
    Windows,
    /// The requests of the last window's length, those that were refused included.
    Rolling,
}

/// What the responses say of a limit.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// A refusal has `Retry-After`.
    #[default]
    RetryAfter,
    /// Every response has `X-HubSpot-RateLimit-Max`, `-Remaining` and `-Interval-Milliseconds`.
    HubspotHeaders,
    /// Nothing.
    Nothing,
}

struct Window {
    limit: Limit,
    /// When each request that counts was received.
    counted: VecDeque<Instant>,
}

/// What a limit does to a request.
#[derive(Debug)]
pub(crate) struct Admission {
    /// Whether it is taken.
    pub is_taken: bool,
    headers: Vec<(&'static str, String)>,
}

impl Admission {
    /// The answer with what it is to say of the limit.
    pub(crate) fn noted_on(self, answer: Answer) -> Answer {
        self.headers.iter().fold(answer, |answer, (name, value)| answer.with_header(name, value))
    }
}

impl RateLimit {
    /// Sets a limit, of which nothing is used up.
    pub(crate) fn set(&self, limit: Limit) {
        *lock(&self.0) = Some(Window { limit, counted: VecDeque::new() });
    }

    /// Allows any number of requests.
    pub(crate) fn lift(&self) {
        *lock(&self.0) = None;
    }

    /// Counts a request.
    pub(crate) fn admit(&self) -> Admission {
        match lock(&self.0).as_mut() {
            Some(window) => window.admit(Instant::now()),
            None => Admission { is_taken: true, headers: Vec::new() },
        }
    }
}

impl Window {
    fn admit(&mut self, now: Instant) -> Admission {
        let Limit { requests, per, counts, says } = self.limit;
        let is_past = |counted: &Instant| now.duration_since(*counted) >= per;
        match counts {
            Counts::Windows if self.counted.front().is_some_and(is_past) => self.counted.clear(),
            Counts::Windows => {}
            Counts::Rolling => self.counted.retain(|counted| !is_past(counted)),
        }
        let is_taken = self.counted.len() < requests;
        // One is taken when so few are left that count.
        let next = match counts {
            Counts::Windows => self.counted.front(),
            Counts::Rolling => self.counted.get(self.counted.len().saturating_sub(requests)),
        };
        let wait = next.map_or(Duration::ZERO, |counted| per.saturating_sub(now.duration_since(*counted)));
        if is_taken || counts == Counts::Rolling {
            self.counted.push_back(now);
        }
        let headers = match says {
            Says::RetryAfter if !is_taken => vec![("Retry-After", whole_seconds(wait))],
            Says::RetryAfter | Says::Nothing => Vec::new(),
            Says::HubspotHeaders => vec![
                ("X-HubSpot-RateLimit-Interval-Milliseconds", per.as_millis().to_string()),
                ("X-HubSpot-RateLimit-Max", requests.to_string()),
                ("X-HubSpot-RateLimit-Remaining", requests.saturating_sub(self.counted.len()).to_string()),
            ],
        };
        Admission { is_taken, headers }
    }
}

impl Sandbox {
    /// Answers with 429 what goes beyond `requests` in each `per`, with `Retry-After`.
    pub fn rate_limit(&self, requests: usize, per: Duration) {
        self.limit(Limit { requests, per, counts: Counts::Windows, says: Says::RetryAfter });
    }

    /// Answers with 429 what goes beyond a limit.
    pub fn limit(&self, limit: Limit) {
        self.shared.rate_limit.set(limit);
    }

    /// Lifts the limit.
    pub fn lift_rate_limit(&self) {
        self.shared.rate_limit.lift();
    }
}

/// Rounded up: a client that waits that long is admitted.
fn whole_seconds(wait: Duration) -> String {
    (wait.as_millis().div_ceil(1000)).max(1).to_string()
}
