//! A sandbox: the vendors' HTTP APIs, with TLS and without, and an SMTP submission server, on loopback and with faults
//! to order.
//!
//! It is strict about what the vendors document: method, path, percent-encoding, headers and body. A reset makes a new
//! password and the old one is dead at that moment; the SMTP server accepts exactly the current passwords. Everything
//! is in memory and gone when the [`Sandbox`] is dropped.
//!
//! Faults are scripted in code ([`Sandbox::fault`]) or over HTTP, at the same address as the APIs:
//!
//! | request | does |
//! |---|---|
//! | `POST /sandbox/faults` | adds a fault, see below |
//! | `GET /sandbox/faults` | returns how many have not happened yet |
//! | `DELETE /sandbox/faults` | removes them |
//! | `POST /sandbox/release` | releases everything that is stalled |
//! | `PUT /sandbox/rate_limit` | `{"requests": 10, "per_ms": 1000}`: the eleventh is answered with 429 and `Retry-After`. With `"counts": "rolling"` the last second counts, and refused requests too; with `"says": "nothing"` there is no `Retry-After`, with `"hubspot_headers"` there are `X-HubSpot-RateLimit-*` |
//! | `DELETE /sandbox/rate_limit` | lifts the limit |
//! | `GET /sandbox/requests` | the requests to the vendors so far, with the statuses that they were answered with |
//! | `DELETE /sandbox/requests` | forgets them |
//! | `GET /sandbox/logins` | the SMTP logins so far |
//! | `POST /sandbox/smtp_faults` | adds a fault of the mail server, see below |
//! | `GET /sandbox/smtp_faults` | returns how many of those have not happened yet |
//! | `DELETE /sandbox/smtp_faults` | removes them |
//! | `PUT /sandbox/propagation` | `{"delay_ms": 3000, "meanwhile": "old_password"}`: the mail server picks up new passwords later, and until then accepts the `old_password` or `no_password` |
//! | `DELETE /sandbox/propagation` | it picks up all of them at once |
//! | `GET /sandbox/smtp_connections` | the SMTP connections so far: commands without credentials, round trips, and whether AUTH came before TLS |
//! | `DELETE /sandbox/smtp_connections` | forgets them |
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
//! `operation` is `account`, `get`, `list`, `logout`, `oauth`, `reset` or `revoke`, by default any; `user_name` is who
//! logs in over SMTP, or at SMTPD the API key's name; `moment` is `before` the vendor acts or, by default, `after`. Of
//! the faults that concern a request, the oldest of each moment happens. The effects:
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
//! A fault of the mail server is an object too. `stage` and `effect` are needed; `user_name` says at whose `login`
//! only, `mechanism` at an AUTH by which one only, `times` is 1 by default, and `null` means every time:
//!
//! ```json
//! {"stage": "auth", "times": 2, "effect": {"reply": "454 4.7.0 Try again later"}}
//! ```
//!
//! `stage` is `banner`, `ehlo`, `starttls`, `handshake`, `ehlo_over_tls`, `auth`, `challenge` (a 334), `login` (the
//! reply to credentials, which have been looked at) or `quit`. The effects:
//!
//! | effect | what the client sees |
//! |---|---|
//! | `"alert"` | a handshake that fails |
//! | `{"certificate": "expired"}` | a certificate that is `expired`, `not_yet_valid`, for `other_host` or of an `unknown_authority` |
//! | `"client_certificate"` | a handshake that demands a certificate of the client |
//! | `"close"` | the connection closed |
//! | `{"delay_ms": 500}` | the reply, later |
//! | `"endless_line"` | a reply of one line that does not end |
//! | `"endless_reply"` | a reply of lines of which none is the last |
//! | `{"extensions": ["AUTH CRAM-MD5"]}` | an EHLO answered with these and no others |
//! | `{"huge_reply": 1000000}` | that many bytes in lines before the usual reply |
//! | `{"inject": "250 localhost\r\n"}` | these bytes behind the reply, in one piece with it |
//! | `"old_tls"` | a server that knows TLS 1.1 at most |
//! | `{"reply": "421 4.3.2 Closing"}` | another reply, and the command not obeyed |
//! | `"stall"` | nothing until released; then all goes on |
//!
//! It is no part of the provider: the tests and the examples depend on it. [`core`] plays the other side, Terraform's.
//! A vendor is one file next to `hubspot.rs` and a line in `vendors.rs`. With its [`Model`] it takes part in every test
//! that goes through all vendors. [`ExampleMail`] is a vendor that does not exist, for the provider's `http` block; the
//! same faults concern it. The path alone shows which vendor a request is for. The head of a vendor's file says what
//! its documents leave open, and how it is taken here.

