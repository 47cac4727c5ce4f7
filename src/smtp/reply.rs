//! Commands out and replies in, whatever the server sends.

use std::time::Duration;

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    time::timeout,
};

use super::{Failure, FailureKind};

/// A reply of one line or several (RFC 5321, section 4.2).
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Reply {
    /// Its code, from 200 to 599.
    pub(super) code: u16,
    /// Its text, a line each, for finding keywords in. It is never shown.
    pub(super) lines: Vec<String>,
}

/// A connection on which commands and replies take turns.
#[derive(Debug)]
pub(super) struct Wire<S>(BufReader<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// Sends a command, its end included, and reads the reply to it.
    pub(super) async fn ask(&mut self, command: &[u8]) -> Result<Reply, Failure> {
        let sent = timeout(PATIENCE, async {
            self.0.write_all(command).await?;
            self.0.flush().await
        });
        sent.await.map_err(|_| Failure::no_reply_in_time())?.map_err(|error| Failure::of_connection(&error))?;
        self.reply().await
    }

    /// Reads a reply.
    pub(super) async fn reply(&mut self) -> Result<Reply, Failure> {
        let reply = timeout(PATIENCE, self.read());
        let reply = reply.await.map_err(|_| Failure::no_reply_in_time())??;
        match reply.code {
            400..=499 => Err(Failure::replied(FailureKind::Busy, reply.code, "it cannot answer at the moment")),
            _ => Ok(reply),
        }
    }

    /// The stream; nothing where the server has already sent more than was read.
    pub(super) fn into_inner(self) -> Option<S> {
        self.0.buffer().is_empty().then(|| self.0.into_inner())
    }

    /// Closes the connection.
    pub(super) async fn close(&mut self) {
        // It has served its purpose, whether it ends well or not.
        let _ = self.0.shutdown().await;
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
            let Some(Parsed { code, is_last, text }) = parse(&line) else { return Err(unreadable()) };
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

/// One line of a reply.
struct Parsed {
    code: u16,
    is_last: bool,
    text: String,
}

fn parse(line: &[u8]) -> Option<Parsed> {
    let line = line.trim_ascii_end();
    let (digits, rest) = line.split_at_checked(3)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    let (is_last, text) = match rest {
        [] => (true, rest),
        [b' ', text @ ..] => (true, text),
        [b'-', text @ ..] => (false, text),
        _ => return None,
    };
    (200..600).contains(&code).then(|| Parsed { code, is_last, text: String::from_utf8_lossy(text).into_owned() })
}

fn unreadable() -> Failure {
    Failure::new(FailureKind::Malformed, "what it sends is no SMTP")
}

/// How long a server may take for a reply, and for whatever else it is asked for.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What is read of a reply, its every line together. The longest that servers have to give is a list of extensions.
const MOST_BYTES: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> Result<Reply, Failure> {
        let (client, mut server) = tokio::io::duplex(bytes.len().max(1));
        server.write_all(bytes).await.unwrap();
        drop(server);
        Wire::new(client).reply().await
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
            let failure = Wire::new(client).reply().await.unwrap_err();
            assert_eq!(failure, Failure::new(FailureKind::Malformed, "its reply is too long"));
            sending.await.unwrap().unwrap_err();
        }
    }

    #[tokio::test]
    async fn a_server_with_a_passing_problem_is_busy() {
        for code in [421, 454] {
            let failure = read(format!("{code} Later\r\n").as_bytes()).await.unwrap_err();
            assert_eq!((failure.kind, failure.code), (FailureKind::Busy, Some(code)));
        }
    }
}
