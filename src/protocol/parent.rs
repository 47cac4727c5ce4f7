//! Notices when the process that started this one is gone.

use std::time::Duration;

use tokio::time;

use super::lifecycle::Lifecycle;

/// The id of the process that started this one.
///
/// A changed id means that the parent is gone. It is never compared with 1, since core may be process 1 in a container.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Parent(u32);

impl Parent {
    #[cfg(unix)]
    pub(super) fn now() -> Self {
        Self(std::os::unix::process::parent_id())
    }

    /// Only Unix assigns orphans another parent.
    #[cfg(not(unix))]
    pub(super) fn now() -> Self {
        UNSEEN
    }

    /// Waits until core is gone.
    pub(super) async fn lost(self, lifecycle: &Lifecycle) {
        if self == UNSEEN {
            return lifecycle.abandoned().await;
        }
        let mut check = time::interval(Duration::from_secs(1));
        while Self::now() == self {
            check.tick().await;
        }
    }
}

/// A parent in another PID namespace has no id here (`getppid(2)`), and its death does not change that. Then core's
/// connection is the only sign of it.
const UNSEEN: Parent = Parent(0);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::{task::yield_now, time::Instant};

    use super::*;
    use crate::protocol::lifecycle::HangUp;

    #[tokio::test(start_paused = true)]
    async fn a_parent_that_cannot_be_seen_is_gone_when_its_last_client_has_hung_up() {
        let lifecycle = Arc::new(Lifecycle::new());
        let watching = tokio::spawn({
            let lifecycle = lifecycle.clone();
            async move { UNSEEN.lost(&lifecycle).await }
        });
        let first = HangUp::new(lifecycle.clone());
        yield_now().await;
        let second = HangUp::new(lifecycle.clone());
        drop(first);
        // However long the other stays.
        time::sleep(Duration::from_secs(86_400)).await;
        assert!(!watching.is_finished());
        drop(second);
        watching.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_parent_that_cannot_be_seen_and_never_connects_is_gone_after_a_while() {
        let start = Instant::now();
        UNSEEN.lost(&Lifecycle::new()).await;
        assert!(start.elapsed() >= Duration::from_secs(60));
    }
}
