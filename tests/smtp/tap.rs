//! A tap on the wire between a client and a server.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Hands on all bytes of the connections to its port, and keeps those of the clients.
pub(crate) struct Tap {
    port: u16,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    from_client: Mutex<Vec<u8>>,
    to_client: AtomicUsize,
}

impl Tap {
    /// Listens, and connects to `port` for each client.
    pub(crate) fn on(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let tap = Self { port: listener.local_addr().unwrap().port(), seen: Arc::default() };
        let seen = Arc::clone(&tap.seen);
        // It waits for the next client when the process ends.
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let kept = Arc::clone(&seen);
                thread::spawn(move || pass(from, to, |bytes| kept.from_client.lock().unwrap().extend(bytes)));
                let counted = Arc::clone(&seen);
                thread::spawn(move || {
                    pass(server, client, |bytes| _ = counted.to_client.fetch_add(bytes.len(), Ordering::Relaxed));
                });
            }
        });
        tap
    }

    /// Where it listens on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What the clients have sent.
    pub(crate) fn sent_by_client(&self) -> Vec<u8> {
        self.seen.from_client.lock().unwrap().clone()
    }

    /// How much the clients could be sent.
    pub(crate) fn sent_to_client(&self) -> usize {
        self.seen.to_client.load(Ordering::Relaxed)
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut see: impl FnMut(&[u8])) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        see(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // Where one side has ended, the other has nobody to talk to.
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
