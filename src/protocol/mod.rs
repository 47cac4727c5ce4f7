//! The plugin server: go-plugin's handshake, mutual TLS, and the gRPC services through which core reaches a provider.

mod apply;
mod call;
mod convert;
mod discovery;
mod dumps;
mod find;
mod function;
mod go_plugin;
mod handshake;
mod identity;
mod lifecycle;
mod lines;
mod list;
mod listener;
mod log;
mod moved;
mod parent;
mod rpc;
mod server;
mod services;
mod signals;
mod start;
mod tls;
mod wire;

#[cfg(unix)]
use std::os::fd::AsFd;
use std::{
    convert::Infallible,
    env,
    error::Error,
    io::{self, Write},
    panic,
    process::{self, ExitCode},
    sync::Arc,
};

use serde_json::json;
use tokio::{runtime, task};
use tonic::{body::Body, client::GrpcService};
use tracing::info;

use crate::framework::Provider;
pub use handshake::{Handshake, HandshakeError};
use lifecycle::Lifecycle;
use listener::{Address, Listener};
use parent::Parent;
use signals::{Signal, Signals};
pub use start::Start;
use tls::Identity;

/// Serves a provider until core or a signal ends the process, or core is gone.
///
/// Only the handshake goes to stdout. If serving is impossible, the reason is printed in one line on stderr.
pub fn serve(provider: Arc<dyn Provider>, start: Start) -> ExitCode {
    // First of all: if core died before this call, the parent would already be another process.
    let parent = Parent::now();
    dumps::forbid(start);
    set_panic_hook();
    log::start(|name| env::var(name).ok());
    let status = match start_up(provider, start, parent) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::print(format!("{error}\n"));
            ExitCode::FAILURE
        }
    };
    log::flush();
    status
}

/// Returns the service for core's calls, without a process, a socket or TLS, for benchmarks.
pub fn service(provider: Arc<dyn Provider>) -> impl GrpcService<Body, ResponseBody = Body, Error = Infallible> + Clone {
    services::calls(provider, Arc::new(Lifecycle::new()))
}

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn start_up(provider: Arc<dyn Provider>, start: Start, parent: Parent) -> Result<()> {
    let handshake_terms = match start {
        Start::ByCore => Some(Handshake::read(|name| env::var_os(name))?),
        Start::ForDebugging => None,
    };
    let client = handshake_terms.as_ref().and_then(|handshake_terms| handshake_terms.client_certificate.clone());
    let identity = client.map(Identity::new).transpose()?;

    // One thread is enough, since calls mostly wait for the network, and it starts faster than a pool.
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let lifecycle = Arc::new(Lifecycle::new());
        handle_signals(Signals::usual()?, lifecycle.clone(), start);
        let listener = Listener::bind(|name| env::var_os(name)).await?;
        let address = listener.address()?;
        let line = match &handshake_terms {
            Some(handshake_terms) => {
                handshake_terms.answer(&address, identity.as_ref().map(|identity| &identity.certificate))
            }
            None => reattachment(&*provider, &address),
        };
        print_handshake(line, &lifecycle).await?;
        // After the handshake, since these signals only matter during a call.
        #[cfg(unix)]
        handle_signals(Signals::unusual()?, lifecycle.clone(), start);
        if start == Start::ByCore {
            follow_parent(parent, lifecycle.clone());
        }
        server::serve(provider, lifecycle, start, listener, identity.map(|identity| identity.acceptor)).await;
        Ok(())
    });
    // Do not wait for name lookups that were abandoned.
    runtime.shutdown_background();
    served
}

/// Shuts down gracefully on a signal. An interrupt is left to core, unless the provider is being debugged.
fn handle_signals(mut signals: Signals, lifecycle: Arc<Lifecycle>, start: Start) {
    tokio::spawn(async move {
        loop {
            let signal = signals.next().await;
            if signal == Signal::End || start == Start::ForDebugging {
                info!("received a signal to end");
                lifecycle.end();
            }
        }
    });
}

/// Shuts down gracefully when the core that started this process is gone.
fn follow_parent(parent: Parent, lifecycle: Arc<Lifecycle>) {
    tokio::spawn(async move {
        parent.lost(&lifecycle).await;
        info!("core is gone");
        lifecycle.end();
    });
}

/// Prints a line on stdout. If the parent does not read it, a signal can still end the process.
async fn print_handshake(line: String, lifecycle: &Lifecycle) -> Result<()> {
    let print = move || {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{line}")?;
        stdout.flush()
    };
    if has_room(&io::stdout()) {
        return Ok(print()?);
    }
    tokio::select! {
        printed = task::spawn_blocking(print) => Ok(printed??),
        () = lifecycle.close_when_idle() => Ok(()),
    }
}

/// Returns whether a line can be written without blocking.
#[cfg(unix)]
fn has_room(stream: &impl AsFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let mut streams = [PollFd::new(stream, PollFlags::OUT)];
    poll(&mut streams, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

#[cfg(not(unix))]
fn has_room<T>(_: &T) -> bool {
    false
}

/// Returns the environment variable with which both Terraform and OpenTofu attach to a process that is being debugged.
fn reattachment(provider: &dyn Provider, address: &Address) -> String {
    let plugin = json!({
        "Protocol": "grpc",
        "ProtocolVersion": 6,
        "Pid": process::id(),
        "Test": true,
        "Addr": { "Network": address.network, "String": address.location },
    });
    let [terraform, tofu] =
        ["registry.terraform.io", "registry.opentofu.org"].map(|host| format!("{host}/{}", provider.address()));
    format!("TF_REATTACH_PROVIDERS='{}'", json!({ terraform: plugin, tofu: plugin }))
}

/// Makes a panic print a line that core reports as a crash. The panic message may quote a value and is dropped.
fn set_panic_hook() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or("unknown".to_owned(), |place| format!("{}:{}", place.file(), place.line()));
        log::print(format!("panic: {place}\n"));
    }));
}
