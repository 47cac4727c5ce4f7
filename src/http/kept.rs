//! Connections that have carried a look-up and may carry the next.
//!
//! Never a request that changes a password: written to a connection that the server is just closing, it counts as sent.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::Instant;

use super::route::{Connection, Route};

/// The connections that wait for a look-up.
#[derive(Default)]
pub(super) struct Kept(Mutex<Vec<Idle>>);

struct Idle {
    route: Route,
    since: Instant,
    connection: Connection,
}

impl Kept {
    /// Keeps a connection whose last response has come to its end.
    pub(super) fn keep(&self, route: &Route, connection: Connection) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(Idle::is_fresh);
        if idle.len() < MOST {
            idle.push(Idle { route: route.clone(), since: Instant::now(), connection });
        }
    }

    /// The connection on this route that was used last, if the server has neither closed it nor said anything since.
    pub(super) fn take(&self, route: &Route) -> Option<Connection> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(Idle::is_fresh);
        while let Some(at) = idle.iter().rposition(|kept| kept.route == *route) {
            let Idle { mut connection, .. } = idle.remove(at);
            if is_silent(&mut connection) {
                return Some(connection);
            }
        }
        None
    }
}

impl Idle {
    fn is_fresh(&self) -> bool {
        self.since.elapsed() < LONGEST_IDLE
    }
}

fn is_silent(connection: &mut Connection) -> bool {
    let mut byte = [0];
    Pin::new(connection).poll_read(&mut Context::from_waker(Waker::noop()), &mut ReadBuf::new(&mut byte)).is_pending()
}

/// Less than the five seconds after which Apache httpd and Node.js close one; nginx and AWS's load balancers wait for a minute.
const LONGEST_IDLE: Duration = Duration::from_secs(4);

/// As many as core has look-ups under way unless it is told otherwise.
const MOST: usize = 10;
