//! Decodes the escapes of programs and formats.
//!
//! Percent-encoding (RFC 3986; `%u…` as in JavaScript's `escape`), forms (`+`), quoted-printable (RFC 2045), HTML
//! character references with and without semicolon, and the backslash escapes of JSON, C, Go, Python and JavaScript.
//! All of them are tried on every text. A wrong reading does no harm, since only secrets are redacted.

use std::{collections::BTreeSet, ops::RangeInclusive};

use super::{
    names,
    step::{Budget, Edge},
};

/// Returns whether a character may start an escape.
pub(super) fn is_start(c: char) -> bool {
    matches!(c, '%' | '&' | '+' | '=' | '\\')
}

/// Passes to `found` every reading of the escape that starts with `start` and continues at `at`. `edges` returns the
/// letters that may come next.
pub(super) fn read(
    edges: &dyn Fn(usize) -> Vec<Edge>,
    start: char,
    at: usize,
    budget: &mut Budget,
    found: &mut dyn FnMut(Edge),
) {
    let mut reader = Reader { edges, budget, found };
    match start {
        '%' => {
            reader.bytes(at, &Byte { marks: &['%'], base: 16, digits: 2..=2 });
            reader.after(at, 'u', |reader, at| reader.unit(at, &['%', 'u']));
        }
        '&' => {
            reader.after(at, '#', Reader::reference);
            reader.named(at);
        }
        '+' => (reader.found)(Edge { letter: None, to: at }),
        '=' => {
            reader.bytes(at, &Byte { marks: &['='], base: 16, digits: 2..=2 });
            // A soft line break.
            (reader.found)(Edge { letter: None, to: at });
        }
        _ => reader.backslash(at),
    }
}

struct Reader<'r> {
    /// Returns what may come next at a position.
    edges: &'r dyn Fn(usize) -> Vec<Edge>,
    budget: &'r mut Budget,
    found: &'r mut dyn FnMut(Edge),
}

/// How an encoding writes a byte: marks, followed by digits of a base.
struct Byte {
    marks: &'static [char],
    base: u32,
    digits: RangeInclusive<usize>,
}

