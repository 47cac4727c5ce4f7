//! Files are read off the runtime's thread: one on a disk that does not answer must not hold up a signal or a deadline.

use std::{sync::mpsc, thread, time::Duration};

use tokio::{sync::oneshot, time::timeout};

/// Runs what may block on a file, on a thread of its own. `None` where it does not end in time: such a thread is left behind, and
/// nobody waits for it, not even at the end of the process.
pub(super) async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, result) = oneshot::channel();
    let begun = thread::Builder::new().name("file".to_owned()).spawn(move || _ = done.send(work()));
    begun.ok()?;
    timeout(PATIENCE, result).await.ok()?.ok()
}

/// The same for a caller that cannot wait in any other way: while it waits, its own thread does nothing else.
pub(super) fn off_thread_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, result) = mpsc::sync_channel(1);
    let begun = thread::Builder::new().name("file".to_owned()).spawn(move || _ = done.send(work()));
    begun.ok()?;
    result.recv_timeout(PATIENCE).ok()
}

/// How long a file is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
