//! Congestion control for a vendor's rate limit: how many requests may be in flight, and when the next one may be sent.
//!
//! There is no bound until the vendor rejects a request or reports how many remain. Then this works like TCP congestion
//! control (RFC 5681), with a window of the rate limit instead of a round trip. A rejection closes the flow. After a
//! pause one request probes. If it is accepted, others follow, one more with each response, up to the share that the
//! vendor accepted from this client in the last window. Beyond the share, growth starts again at one. In this way,
//! clients that share a limit without knowing of each other each find their share.

use std::time::Duration;

use tokio::time::Instant;

use super::quota::Quota;

/// What a client knows about a vendor's rate limit.
#[derive(Debug)]
pub(super) struct Flow {
    way: Way,
    window: Window,
    cycle: Cycle,
    /// How many requests the vendor accepted in the last window; `u32::MAX` until it has rejected one.
    share: u32,
    /// How many requests may be in flight within the share.
    room: u32,
    /// How many requests may be in flight beyond the share.
    edge: u32,
    /// How many requests are in flight that were sent since the flow was last closed.
    under_way: u32,
    /// How often the flow was closed.
    closings: u64,
    /// How many more requests the vendor accepts, according to its headers.
    remaining: Option<u64>,
}

/// Whether requests may be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    Open,
    /// After this many rejections in a row. With 0 the vendor has reported that nothing remains, without rejecting a
    /// request.
    Closed {
        until: Instant,
        refusals: u32,
    },
    /// One request probes whether the vendor accepts requests again.
    Asking {
        refusals: u32,
    },
}

/// The length of the vendor's window.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Window {
    Unknown,
    /// From its documentation.
    Documented(Duration),
    /// From its responses, or from its documentation and confirmed by a rejection.
    Named(Duration),
}

impl Window {
    fn length(self) -> Option<Duration> {
        match self {
            Self::Unknown => None,
            Self::Documented(length) | Self::Named(length) => Some(length),
        }
    }
}

/// What happened since the flow was last opened.
#[derive(Clone, Copy, Debug, Default)]
struct Cycle {
    /// About when the vendor counted the first of these requests.
    start: Option<Instant>,
    sent: u32,
    taken: u32,
}

/// When the next request may be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Next {
    Now,
    /// Not before this time.
    At(Instant),
    /// When one that is in flight has ended.
    AfterAnother,
}

impl Flow {
    /// Creates the state before any rejection. `window` is the documented window of the rate limit.
    pub(super) fn new(window: Option<Duration>) -> Self {
        Self {
            way: Way::Open,
            window: window.map_or(Window::Unknown, Window::Documented),
            cycle: Cycle::default(),
            share: u32::MAX,
            room: u32::MAX,
            edge: u32::MAX,
            under_way: 0,
            closings: 0,
            remaining: None,
        }
    }

    /// Returns when the next request may be sent, which has to be sent before `deadline`.
    pub(super) fn next(&self, now: Instant, deadline: Instant) -> Next {
        match self.way {
            // Only a rejection can fail an operation. Without one, an operation that cannot wait sends at once.
            Way::Closed { until, refusals } if now < until && (refusals > 0 || until < deadline) => Next::At(until),
            Way::Closed { .. } => Next::Now,
            Way::Open if self.under_way < self.most_under_way(now) => Next::Now,
            Way::Open | Way::Asking { .. } => Next::AfterAnother,
        }
    }

