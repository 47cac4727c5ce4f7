//! Servers on loopback: one that gives each request the same bytes, and one that offers a folder over HTTPS.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{CertificateParams, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types::PrivateKeyDer};

/// Its address, and how many requests there were.
pub(crate) struct Server {
    address: String,
    requests: Arc<AtomicUsize>,
}

impl Server {
    /// Responds with `content`, of which only `sent` bytes are sent.
    pub(crate) fn start(status: u16, content: &[u8], sent: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let response = [head(status, content.len()).as_bytes(), &content[..sent]].concat();
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                if path(&mut stream).is_some() {
                    counter.fetch_add(1, Ordering::SeqCst);
                    _ = stream.write_all(&response);
                }
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/terraform.zip", self.address)
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// Offers the files of a folder over HTTPS. Returns the address, and the server's own certificate in PEM.
pub(crate) fn offer(folder: PathBuf) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (folder, config) = (folder.clone(), Arc::clone(&config));
            thread::spawn(move || {
                let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream.unwrap());
                let Some(path) = path(&mut stream) else { return };
                let (status, content) = match fs::read(folder.join(path.trim_start_matches('/'))) {
                    Ok(content) => (200, content),
                    Err(_) => (404, Vec::new()),
                };
                let is_json = Path::new(&path).extension().is_some_and(|extension| extension == "json");
                let kind = if is_json { "application/json" } else { "application/zip" };
                let head =
                    head(status, content.len()).replace("\r\n\r\n", &format!("\r\nContent-Type: {kind}\r\n\r\n"));
                _ = stream.write_all(&[head.as_bytes(), &content].concat());
                stream.conn.send_close_notify();
                _ = stream.flush();
            });
        }
    });
    let pem =
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(certificate.der()));
    (address, pem)
}

fn head(status: u16, length: usize) -> String {
    format!("HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n")
}

/// The path of a request; `None` if there is none.
fn path(stream: &mut impl Read) -> Option<String> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        request.extend(byte);
    }
    String::from_utf8(request).ok()?.split(' ').nth(1).map(str::to_owned)
}
