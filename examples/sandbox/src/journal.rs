//! What the sandbox has seen: requests, SMTP connections and logins, in their order.

mod connections;

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

use serde::{Serialize, Serializer};

use self::connections::Connections;
pub use self::connections::SmtpConnection;
pub(crate) use self::connections::Visit;
use super::{http::Request, lock};

/// A request to a vendor and the status that it was answered with.
#[derive(Clone, Debug, Serialize)]
pub struct Recorded {
    /// The method.
    pub method: String,
    /// The path and perhaps a query, just as they were sent.
    pub path: String,
    /// The headers in their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(serialize_with = "text")]
    pub body: Vec<u8>,
    /// The status; nothing while there is no answer yet, and where a fault withheld it.
    pub status: Option<u16>,
    /// How many requests before it were still without an answer when it came.
    pub in_flight: usize,
}

impl Recorded {
    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// An attempt to log in over SMTP.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Login {
    /// Who.
    pub username: String,
    /// Whether the mail server goes by that password; a fault may still have refused it.
    pub accepted: bool,
    /// `PLAIN` or `LOGIN`.
    pub mechanism: &'static str,
    /// How the connection was secured.
    pub tls: Tls,
}

/// How many HTTP connections there were.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct HttpConnections {
    /// Without TLS.
    pub clear: usize,
    /// Over TLS, with a whole handshake.
    pub full: usize,
    /// Over TLS, with the session of an earlier one.
    pub resumed: usize,
}

/// How an SMTP connection is secured.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// From the first byte (RFC 8314).
    Implicit,
    /// By STARTTLS (RFC 3207).
    StartTls,
}

/// What there was so far.
#[derive(Default)]
pub(crate) struct Journal {
    /// The SMTP connections.
    pub connections: Connections,
    http: Mutex<HttpConnections>,
    requests: Mutex<Requests>,
    answered: Condvar,
    logins: Mutex<Vec<Login>>,
}

/// Requests with their numbers, which rise.
#[derive(Default)]
struct Requests {
    last: u64,
    recorded: Vec<(u64, Recorded)>,
}

/// Stands for one recorded request.
#[derive(Clone, Copy)]
pub(crate) struct Entry(u64);

impl Journal {
    /// Writes a request down, still without its answer.
    pub(crate) fn enter(&self, request: &Request) -> Entry {
        let Request { method, target, headers, body } = request.clone();
        let mut requests = lock(&self.requests);
        let in_flight = requests.recorded.iter().filter(|(_, earlier)| earlier.status.is_none()).count();
        let recorded = Recorded { method, path: target, headers, body, status: None, in_flight };
        if requests.recorded.len() == LIMIT {
            requests.recorded.drain(..LIMIT / 2);
        }
        requests.last += 1;
        let number = requests.last;
        requests.recorded.push((number, recorded));
        Entry(number)
    }

    /// Writes down what a request is answered with.
    pub(crate) fn answered(&self, Entry(entry): Entry, status: u16) {
        let mut requests = lock(&self.requests);
        if let Ok(index) = requests.recorded.binary_search_by_key(&entry, |(number, _)| *number) {
            requests.recorded[index].1.status = Some(status);
        }
        self.answered.notify_all();
    }

    /// Blocks until every request is answered, for at most a minute; returns whether they are.
    pub(crate) fn wait_for_answers(&self) -> bool {
        let waits = |requests: &mut Requests| requests.recorded.iter().any(|(_, recorded)| recorded.status.is_none());
        let waited = self.answered.wait_timeout_while(lock(&self.requests), Duration::from_mins(1), waits);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// The requests, oldest first.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        lock(&self.requests).recorded.iter().map(|(_, recorded)| recorded.clone()).collect()
    }

    /// Forgets the requests.
    pub(crate) fn forget_requests(&self) {
        lock(&self.requests).recorded.clear();
    }

    /// Counts an HTTP connection.
    pub(crate) fn connected(&self, count: impl FnOnce(&mut HttpConnections)) {
        count(&mut lock(&self.http));
    }

    /// How many HTTP connections there were.
    pub(crate) fn http_connections(&self) -> HttpConnections {
        *lock(&self.http)
    }

    /// Writes a login down.
    pub(crate) fn login(&self, login: Login) {
        lock(&self.logins).push(login);
    }

    /// The logins, oldest first.
    pub(crate) fn logins(&self) -> Vec<Login> {
        lock(&self.logins).clone()
    }
}

fn text<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(bytes))
}

/// What a sandbox that runs for days keeps in mind.
const LIMIT: usize = 20_000;
