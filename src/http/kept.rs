//! Kept connections, which only reads may reuse.
//!
//! A request that changes a password never reuses one: if the server is just closing the connection, it would be
//! unknown whether the request was received.

use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Waker},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, ReadBuf},
    time::Instant,
};

use super::route::{Connection, Route};

/// The idle connections.
#[derive(Default)]
pub(super) struct Kept(Mutex<Vec<Idle>>);

struct Idle {
    route: Route,
    since: Instant,
    connection: Connection,
}

impl Kept {
    /// Keeps a connection whose last response is complete.
    pub(super) fn keep(&self, route: &Route, connection: Connection) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(Idle::is_fresh);
        if idle.len() < MOST {
            idle.push(Idle { route: route.clone(), since: Instant::now(), connection });
        }
    }

    /// Takes the most recently used connection of a route, unless the server has closed it or sent something.
    pub(super) fn take(&self, route: &Route) -> Option<Connection> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(Idle::is_fresh);
        while let Some(at) = idle.iter().rposition(|kept| kept.route == *route) {
            let Idle { mut connection, .. } = idle.remove(at);
            // A server that has closed or written something will not process another request.
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

/// Apache httpd and Node.js close idle connections after five seconds, nginx and AWS's load balancers after a minute.
const LONGEST_IDLE: Duration = Duration::from_secs(4);

/// The default of core's `-parallelism`.
const MOST: usize = 10;
