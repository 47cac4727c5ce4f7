//! A proxy on loopback, and behind its tunnel a TLS server before the sandbox.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    runtime,
    sync::oneshot,
};
use tokio_rustls::TlsAcceptor;

/// The host behind the tunnel, which only the proxy knows.
pub(crate) const HOST: &str = "api.example.com";

/// What is done with a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Manner {
    /// All is well.
    Tunnel,
    /// A tunnel to a server whose certificate has expired.
    Expired,
    /// A tunnel to a server whose certificate is for another host.
    OtherHost,
    /// A tunnel to a server whose certificate is from an authority that nobody knows.
    UnknownAuthority,
    /// A tunnel to a server that speaks TLS 1.1 only.
    OldTls,
    /// No tunnel: this status.
    Status(u16),
    /// No tunnel and no answer.
    Close,
}

/// A running proxy; it ends when this is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    authority: String,
    connections: Arc<AtomicUsize>,
    asked: Arc<Mutex<Vec<String>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What a connection needs.
struct Behind {
    acceptors: [(Manner, TlsAcceptor); 4],
    sandbox: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

type Authority = CertifiedIssuer<'static, KeyPair>;

impl Proxy {
    /// Starts a proxy that treats the n-th connection in the n-th manner, and all others in the last.
    pub(crate) fn start(sandbox: SocketAddr, manners: &[Manner]) -> Self {
        let [ours, other] = ["ours", "other"].map(authority);
        let mut expired = leaf(HOST);
        expired.not_after = date_time_ymd(2020, 1, 1);
        let acceptors = [
            (Manner::Tunnel, acceptor(&ours, &leaf(HOST))),
            (Manner::Expired, acceptor(&ours, &expired)),
            (Manner::OtherHost, acceptor(&ours, &leaf("elsewhere.example.com"))),
            (Manner::UnknownAuthority, acceptor(&other, &leaf(HOST))),
        ];
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let behind = Arc::new(Behind { acceptors, sandbox, asked: Arc::clone(&asked) });
        let connections = Arc::<AtomicUsize>::default();

        let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port on loopback");
        let address = listener.local_addr().expect("its address");
        let (stop, stopped) = oneshot::channel();
        let (counted, manners) = (Arc::clone(&connections), manners.to_vec());
        let serve = async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = counted.fetch_add(1, Ordering::SeqCst);
                let manner = manners[number.min(manners.len() - 1)];
                let behind = Arc::clone(&behind);
                // Who does not like our certificate hangs up.
                tokio::spawn(async move { behind.meet(stream, manner).await.ok() });
            }
        };
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! { () = serve => (), _ = stopped => () }
            });
        });
        let authority = pem(ours.der());
        Self { address, authority, connections, asked, stop: Some(stop), thread: Some(thread) }
    }

    /// What to set `HTTPS_PROXY` to.
    pub(crate) fn url(&self, password: &str) -> String {
        format!("http://user:{password}@{}", self.address)
    }

    /// The certificate of the authority that its servers' certificates are from.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The heads of the requests for a tunnel.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Behind {
    async fn meet(&self, mut stream: TcpStream, manner: Manner) -> io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(String::from_utf8_lossy(&head).into_owned());
        if let Manner::Status(status) = manner {
            let answer = format!("HTTP/1.1 {status} -\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n");
            return stream.write_all(answer.as_bytes()).await;
        }
        if manner == Manner::Close {
            return Ok(());
        }
        stream.write_all(b"HTTP/1.1 200 -\r\n\r\n").await?;
        let Some((_, acceptor)) = self.acceptors.iter().find(|(of, _)| *of == manner) else {
            // RFC 4346, section 7.2: a fatal alert, `protocol_version`, in a record of TLS 1.1.
            let _hello = stream.read_u8().await?;
            return stream.write_all(&[21, 3, 2, 0, 2, 2, 70]).await;
        };
        let mut client = acceptor.accept(stream).await?;
        let mut sandbox = TcpStream::connect(self.sandbox).await?;
        copy_bidirectional(&mut client, &mut sandbox).await.map(drop)
    }
}

/// What a proxy is sent for this login (RFC 7617).
pub(crate) fn basic(password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("user:{password}")))
}

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

fn leaf(host: &str) -> CertificateParams {
    CertificateParams::new([host.to_owned()]).expect("a name")
}

fn pem(certificate: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64_STANDARD.encode(certificate))
}

fn acceptor(authority: &Authority, params: &CertificateParams) -> TlsAcceptor {
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key in PKCS #8");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a certificate with its key");
    TlsAcceptor::from(Arc::new(config))
}
