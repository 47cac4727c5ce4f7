//! Mail servers that nobody here wrote, on loopback and with certificates of their own.
//!
//! They come from the registries of Python and Node.js the first time. Where that cannot be, every test that needs one
//! fails, unless `SMTP_PEERS=0` says that they are to be skipped.

#![allow(dead_code, unreachable_pub, reason = "a library to those that include it, and each of them uses a part")]

mod certificates;
mod foreign;
mod install;

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use self::certificates::{Certificates, Key};

/// What is run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Program {
    /// Of Python: it offers AUTH over TLS only.
    Aiosmtpd,
    /// Of Node.js: it offers AUTH in clear too, and would accept it.
    SmtpServer,
}

/// What servers of others are still set up to do with TLS, and what this provider does not do. Only
/// [`Program::SmtpServer`] does it here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OddTls {
    /// ECDHE, with CBC and HMAC in place of an AEAD cipher.
    CbcOnly,
    /// DHE, with an AEAD cipher.
    DheOnly,
    /// A certificate with a key of P-521.
    P521,
    /// A certificate with an RSA key of 1024 bits.
    Rsa1024,
    /// No later version than 1.1.
    Tls11Only,
}

impl OddTls {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::CbcOnly, Self::DheOnly, Self::P521, Self::Rsa1024, Self::Tls11Only];

    /// The key of the certificate, where it is not one of P-256.
    fn key(self) -> Option<Key> {
        match self {
            Self::DheOnly => Some(Key::Rsa(2048)),
            Self::P521 => Some(Key::P521),
            Self::Rsa1024 => Some(Key::Rsa(1024)),
            Self::CbcOnly | Self::Tls11Only => None,
        }
    }

    /// Options of Node.js's `tls.createSecureContext`.
    fn options(self) -> Value {
        match self {
            Self::CbcOnly => json!({
                "maxVersion": "TLSv1.2",
                "ciphers": "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256",
            }),
            Self::DheOnly => json!({
                "maxVersion": "TLSv1.2",
                "ciphers": "DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-CHACHA20-POLY1305",
                "dhparam": "auto",
            }),
            Self::P521 => json!({}),
            Self::Rsa1024 => json!({ "ciphers": "DEFAULT:@SECLEVEL=0" }),
            Self::Tls11Only => {
                json!({ "minVersion": "TLSv1.1", "maxVersion": "TLSv1.1", "ciphers": "ALL:@SECLEVEL=0" })
            }
        }
    }
}

/// What is run, and how.
#[derive(Clone, Debug)]
pub struct Setup {
    program: Program,
    security: &'static str,
    mechanisms: Vec<&'static str>,
    login: Option<[String; 2]>,
    odd: Option<(OddTls, usize)>,
}

/// A server that runs; it ends when this is dropped.
pub struct Peer {
    child: Child,
    port: u16,
    events: Receiver<Value>,
    certificates: Certificates,
}

impl Setup {
    /// With STARTTLS, AUTH PLAIN and LOGIN, and for everybody.
    pub fn new(program: Program) -> Self {
        Self { program, security: "starttls", mechanisms: vec!["PLAIN", "LOGIN"], login: None, odd: None }
    }

    /// With TLS from the first byte.
    pub fn with_implicit_tls(mut self) -> Self {
        self.security = "tls";
        self
    }

    /// With AUTH LOGIN only.
    pub fn with_auth_login_only(mut self) -> Self {
        self.mechanisms = vec!["LOGIN"];
        self
    }

    /// For this user with this password only.
    pub fn only_for(mut self, username: &str, password: &str) -> Self {
        self.login = Some([username.to_owned(), password.to_owned()]);
        self
    }

    /// With TLS of this kind, from the session on that comes after so many that were as usual.
    pub fn with_odd_tls(mut self, odd: OddTls, after: usize) -> Self {
        self.odd = Some((odd, after));
        self
    }

