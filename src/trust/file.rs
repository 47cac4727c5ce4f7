//! The user's file with certificates.

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
    /// Reads a PEM file of at most 1 MiB, with a byte order mark or without. The error is in words that follow what names the file.
    pub fn read(path: &Path) -> Result<Self, Cow<'static, str>> {
        let pem = content(path)?;
        let pem = pem.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&pem);
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .map(|certificate| certificate.ok().filter(is_usable))
            .collect::<Option<_>>()
            .ok_or("holds something that is not a certificate, or is cut off")?;
        if certificates.is_empty() {
            return Err(match pem {
                [0x30, 0x82, ..] => {
                    "holds no PEM certificate; it looks like DER, which `openssl x509 -inform der` converts"
                }
                _ => "holds no PEM certificate",
            }
            .into());
        }
        Ok(Self(certificates.into()))
    }

    /// The same on a thread of its own, and no longer than ten seconds: a file may be on a disk that does not answer.
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
    // To open a device may do something to it, and to open a FIFO waits for whoever writes to it.
    check_regular(&path.metadata().map_err(|error| unreadable(&error))?)?;
    let file = open(path).map_err(|error| unreadable(&error))?;
    check_regular(&file.metadata().map_err(|error| unreadable(&error))?)?;
    let mut pem = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut pem).map_err(|error| unreadable(&error))?;
    if pem.len() as u64 > MOST_BYTES {
        return Err("is longer than 1 MiB, too long for a list of certificates".into());
    }
    Ok(pem)
}

fn check_regular(metadata: &Metadata) -> Result<(), Cow<'static, str>> {
    match () {
        () if metadata.is_file() => Ok(()),
        () if metadata.is_dir() => Err("is a directory, and must be a file".into()),
        () => Err("is not a regular file".into()),
    }
}

/// Opens without waiting, should the path lead to a FIFO by now.
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
        // The words of the operating system, which name no path.
        kind => format!("cannot be read: {kind}").into(),
    }
}

/// Whether it can be a root at all is asked now, since the TLS library would name no file.
fn is_usable(certificate: &CertificateDer<'static>) -> bool {
    RootCertStore::empty().add(certificate.clone()).is_ok()
}

/// What some editors put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Four times the list that the systems ship.
const MOST_BYTES: u64 = 1024 * 1024;
