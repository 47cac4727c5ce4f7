//! Opens a tunnel through an HTTP proxy (RFC 9110, section 9.3.6).

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use url::Host;
use zeroize::Zeroizing;

use super::proxy::Proxy;

/// Why there is no tunnel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TunnelError {
    /// The proxy returned this status.
    Status(u16),
    /// The proxy closed the connection.
    Closed,
    /// The proxy's response is not HTTP, or something follows it.
    Garbled,
}

/// Asks the proxy for a tunnel to `host`.
pub(super) async fn open(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    proxy: &Proxy,
    host: &Host<String>,
    port: u16,
) -> Result<(), TunnelError> {
    let line = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    let credentials =
        proxy.credentials.as_ref().map(|secret| ["Proxy-Authorization: Basic ", secret.for_wire(), "\r\n"]);
    let parts = [&*line].into_iter().chain(credentials.iter().flatten().copied()).chain(["\r\n"]);
    // Allocate everything at once: a growing buffer would leave copies behind.
    let mut request = Zeroizing::new(String::with_capacity(parts.clone().map(str::len).sum()));
    request.extend(parts);
    stream.write_all(request.as_bytes()).await.map_err(|_| TunnelError::Closed)?;
    stream.flush().await.map_err(|_| TunnelError::Closed)?;

    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.map_err(|_| TunnelError::Closed)? == 0 {
            return Err(TunnelError::Closed);
        }
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(&bytes) {
            Ok(httparse::Status::Complete(length)) => match response.code.unwrap_or_default() {
                // A successful CONNECT has no body, and the client sends first, so nothing may follow.
                200..=299 if length == bytes.len() => return Ok(()),
                200..=299 => return Err(TunnelError::Garbled),
                100..=199 => _ = bytes.drain(..length),
                status => return Err(TunnelError::Status(status)),
            },
            Ok(httparse::Status::Partial) if bytes.len() < LONGEST_HEAD => {}
            _ => return Err(TunnelError::Garbled),
        }
    }
}

const LONGEST_HEAD: usize = 64 * 1024;