    /// Starts it, and waits until it listens; `None` where these tests are to be skipped.
    ///
    /// # Panics
    ///
    /// Where it cannot be started, because a test that did not run must not look like one that passed.
    #[expect(clippy::print_stderr, reason = "anyone who asked for no servers should see what that meant")]
    pub fn start(self) -> Option<Peer> {
        if env::var_os("SMTP_PEERS").is_some_and(|value| value == "0") {
            eprintln!("skipped: SMTP_PEERS=0");
            return None;
        }
        let (name, needs, command) = match self.program {
            Program::Aiosmtpd => ("aiosmtpd", "Python 3.9 or later with pip", python()),
            Program::SmtpServer => ("smtp-server", "Node.js 20 or later with npm", node()),
        };
        let peer = command.and_then(|command| self.run(command)).unwrap_or_else(|reason| {
            panic!(
                "these tests log in at `{name}`, for which this machine needs {needs}, and the network the first time; \
                 SMTP_PEERS=0 skips them. What went wrong: {reason}"
            )
        });
        Some(peer)
    }

    fn run(self, mut command: Command) -> Result<Peer, String> {
        let certificates = Certificates::new();
        let odd = match self.odd {
            Some((odd, after)) => Some(odd_options(odd, after, &certificates)?),
            None => None,
        };
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| error.to_string())?;
        let options = json!({
            "security": self.security,
            "mechanisms": self.mechanisms,
            "login": self.login,
            "certificate": certificates.certificate(),
            "key": certificates.key(),
            "odd": odd,
        });
        let stdin = child.stdin.as_mut().expect("stdin is a pipe");
        // Who does not read any more says in a moment why.
        let _ = writeln!(stdin, "{options}");
        let lines = BufReader::new(child.stdout.take().expect("stdout is a pipe")).lines();
        let (sender, events) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or_else(|_| json!(line));
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        let mut peer = Peer { child, port: 0, events, certificates };
        let first = peer.events.recv_timeout(PATIENCE).map_err(|_| "it ended, or did not begin within a minute")?;
        let port = first["port"].as_u64().and_then(|port| u16::try_from(port).ok());
        peer.port = port.ok_or("it did not say where it listens")?;
        Ok(peer)
    }
}

impl Peer {
    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate of the authority that its certificate comes from.
    pub fn ca_certificate_file(&self) -> PathBuf {
        self.certificates.authority()
    }

    /// What a client that accepts anything agrees on with it: version, cipher suite and the key of the certificate.
    ///
    /// # Panics
    ///
    /// Where no TLS is agreed on, or it is not TLS from the first byte.
    pub fn agrees_on(&self) -> Value {
        install::script("connect.cjs", &[self.port.to_string()]).expect("a TLS connection")
    }

    /// Waits for the next event of that kind, and returns all that it reported until then.
    ///
    /// # Panics
    ///
    /// Where there is none within a minute.
    pub fn events_until(&self, event: &str) -> Vec<Value> {
        let mut reported = Vec::new();
        loop {
            let next = self.events.recv_timeout(PATIENCE);
            reported
                .push(next.unwrap_or_else(|_| panic!("it should have reported {event}, and reported {reported:?}")));
            if reported.last().is_some_and(|last| last["event"] == event) {
                return reported;
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Fails where it has ended already. Should this process be killed, it ends with its stdin.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn odd_options(odd: OddTls, after: usize, certificates: &Certificates) -> Result<Value, String> {
    let [certificate, key] = match odd.key() {
        Some(kind) => certificates.for_another_key(kind)?,
        None => [certificates.certificate(), certificates.key()],
    };
    Ok(json!({ "tls": odd.options(), "certificate": certificate, "key": key, "after": after }))
}

fn python() -> Result<Command, String> {
    let (mut python, modules) = install::aiosmtpd()?;
    python.env("PYTHONPATH", modules).arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/smtp/peers/aiosmtpd_server.py"));
    Ok(python)
}

fn node() -> Result<Command, String> {
    let (mut node, modules) = install::smtp_server()?;
    node.env("NODE_PATH", modules).arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/smtp/peers/smtp_server.cjs"));
    Ok(node)
}

/// The first start may have to compile what was fetched.
const PATIENCE: Duration = Duration::from_mins(1);
