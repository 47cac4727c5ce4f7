//! A text, or what a part of one decodes to, with the way back to the source.

use std::ops::Range;

use zeroize::Zeroizing;

/// Characters, and for each the bytes of the source that it was made of.
pub(super) struct Layer {
    chars: Zeroizing<Vec<char>>,
    source: Vec<Range<usize>>,
}

impl Layer {
    /// The text itself.
    pub(super) fn of(text: &str) -> Self {
        let mut layer = Self::with_capacity(text.len());
        text.char_indices().for_each(|(at, c)| layer.push(c, at..at + c.len_utf8()));
        layer
    }

    /// No characters yet; at most `most`.
    pub(super) fn with_capacity(most: usize) -> Self {
        Self { chars: Zeroizing::new(Vec::with_capacity(most)), source: Vec::with_capacity(most) }
    }

    /// The text in bytes, each made of a part of the source. What is no UTF-8 becomes a replacement character.
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

    /// What of the source the characters of a range were made of.
    pub(super) fn source(&self, range: Range<usize>) -> Option<Range<usize>> {
        let first = self.source.get(range.start)?;
        let last = self.source.get(range.end.checked_sub(1)?)?;
        Some(first.start..last.end)
    }
}

/// What stands for a byte that is no text. It is a noncharacter (Unicode 17.0, section 23.7), unlike U+FFFD, which a secret may well hold.
const NO_TEXT: char = '\u{10ffff}';
