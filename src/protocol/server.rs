//! The server: accepts and serves connections, and shuts down without truncating a response.

use std::{pin::pin, sync::Arc, time::Duration};

use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::time;
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

use super::{
    lifecycle::{HangUp, Lifecycle},
    listener::{Connection, Listener},
    services::Services,
    start::Start,
};
use crate::framework::{Provider, TIME_TO_CLOSE};

/// Serves until the process is to end and nothing is in flight.
pub(super) async fn serve(
    provider: Arc<dyn Provider>,
    lifecycle: Arc<Lifecycle>,
    start: Start,
    listener: Listener,
    tls: Option<TlsAcceptor>,
) {
    let server = Server {
        services: Services::new(provider.clone(), lifecycle.clone()),
        tls,
        // The check of the parent process runs once a second, and a second is enough to send a reset whose result
        // nobody would store.
        core: (start == Start::ByCore).then(|| lifecycle.clone()),
        closing: lifecycle.closing(),
    };
    tokio::select! {
        () = accept(&listener, &server) => {}
        () = overdue(&lifecycle) => debug!("a client kept its connection"),
    }
    lifecycle.idle().await;
    close(provider).await;
}

/// Closes the provider in a separate task, so a panic ends nothing else, and limits the time.
async fn close(provider: Arc<dyn Provider>) {
    let closing = tokio::spawn(async move { provider.close().await });
    if time::timeout(TIME_TO_CLOSE, closing).await.is_err() {
        debug!("the provider did not close in time");
    }
}

/// Serves clients until connections are to close, then waits until the last one is closed.
///
/// A slow client does not block the others.
async fn accept(listener: &Listener, server: &Server) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = server.closing.cancelled() => break,
        };
        match accepted {
            Ok(connection) => {
                connections.spawn(server.clone().serve(connection));
            }
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                time::sleep(PAUSE_AFTER_FAILED_ACCEPT).await;
            }
        }
    }
    connections.close();
    connections.wait().await;
}

/// The shared parts of every connection's server.
#[derive(Clone)]
struct Server {
    services: Services,
    tls: Option<TlsAcceptor>,
    /// Stops the calls in flight when the client disconnects.
    core: Option<Arc<Lifecycle>>,
    closing: CancellationToken,
}

impl Server {
    /// Serves one client, after it has authenticated.
    async fn serve(self, connection: Connection) {
        let greeted = tokio::select! {
            greeted = greet(connection, self.tls) => greeted,
            () = self.closing.cancelled() => None,
        };
        let Some(connection) = greeted else { return };
        let connection = match self.core {
            Some(lifecycle) => connection.with_hang_up(HangUp::new(lifecycle)),
            None => connection,
        };
        let mut builder = http2::Builder::new(TokioExecutor::new());
        // Core limits its concurrent calls by `-parallelism`, and does not expect a lower limit.
        builder.max_concurrent_streams(None).auto_date_header(false);
        let mut answering = pin!(builder.serve_connection(TokioIo::new(connection), self.services));
        let ended = tokio::select! {
            ended = &mut answering => ended,
            () = self.closing.cancelled() => {
                answering.as_mut().graceful_shutdown();
                answering.await
            }
        };
        if let Err(error) = ended {
            debug!(%error, "a connection broke");
        }
    }
}

async fn greet(connection: Connection, tls: Option<TlsAcceptor>) -> Option<Connection> {
    let Some(tls) = tls else { return Some(connection) };
    match time::timeout(TLS_HANDSHAKE_TIMEOUT, tls.accept(connection)).await {
        Ok(Ok(stream)) => Some(Connection::new(stream)),
        Ok(Err(error)) => {
            warn!(%error, "a client was rejected");
            None
        }
        Err(_) => {
            warn!("a client did not finish its TLS handshake");
            None
        }
    }
}

/// Waits until everything is done except that a client has not disconnected.
async fn overdue(lifecycle: &Lifecycle) {
    lifecycle.close_when_idle().await;
    lifecycle.idle().await;
    time::sleep(GRACE).await;
}

/// Less than the five seconds in which the process has to end after its last call.
const GRACE: Duration = Duration::from_secs(3);

const PAUSE_AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);

const TLS_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);
