//! The login: AUTH PLAIN (RFC 4616) or LOGIN, within TLS only.

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use super::{
    Failure, FailureKind,
    session::{Session, unexpected},
};
use crate::secret::Secret;

/// How to log in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mechanism {
    Login,
    Plain,
}

impl Session<TlsStream<TcpStream>> {
    /// Asks, now that nobody can have changed the answer, how to log in.
    pub(super) async fn mechanism(&mut self) -> Result<Mechanism, Failure> {
        let extensions = self.hello().await?;
        if extensions.has_auth("PLAIN") {
            Ok(Mechanism::Plain)
        } else if extensions.has_auth("LOGIN") {
            Ok(Mechanism::Login)
        } else {
            self.quit().await;
            let reason = "over TLS it offers neither AUTH PLAIN nor AUTH LOGIN";
            Err(Failure { code: extensions.refusal(), ..Failure::new(FailureKind::NoAuth, reason) })
        }
    }

    /// Logs in.
    pub(super) async fn log_in(
        &mut self,
        mechanism: Mechanism,
        username: &str,
        password: &Secret,
    ) -> Result<(), Failure> {
        match mechanism {
            Mechanism::Plain => {
                let response = ["\0", username, "\0", password.for_wire()];
                let command = with_credentials("AUTH PLAIN ", &response);
                if command.len() <= LONGEST_COMMAND {
                    return judged(self.wire.ask(&command).await?.code);
                }
                match self.wire.ask(b"AUTH PLAIN\r\n").await?.code {
                    334 => judged(self.wire.ask(&with_credentials("", &response)).await?.code),
                    code => judged(code),
                }
            }
            Mechanism::Login => {
                // The challenges ask for the one and then the other, in words that differ from server to server.
                for command in [b"AUTH LOGIN\r\n", &**with_credentials("", &[username])] {
                    match self.wire.ask(command).await?.code {
                        334 => {}
                        code => return judged(code),
                    }
                }
                judged(self.wire.ask(&with_credentials("", &[password.for_wire()])).await?.code)
            }
        }
    }
}

/// Takes the last reply for what it says. RFC 4954, section 6, knows of one that is good.
fn judged(code: u16) -> Result<(), Failure> {
    match code {
        235 => Ok(()),
        535 => Err(Failure::replied(FailureKind::Refused, code, "it refuses the user name or the password")),
        500.. => Err(Failure::replied(FailureKind::Refused, code, "it refuses the login")),
        _ => Err(unexpected(code)),
    }
}

/// A line with credentials in it, encoded, and wiped when it has been sent.
fn with_credentials(command: &str, parts: &[&str]) -> Zeroizing<Vec<u8>> {
    // Room for all of it: a buffer that grows leaves copies behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    for part in parts {
        plain.extend_from_slice(part.as_bytes());
    }
    let encoded = Zeroizing::new(STANDARD.encode(&plain));
    let mut line = Zeroizing::new(Vec::with_capacity(command.len() + encoded.len() + 2));
    for part in [command, &encoded, "\r\n"] {
        line.extend_from_slice(part.as_bytes());
    }
    line
}

/// RFC 5321, section 4.5.3.1.4. What would be longer is sent when the server asks for it (RFC 4954, section 4).
const LONGEST_COMMAND: usize = 512;
