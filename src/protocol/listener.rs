//! Listens for core: on a socket that only this user can access, or on a loopback port if there are no such sockets.

use std::{
    error::Error,
    ffi::OsString,
    io,
    net::Ipv4Addr,
    ops::RangeInclusive,
    pin::Pin,
    task::{Context, Poll},
};
#[cfg(unix)]
use std::{
    os::unix::net::SocketAddr,
    path::{Path, PathBuf},
};

#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpListener,
};

use super::lifecycle::HangUp;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Accepts connections. A socket is removed with its directory when the listener is dropped.
#[derive(Debug)]
pub(super) enum Listener {
    /// A Unix socket in a directory of its own.
    #[cfg(unix)]
    Unix(UnixListener, tempfile::TempDir),
    /// A port of the loopback interface.
    Tcp(TcpListener),
}

/// The address of a listener, in go-plugin's terms.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) network: &'static str,
    pub(super) location: String,
}

impl Listener {
    /// Listens where core expects it on this system.
    pub(super) async fn bind(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        // This condition is always true here. It keeps the other branch compiled and tested on Unix too.
        #[cfg(unix)]
        if cfg!(unix) {
            return Self::socket(&folder(variable));
        }
        Self::port(ports(variable)?).await
    }

    #[cfg(unix)]
    fn socket(base: &Path) -> Result<Self> {
        use std::{fs::Permissions, os::unix::fs::PermissionsExt};

        let directory =
            tempfile::Builder::new().prefix("tf").permissions(Permissions::from_mode(0o700)).tempdir_in(base)?;
        // The path of a socket is limited to about 100 bytes, so the name is short.
        let path = directory.path().join("s");
        if SocketAddr::from_pathname(&path).is_err() {
            return Err(format!(
                "{} is too long for the path of a socket: set TMPDIR to a shorter one.",
                base.display()
            )
            .into());
        }
        Ok(Self::Unix(UnixListener::bind(path)?, directory))
    }

    async fn port(ports: RangeInclusive<u16>) -> Result<Self> {
        let (first, last) = (*ports.start(), *ports.end());
        for port in ports {
            // Another process may hold the port, so try them all.
            if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
                return Ok(Self::Tcp(listener));
            }
        }
        Err(format!("No port from {first} to {last} is free on 127.0.0.1.").into())
    }

    /// Returns the address for core. The handshake line cannot contain `|` or a line break.
    pub(super) fn address(&self) -> Result<Address> {
        let (network, location) = match self {
            #[cfg(unix)]
            Self::Unix(_, directory) => ("unix", directory.path().join("s").into_os_string()),
            Self::Tcp(listener) => ("tcp", listener.local_addr()?.to_string().into()),
        };
        match location.into_string() {
            Ok(location) if !location.contains(['|', '\n', '\r']) => Ok(Address { network, location }),
            _ => {
                Err("The path of the socket directory contains characters that the handshake cannot carry: set TMPDIR."
                    .into())
            }
        }
    }

    /// Waits for a client.
    pub(super) async fn accept(&self) -> io::Result<Connection> {
        Ok(match self {
            #[cfg(unix)]
            Self::Unix(listener, _) => Connection::new(listener.accept().await?.0),
            Self::Tcp(listener) => Connection::new(listener.accept().await?.0),
        })
    }
}

/// Returns the directory in which to create the socket's directory. As in Go, an empty variable is treated as unset.
#[cfg(unix)]
fn folder(variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    set("PLUGIN_UNIX_SOCKET_DIR").or_else(|| set("TMPDIR")).map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
}

fn ports(variable: impl Fn(&str) -> Option<OsString>) -> Result<RangeInclusive<u16>> {
    let port = |name, default| match variable(name) {
        None => Ok(default),
        Some(text) => text.to_str().and_then(|text| text.parse().ok()).ok_or(format!("{name} is not a port.")),
    };
    Ok(port("PLUGIN_MIN_PORT", 10_000)?..=port("PLUGIN_MAX_PORT", 25_000)?)
}

