//! Sends commands and reads replies, whatever the server sends.

use std::{future::poll_fn, io, pin::Pin, task::Poll, time::Duration};

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    task::yield_now,
    time::timeout,
};

use super::{
    Failure, FailureKind,
    reply::{Line, Reply},
};

/// A connection on which commands and replies alternate.
#[derive(Debug)]
pub(super) struct Wire<S>(BufReader<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// Sends a command, including its line end, and reads the reply, which may take up to `patience`.
    ///
    /// Anything that arrived before the command is not its reply.
    pub(super) async fn ask(&mut self, command: &[u8], patience: Duration) -> Result<Reply, Failure> {
        if self.has_more().await.map_err(|error| Failure::of_connection(&error))? {
            return Err(self.ahead().await);
        }
        let sent = timeout(PATIENCE, async {
            self.0.write_all(command).await?;
            self.0.flush().await
        });
        sent.await.map_err(|_| Failure::no_reply_in_time())?.map_err(|error| Failure::of_connection(&error))?;
        self.reply(patience).await
    }

    /// Reads a reply within `patience`.
    pub(super) async fn reply(&mut self, patience: Duration) -> Result<Reply, Failure> {
        timeout(patience, self.read()).await.map_err(|_| Failure::no_reply_in_time())?
    }

    /// Returns the stream; `None` if the server has sent more than was read.
    pub(super) fn into_inner(self) -> Option<S> {
        self.0.buffer().is_empty().then(|| self.0.into_inner())
    }

    /// Closes the connection.
    pub(super) async fn close(&mut self) {
        // The connection is no longer needed, so an error does not matter.
        let _ = self.0.shutdown().await;
    }

    /// Returns, without blocking, whether anything unexpected has arrived. Fails if the connection has ended.
    async fn has_more(&mut self) -> io::Result<bool> {
        // Let the runtime poll its sockets first.
        yield_now().await;
        poll_fn(|context| {
            Poll::Ready(match Pin::new(&mut self.0).poll_fill_buf(context) {
                Poll::Pending => Ok(false),
                Poll::Ready(Ok([])) => Err(io::ErrorKind::UnexpectedEof.into()),
                Poll::Ready(Ok(_)) => Ok(true),
                Poll::Ready(Err(error)) => Err(error),
            })
        })
        .await
    }

    /// Creates the failure for something that arrived early. A server may announce its shutdown at any time (RFC 5321,
    /// section 3.8).
    async fn ahead(&mut self) -> Failure {
        match self.reply(PATIENCE).await {
            Ok(reply) if reply.code == 421 => Failure::busy(&reply),
            Ok(reply) => Failure::replied(FailureKind::Malformed, &reply, "it replied before the command was sent"),
            Err(failure) => failure,
        }
    }

    async fn read(&mut self) -> Result<Reply, Failure> {
        let mut limited = (&mut self.0).take(MOST_BYTES);
        let mut reply: Option<Reply> = None;
        loop {
            let mut line = Vec::new();
            limited.read_until(b'\n', &mut line).await.map_err(|error| Failure::of_connection(&error))?;
            if line.last() != Some(&b'\n') {
                return Err(if limited.limit() == 0 {
                    Failure::new(FailureKind::Malformed, "its reply is too long")
                } else {
                    Failure::closed()
                });
            }
            let Some(Line { code, is_last, text }) = Line::parse(&line) else { return Err(unreadable()) };
            let reply = reply.get_or_insert_with(|| Reply { code, lines: Vec::new() });
            if reply.code != code {
                return Err(unreadable());
            }
            reply.lines.push(text);
            if is_last {
                return Ok(Reply { code, lines: std::mem::take(&mut reply.lines) });
            }
        }
    }
}

fn unreadable() -> Failure {
    Failure::new(FailureKind::Malformed, "it does not speak SMTP")
}

/// The timeout for most replies. Many servers look up the client's name before they reply to EHLO.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The timeout for the greeting and for the reply to a login. RFC 5321, section 4.5.3.2, allows minutes: some servers
/// delay the greeting of unknown clients, and some delay a rejection.
pub(super) const LONG_PATIENCE: Duration = Duration::from_secs(60);