    /// Returns whether the vendor's last response was a rejection.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.way, Way::Closed { refusals: 1.., .. } | Way::Asking { refusals: 1.. })
    }

    /// Returns when the flow opens again after a rejection.
    pub(super) fn refused_until(&self) -> Option<Instant> {
        match self.way {
            Way::Closed { until, refusals: 1.. } => Some(until),
            _ => None,
        }
    }

    /// Counts a request that is sent. Its end is reported with the returned number.
    pub(super) fn send(&mut self, now: Instant) -> u64 {
        match self.way {
            Way::Closed { refusals, .. } => self.way = Way::Asking { refusals },
            Way::Open => {
                if self.is_over(now) {
                    let share = self.share;
                    self.begin_cycle();
                    // The window ended without a rejection, so what was accepted is not a bound.
                    self.share = self.share.max(share);
                }
            }
            Way::Asking { .. } => {}
        }
        self.cycle.sent = self.cycle.sent.saturating_add(1);
        self.under_way += 1;
        self.closings
    }

    /// Reports a request whose end says nothing about the limit.
    pub(super) fn take_back(&mut self, number: u64) {
        if self.ends(number)
            && let Way::Asking { refusals } = self.way
        {
            // The next request probes at once.
            self.way = Way::Closed { until: Instant::now(), refusals };
        }
    }

    /// Reports any end of a request other than a 429.
    pub(super) fn pass(&mut self, number: u64, sent: Instant, now: Instant, quota: Quota, jitter: f64) {
        let counted = midway(sent, now);
        match (self.ends(number), self.way) {
            (true, Way::Asking { .. }) => {
                self.learn(counted);
                self.begin_cycle();
                self.cycle.sent = 1;
                self.way = Way::Open;
                (self.room, self.edge) = (self.first_room(), 1);
            }
            (true, _) if self.cycle.sent > self.share => grow(&mut self.edge, self.cycle.taken),
            (true, _) => grow(&mut self.room, self.cycle.taken),
            (false, Way::Closed { .. } | Way::Asking { .. }) => {}
            (false, Way::Open) => return,
        }
        self.cycle.start.get_or_insert(counted);
        self.cycle.taken = self.cycle.taken.saturating_add(1);
        self.heed(now, quota, jitter);
    }

    /// Reports a request that ended with a 429. `asked` is how long the vendor asked to wait, and `jitter` is from 0 to
    /// 1.
    pub(super) fn refuse(
        &mut self,
        number: u64,
        sent: Instant,
        now: Instant,
        asked: Option<Duration>,
        quota: Quota,
        jitter: f64,
    ) {
        let is_current = self.ends(number);
        self.cycle.start.get_or_insert(midway(sent, now));
        if let Some(length) = quota.window {
            self.window = Window::Named(length);
        }
        let asked = asked.or(quota.reset).filter(|wait| !wait.is_zero());
        let refusals = match self.way {
            // It was sent before the flow was closed, so all it can add is a longer wait.
            Way::Closed { until, refusals: refusals @ 1.. } if !is_current => {
                let until = asked.map_or(until, |asked| until.max(later(now, asked)));
                self.way = Way::Closed { until, refusals };
                return;
            }
            Way::Asking { .. } if !is_current => return,
            Way::Open | Way::Closed { .. } => 1,
            Way::Asking { refusals } => refusals.saturating_add(1),
        };
        let until = match asked {
            Some(asked) => later(now, asked.saturating_add((asked / 40).min(MOST_JITTER).mul_f64(jitter))),
            None => self.pause(now, refusals, jitter),
        };
        self.shut(until, refusals);
    }

    /// Returns when to probe after this many rejections in a row, if the vendor does not say: at the end of the window
    /// if its length is known. After that the pauses grow, at first only to a quarter of a window: other clients may
    /// use up each window but will finish before long, and what they leave should not be wasted. If that has not helped
    /// for several windows, the pauses become long.
    fn pause(&self, now: Instant, refusals: u32, jitter: f64) -> Instant {
        let grown = |step: u32, most: Duration| {
            let whole = FIRST_PAUSE.saturating_mul(1 << step.min(16)).min(most);
            later(now, whole.mul_f64(1.0 - jitter / 4.0))
        };
        let start = self.cycle.start.unwrap_or(now);
        let length = self.window.length();
        let usual = length.unwrap_or(USUAL_WINDOW);
        let most = if now < later(start, usual * PATIENCE) { usual / 4 } else { LONGEST_PAUSE };
        let Some(end) = length.map(|length| later(start, length)) else { return grown(refusals, most) };
        if end <= now {
            return grown(refusals.saturating_sub(2), most);
        }
        let end = later(end, MOST_JITTER.mul_f64(jitter / 4.0));
        match self.window {
            // The documented window may not apply to this account, and an early probe costs little.
            Window::Documented(_) if refusals == 1 => grown(1, most).min(end),
            // Rejected too early: the window is a rolling one, or other clients were faster.
            _ if self.share < u32::MAX && self.cycle.taken < self.share / 2 => grown(refusals - 1, most).min(end),
            _ => end,
        }
    }

    /// Checks the documented window against a request that the vendor accepted again.
    fn learn(&mut self, counted: Instant) {
        if let (Window::Documented(length), Some(start)) = (self.window, self.cycle.start) {
            let is_disproved = counted < later(start, length / 2);
            self.window = if is_disproved { Window::Unknown } else { Window::Named(length) };
        }
    }

    fn shut(&mut self, until: Instant, refusals: u32) {
        self.way = Way::Closed { until, refusals };
        self.closings = self.closings.wrapping_add(1);
        self.under_way = 0;
        self.remaining = None;
    }

    /// Applies what the vendor reports about the remaining quota.
    fn heed(&mut self, now: Instant, quota: Quota, jitter: f64) {
        if let Some(length) = quota.window {
            self.window = Window::Named(length);
        }
        self.remaining = quota.remaining;
        if quota.remaining == Some(0) && self.way == Way::Open {
            let end = match (quota.reset, self.window) {
                (Some(reset), _) => later(now, reset),
                (None, Window::Unknown) => return,
                (None, Window::Documented(_) | Window::Named(_)) => self.pause(now, 1, jitter),
            };
            if end > now {
                self.shut(end, 0);
            }
        }
    }

    /// Returns how many requests may be in flight after a successful probe.
    fn first_room(&self) -> u32 {
        if self.share == u32::MAX { LEAST_ROOM } else { (self.share / 2).clamp(LEAST_ROOM, MOST_FIRST_ROOM) }
    }

    fn begin_cycle(&mut self) {
        if self.cycle.taken > 0 {
            self.share = self.cycle.taken;
        }
        self.cycle = Cycle::default();
        self.remaining = None;
    }

    /// Returns whether the window of this cycle's first request is over.
    fn is_over(&self, now: Instant) -> bool {
        self.window.length().zip(self.cycle.start).is_some_and(|(length, start)| now >= later(start, length))
    }

    fn most_under_way(&self, now: Instant) -> u32 {
        if self.is_over(now) {
            return self.room;
        }
        let most = if self.cycle.sent < self.share { self.room } else { self.edge };
        let spread = self.remaining.map_or(u32::MAX, |left| u32::try_from(left / SPREAD).unwrap_or(u32::MAX).max(1));
        most.min(spread)
    }

    /// Returns whether the request was sent since the flow was last closed.
    fn ends(&mut self, number: u64) -> bool {
        let is_current = number == self.closings;
        if is_current {
            self.under_way = self.under_way.saturating_sub(1);
        }
        is_current
    }
}

/// Allows one more request with every response at first, and later one more per round of responses.
fn grow(most: &mut u32, taken: u32) {
    if *most < FAST_GROWTH || taken.is_multiple_of(*most) {
        *most = most.saturating_add(1);
    }
}

/// Estimates when the vendor counted a request.
fn midway(sent: Instant, now: Instant) -> Instant {
    sent + now.saturating_duration_since(sent) / 2
}

fn later(start: Instant, wait: Duration) -> Instant {
    start.checked_add(wait).unwrap_or(start + FAR)
}

const LEAST_ROOM: u32 = 2;
const MOST_FIRST_ROOM: u32 = 8;
const FAST_GROWTH: u32 = 16;

/// Only this fraction of the remaining requests may be in flight, since other clients may share them.
const SPREAD: u64 = 8;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(40);

/// The window that is assumed if the vendor reports none.
const USUAL_WINDOW: Duration = Duration::from_secs(10);

/// After this many windows the pauses become long.
const PATIENCE: u32 = 6;

/// Spreads out clients that were rejected at the same time.
const MOST_JITTER: Duration = Duration::from_millis(250);

/// Caps a wait, because a longer one could overflow the clock.
const FAR: Duration = Duration::from_hours(365 * 24);
