//! A server that keeps a state, or refuses to: the other side of the `http` backend.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

/// A running server; it ends when this is dropped.
pub(crate) struct StateServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<Vec<u8>>,
    refuses: AtomicBool,
    hold: Mutex<Option<Receiver<()>>>,
    is_holding: AtomicBool,
    ended: AtomicBool,
}

/// A write that is held back. Dropped, it is lost, and nothing is stored.
pub(crate) struct PriorCredential(SyncSender<()>);

impl PriorCredential {
    /// Stores it after all.
    pub(crate) fn let_go(self) {
        self.0.send(()).expect("the server waits for it");
    }
}

impl StateServer {
    /// Starts a server without a state.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        let serve = move || {
            for stream in listener.incoming().flatten() {
                if served.ended.load(Ordering::SeqCst) {
                    return;
                }
                // Who hangs up early has no answer.
                let _ = answer(stream, &served);
            }
        };
        Self { address, shared, thread: Some(thread::spawn(serve)) }
    }

    /// The backend block that leads here.
    pub(crate) fn backend(&self) -> String {
        format!("terraform {{\n  backend \"http\" {{\n    address = \"http://{}/state\"\n  }}\n}}\n", self.address)
    }

    /// Answers every write with 400 from here on.
    pub(crate) fn refuse(&self) {
        self.shared.refuses.store(true, Ordering::SeqCst);
    }

    /// Holds the next write back.
    pub(crate) fn hold(&self) -> PriorCredential {
        let (sender, receiver) = sync_channel(1);
        *lock(&self.shared.hold) = Some(receiver);
        PriorCredential(sender)
    }

    /// Returns whether there is a write that is held back.
    pub(crate) fn is_holding(&self) -> bool {
        self.shared.is_holding.load(Ordering::SeqCst)
    }

    /// Takes writes again.
    pub(crate) fn relent(&self) {
        self.shared.refuses.store(false, Ordering::SeqCst);
    }
}

impl Drop for StateServer {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes it up to notice that it has to end.
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn answer(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        head.push(std::mem::take(&mut line));
    }
    let length =
        head.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let is_write = head.first().is_some_and(|line| !line.starts_with("GET "));
    if is_write && let Some(hold) = lock(&shared.hold).take() {
        shared.is_holding.store(true, Ordering::SeqCst);
        if hold.recv().is_err() {
            return Ok(());
        }
    }
    let mut stored = lock(&shared.state);
    let (status, body) = match head.first() {
        Some(line) if line.starts_with("GET ") && stored.is_empty() => (404, Vec::new()),
        Some(line) if line.starts_with("GET ") => (200, stored.clone()),
        _ if shared.refuses.load(Ordering::SeqCst) => (400, Vec::new()),
        _ => {
            *stored = body;
            (200, Vec::new())
        }
    };
    let head = format!("HTTP/1.1 {status} -\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    reader.get_mut().write_all(&[head.as_bytes(), &body].concat())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
