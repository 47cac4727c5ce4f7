//! A text or a decoded part of one, with the positions in the source.

use std::ops::Range;

use zeroize::Zeroizing;

/// Characters, each with the range of source bytes that it was decoded from.
pub(super) struct Layer {
    chars: Zeroizing<Vec<char>>,
    source: Vec<Range<usize>>,
}

impl Layer {
    /// Creates the layer of the text itself.
    pub(super) fn of(text: &str) -> Self {
        let mut layer = Self::with_capacity(text.len());
        text.char_indices().for_each(|(at, c)| layer.push(c, at..at + c.len_utf8()));
        layer
    }

    /// Creates an empty layer for up to `most` characters.
    pub(super) fn with_capacity(most: usize) -> Self {
        Self { chars: Zeroizing::new(Vec::with_capacity(most)), source: Vec::with_capacity(most) }
    }

    /// Decodes bytes, each with its range in the source, as UTF-8. Invalid bytes become replacement characters.
    pub(super) fn of_bytes(bytes: &[u8], sources: &[Range<usize>]) -> Self {
        let mut layer = Self::with_capacity(bytes.len());
        let mut at = 0;
        let mut push = |layer: &mut Self, c: char, length: usize| {
            if let (Some(first), Some(last)) = (sources.get(at), sources.get(at + length - 1)) {
                layer.push(c, first.start..last.end);
            }
            at += length;
        };
        for chunk in bytes.utf8_chunks() {
            chunk.valid().chars().for_each(|c| push(&mut layer, c, c.len_utf8()));
            chunk.invalid().iter().for_each(|_| push(&mut layer, NO_TEXT, 1));
        }
        layer
    }

    pub(super) fn push(&mut self, c: char, source: Range<usize>) {
        self.chars.push(c);
        self.source.push(source);
    }

    pub(super) fn chars(&self) -> &[char] {
        &self.chars
    }

    /// Returns the source bytes of a range of characters.
    pub(super) fn source(&self, range: Range<usize>) -> Option<Range<usize>> {
        let first = self.source.get(range.start)?;
        let last = self.source.get(range.end.checked_sub(1)?)?;
        Some(first.start..last.end)
    }
}

/// Replaces an invalid byte. It is a noncharacter (Unicode 17.0, section 23.7), unlike U+FFFD, which a secret may
/// contain.
const NO_TEXT: char = '\u{10ffff}';
