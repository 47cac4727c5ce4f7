//! The content of a file: chunks of 64 KiB, each encrypted under its number.

use ring::aead::{Aad, LessSafeKey, Nonce};
use zeroize::Zeroizing;

use super::error::OpenError;

/// The length of every chunk but the last, in bytes.
const CHUNK: usize = 64 * 1024;

/// The length of what encryption adds to a chunk, in bytes.
const TAG: usize = 16;

/// Appends the encrypted content to `file`. Its key must encrypt nothing else.
pub(super) fn append(file: &mut Vec<u8>, key: &LessSafeKey, content: &[u8]) {
    let chunks = content.len().div_ceil(CHUNK).max(1);
    // A buffer that grows would leave copies of the content behind.
    file.reserve_exact(content.len() + chunks * TAG);
    for number in 0..chunks {
        let from = number * CHUNK;
        let is_last = number + 1 == chunks;
        let to = if is_last { content.len() } else { from + CHUNK };
        let start = file.len();
        file.extend_from_slice(content.get(from..to).unwrap_or_default());
        let chunk = file.get_mut(start..).unwrap_or_default();
        // It fails only for more than 256 GiB, and a chunk has 64 KiB at most.
        if let Ok(tag) = key.seal_in_place_separate_tag(nonce(number, is_last), Aad::empty(), chunk) {
            file.extend_from_slice(tag.as_ref());
        } else {
            file.truncate(start);
        }
    }
}

/// Decrypts the content.
pub(super) fn open(encrypted: &[u8], key: &LessSafeKey) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let mut content = Zeroizing::new(Vec::with_capacity(encrypted.len()));
    let mut rest = encrypted;
    for number in 0.. {
        let is_last = rest.len() <= CHUNK + TAG;
        let (chunk, after) = rest.split_at(rest.len().min(CHUNK + TAG));
        let mut chunk = Zeroizing::new(chunk.to_vec());
        let opened = key.open_in_place(nonce(number, is_last), Aad::empty(), chunk.as_mut_slice());
        let opened = opened.map_err(|_| OpenError::Payload)?;
        // Otherwise there would be two files for one content.
        if opened.is_empty() && number > 0 {
            return Err(OpenError::Payload);
        }
        content.extend_from_slice(opened);
        if is_last {
            break;
        }
        rest = after;
    }
    Ok(content)
}

/// The nonce of a chunk: its number in eleven bytes, and whether it is the last.
fn nonce(number: usize, is_last: bool) -> Nonce {
    let mut nonce = [0; 12];
    for (byte, digit) in nonce.iter_mut().take(11).rev().zip(number.to_le_bytes()) {
        *byte = digit;
    }
    nonce[11] = u8::from(is_last);
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use ring::aead::{CHACHA20_POLY1305, UnboundKey};

    use super::*;

    fn key() -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &[7; 32]).unwrap())
    }

    #[test]
    fn content_of_any_length_is_opened_and_nothing_may_follow_it() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 9] {
            let content: Vec<u8> = (0..length).map(|at| (at % 253) as u8).collect();
            let mut file = b"head".to_vec();
            append(&mut file, &key(), &content);
            assert_eq!(open(&file[4..], &key()).unwrap().as_slice(), content, "{length}");
            for end in [4, 5, file.len() - 1, file.len().saturating_sub(TAG + 1).max(4)] {
                assert_eq!(open(&file[4..end], &key()).unwrap_err(), OpenError::Payload, "{length} cut at {end}");
            }
            file.push(0);
            assert_eq!(open(&file[4..], &key()).unwrap_err(), OpenError::Payload, "{length} and one more");
        }
    }

    #[test]
    fn a_full_chunk_is_not_followed_by_an_empty_one() {
        let mut chunk = vec![0; CHUNK];
        let mut file = Vec::new();
        for (number, is_last, text) in [(0, false, &mut chunk), (1, true, &mut Vec::new())] {
            let tag = key().seal_in_place_separate_tag(nonce(number, is_last), Aad::empty(), text).unwrap();
            file.extend_from_slice(text);
            file.extend_from_slice(tag.as_ref());
        }
        assert_eq!(open(&file, &key()).unwrap_err(), OpenError::Payload);
    }
}
