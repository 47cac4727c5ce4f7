//! Lines in and replies out.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    time::timeout,
};

/// A connection as lines that end with CR LF.
pub struct Lines<S>(BufReader<S>);

/// What a client has sent.
pub enum Line {
    /// A line, without its end.
    Text(String),
    /// A line that is answered with this.
    Refused(&'static str),
    /// No more.
    End,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Lines<S> {
    /// Reads and writes lines on `stream`.
    pub fn new(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// The stream; nothing where the client has already sent more than was read.
    pub fn into_inner(self) -> Option<S> {
        self.unread().is_empty().then(|| self.0.into_inner())
    }

    /// What the client has sent already beyond the last line.
    pub fn unread(&self) -> &[u8] {
        self.0.buffer()
    }

    /// Reads a line of at most `limit` bytes with its end, within five minutes (RFC 5321, section 4.5.3.2.7).
    pub async fn next(&mut self, limit: usize) -> io::Result<Line> {
        let mut line = Vec::new();
        let mut limited = (&mut self.0).take(ABSOLUTE_LIMIT);
        timeout(Duration::from_mins(5), limited.read_until(b'\n', &mut line)).await??;
        if line.last() != Some(&b'\n') {
            return Ok(Line::End);
        }
        if line.len() > limit {
            return Ok(Line::Refused("500 5.5.2 Line too long"));
        }
        let Some(line) = line.strip_suffix(b"\r\n") else {
            return Ok(Line::Refused("500 5.5.2 Lines end with CR LF"));
        };
        Ok(String::from_utf8(line.to_vec()).map_or(Line::Refused("500 5.5.2 Not UTF-8"), Line::Text))
    }

    /// Sends a reply of one line or several.
    pub async fn reply(&mut self, reply: &str) -> io::Result<()> {
        self.send(format!("{reply}\r\n").as_bytes()).await
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await?;
        self.0.flush().await
    }
}

/// What is read of a line before the connection is given up.
const ABSOLUTE_LIMIT: u64 = 64 << 10;
