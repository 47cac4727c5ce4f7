//! An SMTP session up to the login: greeting, EHLO and STARTTLS.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};

use super::{
    Failure, FailureKind,
    reply::Reply,
    wire::{LONG_PATIENCE, PATIENCE, Wire},
};

/// A session. A plaintext session can only be upgraded; `login` adds methods to a session over TLS.
#[derive(Debug)]
pub(super) struct Session<S> {
    pub(super) wire: Wire<S>,
    /// The local address of the connection, which the server sees unless there is NAT.
    address: Option<IpAddr>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    pub(super) fn on(stream: S, address: Option<IpAddr>) -> Self {
        Self { wire: Wire::new(stream), address }
    }

    /// Waits for the greeting.
    pub(super) async fn greeting(&mut self) -> Result<(), Failure> {
        let reply = self.wire.reply(LONG_PATIENCE).await?;
        // A server that turns a client away waits for its QUIT (RFC 5321, section 3.1).
        match reply.code {
            220 => Ok(()),
            400..=499 => {
                self.quit().await;
                Err(Failure::replied(FailureKind::Busy, &reply, "it rejects the connection for now"))
            }
            500.. => {
                self.quit().await;
                Err(Failure::replied(FailureKind::TurnedAway, &reply, "it rejects the connection"))
            }
            _ => Err(Failure::unexpected(&reply)),
        }
    }

    /// Sends EHLO and returns the server's extensions.
    ///
    /// The first name reveals nothing about this machine. If the server rejects it, the local address follows, which
    /// RFC 5321, section 4.1.4, prescribes for a client without a name.
    pub(super) async fn hello(&mut self) -> Result<Extensions, Failure> {
        let mut reply = self.wire.ask(hello(ANYBODY).as_bytes(), PATIENCE).await?;
        // These codes can be about the name. After any other, a second EHLO would fare no better.
        let own = self.address.filter(|own| *own != ANYBODY);
        if let (501 | 504 | 550..=554, Some(own)) = (reply.code, own) {
            reply = self.wire.ask(hello(own).as_bytes(), PATIENCE).await?;
        }
        match Failure::unless_busy(reply)? {
            reply if reply.code == 250 => Ok(Extensions(reply)),
            reply if reply.code >= 500 => {
                self.quit().await;
                let reason = "it rejects EHLO, which every login requires";
                Err(Failure::replied(FailureKind::HelloRefused, &reply, reason))
            }
            reply => Err(Failure::unexpected(&reply)),
        }
    }

    /// Sends QUIT and returns the code of the first reply. The timeout is short, since the result of the session is
    /// already known.
    pub(super) async fn quit(&mut self) -> Option<u16> {
        let left = timeout(GOODBYE, async {
            let reply = self.wire.ask(b"QUIT\r\n", GOODBYE).await;
            self.wire.close().await;
            reply.map_or_else(|failure| failure.code, |reply| Some(reply.code))
        });
        left.await.ok().flatten()
    }
}

impl Session<TcpStream> {
    /// Upgrades with STARTTLS and returns the stream for the TLS handshake. Nothing that was received in plaintext is
    /// kept.
    pub(super) async fn start_tls(mut self) -> Result<TcpStream, Failure> {
        let reason = "it does not offer STARTTLS";
        if !self.hello().await?.has(STARTTLS) {
            self.quit().await;
            return Err(Failure::new(FailureKind::NoStartTls, reason));
        }
        let reply = Failure::unless_busy(self.wire.ask(b"STARTTLS\r\n", PATIENCE).await?)?;
        match reply.code {
            220 => {}
            500.. => {
                self.quit().await;
                return Err(Failure::replied(FailureKind::NoStartTls, &reply, reason));
            }
            _ => return Err(Failure::unexpected(&reply)),
        }
        // Otherwise it would later be taken for a reply over TLS (STARTTLS injection).
        let injected = || Failure::new(FailureKind::Tls, "it sent more plaintext after agreeing to TLS");
        self.wire.into_inner().ok_or_else(injected)
    }
}

/// The extensions that a server offers.
#[derive(Debug)]
pub(super) struct Extensions(Reply);

impl Extensions {
    /// Returns whether an extension is offered. Case-insensitive (RFC 5321, section 2.4).
    fn has(&self, keyword: &str) -> bool {
        self.words().any(|mut words| words.next().is_some_and(|word| word.eq_ignore_ascii_case(keyword)))
    }

