//! When calls are told to hurry, and when the process ends.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, task::JoinHandle, time};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The one place that knows what is in flight and what has been asked of the process.
#[derive(Debug)]
pub(super) struct Lifecycle {
    /// Cancelled when the process is to end: by a signal, by core's Shutdown, or because core died.
    ending: CancellationToken,
    /// Cancelled by `StopProvider` and replaced for the calls that come later. Always a child of `ending`.
    stop: Mutex<CancellationToken>,
    /// Cancelled when connections are to close, after what they carry is answered.
    closing: CancellationToken,
    calls: TaskTracker,
    /// How many clients are connected.
    clients: watch::Sender<usize>,
}

impl Lifecycle {
    pub(super) fn new() -> Self {
        let ending = CancellationToken::new();
        let stop = Mutex::new(ending.child_token());
        let (closing, calls) = (CancellationToken::new(), TaskTracker::new());
        Self { ending, stop, closing, calls, clients: watch::Sender::new(0) }
    }

    /// The token by which a call that starts now learns that it should hurry.
    pub(super) fn stop_token(&self) -> CancellationToken {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner).child_token()
    }

    /// Tells every call in flight to hurry. Later calls are not affected: a process that is debugged serves several runs.
    pub(super) fn stop_calls(&self) {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *stop, self.ending.child_token()).cancel();
    }

    /// Runs a call in a task of its own, which a lost connection does not cancel.
    pub(super) fn run<F>(&self, call: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.calls.spawn(call)
    }

    /// Tells this call and every later one to hurry. Connections close when nothing is in flight any more.
    pub(super) fn end(&self) {
        self.ending.cancel();
    }

    /// Like [`end`](Self::end), and takes no further connection or call.
    pub(super) fn close(&self) {
        self.ending.cancel();
        self.closing.cancel();
    }

    /// Closes the connections once the process is to end and nothing is in flight.
    pub(super) async fn close_when_idle(&self) {
        self.ending.cancelled().await;
        self.idle().await;
        self.closing.cancel();
    }

    /// The token that ends connections and idle streams.
    pub(super) fn closing(&self) -> CancellationToken {
        self.closing.clone()
    }

    /// Waits until nothing is in flight.
    pub(super) async fn idle(&self) {
        self.calls.close();
        self.calls.wait().await;
    }

    /// Waits until the last client has hung up, or until it is clear that none will come.
    pub(super) async fn abandoned(&self) {
        let mut clients = self.clients.subscribe();
        if time::timeout(LONGEST_WAIT_FOR_A_CLIENT, clients.wait_for(|clients| *clients > 0)).await.is_ok() {
            let _ = clients.wait_for(|clients| *clients == 0).await;
        }
    }
}

/// Goes with core's connection. When core hangs up, the calls in flight are told to hurry: what they would still begin, nobody is
/// left to store.
#[derive(Debug)]
pub(super) struct HangUp(Arc<Lifecycle>);

impl HangUp {
    /// A client is there.
    pub(super) fn new(lifecycle: Arc<Lifecycle>) -> Self {
        lifecycle.clients.send_modify(|clients| *clients = clients.saturating_add(1));
        Self(lifecycle)
    }
}

impl Drop for HangUp {
    fn drop(&mut self) {
        self.0.stop_calls();
        self.0.clients.send_modify(|clients| *clients = clients.saturating_sub(1));
    }
}

/// Core connects as soon as it has read where. It gives a provider a minute to say so.
const LONGEST_WAIT_FOR_A_CLIENT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_reaches_the_call_in_flight_and_not_the_next() {
        let lifecycle = Lifecycle::new();
        let in_flight = lifecycle.stop_token();
        lifecycle.stop_calls();
        assert!(in_flight.is_cancelled());
        assert!(!lifecycle.stop_token().is_cancelled());
    }

    #[test]
    fn the_end_reaches_the_call_in_flight_and_every_later_one() {
        let lifecycle = Lifecycle::new();
        let in_flight = lifecycle.stop_token();
        lifecycle.end();
        lifecycle.stop_calls();
        assert!(in_flight.is_cancelled());
        assert!(lifecycle.stop_token().is_cancelled());
    }

    #[tokio::test]
    async fn connections_stay_until_the_call_in_flight_is_done() {
        let lifecycle = std::sync::Arc::new(Lifecycle::new());
        let (finish, finished) = tokio::sync::oneshot::channel::<()>();
        let call = lifecycle.run(finished);
        let closer = tokio::spawn({
            let lifecycle = lifecycle.clone();
            async move { lifecycle.close_when_idle().await }
        });
        lifecycle.end();
        tokio::task::yield_now().await;
        assert!(!lifecycle.closing().is_cancelled());
        finish.send(()).unwrap();
        call.await.unwrap().unwrap();
        closer.await.unwrap();
        assert!(lifecycle.closing().is_cancelled());
    }
}
