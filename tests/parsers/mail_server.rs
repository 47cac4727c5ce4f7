//! A mail server that says the bytes of a test, whatever it hears.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    thread,
};

use terraform_provider_smtp::smtp::{Failure, Roots, Security, Server};

/// A server that sends all it has to say with the first connection, and then listens to the end.
pub(crate) struct MailServer {
    address: SocketAddr,
    says: Arc<Mutex<Vec<u8>>>,
}

impl MailServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, says) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<u8>>>::default());
        let said = Arc::clone(&says);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, says) = (stream.unwrap(), said.lock().unwrap().clone());
                // A client that has heard enough is none of the server's business.
                let _ = stream.write_all(&says).and_then(|()| stream.shutdown(Shutdown::Write));
                let _ = stream.read_to_end(&mut Vec::new());
            }
        });
        Self { address, says }
    }

    /// Looks whether a login could be tried at a server that says these bytes.
    pub(crate) async fn check(&self, says: &[u8]) -> Result<(), Failure> {
        *self.says.lock().unwrap() = says.to_vec();
        let host = self.address.ip().to_string();
        Server::new(&host, self.address.port(), Security::StartTls, Roots::default()).check().await
    }
}
