//! The server: takes connections, serves them, and ends without cutting an answer off.

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
        // Whether core lives is looked at once a second, and a second is enough to send a reset that nobody would store.
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

/// Closes the provider in a task of its own, where a panic ends nothing else. Nobody waits for it longer than it may take.
async fn close(provider: Arc<dyn Provider>) {
    let closing = tokio::spawn(async move { provider.close().await });
    if time::timeout(TIME_TO_CLOSE, closing).await.is_err() {
        debug!("the provider did not close in time");
    }
}

/// Serves every client until connections are to close, and then waits until the last has closed.
///
/// A client that takes its time holds up nobody else.
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
                warn!(%error, "no connection could be taken");
                time::sleep(PAUSE_AFTER_FAILED_ACCEPT).await;
            }
        }
    }
    connections.close();
    connections.wait().await;
}

/// What every connection is served with.
#[derive(Clone)]
struct Server {
    services: Services,
    tls: Option<TlsAcceptor>,
    /// Whose calls in flight are told to hurry when the client hangs up.
    core: Option<Arc<Lifecycle>>,
    closing: CancellationToken,
}

impl Server {
    /// Serves one client that can show who it is.
    async fn serve(self, connection: Connection) {
        let greeted = tokio::select! {
            greeted = greet(connection, self.tls) => greeted,
            () = self.closing.cancelled() => None,
        };
        let Some(connection) = greeted else { return };
        let connection = match self.core {
            Some(lifecycle) => connection.telling(HangUp::new(lifecycle)),
            None => connection,
        };
        let mut builder = http2::Builder::new(TokioExecutor::new());
        // Core says with `-parallelism` how many calls it makes at a time, and knows of no lower limit.
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
            warn!(%error, "a client was refused");
            None
        }
        Err(_) => {
            warn!("a client did not finish its TLS handshake");
            None
        }
    }
}

/// Waits until there is nothing left to do but for a client to hang up.
async fn overdue(lifecycle: &Lifecycle) {
    lifecycle.close_when_idle().await;
    lifecycle.idle().await;
    time::sleep(GRACE).await;
}

/// Below the five seconds in which the process is to be gone after its last call.
const GRACE: Duration = Duration::from_secs(3);

const PAUSE_AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);

const TLS_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);
