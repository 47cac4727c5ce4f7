//! Logs in with AUTH PLAIN (RFC 4616) or AUTH LOGIN, only over TLS.

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use super::{Failure, FailureKind, judge::judge, session::Session, wire::LONG_PATIENCE};
use crate::secret::Secret;

/// A mechanism for logging in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mechanism {
    /// AUTH LOGIN, which no RFC specifies.
    Login,
    /// AUTH PLAIN (RFC 4616).
    Plain,
}

impl Session<TlsStream<TcpStream>> {
    /// Asks for the mechanisms again over TLS, where nobody can have changed the reply. Returns at least one, the best
    /// first.
    pub(super) async fn mechanisms(&mut self) -> Result<Vec<Mechanism>, Failure> {
        let extensions = self.hello().await?;
        let known = [("PLAIN", Mechanism::Plain), ("LOGIN", Mechanism::Login)].into_iter();
        let offered: Vec<_> = known.filter(|(name, _)| extensions.has_auth(name)).map(|(_, known)| known).collect();
        if offered.is_empty() {
            self.quit().await;
            return Err(Failure::new(FailureKind::NoAuth, "over TLS it offers neither AUTH PLAIN nor AUTH LOGIN"));
        }
        Ok(offered)
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
                    return judge(&self.wire.ask(&command, LONG_PATIENCE).await?);
                }
                let reply = self.wire.ask(b"AUTH PLAIN\r\n", LONG_PATIENCE).await?;
                match reply.code {
                    334 => judge(&self.wire.ask(&with_credentials("", &response), LONG_PATIENCE).await?),
                    _ => judge(&reply),
                }
            }
            Mechanism::Login => {
                // The server asks for the user name and then for the password. The texts differ between servers and are
                // ignored.
                for command in [b"AUTH LOGIN\r\n", &**with_credentials("", &[username])] {
                    let reply = self.wire.ask(command, LONG_PATIENCE).await?;
                    if reply.code != 334 {
                        return judge(&reply);
                    }
                }
                judge(&self.wire.ask(&with_credentials("", &[password.for_wire()]), LONG_PATIENCE).await?)
            }
        }
    }
}

/// Builds a line with base64-encoded credentials, which is wiped when it is dropped.
fn with_credentials(command: &str, parts: &[&str]) -> Zeroizing<Vec<u8>> {
    // Allocate everything at once: a growing buffer would leave copies behind.
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

/// In bytes (RFC 5321, section 4.5.3.1.4). Longer credentials are sent after the server's challenge (RFC 4954, section
/// 4).
const LONGEST_COMMAND: usize = 512;
