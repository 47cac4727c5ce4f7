//! Clients that share a limit and know nothing of each other, at a model of the vendor's limiter, in time that is not
//! real.

use std::collections::VecDeque;

use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::*;

const CLIENTS: u64 = 8;
const CREDENTIALS: usize = 60;
const ALLOWED: usize = 100;
const WINDOW: Duration = Duration::from_secs(10);

/// How the vendor counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Counts {
    /// In windows that begin with a request after the end of the one before.
    Fixed,
    /// In windows that begin every ten seconds.
    Clock,
    /// The requests of the last ten seconds.
    Rolling,
    /// Those, with the ones that it refused.
    RollingWithRefused,
}

/// What the vendor says of its limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Says {
    Nothing,
    /// With a refusal, the time to wait, in whole seconds.
    RetryAfter,
    /// With everything, what remains and the length of the window (`X-HubSpot-RateLimit-*`).
    Remaining,
}

struct Limiter {
    counts: Counts,
    says: Says,
    began: Instant,
    /// When what counts was received.
    counted: VecDeque<Instant>,
    refused: usize,
    last: Instant,
    first: Option<Instant>,
}

impl Limiter {
    /// Answers a request: what it says, and whether it takes it.
    fn answer(&mut self) -> (bool, Option<Duration>, Quota) {
        let now = Instant::now();
        self.first.get_or_insert(now);
        let is_over = |since: Instant| now - since >= WINDOW;
        match self.counts {
            Counts::Fixed if is_over(self.began) => (self.began, self.counted) = (now, VecDeque::new()),
            Counts::Clock => {
                while is_over(self.began) {
                    self.began += WINDOW;
                    self.counted.clear();
                }
            }
            Counts::Fixed => {}
            Counts::Rolling | Counts::RollingWithRefused => self.counted.retain(|since| !is_over(*since)),
        }
        let takes = self.counted.len() < ALLOWED;
        if takes {
            self.last = now;
        } else {
            self.refused += 1;
        }
        if takes || self.counts == Counts::RollingWithRefused {
            self.counted.push_back(now);
        }
        let free_at = match self.counts {
            Counts::Fixed | Counts::Clock => self.began + WINDOW,
            _ => self.counted.get(self.counted.len().saturating_sub(ALLOWED)).map_or(now, |since| *since + WINDOW),
        };
        let whole_seconds =
            Duration::from_secs(u64::try_from((free_at - now).as_millis().div_ceil(1000).max(1)).unwrap());
        let retry_after = (!takes && self.says == Says::RetryAfter).then_some(whole_seconds);
        let remaining = ALLOWED.saturating_sub(self.counted.len()) as u64;
        let quota = match self.says {
            Says::Remaining => Quota { remaining: Some(remaining), window: Some(WINDOW), reset: None },
            _ => Quota::default(),
        };
        (takes, retry_after, quota)
    }
}

#[derive(Debug)]
struct Case {
    counts: Counts,
    says: Says,
    documented: Option<Duration>,
    /// How many requests of a client wait at a time.
    parallelism: usize,
    round_trip: Duration,
    /// How far apart the clients start.
    skew: Duration,
}

#[derive(Debug)]
struct Ran {
    took: Duration,
    refused: usize,
    failed: usize,
}

impl Case {
    async fn run(&self, seed: u64) -> Ran {
        let start = Instant::now();
        let limiter = Limiter {
            counts: self.counts,
            says: self.says,
            began: start,
            counted: VecDeque::new(),
            refused: 0,
            last: start,
            first: None,
        };
        let limiter = Arc::new(Mutex::new(limiter));
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            let limiter = Arc::clone(&limiter);
            let gate = Arc::new(Gate::seeded(self.documented, seed * 100 + client));
            let (round_trip, parallelism) = (self.round_trip, self.parallelism);
            let mut random = Jitter::seeded(seed * 1000 + client);
            let starts = start + self.skew.mul_f64(random.next());
            clients.spawn(async move {
                sleep_until(starts).await;
                let op = || Operation::new(Duration::from_mins(5), CancellationToken::new());
                let mut failed = usize::from(!send(&gate, &limiter, &op(), round_trip, &mut random).await);
                let (slots, mut resets) = (Arc::new(Semaphore::new(parallelism)), JoinSet::new());
                for number in 0..CREDENTIALS {
                    let (gate, limiter, slots) = (Arc::clone(&gate), Arc::clone(&limiter), Arc::clone(&slots));
                    let mut random = Jitter::seeded(seed * 100_000 + client * 100 + number as u64);
                    resets.spawn(async move {
                        let _slot = slots.acquire().await.unwrap();
                        send(&gate, &limiter, &op(), round_trip, &mut random).await
                    });
                }
                while let Some(done) = resets.join_next().await {
                    failed += usize::from(!done.unwrap());
                }
                failed
            });
        }
        let failed = clients.join_all().await.into_iter().sum();
        let limiter = limiter.lock().unwrap();
        Ran { took: limiter.last - limiter.first.unwrap(), refused: limiter.refused, failed }
    }
}

