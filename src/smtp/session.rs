//! A session up to the login: the greeting, STARTTLS, and what the server offers.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};

use super::{
    Failure, FailureKind,
    reply::{Reply, Wire},
};

/// A session. In clear it can only be taken to TLS; what it can do there is in `login`.
#[derive(Debug)]
pub(super) struct Session<S> {
    pub(super) wire: Wire<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    pub(super) fn on(stream: S) -> Self {
        Self { wire: Wire::new(stream) }
    }

    /// Waits for the server's first word.
    pub(super) async fn greeting(&mut self) -> Result<(), Failure> {
        let reply = self.wire.reply().await?;
        match reply.code {
            220 => Ok(()),
            code @ 500.. => {
                self.quit().await;
                Err(Failure::replied(FailureKind::TurnedAway, code, "it turns this machine away"))
            }
            code => Err(unexpected(code)),
        }
    }

    /// Asks for the extensions that the server offers; nothing where it knows of none.
    pub(super) async fn hello(&mut self) -> Result<Extensions, Failure> {
        let reply = self.wire.ask(HELLO).await?;
        match reply.code {
            250 => Ok(Extensions(reply)),
            500.. => Ok(Extensions(Reply { lines: Vec::new(), ..reply })),
            code => Err(unexpected(code)),
        }
    }

    /// Takes leave. What it was for is known, so that nobody waits long for a goodbye.
    pub(super) async fn quit(&mut self) {
        let _ = timeout(GOODBYE, async {
            let _ = self.wire.ask(b"QUIT\r\n").await;
            self.wire.close().await;
        })
        .await;
    }
}

impl Session<TcpStream> {
    /// Agrees on TLS, and answers with the stream to speak it on. Nothing that came in clear is carried over.
    pub(super) async fn start_tls(mut self) -> Result<TcpStream, Failure> {
        let extensions = self.hello().await?;
        if !extensions.has(STARTTLS) {
            self.quit().await;
            return Err(Failure { code: extensions.refusal(), ..no_start_tls() });
        }
        let reply = self.wire.ask(b"STARTTLS\r\n").await?;
        match reply.code {
            220 => {}
            code @ 500.. => {
                self.quit().await;
                return Err(Failure { code: Some(code), ..no_start_tls() });
            }
            code => return Err(unexpected(code)),
        }
        // Read later, it would pass for something that came through TLS.
        let injected = || Failure::new(FailureKind::Tls, "it went on in clear after it had agreed to TLS");
        self.wire.into_inner().ok_or_else(injected)
    }
}

/// What a server offers.
#[derive(Debug)]
pub(super) struct Extensions(Reply);

impl Extensions {
    /// Tells whether the extension is offered. Case does not count (RFC 5321, section 2.4).
    fn has(&self, keyword: &str) -> bool {
        self.words().any(|mut words| words.next().is_some_and(|word| word.eq_ignore_ascii_case(keyword)))
    }

    /// Tells whether AUTH is offered with this mechanism. Old servers write `AUTH=`, which old clients wanted.
    pub(super) fn has_auth(&self, mechanism: &str) -> bool {
        self.words().any(|mut words| {
            words.next().is_some_and(|word| word.eq_ignore_ascii_case("AUTH"))
                && words.any(|word| word.eq_ignore_ascii_case(mechanism))
        })
    }

    /// The code of a reply that is no list.
    pub(super) fn refusal(&self) -> Option<u16> {
        (self.0.code != 250).then_some(self.0.code)
    }

    /// The words of each line, but for the first, which greets.
    fn words(&self) -> impl Iterator<Item = impl Iterator<Item = &str>> {
        self.0.lines.iter().skip(1).map(|line| line.split([' ', '=']).filter(|word| !word.is_empty()))
    }
}

/// The failure of a reply that has no place there.
pub(super) fn unexpected(code: u16) -> Failure {
    Failure::replied(FailureKind::Malformed, code, "that is no answer to what it was asked")
}

fn no_start_tls() -> Failure {
    Failure::new(FailureKind::NoStartTls, "it does not offer STARTTLS")
}

/// RFC 5321, section 4.1.4, wants a name or an address, and this one tells nothing of the machine.
const HELLO: &[u8] = b"EHLO [127.0.0.1]\r\n";

const STARTTLS: &str = "STARTTLS";

/// How long leave is taken.
const GOODBYE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(lines: &[&str]) -> Extensions {
        Extensions(Reply { code: 250, lines: lines.iter().map(|&line| line.to_owned()).collect() })
    }

    #[test]
    fn keywords_are_words_in_any_case() {
        let extensions = offered(&["STARTTLS greets you", "starttls", "Auth Cram-MD5 login", "SIZE 10 PLAIN"]);
        assert!(extensions.has(STARTTLS) && extensions.has_auth("LOGIN") && !extensions.has_auth("PLAIN"));
        assert!(!offered(&["STARTTLS", "STARTTLSX", "X-STARTTLS", "AUTHPLAIN"]).has(STARTTLS));
        assert!(!offered(&["AUTH PLAIN", "AUTHPLAIN", "AUTH"]).has_auth("PLAIN"));
    }

    #[test]
    fn the_form_of_old_servers_is_understood() {
        assert!(offered(&["mail", "AUTH=LOGIN PLAIN"]).has_auth("LOGIN"));
    }
}
