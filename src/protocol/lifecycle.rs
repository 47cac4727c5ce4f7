//! Stops calls, and decides when the process ends.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, task::JoinHandle, time};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Tracks what is in flight, and whether calls and the process should end.
#[derive(Debug)]
pub(super) struct Lifecycle {
    /// Cancelled when the process is to end: by a signal, by core's Shutdown, or because core died.
    ending: CancellationToken,
    /// Cancelled by `StopProvider` and replaced for the calls that come later. Always a child of `ending`.
    stop: Mutex<CancellationToken>,
    /// Cancelled when connections are to close, after the last response.
    closing: CancellationToken,
    calls: TaskTracker,
    /// The number of connected clients.
    clients: watch::Sender<usize>,
}

impl Lifecycle {
    pub(super) fn new() -> Self {
        let ending = CancellationToken::new();
        let stop = Mutex::new(ending.child_token());
        let (closing, calls) = (CancellationToken::new(), TaskTracker::new());
        Self { ending, stop, closing, calls, clients: watch::Sender::new(0) }
    }

    /// Returns the stop signal for a call that starts now.
    pub(super) fn stop_token(&self) -> CancellationToken {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner).child_token()
    }

    /// Stops every call in flight. Later calls are not affected, since a process that is being debugged serves several
    /// runs.
    pub(super) fn stop_calls(&self) {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        // Replace before cancelling, so a call that starts concurrently gets a fresh token.
        std::mem::replace(&mut *stop, self.ending.child_token()).cancel();
    }

    /// Runs a call in a separate task, which a lost connection does not cancel.
    pub(super) fn run<F>(&self, call: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.calls.spawn(call)
    }

    /// Stops every call in flight and every later one. Connections close when nothing is in flight.
    pub(super) fn end(&self) {
        self.ending.cancel();
    }

    /// Like [`end`](Self::end), but also accepts no more connections or calls.
    pub(super) fn close(&self) {
        self.ending.cancel();
        self.closing.cancel();
    }

    /// Waits until the process is to end and nothing is in flight, then closes the connections.
    pub(super) async fn close_when_idle(&self) {
        self.ending.cancelled().await;
        self.idle().await;
        self.closing.cancel();
    }

    /// Returns the signal that closes connections and idle streams.
    pub(super) fn closing(&self) -> CancellationToken {
        self.closing.clone()
    }

    /// Waits until nothing is in flight.
    pub(super) async fn idle(&self) {
        // A closed tracker still accepts tasks; closing it is only what makes `wait` return when it is empty.
        self.calls.close();
        self.calls.wait().await;
    }

    /// Waits until the last client has disconnected, or until it is clear that none will connect.
    pub(super) async fn abandoned(&self) {
        let mut clients = self.clients.subscribe();
        if time::timeout(LONGEST_WAIT_FOR_A_CLIENT, clients.wait_for(|clients| *clients > 0)).await.is_ok() {
            let _ = clients.wait_for(|clients| *clients == 0).await;
        }
    }
}

/// Belongs to a connection from core. When it is dropped, the calls in flight are stopped, because nobody would store
/// the results of anything that they start later.
#[derive(Debug)]
pub(super) struct HangUp(Arc<Lifecycle>);

impl HangUp {
    /// Records a connected client.
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

/// Core connects as soon as it has read the address, and waits a minute for that.
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
