//! The route to an API.

use tokio::io::{AsyncRead, AsyncWrite};
use url::Host;

use super::{base_url::Channel, proxy::Proxy};

/// The route to an API.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Route {
    pub(super) host: Host<String>,
    pub(super) port: u16,
    pub(super) channel: Channel,
    pub(super) proxy: Option<Proxy>,
}

/// A connection, over TLS or not.
pub(super) type Connection = Box<dyn Stream>;

/// A bidirectional stream.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}
