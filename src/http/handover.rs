//! The moment at which a request leaves.
//!
//! Until a connection stands, nothing can have been sent, and the request can be taken back. The layer around the
//! connector marks the moment. With the pool off, reqwest connects in the task that sends, which makes a task-local the
//! way from the one to the other.

use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio_util::sync::CancellationToken;
use tower_layer::Layer;
use tower_service::Service;

/// Whether one request has left.
#[derive(Clone, Debug, Default)]
pub(super) struct HandOver(CancellationToken);

tokio::task_local! {
    static CURRENT: HandOver;
}

impl HandOver {
    /// Runs `sending`, whose connection is marked here.
    pub(super) async fn watch<T>(&self, sending: impl Future<Output = T>) -> T {
        CURRENT.scope(self.clone(), sending).await
    }

    /// Tells whether a connection stands. `false` proves that nothing was sent.
    pub(super) fn has_happened(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits for the connection.
    pub(super) async fn happens(&self) {
        self.0.cancelled().await;
    }
}

/// Marks every connection that comes about.
#[derive(Clone, Copy, Debug)]
pub(super) struct HandOverLayer;

impl<S> Layer<S> for HandOverLayer {
    type Service = Marking<S>;

    fn layer(&self, connector: S) -> Marking<S> {
        Marking(connector)
    }
}

/// A connector whose connections are marked.
#[derive(Clone, Debug)]
pub(super) struct Marking<S>(S);

impl<S, T> Service<T> for Marking<S>
where
    S: Service<T, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, target: T) -> Self::Future {
        let current = CURRENT.try_with(Clone::clone);
        let connecting = self.0.call(target);
        Box::pin(async move {
            // No connection without someone to tell: an unmarked one would pass for a request that never left.
            let HandOver(mark) = current?;
            let connection = connecting.await?;
            mark.cancel();
            Ok(connection)
        })
    }
}

type BoxError = Box<dyn StdError + Send + Sync>;
