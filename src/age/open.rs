//! Decrypts files.

use zeroize::Zeroizing;

use super::{
    armor, derive,
    error::OpenError,
    header::Header,
    keys::Identities,
    payload,
    seal::{INFO, NONCE},
    stanza::{FileKey, Wrapped},
};

/// Decrypts an armored file with the first identity that it was encrypted to.
pub fn open_armored(text: &str, identities: &Identities) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    open(&armor::unwrap(text).ok_or(OpenError::Armor)?, identities)
}

/// Decrypts a file without armor with the first identity that it was encrypted to.
pub fn open(file: &[u8], identities: &Identities) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let header = Header::read(file)?;
    let key = file_key(&header, identities)?;
    header.verify(&key)?;
    let (nonce, content) = header.rest.split_at_checked(NONCE).ok_or(OpenError::Header)?;
    let key = derive::aead(&key[..], nonce, INFO).map_err(|_| OpenError::Payload)?;
    payload::open(content, &key)
}

fn file_key(header: &Header<'_>, identities: &Identities) -> Result<FileKey, OpenError> {
    // A passphrase must be the only way into a file. Otherwise whoever knows it could be misled about who else can read
    // the file.
    let is_passphrase = |kind: Option<&&[u8]>| kind.is_some_and(|kind| *kind == b"scrypt");
    if header.stanzas.len() > 1 && header.stanzas.iter().any(|stanza| is_passphrase(stanza.arguments.first())) {
        return Err(OpenError::Header);
    }
    let wrapped = header.stanzas.iter().filter_map(|stanza| Wrapped::read(stanza).transpose());
    let wrapped = wrapped.collect::<Result<Vec<_>, _>>()?;
    for identity in identities.iter() {
        for wrapped in &wrapped {
            if let Some(key) = wrapped.open(identity)? {
                return Ok(key);
            }
        }
    }
    Err(OpenError::NoMatch)
}
