use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A TCP port of loopback that refuses every connection for as long as this value lives.
///
/// It is bound and does not listen. A port that is only given back may belong to another test's server by the time that something
/// connects to it.
#[derive(Debug)]
pub struct ClosedPort {
    address: SocketAddr,
    _bound: TcpSocket,
}

impl ClosedPort {
    /// Takes a port that the system chooses.
    #[expect(clippy::expect_used, reason = "a test that gets no port on loopback cannot go on")]
    pub fn bind() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port on loopback");
        Self { address: socket.local_addr().expect("its address"), _bound: socket }
    }

    /// Returns the address that refuses.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the number of the port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}
