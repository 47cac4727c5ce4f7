//! A stanza of a header: the file key, encrypted to one recipient.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use ring::{
    aead::{Aad, Nonce},
    error::Unspecified,
};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::{derive, error::OpenError};

/// The length of a line of a stanza's body, in characters. The last one is shorter.
pub(super) const WIDTH: usize = 64;

/// The type of the stanzas that are understood here.
const X25519: &[u8] = b"X25519";

const INFO: &str = "age-encryption.org/v1/X25519";

/// The length of a file key, in bytes.
pub(super) const KEY: usize = 16;

/// A file key, from which everything else in a file is derived.
pub(super) type FileKey = Zeroizing<[u8; KEY]>;

/// A stanza as it is in a header.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Stanza<'f> {
    pub(super) arguments: Vec<&'f [u8]>,
    pub(super) body: Vec<u8>,
}

/// A file key that is encrypted to an X25519 recipient.
#[derive(Debug)]
pub(super) struct Wrapped {
    share: PublicKey,
    body: [u8; KEY + TAG],
}

/// The length of a tag of Poly1305, in bytes.
const TAG: usize = 16;

impl Wrapped {
    /// Encrypts a file key. `ephemeral` must be random, and new for each stanza.
    pub(super) fn new(key: &FileKey, recipient: &PublicKey, ephemeral: [u8; 32]) -> Result<Self, Unspecified> {
        let ephemeral = StaticSecret::from(ephemeral);
        let share = PublicKey::from(&ephemeral);
        let shared = ephemeral.diffie_hellman(recipient);
        let mut body = [0; KEY + TAG];
        let (text, tag) = body.split_at_mut(KEY);
        text.copy_from_slice(key.as_slice());
        let sealed = derive::aead(shared.as_bytes(), &salt(&share, recipient), INFO)?;
        let made = sealed.seal_in_place_separate_tag(zero(), Aad::empty(), text)?;
        tag.copy_from_slice(made.as_ref());
        Ok(Self { share, body })
    }

    /// Reads a stanza; `None` if it is of another type.
    pub(super) fn read(stanza: &Stanza<'_>) -> Result<Option<Self>, OpenError> {
        let [kind, arguments @ ..] = &*stanza.arguments else { return Err(OpenError::Header) };
        if *kind != X25519 {
            return Ok(None);
        }
        let [share] = arguments else { return Err(OpenError::Header) };
        let share = STANDARD_NO_PAD.decode(share).ok().and_then(|share| <[u8; 32]>::try_from(share).ok());
        let body = <[u8; KEY + TAG]>::try_from(&*stanza.body).ok();
        let (share, body) = share.zip(body).ok_or(OpenError::Header)?;
        Ok(Some(Self { share: PublicKey::from(share), body }))
    }

    /// Decrypts the file key; `None` if it was encrypted to another recipient.
    pub(super) fn open(&self, identity: &StaticSecret) -> Result<Option<FileKey>, OpenError> {
        let shared = identity.diffie_hellman(&self.share);
        // With such a share the secret is the same for every identity, so it protects nothing.
        if !shared.was_contributory() {
            return Err(OpenError::Header);
        }
        let recipient = PublicKey::from(identity);
        let key = derive::aead(shared.as_bytes(), &salt(&self.share, &recipient), INFO);
        let mut body = Zeroizing::new(self.body);
        let opened = key.and_then(|key| key.open_in_place(zero(), Aad::empty(), body.as_mut_slice()).map(|_| ()));
        Ok(opened.ok().map(|()| {
            let mut key = FileKey::default();
            key.copy_from_slice(&body[..KEY]);
            key
        }))
    }

    /// Writes the stanza as lines of a header.
    pub(super) fn write(&self, header: &mut String) {
        header.push_str("-> X25519 ");
        STANDARD_NO_PAD.encode_string(self.share.as_bytes(), header);
        header.push('\n');
        // It is shorter than a line.
        STANDARD_NO_PAD.encode_string(self.body, header);
        header.push('\n');
    }
}

fn salt(share: &PublicKey, recipient: &PublicKey) -> [u8; 64] {
    let mut salt = [0; 64];
    let (first, second) = salt.split_at_mut(32);
    first.copy_from_slice(share.as_bytes());
    second.copy_from_slice(recipient.as_bytes());
    salt
}

/// The nonce of a key that is used once.
fn zero() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}
