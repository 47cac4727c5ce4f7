//! What cannot be guessed: passwords, tokens and correlation ids.

use rustls::crypto::ring;

/// Makes `length` letters and digits, each as likely as any other.
pub(crate) fn alphanumeric(length: usize) -> String {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        // Of a byte's values only those below the largest multiple of 62 are used, so that none is favored.
        let letters = bytes::<64>().into_iter().filter(|&byte| usize::from(byte) < 248);
        text.extend(letters.map(|byte| char::from(ALPHABET[usize::from(byte) % 62])).take(length - text.len()));
    }
    text
}

/// Makes a version 4 UUID (RFC 9562).
pub(crate) fn uuid() -> String {
    let number = u128::from_be_bytes(bytes());
    let number = number & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{number:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Fails only where the system has no source of randomness, and nothing in the sandbox makes sense without.
    #[expect(clippy::expect_used, reason = "there is no sandbox without randomness")]
    ring::default_provider().secure_random.fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
