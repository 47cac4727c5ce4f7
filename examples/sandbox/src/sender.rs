//! A service that sends mail without pause, by the third-party client `lettre`. Each mail has a connection and a login
//! of its own.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use lettre::{
    Address, SmtpTransport, Transport,
    address::Envelope,
    transport::smtp::client::{Tls as ClientTls, TlsParameters},
};

use super::{Sandbox, client, lock};

const MAIL: &[u8] = b"From: newsletter@example.com\r\nTo: reader@example.com\r\nSubject: Hello\r\n\r\nHello\r\n";

/// A sender at work. It stops when it is dropped.
pub struct Sender {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What became of the mails so far.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// How many mails the server accepted.
    pub mails: usize,
    /// How many logins it refused.
    pub refused: usize,
    /// How long each gap was: from the start of the first refused login until the next mail was accepted.
    pub gaps: Vec<Duration>,
}

#[derive(Default)]
struct Shared {
    work: Mutex<Work>,
    changed: Condvar,
}

#[derive(Default)]
struct Work {
    /// User name and password.
    login: (String, String),
    /// How often the login was changed.
    changes: usize,
    /// Whether a mail was accepted with this login, and whether a login was refused.
    accepted: bool,
    refused: bool,
    sent: Sent,
    gap_since: Option<Instant>,
    failure: Option<String>,
    closing: bool,
}

impl Sender {
    /// Starts to send with this login.
    ///
    /// # Errors
    ///
    /// If the client does not accept the sandbox's certificate.
    pub fn start(sandbox: &Sandbox, user_name: &str, password: &str) -> Result<Self, String> {
        let tls = client::tls_parameters(sandbox).map_err(|error| error.to_string())?;
        let port = sandbox.smtp_port();
        let shared = Arc::new(Shared::default());
        let mut sender = Self { shared: Arc::clone(&shared), thread: None };
        sender.use_login(user_name, password);
        sender.thread = Some(thread::spawn(move || shared.send(port, &tls)));
        Ok(sender)
    }

    /// Has the next mail sent with this login.
    pub fn use_login(&self, user_name: &str, password: &str) {
        let mut work = lock(&self.shared.work);
        work.login = (user_name.to_owned(), password.to_owned());
        work.changes += 1;
        (work.accepted, work.refused) = (false, false);
    }

    /// Blocks until a mail has been accepted with the present login, for at most a minute.
    ///
    /// # Errors
    ///
    /// If none was, or if the server replied with anything but yes and no.
    pub fn wait_for_mail(&self) -> Result<Sent, String> {
        self.wait(|work| work.accepted)
    }

    /// Blocks until the present login has been refused, for at most a minute.
    ///
    /// # Errors
    ///
    /// If it was not, or if the server replied with anything but yes and no.
    pub fn wait_for_refusal(&self) -> Result<Sent, String> {
        self.wait(|work| work.refused)
    }

    fn wait(&self, done: impl Fn(&Work) -> bool) -> Result<Sent, String> {
        let work = lock(&self.shared.work);
        let waiting = |work: &mut Work| !done(work) && work.failure.is_none();
        let waited = self.shared.changed.wait_timeout_while(work, Duration::from_mins(1), waiting);
        let (work, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        match &work.failure {
            Some(failure) => Err(format!("the sender stopped: {failure}")),
            None if waited.timed_out() => Err(format!("the sender waited for a minute, after {:?}", work.sent)),
            None => Ok(work.sent.clone()),
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        lock(&self.shared.work).closing = true;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn send(&self, port: u16, tls: &TlsParameters) {
        loop {
            let (login, change) = {
                let work = lock(&self.work);
                if work.closing {
                    return;
                }
                (work.login.clone(), work.changes)
            };
            let start = Instant::now();
            let sent = send_one(port, tls.clone(), login);
            let mut work = lock(&self.work);
            match sent {
                Ok(accepted) => work.note(accepted, change, start),
                Err(failure) => {
                    work.failure = Some(failure);
                    work.closing = true;
                }
            }
            self.changed.notify_all();
        }
    }
}

impl Work {
    fn note(&mut self, accepted: bool, change: usize, start: Instant) {
        let is_present = change == self.changes;
        if accepted {
            self.sent.mails += 1;
            self.accepted |= is_present;
            self.sent.gaps.extend(self.gap_since.take().map(|since| since.elapsed()));
        } else {
            self.sent.refused += 1;
            self.refused |= is_present;
            self.gap_since.get_or_insert(start);
        }
    }
}

/// Sends a mail. Returns whether the login was accepted.
fn send_one(port: u16, tls: TlsParameters, login: (String, String)) -> Result<bool, String> {
    let transport = SmtpTransport::builder_dangerous("127.0.0.1").port(port).tls(ClientTls::Required(tls));
    let address = |text: &str| text.parse::<Address>().map_err(|error| error.to_string());
    let envelope = Envelope::new(Some(address("newsletter@example.com")?), vec![address("reader@example.com")?])
        .map_err(|error| error.to_string())?;
    match transport.credentials(login.into()).build().send_raw(&envelope, MAIL) {
        Ok(_) => Ok(true),
        Err(error) if client::is_refused(&error) => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}