    /// Returns whether AUTH is offered with this mechanism. Old servers write `AUTH=`, which old clients expected.
    pub(super) fn has_auth(&self, mechanism: &str) -> bool {
        self.words().any(|mut words| {
            words.next().is_some_and(|word| word.eq_ignore_ascii_case("AUTH"))
                && words.any(|word| word.eq_ignore_ascii_case(mechanism))
        })
    }

    /// Returns each line, split into words, except the first, which is a greeting.
    fn words(&self) -> impl Iterator<Item = impl Iterator<Item = &str>> {
        self.0.lines.iter().skip(1).map(|line| line.split([' ', '=']).filter(|word| !word.is_empty()))
    }
}

/// Builds EHLO with an address instead of a name (RFC 5321, section 4.1.3).
fn hello(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("EHLO [{address}]\r\n"),
        IpAddr::V6(address) => format!("EHLO [IPv6:{address}]\r\n"),
    }
}

/// An address that every machine has, so it reveals nothing.
const ANYBODY: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

const STARTTLS: &str = "STARTTLS";

/// How long QUIT may take.
const GOODBYE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

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

    /// Exim may greet after 15 s, and Postfix's postscreen after its `greet_wait`.
    #[tokio::test(start_paused = true)]
    async fn a_late_greeting_is_waited_for_a_minute() {
        for (seconds, expected) in [(15, Ok(())), (59, Ok(())), (61, Err(FailureKind::TimedOut))] {
            let (client, mut server) = tokio::io::duplex(1024);
            let greet = async {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                // A client that has given up reads no more.
                let _ = server.write_all(b"220 ready\r\n").await;
            };
            let mut session = Session::on(client, None);
            let (greeted, ()) = tokio::join!(session.greeting(), greet);
            assert_eq!(greeted.map_err(|failure| failure.kind), expected, "{seconds} s");
        }
    }

    #[test]
    fn the_form_of_old_servers_is_understood() {
        assert!(offered(&["mail", "AUTH=LOGIN PLAIN"]).has_auth("LOGIN"));
    }

    #[test]
    fn an_address_is_written_as_the_rfc_has_it() {
        for (address, expected) in [
            ("192.0.2.1", "EHLO [192.0.2.1]\r\n"),
            ("2001:db8::1", "EHLO [IPv6:2001:db8::1]\r\n"),
            ("::ffff:192.0.2.1", "EHLO [192.0.2.1]\r\n"),
        ] {
            assert_eq!(hello(address.parse().unwrap()), expected);
        }
    }

    #[tokio::test]
    async fn a_server_that_refuses_one_name_is_given_the_machines_address() {
        let own = Some("192.0.2.1".parse().unwrap());
        // The replies, the address, how often EHLO is said, and the failure.
        for (replies, address, said, kind) in [
            (&["501 5.5.4 No", "250 mail"][..], own, 2, None),
            (&["504 5.5.2 No", "250 mail"], own, 2, None),
            (&["550 No", "250 mail"], own, 2, None),
            (&["501 5.5.4 No", "550 5.7.1 No"], own, 2, Some((FailureKind::HelloRefused, 550))),
            (&["501 5.5.4 No", "451 4.3.0 Later"], own, 2, Some((FailureKind::Busy, 451))),
            (&["501 5.5.4 No"], Some(ANYBODY), 1, Some((FailureKind::HelloRefused, 501))),
            (&["504 5.5.4 No"], None, 1, Some((FailureKind::HelloRefused, 504))),
            (&["500 5.5.1 What"], own, 1, Some((FailureKind::HelloRefused, 500))),
            (&["502 5.5.1 No"], own, 1, Some((FailureKind::HelloRefused, 502))),
            (&["450 4.7.1 Later"], own, 1, Some((FailureKind::Busy, 450))),
        ] {
            let (client, server) = tokio::io::duplex(1 << 10);
            let mut server = BufReader::new(server);
            let serve = async move {
                let mut heard = Vec::new();
                for reply in replies {
                    let mut line = String::new();
                    server.read_line(&mut line).await.unwrap();
                    heard.push(line);
                    server.write_all(format!("{reply}\r\n").as_bytes()).await.unwrap();
                }
                let mut rest = String::new();
                server.read_line(&mut rest).await.unwrap();
                heard
            };
            let ask = async {
                let mut session = Session::on(client, address);
                session.hello().await.map(drop)
            };
            let (heard, asked) = tokio::join!(serve, ask);
            let expected = ["EHLO [127.0.0.1]\r\n", "EHLO [192.0.2.1]\r\n"];
            assert_eq!(heard, expected[..said], "{replies:?}");
            let failed = asked.err().map(|failure| (failure.kind, failure.code.unwrap()));
            assert_eq!(failed, kind, "{replies:?}");
        }
    }
}
