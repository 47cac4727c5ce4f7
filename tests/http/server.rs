//! A server that follows a script, byte for byte, and reports what it saw.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Notify,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// What the server does with one connection.
#[derive(Clone)]
pub(crate) enum Act {
    /// Resets it before anything is read, even a TLS handshake.
    Reset,
    /// Answers before anything is read, even in the place of a TLS handshake, and closes.
    Babble(Vec<u8>),
    /// Reads a request and closes.
    CloseAfterRequest,
    /// Reads a request and resets.
    ResetAfterRequest,
    /// Reads and never answers. With a client that begins with TLS, this stalls the handshake.
    Silence,
    /// Reads a request, answers and closes.
    Say(Vec<u8>),
    /// Reads a request and answers, once with each of these; then reads one more and closes.
    SayEach(Vec<Vec<u8>>),
    /// Reads a request, answers and never closes.
    SayAndStall(Vec<u8>),
    /// Reads a request and answers with a byte at a time.
    Drip(Vec<u8>),
    /// Reads a request and answers when notified.
    AnswerWhenNotified(Vec<u8>, Arc<Notify>),
    /// Reads a request for a tunnel, and opens one to this address whatever host is asked for.
    Tunnel(SocketAddr),
    /// Reads a request, answers with the first and then with the second for ever.
    Flood(Vec<u8>, Vec<u8>),
}

impl Act {
    /// An answer with a body of the announced length.
    pub(crate) fn answer(status: u16, headers: &[&str], body: &str) -> Self {
        Self::Say(answer(status, headers, body))
    }
}

/// The bytes of an answer with a body of the announced length.
pub(crate) fn answer(status: u16, headers: &[&str], body: &str) -> Vec<u8> {
    let length = format!("Content-Length: {}", body.len());
    let head = [&[&*format!("HTTP/1.1 {status} Whatever"), &length], headers].concat().join("\r\n");
    format!("{head}\r\n\r\n{body}").into_bytes()
}

/// An address of ours at which nobody listens.
pub(crate) fn bound() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    socket
}

/// The running server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: Mutex<Vec<String>>,
    connection: Notify,
    request: Notify,
}

impl Server {
    /// Starts a server that follows the n-th act in its n-th connection, and the last in all others.
    pub(crate) fn start(acts: impl IntoIterator<Item = Act>) -> Self {
        Self::launch(acts, None)
    }

    /// The same behind TLS.
    pub(crate) fn start_tls(acts: impl IntoIterator<Item = Act>, tls: TlsAcceptor) -> Self {
        Self::launch(acts, Some(tls))
    }

    fn launch(acts: impl IntoIterator<Item = Act>, tls: Option<TlsAcceptor>) -> Self {
        let listener = bound().listen(64).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Seen>::default();
        let acts: Vec<_> = acts.into_iter().collect();
        let task = tokio::spawn(serve(listener, acts, tls, Arc::clone(&seen)));
        Self { address, seen, task }
    }

    /// The requests that arrived whole.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// Waits for a connection.
    pub(crate) async fn connection(&self) {
        self.seen.connection.notified().await;
    }

    /// Waits for a whole request.
    pub(crate) async fn request(&self) {
        self.seen.request.notified().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, acts: Vec<Act>, tls: Option<TlsAcceptor>, seen: Arc<Seen>) {
    for number in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        seen.connections.fetch_add(1, Ordering::SeqCst);
        seen.connection.notify_one();
        let act = acts[number.min(acts.len() - 1)].clone();
        let (tls, seen) = (tls.clone(), Arc::clone(&seen));
        // A client that goes away, or does not like our certificate, is what these tests are about.
        tokio::spawn(async move { meet(stream, act, tls, &seen).await.ok() });
    }
}

async fn meet(mut stream: TcpStream, act: Act, tls: Option<TlsAcceptor>, seen: &Seen) -> io::Result<()> {
    match act {
        Act::Reset => return stream.set_zero_linger(),
        Act::Babble(bytes) => return say(&mut stream, &bytes).await,
        Act::ResetAfterRequest => stream.set_zero_linger()?,
        _ => {}
    }
    match tls {
        Some(tls) => follow(tls.accept(stream).await?, act, seen).await,
        None => follow(stream, act, seen).await,
    }
}

async fn follow(mut stream: impl AsyncRead + AsyncWrite + Unpin, act: Act, seen: &Seen) -> io::Result<()> {
    read_request(&mut stream, seen).await?;
    match act {
        Act::Reset | Act::Babble(_) | Act::CloseAfterRequest | Act::ResetAfterRequest => Ok(()),
        Act::Silence => hold(&mut stream).await,
        Act::Say(bytes) => say(&mut stream, &bytes).await,
        Act::SayEach(answers) => {
            for bytes in answers {
                stream.write_all(&bytes).await?;
                stream.flush().await?;
                read_request(&mut stream, seen).await?;
            }
            Ok(())
        }
        Act::SayAndStall(bytes) => {
            stream.write_all(&bytes).await?;
            stream.flush().await?;
            hold(&mut stream).await
        }
        Act::Drip(bytes) => {
            for byte in bytes {
                stream.write_all(&[byte]).await?;
                stream.flush().await?;
                tokio::task::yield_now().await;
            }
            stream.shutdown().await
        }
        Act::AnswerWhenNotified(bytes, notify) => {
            notify.notified().await;
            say(&mut stream, &bytes).await
        }
        Act::Tunnel(address) => {
            let mut there = TcpStream::connect(address).await?;
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            stream.flush().await?;
            tokio::io::copy_bidirectional(&mut stream, &mut there).await.map(drop)
        }
        Act::Flood(head, chunk) => {
            stream.write_all(&head).await?;
            loop {
                stream.write_all(&chunk).await?;
            }
        }
    }
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.shutdown().await
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin), seen: &Seen) -> io::Result<()> {
    let mut bytes = Vec::new();
    while !is_whole(&bytes) {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    seen.requests.lock().unwrap().push(String::from_utf8_lossy(&bytes).into_owned());
    seen.request.notify_one();
    Ok(())
}

fn is_whole(bytes: &[u8]) -> bool {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    let Ok(httparse::Status::Complete(head)) = request.parse(bytes) else { return false };
    let length = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.map_or(0, |header| str::from_utf8(header.value).unwrap().parse().unwrap());
    bytes.len() >= head + length
}

/// Keeps the connection open until the client leaves.
async fn hold(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    while stream.read(&mut [0; 512]).await? > 0 {}
    Ok(())
}
