//! The way to an API, and what goes over it.

use tokio::io::{AsyncRead, AsyncWrite};
use url::Host;

use super::base_url::Channel;
use super::proxy::Proxy;

/// The way to an API.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Route {
    pub(super) host: Host<String>,
    pub(super) port: u16,
    pub(super) channel: Channel,
    pub(super) proxy: Option<Proxy>,
}

/// A connection, over TLS or not.
pub(super) type Connection = Box<dyn Stream>;

/// What goes both ways.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}
