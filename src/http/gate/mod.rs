//! The queue in which a client's requests wait for the vendor's rate limit, oldest first.
//!
//! After a 429 one request probes, and the others wait for its result.

mod flow;
mod quota;
#[cfg(test)]
mod simulation;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

pub(super) use quota::Quota;

use self::flow::{Flow, Next};
use super::{
    Error, Kind, Operation, Outcome, Result,
    limit::RateLimiter,
    operation::{LEAST_TO_SEND, stopped},
    random::Jitter,
};

/// Releases a client's requests as fast as the vendor accepts them.
pub(super) struct Gate(Mutex<State>);

struct State {
    flow: Flow,
    /// Wakes each waiting request, by its place.
    waiting: BTreeMap<u64, Arc<Notify>>,
    places: u64,
    /// The vendor's last rejection, until it accepts a request again.
    refusal: Option<Error>,
    jitter: Jitter,
}

impl Gate {
    /// Creates the gate for a vendor. `window` is the documented window of its rate limit.
    pub(super) fn new(window: Option<Duration>) -> Self {
        Self::with(window, Jitter::new())
    }

    #[cfg(test)]
    fn seeded(window: Option<Duration>, seed: u64) -> Self {
        Self::with(window, Jitter::seeded(seed))
    }

    fn with(window: Option<Duration>, jitter: Jitter) -> Self {
        let flow = Flow::new(window);
        Self(Mutex::new(State { flow, waiting: BTreeMap::new(), places: 0, refusal: None, jitter }))
    }

    /// Returns the next place in the queue. A request keeps its place for all of its tries.
    pub(super) fn place(&self) -> Place {
        let mut state = self.state();
        state.places += 1;
        Place(state.places)
    }

    /// Waits until a request may be sent. A stop ends the wait. If the operation has too little time, the error is the
    /// vendor's last rejection.
    pub(super) async fn pass(
        &self,
        place: &Place,
        op: &Operation,
        limit: &RateLimiter,
        host: &str,
    ) -> Result<Pass<'_>> {
        // An open gate is passed without a wait, which would otherwise be what notices a stop or the deadline.
        op.wait(std::future::ready(())).await.map_err(|error| self.given_up(error, host))?;
        let turn = Arc::new(Notify::new());
        self.state().waiting.insert(place.0, Arc::clone(&turn));
        let _line = Line { gate: self, place };

        let mut has_turn = false;
        loop {
            let next = self.look(place, op, has_turn)?;
            match next {
                Look::Leave(number) => return Ok(Pass { gate: self, number: Some(number), sent: Instant::now() }),
                // The requests behind this one keep waiting.
                Look::TakeTurn => {
                    limit.acquire(op, host).await?;
                    has_turn = true;
                }
                Look::Wait(until) => {
                    has_turn = false;
                    let timer = async {
                        match until {
                            Some(until) => tokio::time::sleep_until(until).await,
                            None => std::future::pending().await,
                        }
                    };
                    let change = async {
                        tokio::select! {
                            biased;
                            () = timer => {}
                            () = turn.notified() => {}
                        }
                    };
                    op.wait(change).await.map_err(|error| self.given_up(error, host))?;
                }
            }
        }
    }

    /// Returns whether a rejection closed the gate for longer than this operation can wait.
    pub(super) fn opens_too_late(&self, op: &Operation) -> bool {
        self.state().flow.refused_until().is_some_and(|until| until > latest(op))
    }

    fn look(&self, place: &Place, op: &Operation, has_turn: bool) -> Result<Look> {
        let now = Instant::now();
        let latest = latest(op);
        let mut state = self.state();
        if let Some(until) = state.flow.refused_until()
            && until > latest
        {
            return Err(state.too_late(until - now));
        }
        if state.waiting.keys().next() != Some(&place.0) {
            return Ok(Look::Wait(None));
        }
        Ok(match state.flow.next(now, latest) {
            Next::Now if has_turn => Look::Leave(state.flow.send(now)),
            Next::Now => Look::TakeTurn,
            Next::At(until) => Look::Wait(Some(until)),
            Next::AfterAnother => Look::Wait(None),
        })
    }

    /// Creates the error of a request whose operation ends while it waits.
    fn given_up(&self, error: Error, host: &str) -> Error {
        match error.kind {
            Kind::Stopped => stopped(host),
            _ => self.state().refusal.clone().unwrap_or(Error { host: host.into(), ..error }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn too_late(&self, wait: Duration) -> Error {
        let reason = "the vendor's rate limit does not allow the request within the operation's timeout";
        let refusal = self.refusal.clone();
        let error = refusal.unwrap_or_else(|| Error::new(Kind::RateLimited, Outcome::NotChanged, "", reason));
        Error { retry_after: error.retry_after.map(|_| wait), ..error }
    }

    fn wake_first(&self) {
        if let Some(first) = self.waiting.values().next() {
            first.notify_one();
        }
    }

    fn wake_all(&self) {
        self.waiting.values().for_each(|turn| turn.notify_one());
    }
}

/// Returns when a request has to be sent at the latest for its response to arrive in time.
fn latest(op: &Operation) -> Instant {
    op.deadline.checked_sub(LEAST_TO_SEND).unwrap_or(op.deadline)
}

enum Look {
    /// The request may be sent. Its end is reported with this number.
    Leave(u64),
    TakeTurn,
    Wait(Option<Instant>),
}

/// A request's place in the queue.
#[derive(Debug)]
pub(super) struct Place(u64);

/// Keeps a request in the queue until it is dropped.
struct Line<'a> {
    gate: &'a Gate,
    place: &'a Place,
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        state.waiting.remove(&self.place.0);
        state.wake_first();
    }
}

