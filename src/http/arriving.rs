//! A response as it arrives, byte by byte.
//!
//! Of the response to a reset every byte is kept until it is judged, up to a limit: where the response is broken, the password may
//! still stand in what has come.

use std::io;
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::framing::{Framing, TooLarge};
use super::salvage;
use super::transport::TransportError;

/// A connection over which a request goes out and a response comes in.
pub(super) struct Arriving<S> {
    stream: S,
    /// Where each piece is read to.
    piece: Zeroizing<Vec<u8>>,
    /// The head while it is incomplete; of the response to a reset, all that follows.
    raw: Zeroizing<Vec<u8>>,
    head: Option<Head>,
    has_head: bool,
    /// Whether the server will take another request over this connection (RFC 9112, section 9.3).
    persists: bool,
    framing: Framing,
    body: Zeroizing<Vec<u8>>,
    most: usize,
    /// How many bytes lie behind the end of the body.
    behind: usize,
}

/// The head of a response.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
}

/// What came of a response to a reset.
pub(super) struct Received {
    pub(super) body: Zeroizing<Vec<u8>>,
    /// Further texts to look for the password in, where the body is not the whole of what came.
    pub(super) beyond: Vec<Zeroizing<Vec<u8>>>,
    /// Whether it came to its end, with nothing behind that.
    pub(super) is_whole: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Arriving<S> {
    /// Begins over a connection; `is_kept` where all of the response is to be kept.
    pub(super) fn over(stream: S, is_kept: bool) -> Self {
        Self {
            stream,
            piece: Zeroizing::new(vec![0; PIECE]),
            // A buffer that grows leaves copies behind.
            raw: Zeroizing::new(Vec::with_capacity(if is_kept { MOST_KEPT } else { 2 * PIECE })),
            head: None,
            has_head: false,
            persists: false,
            framing: Framing::Unclear,
            body: Zeroizing::default(),
            most: 0,
            behind: 0,
        }
    }

    /// Sends the request. A server may answer, and hang up, before it has read all of it.
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
            self.raw.extend_from_slice(&self.piece[..bytes]);
            // A head ends with a line.
            if self.piece[..bytes].contains(&b'\n') || self.raw.len() >= LONGEST_HEAD {
                self.parse_head()?;
            }
        }
        Ok(())
    }

    /// The head, once it has come.
    pub(super) fn take_head(&mut self) -> Option<Head> {
        self.head.take()
    }

    /// The status of success that the bytes begin with, be the rest of the head as it may.
    pub(super) fn success(&self) -> Option<u16> {
        salvage::success(&self.raw).map(|(status, _)| status)
    }

    /// Reads the whole body.
    pub(super) async fn whole_body(&mut self, most: usize) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        // What is not announced has room for any answer with a password. A buffer that is larger than what comes takes time to be
        // wiped.
        let room = match self.framing {
            Framing::Length(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX),
            _ => PASSWORD,
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
            Framing::Complete | Framing::ToEnd => Ok(std::mem::take(&mut self.body)),
            _ => Err(TransportError::Interrupted),
        }
    }

    /// Reads the response to a reset as far as it comes: to its end, or, where that does not come or comes too early, for a little
    /// while longer. What has come is in [`received`](Self::received), whatever fails and wherever this is cut off.
    pub(super) async fn all(&mut self) -> Result<(), TransportError> {
        self.begin_body(PASSWORD, PASSWORD)?;
        let mut is_found = self.is_found();
        loop {
            let is_complete = self.framing == Framing::Complete;
            if is_complete && is_found {
                return Ok(());
            }
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
            self.raw.extend_from_slice(&piece[..bytes]);
            self.decode(&piece[..bytes])?;
            is_found = is_found || piece[..bytes].contains(&b'}') && self.is_found();
            self.piece = piece;
        }
    }

    /// Tells whether the response has come to the end that its head announces.
    pub(super) fn is_complete(&self) -> bool {
        self.framing == Framing::Complete
    }

    /// The connection, where the response has come to its announced end, with nothing behind that, and the server keeps it open.
    pub(super) fn into_idle(self) -> Option<S> {
        let is_idle = self.framing == Framing::Complete && self.behind == 0 && self.persists;
        is_idle.then_some(self.stream)
    }

    /// All that came of the response to a reset.
    pub(super) fn received(self) -> Received {
        let is_whole = matches!(self.framing, Framing::Complete | Framing::ToEnd) && self.behind == 0;
        let is_enough = is_whole && salvage::has_document(&self.body);
        let beyond = if is_enough { Vec::new() } else { self.texts() };
        Received { body: self.body, beyond, is_whole }
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
            let is_interim = matches!(status, 100 | 102..=199);
            if !is_interim {
                let pairs = response.headers.iter().filter_map(|header| {
                    let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
                    Some((name, HeaderValue::from_bytes(header.value).ok()?))
                });
                let mut headers = HeaderMap::new();
                for (name, value) in pairs {
                    headers.append(name, value);
                }
                self.framing = Framing::of(status, &headers);
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

    /// Makes room for the body, and takes over what of it has come with the head.
    fn begin_body(&mut self, room: usize, most: usize) -> Result<(), TransportError> {
        self.body = Zeroizing::new(Vec::with_capacity(room));
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

    /// The texts in which the password may stand, where it does not stand in the body.
    fn texts(&self) -> Vec<Zeroizing<Vec<u8>>> {
        let at = if self.has_head { None } else { salvage::success(&self.raw) };
        let rest = at.map_or(&self.raw[..], |(_, at)| &self.raw[at..]);
        let behind_head = if self.has_head { 0 } else { salvage::blank_line(rest).unwrap_or_default() };
        salvage::texts(&rest[behind_head..], rest)
    }

    /// Tells whether a whole document has come, wherever it stands.
    fn is_found(&self) -> bool {
        let is_odd = matches!(self.framing, Framing::Complete | Framing::Unclear);
        salvage::has_document(&self.body) || is_odd && self.texts().iter().any(|text| salvage::has_document(text))
    }
}

fn says_close(headers: &HeaderMap) -> bool {
    let options = headers.get_all(CONNECTION).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    options.into_iter().any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
}

/// The most that a page of a list may hold, in bytes.
pub(super) const PAGE: usize = 16 * 1024 * 1024;

/// The most that the answer to a reset may hold, in bytes.
pub(super) const PASSWORD: usize = 64 * 1024;

/// The most that a refusal may hold, in bytes.
pub(super) const REFUSAL: usize = 64 * 1024;

/// The longest head. Servers end theirs at 8 to 16 KiB.
const LONGEST_HEAD: usize = 64 * 1024;

/// More headers than any response has.
const MOST_HEADERS: usize = 128;

/// The most that is kept of a response: head, body, and the sizes of its chunks.
const MOST_KEPT: usize = LONGEST_HEAD + 2 * PASSWORD + PIECE;

/// How much is read at a time.
const PIECE: usize = 16 * 1024;

/// How long the next byte is waited for once a response seems to have ended, or a document in it has.
const PATIENCE: Duration = Duration::from_secs(2);
