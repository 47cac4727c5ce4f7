//! How an answer reaches the client, whole or as a fault has it.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};
use tokio_rustls::server::TlsStream;

use super::{faults::Effect, gate::Gate, http::Answer};

/// A connection, over TLS or not.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {
    /// Has the system reset the connection where it is closed.
    fn reset_when_closed(&self) -> io::Result<()>;
}

impl Wire for TcpStream {
    fn reset_when_closed(&self) -> io::Result<()> {
        self.set_zero_linger()
    }
}

impl Wire for TlsStream<TcpStream> {
    fn reset_when_closed(&self) -> io::Result<()> {
        self.get_ref().0.set_zero_linger()
    }
}

/// What becomes of the connection.
#[derive(Eq, PartialEq)]
pub(crate) enum Connection {
    /// The answer is whole, the next request may come.
    Reusable,
    /// It is closed.
    Spent,
}

/// Sends an answer as `effect` has it.
pub(crate) async fn deliver(
    stream: &mut impl Wire,
    answer: &Answer,
    effect: Option<&Effect>,
    gate: &Gate,
) -> io::Result<Connection> {
    let delivered = send(stream, answer, effect, gate).await?;
    // TLS keeps back what the system did not accept at once.
    stream.flush().await?;
    Ok(delivered)
}

async fn send(stream: &mut impl Wire, answer: &Answer, effect: Option<&Effect>, gate: &Gate) -> io::Result<Connection> {
    match effect {
        Some(Effect::Close) => {}
        Some(Effect::ContentLength(length)) => {
            stream.write_all(&[answer.head(Some(*length)), answer.body.clone()].concat()).await?;
        }
        Some(Effect::Drip(pause)) => return drip(stream, &answer.bytes(), *pause).await,
        Some(Effect::EndlessBody) => {
            stream.write_all(&answer.head(None)).await?;
            spaces(stream, u64::MAX).await?;
        }
        Some(Effect::HeadThenStall) => {
            stream.write_all(&answer.head(Some(answer.body.len() as u64))).await?;
            stream.flush().await?;
            gate.hold().await;
            stream.write_all(&answer.body).await?;
            return Ok(Connection::Reusable);
        }
        Some(Effect::HugeBody(length)) => {
            stream.write_all(&answer.head(Some(*length))).await?;
            spaces(stream, *length).await?;
        }
        Some(Effect::TcpReset) => stream.reset_when_closed()?,
        Some(Effect::Truncate(length)) => {
            let missing = answer.body.len().saturating_sub(*length);
            let bytes = answer.bytes();
            stream.write_all(&bytes[..bytes.len() - missing]).await?;
        }
        _ => {
            stream.write_all(&answer.bytes()).await?;
            return Ok(Connection::Reusable);
        }
    }
    Ok(Connection::Spent)
}

async fn drip(stream: &mut impl Wire, bytes: &[u8], pause: Duration) -> io::Result<Connection> {
    for byte in bytes {
        stream.write_all(&[*byte]).await?;
        stream.flush().await?;
        sleep(pause).await;
    }
    Ok(Connection::Reusable)
}

/// Spaces are what a JSON parser waits through.
async fn spaces(stream: &mut impl Wire, mut length: u64) -> io::Result<()> {
    const CHUNK: [u8; 16 << 10] = [b' '; 16 << 10];
    while length > 0 {
        let next = usize::try_from(length).map_or(CHUNK.len(), |left| left.min(CHUNK.len()));
        stream.write_all(&CHUNK[..next]).await?;
        length -= next as u64;
    }
    Ok(())
}