/// A request that was sent.
pub(super) struct Pass<'a> {
    gate: &'a Gate,
    number: Option<u64>,
    sent: Instant,
}

impl Pass<'_> {
    /// Reports any end other than a 429.
    pub(super) fn ended(mut self, quota: Quota) {
        let Some(number) = self.number.take() else { return };
        let mut state = self.gate.state();
        let jitter = state.jitter.next();
        state.flow.pass(number, self.sent, Instant::now(), quota, jitter);
        if !state.flow.is_refused() {
            state.refusal = None;
        }
        state.wake_first();
    }

    /// Reports a 429, and how long the vendor asked to wait.
    pub(super) fn refused(mut self, error: &Error, asked: Option<Duration>, quota: Quota) {
        let Some(number) = self.number.take() else { return };
        let mut state = self.gate.state();
        let jitter = state.jitter.next();
        state.flow.refuse(number, self.sent, Instant::now(), asked, quota, jitter);
        state.refusal = Some(error.clone());
        // Each checks whether its operation has enough time for the new wait.
        state.wake_all();
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number.take() {
            let mut state = self.gate.state();
            state.flow.take_back(number);
            state.wake_first();
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use proptest::prelude::*;
    use tokio::{
        task::JoinSet,
        time::{sleep, timeout},
    };
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::secret::Shown;

    const SECOND: Duration = Duration::from_secs(1);

    fn operation(seconds: u64) -> Operation {
        Operation::new(Duration::from_secs(seconds), CancellationToken::new())
    }

    fn wait(retry_after: Option<u64>) -> Option<Duration> {
        retry_after.map(Duration::from_secs)
    }

    fn refusal(retry_after: Option<u64>) -> Error {
        Error {
            message: Shown::sentence("Slow down."),
            retry_after: wait(retry_after),
            ..Error::new(Kind::RateLimited, Outcome::NotChanged, "example.com", "it returned 429")
        }
    }

    async fn pass<'a>(gate: &'a Gate, op: &Operation) -> Result<Pass<'a>> {
        gate.pass(&gate.place(), op, &RateLimiter::new(None), "example.com").await
    }

    /// A gate that a refusal has closed.
    async fn closed(retry_after: Option<u64>) -> Gate {
        let gate = Gate::seeded(None, 1);
        pass(&gate, &operation(300)).await.unwrap().refused(&refusal(retry_after), wait(retry_after), Quota::default());
        gate
    }

    #[tokio::test(start_paused = true)]
    async fn any_number_leaves_until_one_is_refused() {
        let (gate, op) = (Gate::new(None), operation(300));
        let passes: Vec<_> = futures(100, || pass(&gate, &op)).await;
        assert!(passes.iter().all(Result::is_ok));
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_refusal_one_asks_and_the_others_wait() {
        let gate = Arc::new(closed(Some(5)).await);
        let (start, under_way, most, asked) =
            (Instant::now(), AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let request = || async {
            let (place, op) = (gate.place(), operation(300));
            loop {
                let pass = gate.pass(&place, &op, &RateLimiter::new(None), "").await.unwrap();
                let is_refused = asked.fetch_add(1, Relaxed) < 3;
                most.fetch_max(under_way.fetch_add(1, Relaxed) + 1, Relaxed);
                if is_refused {
                    assert_eq!(most.load(Relaxed), 1);
                    assert!(start.elapsed() >= SECOND * 5);
                }
                sleep(SECOND).await;
                under_way.fetch_sub(1, Relaxed);
                if !is_refused {
                    pass.ended(Quota::default());
                    return;
                }
                pass.refused(&refusal(Some(5)), wait(Some(5)), Quota::default());
            }
        };
        futures(50, request).await;
        assert_eq!(asked.load(Relaxed), 53);
        let most = most.load(Relaxed);
        assert!((2..50).contains(&most), "the gate opens gradually: {most} at a time");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_wait_at_once() {
        let (gate, op, start) = (closed(Some(60)).await, operation(300), Instant::now());
        let stop = async {
            sleep(SECOND).await;
            op.stop.cancel();
        };
        let (waiting, also, ()) = tokio::join!(pass(&gate, &op), pass(&gate, &op), stop);
        for error in [waiting.err().unwrap(), also.err().unwrap()] {
            assert_eq!((error.kind, error.outcome, &*error.host), (Kind::Stopped, Outcome::NotChanged, "example.com"));
        }
        assert_eq!(start.elapsed(), SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn an_operation_that_cannot_wait_fails_with_the_vendors_rejection() {
        let (gate, start) = (closed(Some(60)).await, Instant::now());
        let error = pass(&gate, &operation(60)).await.err().unwrap();
        assert_eq!((error.kind, error.message.as_deref()), (Kind::RateLimited, Some("Slow down.")));
        assert!(error.retry_after.unwrap() >= SECOND * 60);
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert!(pass(&gate, &operation(120)).await.is_ok());
        assert!(start.elapsed() >= SECOND * 60);
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_wait_learn_of_a_longer_wait() {
        let (gate, start) = (closed(Some(5)).await, Instant::now());
        let asks = async {
            let pass = pass(&gate, &operation(300)).await.unwrap();
            pass.refused(&refusal(Some(100)), wait(Some(100)), Quota::default());
        };
        let short = operation(60);
        let ((), second) = tokio::join!(biased; asks, pass(&gate, &short));
        assert_eq!(second.err().unwrap().kind, Kind::RateLimited);
        assert!(start.elapsed() < SECOND * 6, "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_else_ends_the_asking_lets_the_next_one_leave() {
        let op = operation(300);
        for is_dropped in [false, true] {
            let gate = closed(Some(5)).await;
            let asking = pass(&gate, &op).await.unwrap();
            assert!(timeout(SECOND * 60, pass(&gate, &op)).await.is_err(), "one asks");
            if is_dropped {
                drop(asking);
            } else {
                asking.ended(Quota::default());
            }
            assert!(timeout(Duration::ZERO, pass(&gate, &op)).await.is_ok());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_leaves_first_whatever_was_refused() {
        let gate = Arc::new(Gate::seeded(None, 1));
        let (old, young) = (gate.place(), gate.place());
        let (op, limit) = (operation(300), RateLimiter::new(None));
        gate.pass(&old, &op, &limit, "").await.unwrap().refused(&refusal(Some(5)), wait(Some(5)), Quota::default());
        let order = Mutex::new(Vec::new());
        let leave = async |place: &Place| {
            let pass = gate.pass(place, &op, &limit, "").await.unwrap();
            order.lock().unwrap().push(place.0);
            pass.ended(Quota::default());
        };
        tokio::join!(biased; leave(&young), leave(&old));
        assert_eq!(*order.lock().unwrap(), [old.0, young.0]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_users_own_limit_holds_all_the_same() {
        let (gate, limit, op) = (closed(Some(5)).await, RateLimiter::new(Some(4.0)), operation(300));
        let times = Mutex::new(Vec::new());
        futures(10, || async {
            let pass = gate.pass(&gate.place(), &op, &limit, "").await.unwrap();
            times.lock().unwrap().push(Instant::now());
            pass.ended(Quota::default());
        })
        .await;
        let times = times.into_inner().unwrap();
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= SECOND / 4), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_leaves_while_nothing_remains() {
        for (quota, seconds) in [
            (Quota { remaining: Some(0), window: Some(SECOND * 10), reset: None }, 10),
            (Quota { remaining: Some(0), reset: Some(SECOND * 30), window: None }, 30),
        ] {
            let (gate, start) = (Gate::seeded(None, 1), Instant::now());
            pass(&gate, &operation(300)).await.unwrap().ended(quota);
            // There was no rejection yet, so an operation that cannot wait sends at once.
            drop(pass(&gate, &operation(seconds)).await.unwrap());
            assert_eq!(start.elapsed(), Duration::ZERO);
            let gate = Gate::seeded(None, 1);
            pass(&gate, &operation(300)).await.unwrap().ended(quota);
            drop(pass(&gate, &operation(300)).await.unwrap());
            assert!(start.elapsed() >= SECOND * u32::try_from(seconds).unwrap(), "{:?}", start.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_leave_at_a_time_as_an_eighth_of_what_remains() {
        let (gate, op) = (Gate::seeded(None, 1), operation(300));
        pass(&gate, &op).await.unwrap().ended(Quota { remaining: Some(32), ..Quota::default() });
        let mut passes = Vec::new();
        while let Ok(pass) = timeout(SECOND, pass(&gate, &op)).await {
            passes.push(pass);
        }
        assert_eq!(passes.len(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_where_the_vendor_names_none() {
        for window in [None, Some(SECOND * 10)] {
            let (gate, op) = (Gate::seeded(window, 1), operation(1000));
            let place = gate.place();
            let mut left = Vec::new();
            while let Ok(pass) = gate.pass(&place, &op, &RateLimiter::new(None), "").await {
                left.push(Instant::now());
                pass.refused(&refusal(None), wait(None), Quota::default());
            }
            let pauses: Vec<_> = left.windows(2).map(|pair| pair[1] - pair[0]).collect();
            assert!((SECOND / 2..=SECOND).contains(&pauses[0]), "{pauses:?}");
            assert!(pauses.iter().rev().take(15).all(|pause| *pause >= SECOND * 30), "{pauses:?}");
        }
    }

    /// Waits for so many of the same at once.
    async fn futures<T, F: Future<Output = T>>(count: usize, of: impl Fn() -> F) -> Vec<T> {
        let mut waiting: Vec<_> = (0..count).map(|_| (Box::pin(of()), None)).collect();
        std::future::poll_fn(|context| {
            let mut is_ready = true;
            for (future, value) in &mut waiting {
                if value.is_none() {
                    match future.as_mut().poll(context) {
                        std::task::Poll::Ready(done) => *value = Some(done),
                        std::task::Poll::Pending => is_ready = false,
                    }
                }
            }
            if is_ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        waiting.into_iter().filter_map(|(_, value)| value).collect()
    }

    /// What becomes of a request that has left.
    #[derive(Clone, Copy, Debug)]
    enum End {
        Taken(Option<u64>),
        Refused(Option<u64>),
        GivenUp,
        Stopped,
    }

    fn end() -> impl Strategy<Value = End> {
        prop_oneof![
            3 => prop::option::of(0..50u64).prop_map(End::Taken),
            3 => prop::option::of(0..20u64).prop_map(End::Refused),
            1 => Just(End::GivenUp),
            1 => Just(End::Stopped),
        ]
    }

    #[tokio::test(start_paused = true)]
    async fn an_operation_that_has_ended_does_not_pass_an_open_gate() {
        let (gate, limit) = (Gate::seeded(None, 1), RateLimiter::new(None));
        let (stopped, over) = (operation(60), operation(1));
        stopped.stop.cancel();
        sleep(SECOND * 2).await;
        for (op, kind) in [(stopped, Kind::Stopped), (over, Kind::TimedOut)] {
            let error = gate.pass(&gate.place(), &op, &limit, "").await.err().unwrap();
            assert_eq!((error.kind, error.outcome), (kind, Outcome::NotChanged));
        }
        assert!(gate.state().waiting.is_empty());
    }

    proptest! {
        /// Whatever becomes of requests, none is forgotten at the gate, and each has ended by its deadline.
        #[test]
        fn nothing_waits_for_ever(ends in prop::collection::vec((end(), 0..3000u64), 1..40), seed: u64, window in prop::option::of(1..20u64)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            runtime.block_on(async {
                let gate = Arc::new(Gate::seeded(window.map(Duration::from_secs), seed));
                let mut requests = JoinSet::new();
                let script = Arc::new(Mutex::new(ends.clone()));
                for _ in 0..20 {
                    let (gate, script) = (Arc::clone(&gate), Arc::clone(&script));
                    requests.spawn(async move {
                        let (place, op) = (gate.place(), operation(60));
                        while let Ok(pass) = gate.pass(&place, &op, &RateLimiter::new(None), "").await {
                            let (end, ms) = script.lock().unwrap().pop().unwrap_or((End::Taken(None), 1));
                            sleep(Duration::from_millis(ms)).await;
                            match end {
                                End::Taken(remaining) => {
                                    pass.ended(Quota { remaining, window: Some(SECOND * 3), reset: None });
                                    return;
                                }
                                End::Refused(retry_after) => pass.refused(&refusal(retry_after), wait(retry_after), Quota::default()),
                                End::GivenUp => return,
                                End::Stopped => op.stop.cancel(),
                            }
                        }
                    });
                }
                timeout(SECOND * 64, requests.join_all()).await.unwrap();
                assert!(gate.state().waiting.is_empty());
            });
        }
    }
}
