//! Reads a response as it arrives.
//!
//! Every byte of the response to a reset is kept, up to a limit: if the response is broken, the password may still be
//! in what was received.

use std::{io, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, header::CONNECTION};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};
use zeroize::Zeroizing;

use super::{
    framing::{Framing, TooLarge},
    salvage,
    syntax::Syntax,
    transport::TransportError,
    wiped,
};

/// A connection on which one request is sent and its response received.
pub(super) struct Arriving<S> {
    stream: S,
    syntax: Syntax,
    /// The buffer for each read.
    piece: Zeroizing<Vec<u8>>,
    /// The incomplete head. For a reset, everything received after the head.
    raw: Zeroizing<Vec<u8>>,
    head: Option<Head>,
    has_head: bool,
    /// Whether the server keeps the connection open for another request (RFC 9112, section 9.3).
    persists: bool,
    framing: Framing,
    body: Zeroizing<Vec<u8>>,
    most: usize,
    /// The number of bytes received after the end of the body.
    behind: usize,
}

/// The head of a response.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
}

/// What was received of the response to a reset.
pub(super) struct Received {
    pub(super) body: Zeroizing<Vec<u8>>,
    /// Further texts to search for the password, if the response is broken.
    pub(super) beyond: Vec<Zeroizing<Vec<u8>>>,
    /// Whether the response is complete and nothing follows it.
    pub(super) is_whole: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Arriving<S> {
    /// Starts an exchange on a connection.
    pub(super) fn over(stream: S, syntax: Syntax) -> Self {
        Self {
            stream,
            syntax,
            piece: Zeroizing::new(vec![0; PIECE]),
            // Before the request is sent: a usual response needs no more room once it arrives.
            raw: wiped::buffer(),
            head: None,
            has_head: false,
            persists: false,
            framing: Framing::Unclear,
            body: wiped::buffer(),
            most: 0,
            behind: 0,
        }
    }

    /// Sends the request. Errors are ignored, since a server may respond and close the connection before it has read
    /// everything.
    pub(super) async fn send(&mut self, request: &[u8]) {
        if self.stream.write_all(request).await.is_ok() {
            let _ = self.stream.flush().await;
        }
    }

    /// Waits for the head of the final response.
    pub(super) async fn head(&mut self) -> Result<(), TransportError> {
        while self.head.is_none() {
            let bytes = self.read().await.map_err(|_| TransportError::Interrupted)?;
            if bytes == 0 {
                return Err(TransportError::Interrupted);
            }
            wiped::append(&mut self.raw, &self.piece[..bytes]);
            // A head ends with a line.
            if self.piece[..bytes].contains(&b'\n') || self.raw.len() >= LONGEST_HEAD {
                self.parse_head()?;
            }
        }
        Ok(())
    }

    /// Takes the head, if it has been received.
    pub(super) fn take_head(&mut self) -> Option<Head> {
        self.head.take()
    }

    /// Returns the 2xx status that the received bytes start with, even if the rest of the head is broken.
    pub(super) fn success(&self) -> Option<u16> {
        salvage::success(&self.raw).map(|(status, _)| status)
    }

    /// Reads the whole body.
    pub(super) async fn whole_body(&mut self, most: usize) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        let room = match self.framing {
            Framing::Length(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX),
            _ => 0,
        };
        if room > most {
            return Err(TransportError::TooLarge);
        }
        self.begin_body(room, most)?;
        while !matches!(self.framing, Framing::Complete | Framing::Unclear) {
            let bytes = self.read().await.map_err(|_| TransportError::Interrupted)?;
            if bytes == 0 {
                break;
            }
            let piece = std::mem::take(&mut self.piece);
            self.decode(&piece[..bytes])?;
            self.piece = piece;
        }
        match self.framing {
            Framing::Complete | Framing::ToEnd => Ok(self.syntax.body(std::mem::take(&mut self.body))),
            _ => Err(TransportError::Interrupted),
        }
    }

    /// Reads the response to a reset: to its end, and for a short while longer if no password can be in it yet.
    /// Everything received is in [`received`](Self::received), even after an error or a cancellation.
    pub(super) async fn all(&mut self) -> Result<(), TransportError> {
        self.begin_body(0, PASSWORD)?;
        let mut is_found = self.is_found();
        loop {
            let is_complete = self.framing == Framing::Complete;
            if is_complete && is_found {
                return Ok(());
            }
            // Once the password may be there, a wrong length or a connection that stays open is not worth the full
            // timeout.
            let read =
                if is_complete || is_found { timeout(PATIENCE, self.read()).await } else { Ok(self.read().await) };
            let bytes = match (read, self.framing) {
                (Ok(Ok(bytes @ 1..)), _) => bytes,
                (_, Framing::Complete) | (Ok(Ok(0)), Framing::ToEnd) => return Ok(()),
                (Err(_), _) => return Err(TransportError::TimedOut),
                (Ok(_), _) => return Err(TransportError::Interrupted),
            };
            if bytes > MOST_KEPT - self.raw.len() {
                return Err(TransportError::TooLarge);
            }
            let piece = std::mem::take(&mut self.piece);
            wiped::append(&mut self.raw, &piece[..bytes]);
            self.decode(&piece[..bytes])?;
            // A search goes through everything again.
            is_found = is_found || piece[..bytes].contains(&self.syntax.last_byte()) && self.is_found();
            self.piece = piece;
        }
    }

