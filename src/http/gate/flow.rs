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

/// What one client knows of a vendor's rate limit.
#[derive(Debug)]
pub(super) struct Flow {
    way: Way,
    window: Window,
    cycle: Cycle,
    /// How many requests the vendor took in the last window; the greatest number until it has refused one.
    share: u32,
    /// How many may be under way within the share.
    room: u32,
    /// How many may be under way beyond the share.
    edge: u32,
    /// How many are under way that left since the way was last closed.
    under_way: u32,
    /// How often the way was closed.
    closings: u64,
    /// How many more requests the vendor accepts, according to its headers.
    remaining: Option<u64>,
}

/// Whether requests may leave.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    Open,
    /// After so many refusals in a row. None means that the vendor said that nothing remains, and has refused nothing.
    Closed {
        until: Instant,
        refusals: u32,
    },
    /// One request is under way that shows whether the vendor takes requests again.
    Asking {
        refusals: u32,
    },
}

/// How long the vendor's windows are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Window {
    Unknown,
    /// As its documentation says.
    Documented(Duration),
    /// As its responses say, or as its documentation says and a refusal has confirmed.
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

/// What happened since the way was last opened.
#[derive(Clone, Copy, Debug, Default)]
struct Cycle {
    /// When the vendor counted the first of these requests.
    start: Option<Instant>,
    sent: u32,
    taken: u32,
}

/// When the next request may leave.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Next {
    Now,
    /// Not before this time.
    At(Instant),
    /// When one that is under way has ended.
    AfterAnother,
}

impl Flow {
    /// The state of a vendor that has refused nothing yet. `window` is the time over which it counts requests, by its
    /// documentation.
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

    /// When the next request may leave that has to leave before `deadline`.
    pub(super) fn next(&self, now: Instant, deadline: Instant) -> Next {
        match self.way {
            // Only a refusal can fail an operation. One that cannot wait until something remains asks at once.
            Way::Closed { until, refusals } if now < until && (refusals > 0 || until < deadline) => Next::At(until),
            Way::Closed { .. } => Next::Now,
            Way::Open if self.under_way < self.most_under_way(now) => Next::Now,
            Way::Open | Way::Asking { .. } => Next::AfterAnother,
        }
    }

    /// Whether the vendor's last word is a refusal.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.way, Way::Closed { refusals: 1.., .. } | Way::Asking { refusals: 1.. })
    }

    /// When the way opens, where a refusal closed it.
    pub(super) fn refused_until(&self) -> Option<Instant> {
        match self.way {
            Way::Closed { until, refusals: 1.. } => Some(until),
            _ => None,
        }
    }

    /// Counts a request that leaves. Its end is reported with the number that this returns.
    pub(super) fn send(&mut self, now: Instant) -> u64 {
        match self.way {
            Way::Closed { refusals, .. } => self.way = Way::Asking { refusals },
            Way::Open => {
                if self.is_over(now) {
                    let share = self.share;
                    self.begin_cycle();
                    // It ended without a refusal, so what was taken is no bound.
                    self.share = self.share.max(share);
                }
            }
            Way::Asking { .. } => {}
        }
        self.cycle.sent = self.cycle.sent.saturating_add(1);
        self.under_way += 1;
        self.closings
    }

    /// Reports a request whose end says nothing of the limit.
    pub(super) fn take_back(&mut self, number: u64) {
        if self.ends(number)
            && let Way::Asking { refusals } = self.way
        {
            // The next one asks, at once.
            self.way = Way::Closed { until: Instant::now(), refusals };
        }
    }

    /// Reports a request that ended with anything but a refusal for too many requests.
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

    /// Reports a request that was refused for too many requests. `asked` is how long the vendor asked to wait, and
    /// `jitter` is from 0 to 1.
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
            // It left before the way was closed. All it can add is a longer wait.
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

    /// When to ask again after so many refusals in a row where the vendor does not say: at the end of the window if its
    /// length is known. Then the pauses grow, at first only to a quarter of a window: other clients take what each
    /// window holds and will be done before long, and what they leave should not go to waste. When that has not helped
    /// for several windows, the pauses are long.
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
            // What is documented may not hold for this account, and a short look costs little.
            Window::Documented(_) if refusals == 1 => grown(1, most).min(end),
            // Too early for the end of a window: it counts what is in the past, or others were faster.
            _ if self.share < u32::MAX && self.cycle.taken < self.share / 2 => grown(refusals - 1, most).min(end),
            _ => end,
        }
    }

    /// Compares what is documented with a request that the vendor took again.
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

    /// Takes the vendor's word on what it still allows.
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

    /// How many may be under way after the one that asked.
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

    /// Whether the window is over in which the first request of this cycle was counted.
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

    /// Whether the request left since the way was last closed.
    fn ends(&mut self, number: u64) -> bool {
        let is_current = number == self.closings;
        if is_current {
            self.under_way = self.under_way.saturating_sub(1);
        }
        is_current
    }
}

/// Allows one more with every response at first, then one more whenever as many have come.
fn grow(most: &mut u32, taken: u32) {
    if *most < FAST_GROWTH || taken.is_multiple_of(*most) {
        *most = most.saturating_add(1);
    }
}

/// About when the vendor counted a request.
fn midway(sent: Instant, now: Instant) -> Instant {
    sent + now.saturating_duration_since(sent) / 2
}

fn later(start: Instant, wait: Duration) -> Instant {
    start.checked_add(wait).unwrap_or(start + FAR)
}

const LEAST_ROOM: u32 = 2;
const MOST_FIRST_ROOM: u32 = 8;
const FAST_GROWTH: u32 = 16;

/// At most one in so many of the requests that remain is under way, since other clients may share them.
const SPREAD: u64 = 8;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(40);

/// The window that is assumed of a vendor that names none.
const USUAL_WINDOW: Duration = Duration::from_secs(10);

/// After so many windows the pauses are long.
const PATIENCE: u32 = 6;

/// Keeps clients apart that were refused at the same time.
const MOST_JITTER: Duration = Duration::from_millis(250);

/// In place of a wait too long to be a point in time.
const FAR: Duration = Duration::from_hours(365 * 24);
