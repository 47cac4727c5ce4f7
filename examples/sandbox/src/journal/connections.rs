//! The SMTP connections that the sandbox has seen, without what was secret in them.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

use serde::Serialize;

use super::{super::lock, LIMIT, Tls};

/// One SMTP connection, from its beginning.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SmtpConnection {
    /// What the client asked for, in order. Of AUTH there is the mechanism and never more; unknown commands are `?`.
    pub commands: Vec<String>,
    /// How it was secured; nothing as long as it was not.
    pub tls: Option<Tls>,
    /// Whether any of an AUTH command came in clear, heeded or not.
    pub auth_before_tls: bool,
    /// How often the client had to wait: one to connect, one for TLS 1.3 or two for TLS 1.2, and one for each reply
    /// after which nothing was under way from it.
    pub round_trips: usize,
    /// Whether it is over.
    pub ended: bool,
}

/// The connections so far.
#[derive(Default)]
pub(crate) struct Connections {
    known: Mutex<Known>,
    changed: Condvar,
}

#[derive(Default)]
struct Known {
    forgotten: usize,
    connections: Vec<SmtpConnection>,
}

/// Records one connection for as long as it lasts.
pub(crate) struct Visit<'journal> {
    connections: &'journal Connections,
    number: usize,
}

impl Connections {
    /// Starts recording a connection.
    pub(crate) fn open(&self) -> Visit<'_> {
        let mut known = lock(&self.known);
        if known.connections.len() == LIMIT {
            known.forget(LIMIT / 2);
        }
        known.connections.push(SmtpConnection::default());
        Visit { connections: self, number: known.forgotten + known.connections.len() - 1 }
    }

    /// The connections, oldest first.
    pub(crate) fn all(&self) -> Vec<SmtpConnection> {
        lock(&self.known).connections.clone()
    }

    /// Forgets the connections.
    pub(crate) fn forget(&self) {
        let mut known = lock(&self.known);
        let count = known.connections.len();
        known.forget(count);
    }

    /// Blocks until so many of the connections are over, for at most a minute; returns whether they are.
    pub(crate) fn wait_for_ended(&self, count: usize) -> bool {
        let few = |known: &mut Known| known.connections.iter().filter(|connection| connection.ended).count() < count;
        let waited = self.changed.wait_timeout_while(lock(&self.known), Duration::from_mins(1), few);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

impl Known {
    fn forget(&mut self, count: usize) {
        self.connections.drain(..count);
        self.forgotten += count;
    }
}

impl Visit<'_> {
    /// Writes down what the client asks for.
    pub(crate) fn command(&self, verb: &str, argument: &str) {
        let command = match verb {
            "AUTH" => format!("AUTH {}", mechanism(argument)),
            "EHLO" | "HELO" | "MAIL" | "RCPT" => format!("{verb} {argument}"),
            "DATA" | "EXPN" | "HELP" | "NOOP" | "QUIT" | "RSET" | "STARTTLS" | "VRFY" => verb.to_owned(),
            _ => "?".to_owned(),
        };
        self.change(|connection| {
            connection.auth_before_tls |= verb == "AUTH" && connection.tls.is_none();
            connection.commands.push(command);
        });
    }

    /// Looks at what came in clear and is never obeyed.
    pub(crate) fn thrown_away(&self, bytes: &[u8]) {
        let auth = bytes.windows(4).any(|word| word.eq_ignore_ascii_case(b"AUTH"));
        self.change(|connection| connection.auth_before_tls |= auth && connection.tls.is_none());
    }

    /// Writes down that TLS stands, for which the client waited so many times.
    pub(crate) fn secured(&self, tls: Tls, round_trips: usize) {
        self.change(|connection| {
            connection.tls = Some(tls);
            connection.round_trips += round_trips;
        });
    }

    /// Writes down that the client waits.
    pub(crate) fn round_trip(&self) {
        self.change(|connection| connection.round_trips += 1);
    }

    fn change(&self, change: impl FnOnce(&mut SmtpConnection)) {
        let mut known = lock(&self.connections.known);
        let index = self.number.checked_sub(known.forgotten);
        if let Some(connection) = index.and_then(|index| known.connections.get_mut(index)) {
            change(connection);
        }
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.change(|connection| connection.ended = true);
        self.connections.changed.notify_all();
    }
}

/// A mechanism that exists, so that no part of a credential is taken for one.
fn mechanism(argument: &str) -> &'static str {
    let given = argument.split(' ').next().unwrap_or_default();
    MECHANISMS.into_iter().find(|known| known.eq_ignore_ascii_case(given)).unwrap_or("?")
}

const MECHANISMS: [&str; 6] = ["CRAM-MD5", "LOGIN", "OAUTHBEARER", "PLAIN", "SCRAM-SHA-256", "XOAUTH2"];