/// One request with all its tries, as the loop in `retry` makes them.
async fn send(
    gate: &Gate,
    limiter: &Mutex<Limiter>,
    op: &Operation,
    round_trip: Duration,
    random: &mut Jitter,
) -> bool {
    let (place, limit) = (gate.place(), RateLimiter::new(None));
    loop {
        let Ok(pass) = gate.pass(&place, op, &limit, "").await else { return false };
        let there = round_trip.mul_f64(random.next());
        sleep(there).await;
        let (takes, retry_after, quota) = limiter.lock().unwrap().answer();
        sleep(round_trip.mul_f64(1.5).saturating_sub(there).mul_f64(random.next())).await;
        if takes {
            pass.ended(quota);
            return true;
        }
        let error = Error { retry_after, ..Error::new(Kind::RateLimited, Outcome::NotChanged, "", "") };
        pass.refused(&error, retry_after, quota);
    }
}

/// The least time in which the limiter takes all requests.
fn allowed(counts: Counts) -> Duration {
    let requests = usize::try_from(CLIENTS).unwrap() * (1 + CREDENTIALS);
    let windows = requests.div_ceil(ALLOWED) - 1;
    match counts {
        Counts::Fixed | Counts::Clock => WINDOW * u32::try_from(windows).unwrap(),
        // As many as ever in a window, at any time.
        Counts::Rolling | Counts::RollingWithRefused => {
            WINDOW * u32::try_from(requests).unwrap() / u32::try_from(ALLOWED).unwrap()
        }
    }
}

async fn all_end_within(times: f64, counts: Counts, says: Says, documented: Option<Duration>) {
    for parallelism in [10, 60] {
        for round_trip in [4, 60] {
            for (skew, seed) in [(0, 1), (500, 2)] {
                let (round_trip, skew) = (Duration::from_millis(round_trip), Duration::from_millis(skew));
                let case = Case { counts, says, documented, parallelism, round_trip, skew };
                let ran = case.run(seed).await;
                assert_eq!(ran.failed, 0, "{case:?}");
                assert!(ran.refused < 700, "{case:?}: {ran:?}");
                let ratio = ran.took.as_secs_f64() / allowed(counts).as_secs_f64();
                assert!(ratio <= times, "{case:?}: {ran:?}, {ratio:.3} times what the limit allows");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn clients_that_share_a_limit_end_as_soon_as_it_allows() {
    for counts in [Counts::Fixed, Counts::Clock, Counts::Rolling] {
        for says in [Says::Nothing, Says::RetryAfter, Says::Remaining] {
            all_end_within(1.1, counts, says, Some(WINDOW)).await;
        }
    }
    all_end_within(1.1, Counts::RollingWithRefused, Says::RetryAfter, Some(WINDOW)).await;
}

#[tokio::test(start_paused = true)]
async fn clients_that_know_nothing_of_the_limit_end_soon() {
    for counts in [Counts::Fixed, Counts::Clock, Counts::Rolling] {
        all_end_within(1.2, counts, Says::Nothing, None).await;
    }
}

#[tokio::test(start_paused = true)]
async fn clients_do_not_starve_where_refused_requests_count() {
    for says in [Says::Nothing, Says::Remaining] {
        all_end_within(1.3, Counts::RollingWithRefused, says, Some(WINDOW)).await;
    }
    all_end_within(2.5, Counts::RollingWithRefused, Says::Nothing, None).await;
}