#![expect(
    clippy::missing_panics_doc,
    clippy::new_without_default,
    clippy::return_self_not_must_use,
    reason = "a library for tests, which panic when they cannot go on"
)]

mod accounts;
pub mod client;
mod closed_port;
mod control;
pub mod core;
mod delivery;
pub mod der;
mod example_mail;
mod faults;
mod gate;
mod hostup;
mod http;
mod hubspot;
mod imitation;
mod journal;
mod kirim_email;
mod listener;
pub mod log;
mod model;
mod others;
mod random;
mod rate_limit;
mod reader;
mod sender;
mod smtp;
mod smtpd;
mod tls;
mod tokens;
mod vendor;
mod vendors;

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{runtime, sync::oneshot};

use self::{
    accounts::Accounts,
    faults::Faults,
    gate::Gate,
    journal::Journal,
    others::Others,
    rate_limit::RateLimit,
    smtp::{Limits, SmtpFaults},
    tls::Identity,
    vendor::Vendor,
};
pub use self::{
    accounts::Meanwhile,
    closed_port::ClosedPort,
    example_mail::ExampleMail,
    faults::{Effect, Fault, Moment},
    hostup::{HostUp, Weakness},
    hubspot::{HubSpot, OauthClient},
    journal::{HttpConnections, Login, Recorded, SmtpConnection, Tls},
    kirim_email::{Denial, Envelope, KirimEmail, Times},
    model::{Example, Model, UnderTest},
    others::{Intrusion, Step},
    rate_limit::{Counts, Limit, Says},
    sender::{Sender, Sent},
    smtp::{SmtpEffect, SmtpFault, Stage},
    smtpd::{ApiKey, KeyState, Role, Smtpd},
    tls::Showing,
    vendor::Operation,
    vendors::{VENDORS, Vendors},
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
    /// The same over TLS.
    pub https: u16,
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
    identity: Identity,
    journal: Journal,
    limits: Limits,
    others: Others,
    rate_limit: RateLimit,
    smtp_faults: SmtpFaults,
    vendors: Vendors,
}

impl Sandbox {
    /// Starts a sandbox on ports of the system's choice.
    #[expect(clippy::expect_used, reason = "a test or an example that gets no port on loopback cannot go on")]
    pub fn start() -> Self {
        Self::start_on(Ports::default()).expect("the sandbox starts on loopback")
    }

    /// Starts a sandbox on these ports.
    pub fn start_on(ports: Ports) -> io::Result<Self> {
        let listeners = [listen(ports.http)?, listen(ports.https)?, listen(ports.smtp)?, listen(ports.smtps)?];
        let [http, https, smtp, smtps] = listeners.each_ref().map(TcpListener::local_addr);
        let ports = Ports { http: http?.port(), https: https?.port(), smtp: smtp?.port(), smtps: smtps?.port() };
        let shared = Arc::new(Shared::new()?);
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let serve = move || runtime.block_on(listener::run(listeners, served, stopped));
        let thread = thread::Builder::new().name("sandbox".to_owned()).spawn(serve)?;
        Ok(Self { shared, ports, stop: Some(stop), thread: Some(thread) })
    }

