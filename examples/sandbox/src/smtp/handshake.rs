//! From clear to TLS, or as a fault has it.

use std::{io, time::Duration};

use rustls::ProtocolVersion;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::server::TlsStream;

use super::{
    super::{
        Shared,
        journal::{Tls, Visit},
        tls::Showing,
    },
    SmtpEffect, Stage,
    faults::{Attempt, Met},
};

/// Carries out the handshake.
pub(crate) async fn secure(
    mut stream: TcpStream,
    shared: &Shared,
    visit: &Visit<'_>,
    tls: Tls,
) -> io::Result<TlsStream<TcpStream>> {
    let (mut showing, mut demands) = (Showing::Usual, false);
    match shared.smtp_faults.meet(Stage::Handshake, Attempt::default(), &shared.gate).await {
        Met::Shape(SmtpEffect::Certificate(other)) => showing = other,
        Met::Shape(SmtpEffect::ClientCertificate) => demands = true,
        Met::Shape(SmtpEffect::Alert) => return break_off(&mut stream, &HANDSHAKE_FAILURE).await,
        Met::Shape(SmtpEffect::OldTls) => return break_off(&mut stream, &server_hello_of_tls_1_1()).await,
        Met::Close => return Err(io::ErrorKind::ConnectionAborted.into()),
        _ => {}
    }
    let acceptor = if demands { shared.identity.acceptor_for_few() } else { shared.identity.acceptor(showing) };
    let acceptor = acceptor.map_err(io::Error::other)?;
    let stream = timeout(Duration::from_secs(30), acceptor.accept(stream)).await??;
    let version = stream.get_ref().1.protocol_version();
    visit.secured(tls, if version == Some(ProtocolVersion::TLSv1_3) { 1 } else { 2 });
    Ok(stream)
}

/// Answers the client's first message with these bytes, and reads what it makes of them.
async fn break_off(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<TlsStream<TcpStream>> {
    let mut hello = [0; 2 << 10];
    let _ = stream.read(&mut hello).await?;
    stream.write_all(bytes).await?;
    timeout(Duration::from_secs(30), stream.read(&mut hello)).await??;
    Err(io::ErrorKind::ConnectionAborted.into())
}

/// RFC 4346, section 7.4.1.3: version, random, no session, a cipher suite of that time, no compression.
fn server_hello_of_tls_1_1() -> Vec<u8> {
    let hello = [&[0x03, 0x02][..], &[0; 32], &[0x00], &[0x00, 0x2f], &[0x00]].concat();
    let length = u8::try_from(hello.len()).unwrap_or(u8::MAX);
    [&[0x16, 0x03, 0x02, 0x00, length + 4, 0x02, 0x00, 0x00, length][..], &hello].concat()
}

/// A fatal alert: `handshake_failure` (RFC 4346, section 7.2).
const HANDSHAKE_FAILURE: [u8; 7] = [0x15, 0x03, 0x02, 0x00, 0x02, 0x02, 0x28];
