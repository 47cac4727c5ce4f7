//! DER (ITU-T X.690), for the certificates that rcgen does not make.

/// A SEQUENCE.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    der(0x30, parts)
}

/// An OBJECT IDENTIFIER.
pub fn oid(bytes: &[u8]) -> Vec<u8> {
    der(0x06, &[bytes])
}

/// A value of this tag, of at most 65,535 bytes.
pub fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let [.., high, low] = content.len().to_be_bytes();
    let mut bytes = match content.len() {
        0..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    bytes.extend(content);
    bytes
}
