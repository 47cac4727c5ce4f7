//! A mail server that says the bytes of a test, a reply for each command, whatever it hears.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    thread,
};

use terraform_provider_smtp::smtp::{Failure, Roots, Security, Server};

/// A server that says a part of it for each thing that it hears, up to the last line of a reply, and then listens to
/// the end.
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
                // The server does not care about a client that has heard enough.
                for (at, reply) in replies(&says).into_iter().enumerate() {
                    // The greeting comes unasked.
                    if at > 0 && !matches!(stream.read(&mut [0; 1 << 10]), Ok(1..)) || stream.write_all(reply).is_err()
                    {
                        break;
                    }
                }
                let _ = stream.shutdown(Shutdown::Write);
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

/// The parts of these bytes that end like replies: with a line whose fourth byte does not say that there is more.
fn replies(says: &[u8]) -> Vec<&[u8]> {
    let (mut replies, mut start, mut end) = (Vec::new(), 0, 0);
    for line in says.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        if line.get(3) != Some(&b'-') {
            replies.push(&says[start..end]);
            start = end;
        }
    }
    replies.extend((start < end).then(|| &says[start..end]));
    replies
}
