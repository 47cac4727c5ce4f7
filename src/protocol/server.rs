//! The server: takes connections, serves them, and ends without cutting an answer off.

use std::{error::Error, sync::Arc, time::Duration};

use tokio::{sync::mpsc, time};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;
use tracing::{debug, warn};

use super::{
    Start,
    go_plugin::GoPlugin,
    lifecycle::{HangUp, Lifecycle},
    listener::{Connection, Listener},
    rpc::Service,
    wire::{
        plugin::{
            grpc_broker_server::GrpcBrokerServer, grpc_controller_server::GrpcControllerServer,
            grpc_stdio_server::GrpcStdioServer,
        },
        tfplugin6::provider_server::ProviderServer,
    },
};
use crate::framework::{Provider, TIME_TO_CLOSE};

/// Serves until the process is to end and nothing is in flight.
pub(super) async fn serve(
    provider: Arc<dyn Provider>,
    lifecycle: Arc<Lifecycle>,
    start: Start,
    listener: Listener,
    tls: Option<TlsAcceptor>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (connections, incoming) = mpsc::channel(16);
    let go_plugin = GoPlugin { lifecycle: lifecycle.clone() };
    let service = calls(provider.clone(), lifecycle.clone());
    let closing = lifecycle.closing();
    let server = Server::builder()
        .add_service(GrpcBrokerServer::new(go_plugin.clone()))
        .add_service(GrpcControllerServer::new(go_plugin.clone()))
        .add_service(GrpcStdioServer::new(go_plugin))
        .add_service(service)
        .serve_with_incoming_shutdown(ReceiverStream::new(incoming), closing.cancelled());

    // Whether core lives is looked at once a second, and a second is enough to send a reset that nobody would store.
    let core = (start == Start::ByCore).then(|| lifecycle.clone());

    // Accepting stops as soon as the other ends, and the listener is dropped with it.
    let ended = tokio::select! {
        ended = server => ended,
        () = accept(&listener, tls, connections, core) => Ok(()),
        () = overdue(&lifecycle) => {
            debug!("a client kept its connection");
            Ok(())
        }
    };
    lifecycle.idle().await;
    close(provider).await;
    Ok(ended?)
}

/// The service that answers core's calls.
pub(super) fn calls(provider: Arc<dyn Provider>, lifecycle: Arc<Lifecycle>) -> ProviderServer<Service> {
    let service = ProviderServer::new(Service { provider, lifecycle });
    service.max_decoding_message_size(LARGEST_MESSAGE).max_encoding_message_size(LARGEST_MESSAGE)
}

/// Closes the provider in a task of its own, where a panic ends nothing else. Nobody waits for it longer than it may take.
async fn close(provider: Arc<dyn Provider>) {
    let closing = tokio::spawn(async move { provider.close().await });
    if time::timeout(TIME_TO_CLOSE, closing).await.is_err() {
        debug!("the provider did not close in time");
    }
}

/// Hands on every client that can show who it is. One that takes its time holds up nobody else. When core hangs up, the calls in
/// flight are told to hurry.
async fn accept(
    listener: &Listener,
    tls: Option<TlsAcceptor>,
    connections: mpsc::Sender<std::io::Result<Connection>>,
    core: Option<Arc<Lifecycle>>,
) {
    loop {
        match listener.accept().await {
            Ok(connection) => {
                let (tls, connections, core) = (tls.clone(), connections.clone(), core.clone());
                tokio::spawn(async move {
                    if let Some(connection) = greet(connection, tls).await {
                        let connection = match core {
                            Some(lifecycle) => connection.telling(HangUp(lifecycle)),
                            None => connection,
                        };
                        // The server that would take it may have ended.
                        let _ = connections.send(Ok(connection)).await;
                    }
                });
            }
            Err(error) => {
                warn!(%error, "no connection could be taken");
                time::sleep(PAUSE_AFTER_FAILED_ACCEPT).await;
            }
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

/// States with attributes of several megabytes occur.
const LARGEST_MESSAGE: usize = 256 << 20;

/// Below the five seconds in which the process is to be gone after its last call.
const GRACE: Duration = Duration::from_secs(3);

const PAUSE_AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);

const TLS_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);
