//! Reads files on a separate thread: a hanging file system must not delay a signal or a deadline.

use std::{sync::mpsc, thread, time::Duration};

use tokio::{sync::oneshot, time::timeout};

/// Runs `work`, which may block on a file, on a new thread. `None` if it does not finish in time. Such a thread is
/// abandoned, and the process does not wait for it when it ends.
pub(super) async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, result) = oneshot::channel();
    let begun = thread::Builder::new().name("file".to_owned()).spawn(move || _ = done.send(work()));
    begun.ok()?;
    timeout(PATIENCE, result).await.ok()?.ok()
}

/// Like [`off_thread`], but blocks the current thread. For callers that cannot await.
pub(super) fn off_thread_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, result) = mpsc::sync_channel(1);
    let begun = thread::Builder::new().name("file".to_owned()).spawn(move || _ = done.send(work()));
    begun.ok()?;
    result.recv_timeout(PATIENCE).ok()
}

/// How long to wait for a file.
const PATIENCE: Duration = Duration::from_secs(10);
