//! What ends the process from outside: signals, and the death of the core that started it.

use std::{io, sync::Arc, time::Duration};

use tracing::info;

use super::{Start, lifecycle::Lifecycle};

/// The process that started this one.
///
/// It is compared with itself later and never with 1, since in a container core may well be process 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Parent(u32);

impl Parent {
    #[cfg(unix)]
    pub(super) fn now() -> Self {
        Self(std::os::unix::process::parent_id())
    }

    /// Only unix gives orphans another parent. Elsewhere the plugin lives until core's pipes close it.
    #[cfg(not(unix))]
    pub(super) fn now() -> Self {
        Self(0)
    }

    /// Waits until this process is an orphan.
    async fn lost(self) {
        let mut check = tokio::time::interval(Duration::from_secs(1));
        while Self::now() == self {
            check.tick().await;
        }
    }
}

/// Ends the process in good order when it is told to, or when the core that started it is gone.
///
/// Ctrl-C reaches the whole process group. Core decides what follows and says so over gRPC, so the signal itself is ignored
/// unless someone debugs the provider.
pub(super) fn watch(lifecycle: Arc<Lifecycle>, start: Start, parent: Parent) -> io::Result<()> {
    let mut signals = Signals::new()?;
    tokio::spawn({
        let lifecycle = lifecycle.clone();
        async move {
            loop {
                let signal = signals.next().await;
                if signal == Signal::End || start == Start::ForDebugging {
                    info!("the process is told to end");
                    lifecycle.end();
                }
            }
        }
    });
    if start == Start::ByCore {
        tokio::spawn(async move {
            parent.lost().await;
            info!("core is gone");
            lifecycle.end();
        });
    }
    Ok(())
}

#[derive(Eq, PartialEq)]
enum Signal {
    Interrupt,
    End,
}

#[cfg(unix)]
struct Signals {
    hangup: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hangup.recv() => Signal::End,
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::End,
        }
    }
}

#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    close: tokio::signal::windows::CtrlClose,
}

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()?, close: tokio::signal::windows::ctrl_close()? })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.close.recv() => Signal::End,
        }
    }
}
