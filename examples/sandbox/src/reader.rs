//! Reads requests off a connection, and is not held up by slow or huge ones.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::{
    delivery::Wire,
    http::{Answer, Request},
};

/// Why there is no request to answer.
pub(crate) enum Unread {
    /// The client left, or said nothing for a minute.
    Gone,
    /// What it sent is not accepted; answer this, and close the connection.
    Refused(Answer),
}

impl From<io::Error> for Unread {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// Reads requests off one connection.
pub(crate) struct Reader {
    buffer: Vec<u8>,
}

impl Reader {
    /// Starts with nothing read.
    pub(crate) fn new() -> Self {
        Self { buffer: Vec::new() }
    }

    /// Reads the next request, within a minute.
    pub(crate) async fn next(&mut self, stream: &mut impl Wire) -> Result<Request, Unread> {
        timeout(Duration::from_mins(1), self.read(stream)).await.unwrap_or(Err(Unread::Gone))
    }

    async fn read(&mut self, stream: &mut impl Wire) -> Result<Request, Unread> {
        let (mut request, head_length) = loop {
            match parse(&self.buffer)? {
                Some(parsed) if parsed.1 <= HEAD_LIMIT => break parsed,
                None if self.buffer.len() <= HEAD_LIMIT => self.fill(stream).await?,
                _ => return Err(refused(431, "the head of a request is at most 32 KiB")),
            }
        };
        let end = head_length + body_length(&request)?;
        while self.buffer.len() < end {
            self.fill(stream).await?;
        }
        request.body = self.buffer[head_length..end].to_vec();
        self.buffer.drain(..end);
        Ok(request)
    }

    async fn fill(&mut self, stream: &mut impl Wire) -> Result<(), Unread> {
        match stream.read_buf(&mut self.buffer).await? {
            0 => Err(Unread::Gone),
            _ => Ok(()),
        }
    }
}

/// Reads on for a moment after the last answer, so that the client sees it before it sees the connection close.
pub(crate) async fn hang_up(mut stream: impl Wire) {
    let drained = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(BODY_LIMIT), &mut tokio::io::sink()).await
    };
    // Whether the client waited for the end or not, there is nothing more to send it.
    let _ = timeout(Duration::from_secs(2), drained).await;
}

fn parse(buffer: &[u8]) -> Result<Option<(Request, usize)>, Unread> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(refused(400, &format!("this is not an HTTP/1.1 request: {error}"))),
    };
    let owned =
        |header: &httparse::Header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned());
    let request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        headers: parsed.headers.iter().map(owned).collect(),
        body: Vec::new(),
    };
    if parsed.version != Some(1) {
        return Err(refused(505, "HTTP/1.1 is spoken here"));
    }
    if request.header("Host").is_none() {
        return Err(refused(400, "a request names its Host"));
    }
    Ok(Some((request, length)))
}

fn body_length(request: &Request) -> Result<usize, Unread> {
    if request.header("Transfer-Encoding").is_some() {
        return Err(refused(411, "a request needs a Content-Length and must not be chunked"));
    }
    let mut lengths = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("Content-Length"));
    let Some((_, length)) = lengths.next() else { return Ok(0) };
    match length.parse::<u64>() {
        Ok(length) if length > BODY_LIMIT => Err(refused(413, "a body is at most 1 MiB")),
        Ok(length) if lengths.next().is_none() => usize::try_from(length).map_err(|_| Unread::Gone),
        _ => Err(refused(400, "the Content-Length is one number")),
    }
}

fn refused(status: u16, why: &str) -> Unread {
    Unread::Refused(Answer::text(status, "text/plain;charset=utf-8", format!("sandbox: {why}\n")))
}

const BODY_LIMIT: u64 = 1 << 20;
const HEAD_LIMIT: usize = 32 << 10;
