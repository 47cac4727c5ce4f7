//! What a connection of its own costs a request: one at a time, over connections of every kind.
//!
//! The client makes its connections as the provider's does, and does nothing else. What no machine can show on loopback
//! is the time on the way: a connection takes two round trips before the request can leave, with a resumed session as
//! without.

use std::{
    io,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use sandbox::Sandbox;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use crate::{
    Result,
    figure::{Figure, Section, Unit, count, milliseconds},
    resets::{SANDBOX_THREAD, block_on},
    usage,
};

/// Makes so many requests over each kind of connection, in turn.
pub(crate) fn measure(requests: usize, runs: usize) -> Result<Section> {
    let sandbox = Sandbox::start();
    let mut took = [const { Vec::new() }; KINDS.len()];
    for _ in 0..runs {
        for (kind, took) in KINDS.iter().zip(&mut took) {
            took.push(in_thread(&sandbox, *kind, requests)?);
        }
    }
    let each = |time: Duration| milliseconds(time) / count(requests);
    let figures = KINDS.iter().zip(&took).flat_map(|(kind, took)| {
        let name = kind.name();
        [
            Figure::new(
                format!("Time of a request, {name}"),
                Unit::Milliseconds,
                took.iter().map(|took| each(took.wall)),
            ),
            Figure::new(
                format!("The client's CPU, {name}"),
                Unit::Milliseconds,
                took.iter().filter_map(|took| took.client.map(each)),
            ),
            Figure::new(
                format!("The server's CPU, {name}"),
                Unit::Milliseconds,
                took.iter().filter_map(|took| took.server.map(each)),
            ),
        ]
    });
    Ok(Section { title: format!("Connections, {requests} requests one after another"), figures: figures.collect() })
}

/// What carries a request.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    /// A connection of its own, without TLS.
    Clear,
    /// A connection of its own, with a whole handshake.
    Full,
    /// A connection of its own, with the session of an earlier one: what a reset has.
    Resumed,
    /// The connection of the request before, over TLS: what a look-up has.
    Kept,
}

const KINDS: [Kind; 4] = [Kind::Clear, Kind::Full, Kind::Resumed, Kind::Kept];

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Clear => "a connection of its own without TLS",
            Self::Full => "a connection of its own, whole handshake",
            Self::Resumed => "a connection of its own, resumed session",
            Self::Kept => "the connection of the one before, over TLS",
        }
    }
}

struct Took {
    wall: Duration,
    client: Option<Duration>,
    server: Option<Duration>,
}

/// The system counts by threads, so the client has one of its own.
fn in_thread(sandbox: &Sandbox, kind: Kind, requests: usize) -> Result<Took> {
    let (clear, over_tls) = (address(&sandbox.base_url()), address(&sandbox.base_url_over_tls()));
    let at = if kind == Kind::Clear { clear } else { over_tls };
    let tls = connector(&sandbox.ca_certificate_pem(), kind)?;
    let run = move || block_on(run(&at, &tls, kind, requests)).map_err(|error| error.to_string());
    let ended = thread::Builder::new().name(CLIENT_THREAD.to_owned()).spawn(run)?.join();
    ended.map_err(|_| "the client's thread panicked")?.map_err(Into::into)
}

fn address(base_url: &str) -> String {
    base_url.split_once("://").map_or(base_url, |(_, address)| address).to_owned()
}

fn connector(ca_certificate: &str, kind: Kind) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_certificate.as_bytes())?)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if kind == Kind::Full {
        config.resumption = Resumption::disabled();
    }
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn run(at: &str, tls: &TlsConnector, kind: Kind, requests: usize) -> Result<Took> {
    let connect = || async {
        let stream = TcpStream::connect(at).await?;
        stream.set_nodelay(true)?;
        Ok::<_, io::Error>(stream)
    };
    let secure =
        || async { tls.connect(ServerName::try_from("127.0.0.1").map_err(io::Error::other)?, connect().await?).await };

    // The first connection has no session to resume, and does not count.
    let mut kept = None;
    if kind != Kind::Clear {
        exchange(kept.insert(secure().await?)).await?;
    }
    let of = |thread| usage::of_threads(thread);
    let (client, server, start) = (of(CLIENT_THREAD), of(SANDBOX_THREAD), Instant::now());
    for _ in 0..requests {
        match (kind, &mut kept) {
            (Kind::Clear, _) => exchange(&mut connect().await?).await?,
            (Kind::Kept, Some(kept)) => exchange(kept).await?,
            _ => exchange(&mut secure().await?).await?,
        }
    }
    let wall = start.elapsed();
    let since = |thread, before: Option<Duration>| Some(of(thread)?.saturating_sub(before?));
    Ok(Took { wall, client: since(CLIENT_THREAD, client), server: since(SANDBOX_THREAD, server) })
}

/// Sends a request that the sandbox answers with little, and reads the answer to its end.
async fn exchange(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<()> {
    stream.write_all(b"GET /sandbox/faults HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await?;
    stream.flush().await?;
    let mut bytes = Vec::with_capacity(1024);
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err("the sandbox has closed the connection".into());
        }
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(head) = response.parse(&bytes)? else { continue };
        let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
        let length: usize = str::from_utf8(length.ok_or("no length")?.value)?.parse()?;
        if bytes.len() >= head + length {
            return Ok(());
        }
    }
}

const CLIENT_THREAD: &str = "client";
