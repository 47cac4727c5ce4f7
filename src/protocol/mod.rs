//! The plugin server: go-plugin's handshake, mutual TLS, and the gRPC services through which core reaches a provider.

mod apply;
mod call;
mod convert;
mod dumps;
mod function;
mod go_plugin;
mod handshake;
mod lifecycle;
mod lines;
mod listener;
mod log;
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

/// Serves a provider until core, a signal or the loss of core ends the process.
///
/// Nothing but the handshake goes to stdout. What prevents serving is said in one line on stderr.
pub fn serve(provider: Arc<dyn Provider>, start: Start) -> ExitCode {
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

/// The service that answers core's calls, without a process, a socket or TLS around it: what a benchmark of the calls needs.
pub fn service(provider: Arc<dyn Provider>) -> impl GrpcService<Body, ResponseBody = Body, Error = Infallible> + Clone {
    services::calls(provider, Arc::new(Lifecycle::new()))
}

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn start_up(provider: Arc<dyn Provider>, start: Start, parent: Parent) -> Result<()> {
    let terms = match start {
        Start::ByCore => Some(Handshake::read(|name| env::var_os(name))?),
        Start::ForDebugging => None,
    };
    let client = terms.as_ref().and_then(|terms| terms.client_certificate.clone());
    let identity = client.map(Identity::new).transpose()?;

    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let lifecycle = Arc::new(Lifecycle::new());
        obey(Signals::usual()?, lifecycle.clone(), start);
        let listener = Listener::bind(|name| env::var_os(name)).await?;
        let address = listener.address()?;
        let line = match &terms {
            Some(terms) => terms.answer(&address, identity.as_ref().map(|identity| &identity.certificate)),
            None => reattachment(&*provider, &address),
        };
        print_handshake(line, &lifecycle).await?;
        // Core is not kept waiting for what can happen to a call only.
        #[cfg(unix)]
        obey(Signals::unusual()?, lifecycle.clone(), start);
        if start == Start::ByCore {
            outlive(parent, lifecycle.clone());
        }
        server::serve(provider, lifecycle, start, listener, identity.map(|identity| identity.acceptor)).await;
        Ok(())
    });
    // A name lookup that nobody waits for any more must not hold the process.
    runtime.shutdown_background();
    served
}

/// Ends the process in good order when a signal says so. An interrupt is left to core, unless someone debugs the provider.
fn obey(mut signals: Signals, lifecycle: Arc<Lifecycle>, start: Start) {
    tokio::spawn(async move {
        loop {
            let signal = signals.next().await;
            if signal == Signal::End || start == Start::ForDebugging {
                info!("the process is told to end");
                lifecycle.end();
            }
        }
    });
}

/// Ends the process in good order when the core that started it is gone.
fn outlive(parent: Parent, lifecycle: Arc<Lifecycle>) {
    tokio::spawn(async move {
        parent.lost(&lifecycle).await;
        info!("core is gone");
        lifecycle.end();
    });
}

/// Prints a line on stdout, where whoever started the process may not read it, and must be able to end the process all the same.
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

/// Tells whether a line can be written without a wait, as far as the system says.
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

/// What a user who debugs sets, so that either core finds this process under its registry's address.
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

/// Lets a panic leave a line by which core shows it as a crash. Its message may quote a value and is dropped.
fn set_panic_hook() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or("unknown".to_owned(), |place| format!("{}:{}", place.file(), place.line()));
        log::print(format!("panic: {place}\n"));
    }));
}