impl Reader<'_> {
    /// Reads an escape after a backslash.
    fn backslash(&mut self, at: usize) {
        for (c, to) in self.letters(at) {
            match c {
                'u' => {
                    self.unit(to, &['\\', 'u']);
                    self.after(to, '{', Reader::braced);
                }
                'U' => self.number(to, 16, 8..=8),
                'x' => {
                    self.bytes(to, &Byte { marks: &['\\', 'x'], base: 16, digits: 2..=2 });
                    self.after(to, '{', Reader::braced);
                }
                '0'..='7' => self.bytes(at, &Byte { marks: &['\\'], base: 8, digits: 1..=3 }),
                // White space or control characters.
                'a' | 'b' | 'e' | 'f' | 'n' | 'r' | 't' | 'v' => (self.found)(Edge { letter: None, to }),
                _ => (self.found)(Edge::over(c, to)),
            }
        }
    }

    /// Reads `\u{1f600}` after the brace.
    fn braced(&mut self, at: usize) {
        for (number, to) in self.numbers(at, 16, 1..=6) {
            let Some(c) = char::from_u32(number) else { continue };
            self.after(to, '}', |reader, to| (reader.found)(Edge::over(c, to)));
        }
    }

    /// Reads a numeric character reference after the `#`.
    fn reference(&mut self, at: usize) {
        self.ended(at, 10, 2..=7);
        self.after(at, 'x', |reader, at| reader.ended(at, 16, 1..=6));
        self.after(at, 'X', |reader, at| reader.ended(at, 16, 1..=6));
    }

    /// Reads a number and an optional semicolon.
    fn ended(&mut self, at: usize, base: u32, digits: RangeInclusive<usize>) {
        for (number, to) in self.numbers(at, base, digits) {
            self.character(number, to);
            let Some(c) = char::from_u32(number) else { continue };
            self.after(to, ';', |reader, to| (reader.found)(Edge::over(c, to)));
        }
    }

    /// Reads a named character reference.
    fn named(&mut self, at: usize) {
        let mut reached = vec![(String::new(), at)];
        while !reached.is_empty() {
            let mut next = Vec::new();
            for (name, at) in reached {
                for (c, to) in self.letters(at) {
                    let name = format!("{name}{c}");
                    if let Some(meant) = names::character(&name) {
                        (self.found)(Edge::over(meant, to));
                        self.after(to, ';', |reader, to| (reader.found)(Edge::over(meant, to)));
                    }
                    if names::is_beginning(&name) && !next.contains(&(name.clone(), to)) {
                        next.push((name, to));
                    }
                }
            }
            reached = next;
        }
    }

    /// Reads a UTF-16 unit in four digits, or a surrogate pair.
    fn unit(&mut self, at: usize, marks: &[char]) {
        for (unit, to) in self.numbers(at, 16, 4..=4) {
            self.character(unit, to);
            if !(0xd800..0xdc00).contains(&unit) {
                continue;
            }
            for to in self.marks(to, marks) {
                for (low, to) in self.numbers(to, 16, 4..=4) {
                    if (0xdc00..0xe000).contains(&low) {
                        self.character(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00), to);
                    }
                }
            }
        }
    }

    /// Reads bytes as a Latin-1 or UTF-8 character, after the marks of the first byte.
    fn bytes(&mut self, at: usize, form: &Byte) {
        for (byte, to) in self.numbers(at, form.base, form.digits.clone()) {
            let Ok(first) = u8::try_from(byte) else { continue };
            self.character(byte, to);
            let length = match first {
                0xc2..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf4 => 4,
                _ => continue,
            };
            let mut reached = vec![(vec![first], to)];
            for _ in 1..length {
                let mut next = Vec::new();
                for (bytes, at) in reached {
                    for at in self.marks(at, form.marks) {
                        for (byte, to) in self.numbers(at, form.base, form.digits.clone()) {
                            let byte = u8::try_from(byte).ok().filter(|byte| (0x80..0xc0).contains(byte));
                            next.extend(byte.map(|byte| ([&*bytes, &[byte]].concat(), to)));
                        }
                    }
                }
                next.sort_unstable();
                next.dedup();
                reached = next;
            }
            for (bytes, to) in reached {
                if let Some(c) = str::from_utf8(&bytes).ok().and_then(|text| text.chars().next()) {
                    (self.found)(Edge::over(c, to));
                }
            }
        }
    }

    fn number(&mut self, at: usize, base: u32, digits: RangeInclusive<usize>) {
        for (number, to) in self.numbers(at, base, digits) {
            self.character(number, to);
        }
    }

    fn character(&mut self, number: u32, to: usize) {
        if let Some(c) = char::from_u32(number) {
            (self.found)(Edge::over(c, to));
        }
    }

    /// Continues after the expected character, if it is there.
    fn after(&mut self, at: usize, expected: char, mut then: impl FnMut(&mut Self, usize)) {
        for (_, to) in self.letters(at).into_iter().filter(|(c, _)| *c == expected) {
            then(self, to);
        }
    }

    /// Returns the positions after these characters, in every reading of them.
    fn marks(&mut self, at: usize, marks: &[char]) -> Vec<usize> {
        marks.iter().fold(vec![at], |reached, mark| {
            let letters = reached.into_iter().flat_map(|at| self.letters(at));
            letters.filter(|(c, _)| c == mark).map(|(_, to)| to).collect::<BTreeSet<_>>().into_iter().collect()
        })
    }

    /// Returns the numbers with this many digits, in every reading of them.
    fn numbers(&mut self, at: usize, base: u32, digits: RangeInclusive<usize>) -> Vec<(u32, usize)> {
        let mut numbers = Vec::new();
        let mut reached = vec![(0_u32, at)];
        for count in 1..=*digits.end() {
            let mut next: Vec<(u32, usize)> = Vec::new();
            for (number, at) in reached {
                for (c, to) in self.letters(at) {
                    next.extend(
                        c.to_digit(base)
                            .and_then(|digit| number.checked_mul(base)?.checked_add(digit))
                            .map(|n| (n, to)),
                    );
                }
            }
            next.sort_unstable();
            next.dedup();
            if digits.contains(&count) {
                numbers.extend(&next);
            }
            reached = next;
        }
        numbers
    }

    /// Returns the letters that may come next. White space may interrupt an escape, like anything else. Every way to
    /// read it is followed, each once: the budget alone limits how many there are.
    fn letters(&mut self, at: usize) -> BTreeSet<(char, usize)> {
        let mut letters = BTreeSet::new();
        let mut seen = BTreeSet::from([at]);
        let mut reached = vec![at];
        while let Some(at) = reached.pop() {
            for edge in (self.edges)(at) {
                if !self.budget.step() {
                    return BTreeSet::new();
                }
                match edge.letter {
                    Some(letter) => drop(letters.insert((letter, edge.to))),
                    None if seen.insert(edge.to) => reached.push(edge.to),
                    None => {}
                }
            }
        }
        letters
    }
}