    /// The base URL of all vendors' APIs, without a slash at its end.
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.http)
    }

    /// The same over TLS; the provider has to trust [`Self::ca_certificate_pem`] for it.
    pub fn base_url_over_tls(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.https)
    }

    /// The environment variables that point the provider here.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        self.env_at(&self.base_url())
    }

    /// The same with [`Self::base_url_over_tls`].
    pub fn env_over_tls(&self) -> Vec<(&'static str, String)> {
        self.env_at(&self.base_url_over_tls())
    }

    fn env_at(&self, base_url: &str) -> Vec<(&'static str, String)> {
        let base_urls = self.vendors().all().map(|vendor| (vendor.base_url_variable(), base_url.to_owned()));
        let credentials = self.vendors().all().into_iter().flat_map(Vendor::credentials);
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

    /// The certificate of the authority that the certificate of all servers over TLS comes from.
    pub fn ca_certificate_pem(&self) -> String {
        self.shared.identity.ca_certificate_pem.clone()
    }

    /// The requests to the vendors so far, oldest first.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.journal.requests()
    }

    /// How many HTTP connections there were so far.
    pub fn http_connections(&self) -> HttpConnections {
        self.shared.journal.http_connections()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.shared.journal.forget_requests();
    }

    /// The SMTP logins so far, oldest first.
    pub fn logins(&self) -> Vec<Login> {
        self.shared.journal.logins()
    }

    /// Looks the SMTP logins up at another time, such as in the middle of a call.
    pub fn login_reader(&self) -> impl Fn() -> Vec<Login> + Send + use<> {
        let shared = Arc::clone(&self.shared);
        move || shared.journal.logins()
    }

    /// The SMTP connections so far, oldest first.
    pub fn smtp_connections(&self) -> Vec<SmtpConnection> {
        self.shared.journal.connections.all()
    }

    /// Forgets the SMTP connections so far.
    pub fn forget_smtp_connections(&self) {
        self.shared.journal.connections.forget();
    }

    /// Blocks until so many of the SMTP connections are over, for at most a minute; returns whether they are.
    pub fn wait_for_ended(&self, count: usize) -> bool {
        self.shared.journal.connections.wait_for_ended(count)
    }

    /// Adds a fault of the mail server.
    pub fn smtp_fault(&self, fault: SmtpFault) {
        self.shared.smtp_faults.add(fault);
    }

    /// Removes the faults of the mail server that have not happened yet.
    pub fn clear_smtp_faults(&self) {
        self.shared.smtp_faults.clear();
    }

    /// How many faults of the mail server are still to happen; one that always happens counts once.
    pub fn pending_smtp_faults(&self) -> usize {
        self.shared.smtp_faults.pending()
    }

    /// Lets the mail server let nobody in any more after so many refused logins from now on.
    pub fn ban_after(&self, refused_logins: usize) {
        self.shared.limits.ban_after(refused_logins);
    }

    /// Lets the mail server look at so many logins in any such time, those that it refused to look at among them.
    pub fn limit_logins(&self, logins: usize, per: Duration) {
        self.shared.limits.allow(logins, per);
    }

    /// Lets the mail server hear of each new password from now on only after a while.
    pub fn propagate_after(&self, delay: Duration, meanwhile: Meanwhile) {
        self.shared.accounts.propagate_after(delay, meanwhile);
    }

    /// Lets the mail server hear at once of all new passwords, those before included.
    pub fn propagate_at_once(&self) {
        self.shared.accounts.propagate_at_once();
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

    /// Lets somebody else act in the middle of a call.
    pub fn intrude(&self, intrusion: Intrusion) {
        self.shared.others.add(intrusion);
    }

    /// The vendors, for what others do there.
    pub fn vendors(&self) -> &Vendors {
        &self.shared.vendors
    }

    /// Lets nobody else act in the middle of a call any more.
    pub fn leave_alone(&self) {
        self.shared.others.clear();
    }

    /// Blocks until that many answers are stalled, for at most a minute; returns whether they are.
    ///
    /// Async code calls it on a thread of its own (`spawn_blocking`), or the client would have no time to stall.
    pub fn wait_for_stalled(&self, count: usize) -> bool {
        self.shared.gate.wait_for(count)
    }

    /// Lets all go on that is stalled.
    pub fn release(&self) {
        self.shared.gate.release();
    }

    /// Blocks until every request is answered, for at most a minute; returns whether they are. One that a fault leaves
    /// without an answer never is.
    pub fn wait_for_answers(&self) -> bool {
        self.shared.journal.wait_for_answers()
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
            vendors: Vendors::new(&accounts),
            accounts,
            faults: Faults::default(),
            gate: Gate::default(),
            identity: Identity::new().map_err(io::Error::other)?,
            journal: Journal::default(),
            limits: Limits::default(),
            others: Others::default(),
            rate_limit: RateLimit::default(),
            smtp_faults: SmtpFaults::default(),
        })
    }

    /// Notifies others that a moment has come.
    fn notify_others(&self, call: Option<Operation>, user_name: Option<&str>, moment: Moment) {
        self.others.at(call, user_name, moment, &self.vendors);
    }
}

fn listen(port: u16) -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Locks even if the last holder panicked: a test that fails must not break the sandbox.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
