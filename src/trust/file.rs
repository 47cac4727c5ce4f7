//! The user's certificate file.

use std::{
    borrow::Cow,
    fmt,
    fs::{File, Metadata, OpenOptions},
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::off_thread::off_thread;

/// The certificates of a PEM file. Cheap to clone.
#[derive(Clone)]
pub struct CertificateFile(Arc<[CertificateDer<'static>]>);

impl CertificateFile {
    /// Reads a PEM file of at most 1 MiB, with or without a byte order mark. The error follows the file's name.
    pub fn read(path: &Path) -> Result<Self, Cow<'static, str>> {
        let pem = content(path)?;
        let pem = pem.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&pem);
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .map(|certificate| certificate.ok().filter(is_usable))
            .collect::<Option<_>>()
            .ok_or("contains something that is not a certificate, or is truncated")?;
        if certificates.is_empty() {
            return Err(match pem {
                [0x30, 0x82, ..] => {
                    "contains no PEM certificate; it looks like DER, which `openssl x509 -inform der` converts"
                }
                _ => "contains no PEM certificate",
            }
            .into());
        }
        Ok(Self(certificates.into()))
    }

    /// Reads the file on a separate thread, for at most ten seconds: a network file system may hang.
    pub async fn read_in_time(path: &Path) -> Result<Self, Cow<'static, str>> {
        let path = path.to_owned();
        off_thread(move || Self::read(&path)).await.unwrap_or(Err("could not be read in time".into()))
    }

    pub(super) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }
}

impl fmt::Debug for CertificateFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificateFile({} certificates)", self.0.len())
    }
}

fn content(path: &Path) -> Result<Vec<u8>, Cow<'static, str>> {
    // Opening a device may have side effects, and opening a FIFO blocks until there is a writer.
    check_regular(&path.metadata().map_err(|error| unreadable(&error))?)?;
    let file = open(path).map_err(|error| unreadable(&error))?;
    check_regular(&file.metadata().map_err(|error| unreadable(&error))?)?;
    let mut pem = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut pem).map_err(|error| unreadable(&error))?;
    if pem.len() as u64 > MOST_BYTES {
        return Err("is larger than 1 MiB, too large for a list of certificates".into());
    }
    Ok(pem)
}

fn check_regular(metadata: &Metadata) -> Result<(), Cow<'static, str>> {
    match () {
        () if metadata.is_file() => Ok(()),
        () if metadata.is_dir() => Err("is a directory, but must be a file".into()),
        () => Err("is not a regular file".into()),
    }
}

/// Opens the file without blocking, in case the path has become a FIFO.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    options.open(path)
}

fn unreadable(error: &io::Error) -> Cow<'static, str> {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist".into(),
        io::ErrorKind::PermissionDenied => "cannot be read: permission denied".into(),
        io::ErrorKind::NotADirectory => "cannot be read: a part of the path is not a directory".into(),
        // A description without the path.
        kind => format!("cannot be read: {kind}").into(),
    }
}

/// Returns whether a certificate can be a root. This is checked now, because the TLS library's error would not name the
/// file.
fn is_usable(certificate: &CertificateDer<'static>) -> bool {
    RootCertStore::empty().add(certificate.clone()).is_ok()
}

/// Some editors put this before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Four times the size of the bundles that operating systems ship.
const MOST_BYTES: u64 = 1024 * 1024;
