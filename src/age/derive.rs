//! Derives keys from keys: HKDF-SHA-256 (RFC 5869), always for 32 bytes.

use ring::{
    aead::{CHACHA20_POLY1305, LessSafeKey, UnboundKey},
    error::Unspecified,
    hkdf, hmac,
};

/// Derives a key of ChaCha20-Poly1305.
pub(super) fn aead(secret: &[u8], salt: &[u8], info: &str) -> Result<LessSafeKey, Unspecified> {
    let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    let info = [info.as_bytes()];
    Ok(LessSafeKey::new(UnboundKey::from(derived.expand(&info, &CHACHA20_POLY1305)?)))
}

/// Derives the key of a header's MAC from a file key.
pub(super) fn mac(file_key: &[u8]) -> Result<hmac::Key, Unspecified> {
    let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(file_key);
    Ok(hmac::Key::from(derived.expand(&[b"header"], hmac::HMAC_SHA256)?))
}