/// The maximum size of a reply with all of its lines, in bytes. The longest one that servers need is the list of
/// extensions.
const MOST_BYTES: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    /// Dovecot may hold back a refusal for 17 s.
    #[tokio::test(start_paused = true)]
    async fn a_late_word_on_a_login_is_waited_for_a_minute() {
        for (seconds, expected) in [(17, Ok(535)), (59, Ok(535)), (61, Err(FailureKind::TimedOut))] {
            let (client, mut server) = tokio::io::duplex(1024);
            let refuse = async {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                // A client that has given up reads no more.
                let _ = server.write_all(b"535 5.7.8 No\r\n").await;
            };
            let mut wire = Wire::new(client);
            let (reply, ()) = tokio::join!(wire.ask(b"AUTH PLAIN AGEAYg==\r\n", LONG_PATIENCE), refuse);
            assert_eq!(reply.map(|reply| reply.code).map_err(|failure| failure.kind), expected, "{seconds} s");
        }
    }

    async fn read(bytes: &[u8]) -> Result<Reply, Failure> {
        let (client, mut server) = tokio::io::duplex(bytes.len().max(1));
        server.write_all(bytes).await.unwrap();
        drop(server);
        Wire::new(client).reply(PATIENCE).await
    }

    #[tokio::test]
    async fn a_reply_has_lines_of_one_code() {
        let reply = |code, lines: &[&str]| Reply { code, lines: lines.iter().map(|&line| line.to_owned()).collect() };
        for (bytes, expected) in [
            ("220 mail.example.com ESMTP\r\n", reply(220, &["mail.example.com ESMTP"])),
            ("250-mail\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\nmore", reply(250, &["mail", "AUTH PLAIN", "8BITMIME"])),
            ("250\r\n", reply(250, &[""])),
            ("535 \r\n", reply(535, &[""])),
            ("221 bye\n", reply(221, &["bye"])),
        ] {
            assert_eq!(read(bytes.as_bytes()).await.unwrap(), expected, "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn anything_else_is_no_reply() {
        for bytes in [
            "\r\n",
            "hi\r\n",
            "25\r\n",
            "250x\r\n",
            "199 a\r\n",
            "600 a\r\n",
            "２５０ a\r\n",
            "250-a\r\n251 b\r\n",
            "HTTP/1.1 400\r\n",
        ] {
            assert_eq!(read(bytes.as_bytes()).await.unwrap_err().kind, FailureKind::Malformed, "{bytes:?}");
        }
        for bytes in ["", "220", "250-a\r\n", "220 a"] {
            assert_eq!(read(bytes.as_bytes()).await, Err(Failure::closed()), "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn a_reply_that_is_too_long_is_not_read_to_its_end() {
        for bytes in ["2".repeat(1 << 20), "250-a\r\n".repeat(1 << 17)] {
            let (client, mut server) = tokio::io::duplex(16);
            let sending = tokio::spawn(async move { server.write_all(bytes.as_bytes()).await });
            let failure = Wire::new(client).reply(PATIENCE).await.unwrap_err();
            assert_eq!(failure, Failure::new(FailureKind::Malformed, "its reply is too long"));
            sending.await.unwrap().unwrap_err();
        }
    }

    #[tokio::test]
    async fn a_server_with_a_passing_problem_is_busy() {
        for code in [421, 454] {
            let reply = read(format!("{code} Later\r\n").as_bytes()).await.unwrap();
            let failure = Failure::unless_busy(reply).unwrap_err();
            assert_eq!((failure.kind, failure.code), (FailureKind::Busy, Some(code)));
        }
    }

    #[tokio::test]
    async fn what_comes_before_a_command_is_no_reply_to_it() {
        for (ahead, kind, code) in [
            ("235 2.7.0 Done\r\n", FailureKind::Malformed, Some(235)),
            ("250 a\r\n", FailureKind::Malformed, Some(250)),
            ("x\r\n", FailureKind::Malformed, None),
            ("421 4.3.2 Closing\r\n", FailureKind::Busy, Some(421)),
        ] {
            // Behind the reply before, and by itself a moment later.
            for behind in [true, false] {
                let (client, mut server) = tokio::io::duplex(1 << 10);
                let mut wire = Wire::new(client);
                let first = format!("250 first\r\n{}", if behind { ahead } else { "" });
                server.write_all(first.as_bytes()).await.unwrap();
                assert_eq!(wire.reply(PATIENCE).await.unwrap().code, 250);
                if !behind {
                    server.write_all(ahead.as_bytes()).await.unwrap();
                }
                let failure = wire.ask(b"AUTH PLAIN\r\n", PATIENCE).await.unwrap_err();
                assert_eq!((failure.kind, failure.code), (kind, code), "{ahead:?}");
                drop(wire);
                let mut sent = Vec::new();
                server.read_to_end(&mut sent).await.unwrap();
                assert_eq!(sent, b"", "nothing is sent any more");
            }
        }
    }
}