/// A client's connection, with or without TLS.
pub(super) struct Connection {
    stream: Box<dyn Stream>,
    /// Dropped with the connection, when the client disconnects.
    _hang_up: Option<HangUp>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Connection {
    pub(super) fn new(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self { stream: Box::new(stream), _hang_up: None }
    }

    /// Attaches something that is dropped with the connection.
    pub(super) fn with_hang_up(self, hang_up: HangUp) -> Self {
        Self { _hang_up: Some(hang_up), ..self }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn port_range(first: u16, last: u16) -> RangeInclusive<u16> {
        ports(|name| Some(if name == "PLUGIN_MIN_PORT" { first } else { last }.to_string().into())).unwrap()
    }

    #[tokio::test]
    async fn a_port_is_taken_from_the_range_and_serves() {
        // The system gives out higher ones, so other tests leave these alone.
        let range = 20_000..=20_099;
        let listener = Listener::port(port_range(*range.start(), *range.end())).await.unwrap();
        let Address { network, location } = listener.address().unwrap();
        let address: std::net::SocketAddr = location.parse().unwrap();
        assert_eq!((network, address.ip()), ("tcp", Ipv4Addr::LOCALHOST.into()));
        assert!(range.contains(&address.port()), "{address}");

        let client = tokio::spawn(async move {
            let mut client = tokio::net::TcpStream::connect(location).await.unwrap();
            client.write_all(b"hello").await.unwrap();
        });
        let mut heard = [0; 5];
        listener.accept().await.unwrap().read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello");
        client.await.unwrap();
    }

    #[tokio::test]
    async fn a_range_without_a_free_port_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = Listener::port(port_range(port, port)).await.unwrap_err();
        assert_eq!(error.to_string(), format!("No port from {port} to {port} is free on 127.0.0.1."));
    }

    #[test]
    fn an_invalid_port_is_an_error() {
        let error = ports(|_| Some("70000".into())).unwrap_err();
        assert_eq!(error.to_string(), "PLUGIN_MIN_PORT is not a port.");
    }

    #[cfg(unix)]
    #[test]
    fn an_empty_variable_names_no_folder() {
        let folder_with = |plugin: Option<&str>, temporary: Option<&str>| {
            folder(|name| if name == "TMPDIR" { temporary } else { plugin }.map(OsString::from))
        };
        assert_eq!(folder_with(None, None), Path::new("/tmp"));
        assert_eq!(folder_with(Some(""), Some("")), Path::new("/tmp"));
        assert_eq!(folder_with(Some(""), Some("/var/tmp")), Path::new("/var/tmp"));
        assert_eq!(folder_with(Some("/run/plugins"), Some("/var/tmp")), Path::new("/run/plugins"));
    }

    /// The longest path that this system's sockets have room for; a byte ends it (`unix(7)`).
    #[cfg(unix)]
    const LONGEST: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

    #[cfg(unix)]
    #[tokio::test]
    async fn a_path_is_too_long_where_the_system_says_so() {
        use tokio::net::UnixStream;

        let short = tempfile::tempdir_in("/tmp").unwrap();
        for length in LONGEST - 10..LONGEST + 10 {
            // What follows is `/tf`, six random characters and `/s`.
            let name = "d".repeat(length - short.path().as_os_str().len() - "//tf123456/s".len());
            let base = short.path().join(name);
            std::fs::create_dir(&base).unwrap();
            match Listener::socket(&base) {
                Ok(listener) => {
                    let location = listener.address().unwrap().location;
                    assert_eq!(location.len(), length);
                    assert!(length <= LONGEST);
                    UnixStream::connect(location).await.unwrap();
                }
                Err(error) => {
                    assert!(length > LONGEST, "{length}: {error}");
                    assert!(error.to_string().ends_with("set TMPDIR to a shorter one."), "{error}");
                }
            }
        }
    }
}
