//! Decodes base64 and hex, wherever they start in a text.

use std::ops::Range;

use zeroize::{Zeroize, Zeroizing};

use super::{
    layer::Layer,
    plain::{Sequence, is_ignorable, sequence},
};

/// The digits of one byte sequence, each with its position in the source.
#[derive(Default)]
struct Run {
    digits: Vec<u8>,
    sources: Vec<Range<usize>>,
    /// Whether its padding has been reached, after which no digit belongs to it.
    is_padded: bool,
}

/// The minimum number of digits that can encode a secret: four bytes in base64.
const LEAST: usize = 6;

/// Passes to `found` everything in a layer that may be base64 or hex, decoded with every possible grouping of digits.
pub(super) fn decoded(layer: &Layer, mut found: impl FnMut(Layer)) {
    grouped(layer, &mut found);
    // Which characters of a terminal sequence may be digits: none, the final one, all from the first that is one, or
    // all after its introducer.
    let lengths: [fn(&[char], Sequence) -> usize; 4] = [
        |_, sequence| sequence.whole,
        |_, sequence| sequence.open,
        |text, Sequence { head, whole, .. }| {
            let body = text.get(head..whole).unwrap_or_default();
            head + body.iter().take_while(|c| base64(**c, &[]).is_none()).count()
        },
        |_, sequence| sequence.head,
    ];
    if layer.chars().iter().any(|c| sequence(&[*c]).is_some()) {
        for length in lengths {
            grouped(&without_sequences(layer, length), &mut found);
        }
    }
}

fn without_sequences(layer: &Layer, length: fn(&[char], Sequence) -> usize) -> Layer {
    let mut rest = Layer::with_capacity(layer.chars().len());
    let mut at = 0;
    while let Some(&c) = layer.chars().get(at) {
        let text = layer.chars().get(at..).unwrap_or_default();
        if let Some(sequence) = sequence(text) {
            at += length(text, sequence);
            continue;
        }
        if let Some(source) = layer.source(at..at + 1) {
            rest.push(c, source);
        }
        at += 1;
    }
    rest
}

fn grouped(layer: &Layer, found: &mut impl FnMut(Layer)) {
    runs(layer, base64, |_| false, |run| (0..4).for_each(|skip| found(run.decoded(6, skip))));
    runs(layer, hex, |c| "+,-.:;_|0xX".contains(c), |run| (0..2).for_each(|skip| found(run.decoded(4, skip))));
}

/// Returns the value of a base64 digit (RFC 4648, sections 4 and 5).
fn base64(c: char, _: &[char]) -> Option<u8> {
    let digit = u8::try_from(c).ok()?;
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// Returns the value of a hex digit, except for the zero of a `0x`.
fn hex(c: char, rest: &[char]) -> Option<u8> {
    if c == '0' && matches!(rest.iter().find(|c| !is_ignorable(**c)), Some('x' | 'X')) {
        return None;
    }
    c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Finds runs of digits that are separated only by white space and separators.
fn runs(
    layer: &Layer,
    digit: impl Fn(char, &[char]) -> Option<u8>,
    separates: impl Fn(char) -> bool,
    mut found: impl FnMut(&Run),
) {
    let chars = layer.chars();
    let mut run = Run::default();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        // The padding belongs to the last digit.
        if c == '='
            && let (Some(last), Some(source)) = (run.sources.last_mut(), layer.source(at..at + 1))
        {
            last.end = source.end;
            run.is_padded = true;
            at += 1;
            continue;
        }
        if run.is_padded && !is_ignorable(c) {
            run.end(&mut found);
        }
        if let (Some(digit), Some(source)) =
            (digit(c, chars.get(at + 1..).unwrap_or_default()), layer.source(at..at + 1))
        {
            run.digits.push(digit);
            run.sources.push(source);
        } else if !is_ignorable(c) && !separates(c) {
            run.end(&mut found);
        }
        at += 1;
    }
    run.end(&mut found);
}

impl Run {
    fn end(&mut self, found: &mut impl FnMut(&Self)) {
        if self.digits.len() >= LEAST {
            found(self);
        }
        self.digits.zeroize();
        self.sources.clear();
        self.is_padded = false;
    }

    /// Decodes all digits but the first `skip`, with `bits` bits per digit.
    fn decoded(&self, bits: usize, skip: usize) -> Layer {
        let digits = self.digits.get(skip..).unwrap_or_default();
        let sources = self.sources.get(skip..).unwrap_or_default();
        let count = digits.len() * bits / 8;
        let mut bytes = Zeroizing::new(Vec::with_capacity(count));
        let mut places = Vec::with_capacity(count);
        let (mut held, mut held_bits, mut first) = (0_u32, 0, 0);
        for (at, digit) in digits.iter().enumerate() {
            if held_bits == 0 {
                first = at;
            }
            held = (held << bits) | u32::from(*digit);
            held_bits += bits;
            if held_bits < 8 {
                continue;
            }
            held_bits -= 8;
            let byte = held >> held_bits;
            held &= (1 << held_bits) - 1;
            if let (Ok(byte), Some(from), Some(to)) = (u8::try_from(byte), sources.get(first), sources.get(at)) {
                bytes.push(byte);
                places.push(from.start..to.end);
            }
            // If the digit has bits left, the next byte starts within it.
            first = at;
        }
        Layer::of_bytes(&bytes, &places)
    }
}
