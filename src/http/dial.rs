//! Opens a TCP connection to the first address of a host that accepts one.

use std::{io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use tokio::{
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::sleep,
};
use url::Host;

/// Resolves host names.
#[derive(Clone)]
pub(super) struct Resolver(Arc<dyn Fn(String, u16) -> Resolving + Send + Sync>);

/// A lookup in progress.
pub(super) type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

impl Resolver {
    /// Creates a resolver from a function.
    #[cfg(test)]
    pub(super) fn new(resolve: impl Fn(String, u16) -> Resolving + Send + Sync + 'static) -> Self {
        Self(Arc::new(resolve))
    }

    /// Returns the addresses of a host, alternating between IPv4 and IPv6 (RFC 8305, section 4). Empty if the name does
    /// not resolve.
    pub(super) async fn addresses(&self, host: &Host<String>, port: u16) -> Vec<SocketAddr> {
        let name = match host {
            Host::Ipv4(address) => return vec![(*address, port).into()],
            Host::Ipv6(address) => return vec![(*address, port).into()],
            Host::Domain(name) => name.clone(),
        };
        let found = self.0(name, port).await.unwrap_or_default();
        let is_v6_first = found.first().is_some_and(SocketAddr::is_ipv6);
        let (first, other): (Vec<_>, Vec<_>) = found.into_iter().partition(|address| address.is_ipv6() == is_v6_first);
        let longest = first.len().max(other.len());
        (0..longest).flat_map(|at| [first.get(at), other.get(at)]).flatten().copied().collect()
    }
}

impl Default for Resolver {
    /// Uses the system's resolver.
    fn default() -> Self {
        Self(Arc::new(|name, port| Box::pin(async move { Ok(lookup_host((name, port)).await?.collect()) })))
    }
}

/// Connects to the first address that accepts a connection. The next one is tried when one fails or is slow (RFC 8305,
/// section 5).
pub(super) async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut trying = JoinSet::new();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let mut rest = addresses.iter().copied();
    loop {
        let next = rest.next();
        if let Some(address) = next {
            trying.spawn(TcpStream::connect(address));
        }
        let slow = async {
            match next {
                Some(_) => sleep(ATTEMPT_DELAY).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            tried = trying.join_next() => match tried {
                Some(Ok(Ok(stream))) => {
                    // A request is written in one piece, so there is nothing to wait for.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Some(Ok(Err(error))) => last = error,
                None if next.is_none() => return Err(last),
                Some(Err(_)) | None => {}
            },
            () = slow => {}
        }
    }
}

/// RFC 8305, section 8.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use sandbox::ClosedPort;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_address_that_refuses_does_not_hide_one_that_answers() {
        let (server, closed) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), ClosedPort::bind());
        let refused = closed.address();
        let address = server.local_addr().unwrap();
        let stream = connect(&[refused, refused, address]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        assert_eq!(connect(&[refused, refused]).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert!(connect(&[]).await.is_err());
    }

    #[tokio::test]
    async fn both_families_are_tried_in_turn() {
        let addresses = ["[::1]:1", "[::2]:1", "127.0.0.1:1", "[::3]:1"].map(|text| text.parse().unwrap());
        let resolver = Resolver::new(move |_, _| Box::pin(async move { Ok(addresses.to_vec()) }));
        let found = resolver.addresses(&Host::Domain("a.example".to_owned()), 1).await;
        assert_eq!(found, ["[::1]:1", "127.0.0.1:1", "[::2]:1", "[::3]:1"].map(|text| text.parse().unwrap()));
    }
}
