//! A sandbox: the vendors' HTTP APIs and an SMTP submission server, on loopback and with faults to order.
//!
//! It is strict about what the vendors document: method, path, percent-encoding, headers and body. A reset makes a new
//! password and the old one is dead at that moment; the SMTP server accepts exactly the current passwords. Everything is
//! in memory and gone when the [`Sandbox`] is dropped.
//!
//! Faults are scripted in code ([`Sandbox::fault`]) or over HTTP, at the same address as the APIs:
//!
//! | request | does |
//! |---|---|
//! | `POST /sandbox/faults` | adds a fault, see below |
//! | `GET /sandbox/faults` | tells how many are still to happen |
//! | `DELETE /sandbox/faults` | removes them |
//! | `POST /sandbox/release` | lets all go on that is stalled |
//! | `PUT /sandbox/rate_limit` | `{"requests": 10, "per_ms": 1000}`: the eleventh is answered with 429 and `Retry-After` |
//! | `DELETE /sandbox/rate_limit` | lifts the limit |
//! | `GET /sandbox/requests` | the requests to the vendors so far, with the statuses that they were answered with |
//! | `DELETE /sandbox/requests` | forgets them |
//! | `GET /sandbox/logins` | the SMTP logins so far |
//!
//! A fault is an object. `effect` is needed, the others narrow down when it happens:
//!
//! ```json
//! {
//!   "operation": "reset",
//!   "user_name": "zh48wgsfld@62515.smtp.hubspot.net",
//!   "times": 1,
//!   "moment": "after",
//!   "effect": {"status": {"status": 503, "headers": {"Retry-After": "1"}, "body": "{}"}}
//! }
//! ```
//!
//! `operation` is `account`, `get`, `list`, `logout`, `oauth`, `reset` or `revoke`, by default any; `user_name` is who logs
//! in over SMTP, or at SMTPD the API key's name; `moment` is `before` the vendor acts or, by default, `after`. Of the faults
//! that concern a request, the oldest of each moment happens. The effects:
//!
//! | effect | what the client sees |
//! |---|---|
//! | `{"body": {"bytes": "<html>", "content_type": "text/html"}}` | that body instead |
//! | `"close"` | the connection closed with no answer |
//! | `{"content_length": 9999}` | a length that is a lie |
//! | `{"delay_ms": 500}` | the answer, later |
//! | `{"drip_ms": 10}` | the answer byte by byte |
//! | `"endless_body"` | a body of no stated length that does not end |
//! | `{"header": ["Content-Encoding", "gzip"]}` | one header more |
//! | `"head_then_stall"` | the head, then nothing until released |
//! | `{"huge_body": 10000000000}` | a body of that length |
//! | `{"redirect": {"status": 307, "location": "/elsewhere"}}` | a redirect |
//! | `"stall"` | nothing until released; then all goes on |
//! | `{"status": {"status": 500}}` | that status, with a body in the vendor's manner |
//! | `{"status_line": "HTTP/9.9 what"}` | that line first |
//! | `"tcp_reset"` | the connection reset with no answer |
//! | `{"truncate": 10}` | that many bytes of the body, then the connection closed |
//!
//! It is included with `#[path = "../examples/sandbox/server/mod.rs"] mod sandbox;` and is no part of the provider. A
//! vendor is one file beside `hubspot.rs`, a field of `Shared` and a line in `Shared::vendors`; the path alone tells whom a
//! request is for. What a vendor's documents leave open, and how it is taken here, stands at the head of its file.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "a library to those that include it, and each of them uses a part"
)]

mod accounts;
mod control;
mod delivery;
mod faults;
mod gate;
mod hostup;
mod http;
mod hubspot;
mod journal;
mod kirim_email;
mod listener;
mod random;
mod rate_limit;
mod reader;
mod smtp;
mod smtpd;
mod tls;
mod tokens;
mod vendor;

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{runtime, sync::oneshot};

use self::{
    accounts::Accounts, faults::Faults, gate::Gate, journal::Journal, rate_limit::RateLimit, tls::Identity,
    vendor::Vendor,
};
pub use self::{
    faults::{Effect, Fault, Moment},
    hostup::{HostUp, Weakness},
    hubspot::{HubSpot, OauthClient},
    journal::{Login, Recorded, Tls},
    kirim_email::{Denial, Envelope, KirimEmail, Times},
    smtpd::{ApiKey, KeyState, Role, Smtpd},
    vendor::Operation,
};

