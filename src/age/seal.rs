//! A file that is prepared before its content is known.

use std::fmt;

use ring::aead::LessSafeKey;
use zeroize::Zeroizing;

use super::{armor, derive, header, keys::Recipient, payload, stanza::FileKey, stanza::Wrapped};
use crate::secret::Secret;

/// A file for some recipients that only lacks its content. Everything that can fail has been done.
pub struct Seal {
    /// The header, and the nonce from which the key of the content is derived.
    head: Vec<u8>,
    key: LessSafeKey,
}

/// The length of the nonce before the content, in bytes.
pub(super) const NONCE: usize = 16;

/// How the key of the content is derived from the file key and the nonce.
pub(super) const INFO: &str = "payload";

impl Seal {
    /// Prepares a file. Fails only if `fill`, which fills a buffer with random bytes, fails; returns `None` then.
    pub fn prepare<E>(recipients: &[Recipient], fill: impl Fn(&mut [u8]) -> Result<(), E>) -> Option<Self> {
        let mut file_key = FileKey::default();
        fill(file_key.as_mut_slice()).ok()?;
        let stanza = |recipient: &Recipient| {
            let mut ephemeral = Zeroizing::new([0; 32]);
            fill(ephemeral.as_mut_slice()).ok()?;
            Wrapped::new(&file_key, &recipient.0, *ephemeral).ok()
        };
        let stanzas = recipients.iter().map(stanza).collect::<Option<Vec<_>>>()?;
        let mut head = header::write(&file_key, &stanzas).ok()?.into_bytes();
        let mut nonce = [0; NONCE];
        fill(&mut nonce).ok()?;
        head.extend_from_slice(&nonce);
        Some(Self { head, key: derive::aead(&file_key[..], &nonce, INFO).ok()? })
    }

    /// Returns the file with this content, as armored text. The same content gives the same file; a seal must not be
    /// used for another one.
    pub fn seal(&self, content: &Secret) -> String {
        let mut file = self.head.clone();
        payload::append(&mut file, &self.key, content.for_state().as_bytes());
        armor::wrap(&file)
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}
