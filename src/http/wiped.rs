//! A buffer that may hold a password, and leaves no copy of it behind when it grows.

use zeroize::Zeroizing;

/// Creates a buffer with room for any usual response to a reset.
pub(super) fn buffer() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(LEAST))
}

/// Appends `bytes`. Where the buffer is too small, a larger one takes its place and the smaller one is wiped, while a
/// growing `Vec` would return its memory as it is.
pub(super) fn append(buffer: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) {
    let needed = buffer.len() + bytes.len();
    if needed > buffer.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.next_power_of_two()));
        larger.extend_from_slice(buffer);
        *buffer = larger;
    }
    buffer.extend_from_slice(bytes);
}

/// The least capacity, in bytes.
const LEAST: usize = 4 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_holds_what_was_appended_in_at_most_twice_the_space() {
        let (mut buffer, mut expected) = (buffer(), Vec::new());
        for length in [0, 1, 4095, 1, 5000, 0, 70_000] {
            let bytes: Vec<u8> = (0..=255).cycle().take(length).collect();
            append(&mut buffer, &bytes);
            expected.extend(bytes);
            assert_eq!(*buffer, expected);
            assert!(buffer.capacity() <= LEAST.max(2 * expected.len()), "{} for {}", buffer.capacity(), expected.len());
        }
    }
}