/// A running sandbox, with one account at each vendor; it ends when this is dropped.
pub struct Sandbox {
    shared: Arc<Shared>,
    ports: Ports,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Where the sandbox listens on 127.0.0.1; 0 leaves the choice to the system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ports {
    /// The vendors' HTTP APIs.
    pub http: u16,
    /// SMTP with STARTTLS.
    pub smtp: u16,
    /// SMTP with TLS from the first byte.
    pub smtps: u16,
}

/// What all connections share.
struct Shared {
    accounts: Arc<Accounts>,
    faults: Faults,
    gate: Gate,
    hostup: HostUp,
    hubspot: HubSpot,
    identity: Identity,
    journal: Journal,
    kirim_email: KirimEmail,
    rate_limit: RateLimit,
    smtpd: Smtpd,
}

impl Sandbox {
    /// Starts a sandbox on ports of the system's choice.
    #[expect(clippy::expect_used, reason = "a test or an example that gets no port on loopback cannot go on")]
    pub fn start() -> Self {
        Self::start_on(Ports::default()).expect("the sandbox starts on loopback")
    }

    /// Starts a sandbox on these ports.
    pub fn start_on(ports: Ports) -> io::Result<Self> {
        let listeners = [listen(ports.http)?, listen(ports.smtp)?, listen(ports.smtps)?];
        let [http, smtp, smtps] = listeners.each_ref().map(TcpListener::local_addr);
        let ports = Ports { http: http?.port(), smtp: smtp?.port(), smtps: smtps?.port() };
        let shared = Arc::new(Shared::new()?);
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let serve = move || runtime.block_on(listener::run(listeners, served, stopped));
        let thread = thread::Builder::new().name("sandbox".to_owned()).spawn(serve)?;
        Ok(Self { shared, ports, stop: Some(stop), thread: Some(thread) })
    }

    /// The imitated [`HostUp`].
    pub fn hostup(&self) -> &HostUp {
        &self.shared.hostup
    }

    /// The imitated [`HubSpot`].
    pub fn hubspot(&self) -> &HubSpot {
        &self.shared.hubspot
    }

    /// The imitated [`KirimEmail`].
    pub fn kirim_email(&self) -> &KirimEmail {
        &self.shared.kirim_email
    }

    /// The imitated [`Smtpd`].
    pub fn smtpd(&self) -> &Smtpd {
        &self.shared.smtpd
    }

    /// The base URL of all vendors' APIs, without a slash at its end.
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.http)
    }

    /// The environment variables that point the provider here.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let base_urls = self.shared.vendors().map(|vendor| (vendor.base_url_variable(), self.base_url()));
        let credentials = self.shared.vendors().into_iter().flat_map(Vendor::credentials);
        base_urls.into_iter().chain(credentials).collect()
    }

    /// The port for SMTP with STARTTLS.
    pub fn smtp_port(&self) -> u16 {
        self.ports.smtp
    }

    /// The port for SMTP with TLS from the first byte.
    pub fn smtps_port(&self) -> u16 {
        self.ports.smtps
    }

    /// The certificate of the authority that the SMTP server's certificate comes from.
    pub fn ca_certificate_pem(&self) -> String {
        self.shared.identity.ca_certificate_pem.clone()
    }

    /// The requests to the vendors so far, oldest first.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.journal.requests()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.shared.journal.forget_requests();
    }

    /// The SMTP logins so far, oldest first.
    pub fn logins(&self) -> Vec<Login> {
        self.shared.journal.logins()
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault) {
        self.shared.faults.add(fault);
    }

    /// Removes the faults that have not happened yet.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    /// How many faults are still to happen.
    pub fn pending_faults(&self) -> usize {
        self.shared.faults.pending()
    }

    /// Blocks until that many answers are stalled, for at most a minute; tells whether they are.
    ///
    /// Async code calls it on a thread of its own (`spawn_blocking`), or the client would have no time to stall.
    pub fn wait_for_stalled(&self, count: usize) -> bool {
        self.shared.gate.wait_for(count)
    }

    /// Lets all go on that is stalled.
    pub fn release(&self) {
        self.shared.gate.release();
    }

    /// Answers with 429 what goes beyond `requests` in each `per`.
    pub fn rate_limit(&self, requests: usize, per: Duration) {
        self.shared.rate_limit.set(requests, per);
    }

    /// Lifts the limit.
    pub fn lift_rate_limit(&self) {
        self.shared.rate_limit.lift();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there has been printed, and there is nobody here to hand it on to.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn new() -> io::Result<Self> {
        let accounts = Arc::new(Accounts::default());
        Ok(Self {
            hostup: HostUp::new(Arc::clone(&accounts)),
            hubspot: HubSpot::new(Arc::clone(&accounts)),
            kirim_email: KirimEmail::new(Arc::clone(&accounts)),
            smtpd: Smtpd::new(Arc::clone(&accounts)),
            accounts,
            faults: Faults::default(),
            gate: Gate::default(),
            identity: Identity::new().map_err(io::Error::other)?,
            journal: Journal::default(),
            rate_limit: RateLimit::default(),
        })
    }

    fn vendors(&self) -> [&dyn Vendor; 4] {
        [&self.hostup, &self.hubspot, &self.kirim_email, &self.smtpd]
    }
}

fn listen(port: u16) -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Locks whatever became of the last holder: a test that fails must not take the sandbox with it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