    /// Returns whether the response is complete according to its head.
    pub(super) fn is_complete(&self) -> bool {
        self.framing == Framing::Complete
    }

    /// Returns the connection for reuse, if the response is complete, nothing follows it, and the server keeps the
    /// connection open.
    pub(super) fn into_idle(self) -> Option<S> {
        let is_idle = self.framing == Framing::Complete && self.behind == 0 && self.persists;
        is_idle.then_some(self.stream)
    }

    /// Returns everything that was received of the response to a reset.
    pub(super) fn received(self) -> Received {
        let is_whole = matches!(self.framing, Framing::Complete | Framing::ToEnd) && self.behind == 0;
        let is_enough = is_whole && self.syntax.has_document(&self.body);
        let beyond = if is_enough { Vec::new() } else { self.texts() };
        let beyond = beyond.into_iter().map(|text| self.syntax.received(text)).collect();
        Received { body: self.syntax.received(self.body), beyond, is_whole }
    }

    async fn read(&mut self) -> io::Result<usize> {
        self.stream.read(&mut self.piece).await
    }

    fn parse_head(&mut self) -> Result<(), TransportError> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
            let mut response = httparse::Response::new(&mut headers);
            let length = match response.parse(&self.raw) {
                Ok(httparse::Status::Complete(length)) => length,
                Ok(httparse::Status::Partial) if self.raw.len() < LONGEST_HEAD => return Ok(()),
                Ok(httparse::Status::Partial) | Err(_) => return Err(TransportError::Interrupted),
            };
            let status = response.code.unwrap_or_default();
            // After a 101 the connection speaks another protocol, so no response follows (RFC 9110, section 15.2.2).
            let is_interim = matches!(status, 100 | 102..=199);
            if !is_interim {
                // A header that is not valid is dropped, since the password is in the body.
                let pairs = response.headers.iter().filter_map(|header| {
                    let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
                    Some((name, HeaderValue::from_bytes(header.value).ok()?))
                });
                let mut headers = HeaderMap::new();
                for (name, value) in pairs {
                    headers.append(name, value);
                }
                self.framing = Framing::of(status, &headers);
                // HTTP/1.0 closes by default.
                self.persists = response.version == Some(1) && !says_close(&headers);
                self.head = Some(Head { status, headers });
                self.has_head = true;
            }
            self.raw.drain(..length);
            if !is_interim {
                return Ok(());
            }
        }
    }

    /// Allocates the body, and decodes what was received with the head.
    fn begin_body(&mut self, room: usize, most: usize) -> Result<(), TransportError> {
        if room > self.body.capacity() {
            self.body = Zeroizing::new(Vec::with_capacity(room));
        }
        self.most = most;
        let start = std::mem::take(&mut self.raw);
        let decoded = self.decode(&start);
        self.raw = start;
        decoded
    }

    fn decode(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        self.behind +=
            self.framing.decode(bytes, &mut self.body, self.most).map_err(|TooLarge| TransportError::TooLarge)?;
        Ok(())
    }

    /// Returns the texts that may hold the password if the body does not.
    fn texts(&self) -> Vec<Zeroizing<Vec<u8>>> {
        let at = if self.has_head { None } else { salvage::success(&self.raw) };
        let rest = at.map_or(&self.raw[..], |(_, at)| &self.raw[at..]);
        let behind_head = if self.has_head { 0 } else { salvage::blank_line(rest).unwrap_or_default() };
        salvage::texts(&rest[behind_head..], rest, |text| self.syntax.has_document(text))
    }

    /// Returns whether a whole document has been received, in the body or elsewhere.
    fn is_found(&self) -> bool {
        let is_odd = matches!(self.framing, Framing::Complete | Framing::Unclear);
        let has_document = |text: &Zeroizing<Vec<u8>>| self.syntax.has_document(text);
        has_document(&self.body) || is_odd && self.texts().iter().any(has_document)
    }
}

fn says_close(headers: &HeaderMap) -> bool {
    let options = headers.get_all(CONNECTION).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    options.into_iter().any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
}

/// The maximum size of a page of a list, in bytes.
pub(super) const PAGE: usize = 16 * 1024 * 1024;

/// The maximum size of the response to a reset, in bytes.
pub(super) const PASSWORD: usize = 64 * 1024;

/// The maximum size of an error response, in bytes.
pub(super) const REFUSAL: usize = 64 * 1024;

/// The maximum size of a head, in bytes. Servers limit theirs to 8 to 16 KiB.
const LONGEST_HEAD: usize = 64 * 1024;

/// More headers than any response has.
const MOST_HEADERS: usize = 128;

/// The maximum size of what is kept of a response, in bytes: head, body and chunk sizes.
const MOST_KEPT: usize = LONGEST_HEAD + 2 * PASSWORD + PIECE;

/// The size of one read, in bytes.
const PIECE: usize = 8 * 1024;

/// How long to wait for more once a response, or a document in it, seems to be complete.
const PATIENCE: Duration = Duration::from_secs(2);
