//! A tunnel through an HTTP proxy (RFC 9110, section 9.3.6).

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use url::Host;
use zeroize::Zeroizing;

use super::proxy::Proxy;

/// Why there is no tunnel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NoTunnel {
    /// The proxy answered with this status.
    Status(u16),
    /// The proxy closed the connection, or broke it.
    Closed,
    /// What the proxy answered is not HTTP, or goes on behind its end.
    Garbled,
}

/// Asks the proxy for a tunnel to `host`. What is sent through it later, only the host reads.
pub(super) async fn open(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    proxy: &Proxy,
    host: &Host<String>,
    port: u16,
) -> Result<(), NoTunnel> {
    let line = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    let credentials =
        proxy.credentials.as_ref().map(|secret| ["Proxy-Authorization: Basic ", secret.for_wire(), "\r\n"]);
    let parts = [&*line].into_iter().chain(credentials.iter().flatten().copied()).chain(["\r\n"]);
    // Room for all of it: a buffer that grows leaves copies behind.
    let mut request = Zeroizing::new(String::with_capacity(parts.clone().map(str::len).sum()));
    request.extend(parts);
    stream.write_all(request.as_bytes()).await.map_err(|_| NoTunnel::Closed)?;
    stream.flush().await.map_err(|_| NoTunnel::Closed)?;

    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.map_err(|_| NoTunnel::Closed)? == 0 {
            return Err(NoTunnel::Closed);
        }
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(&bytes) {
            Ok(httparse::Status::Complete(length)) => match response.code.unwrap_or_default() {
                // Of a success there is no body, and behind the tunnel the client speaks first.
                200..=299 if length == bytes.len() => return Ok(()),
                200..=299 => return Err(NoTunnel::Garbled),
                100..=199 => _ = bytes.drain(..length),
                status => return Err(NoTunnel::Status(status)),
            },
            Ok(httparse::Status::Partial) if bytes.len() < LONGEST_HEAD => {}
            _ => return Err(NoTunnel::Garbled),
        }
    }
}

const LONGEST_HEAD: usize = 64 * 1024;
