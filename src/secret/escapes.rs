//! The ways in which programs write a character as something else.
//!
//! Percent-encoding (RFC 3986; `%u…` as JavaScript's `escape` writes it), forms (`+`), quoted-printable (RFC 2045), character references of
//! HTML, with and without their semicolon, and the backslash of JSON, C, Go, Python and JavaScript. All of them are read in every text,
//! whatever it is: a reading too many redacts nothing, unless a secret is what it reads.

use std::ops::RangeInclusive;

use super::{
    names,
    step::{Budget, Edge},
};

/// Tells whether an escape may begin with a character.
pub(super) fn is_start(c: char) -> bool {
    matches!(c, '%' | '&' | '+' | '=' | '\\')
}

/// Reports what the escape may be that begins with `start` and goes on at `at`. `edges` says which letters may come next.
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
    /// What may come next, from wherever a reading has come to.
    edges: &'r dyn Fn(usize) -> Vec<Edge>,
    budget: &'r mut Budget,
    found: &'r mut dyn FnMut(Edge),
}

/// How an encoding writes a byte: its marks, and digits to a base.
struct Byte {
    marks: &'static [char],
    base: u32,
    digits: RangeInclusive<usize>,
}

impl Reader<'_> {
    /// A backslash and what follows it.
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
                // They stand for white space or control characters.
                'a' | 'b' | 'e' | 'f' | 'n' | 'r' | 't' | 'v' => (self.found)(Edge { letter: None, to }),
                _ => (self.found)(Edge::over(c, to)),
            }
        }
    }

    /// `\u{1f600}` from behind the brace.
    fn braced(&mut self, at: usize) {
        for (number, to) in self.numbers(at, 16, 1..=6) {
            let Some(c) = char::from_u32(number) else { continue };
            self.after(to, '}', |reader, to| (reader.found)(Edge::over(c, to)));
        }
    }

    /// A reference to a character by its number, from behind the `#`.
    fn reference(&mut self, at: usize) {
        self.ended(at, 10, 2..=7);
        self.after(at, 'x', |reader, at| reader.ended(at, 16, 1..=6));
        self.after(at, 'X', |reader, at| reader.ended(at, 16, 1..=6));
    }

    /// A number, and the semicolon behind it if there is one.
    fn ended(&mut self, at: usize, base: u32, digits: RangeInclusive<usize>) {
        for (number, to) in self.numbers(at, base, digits) {
            self.character(number, to);
            let Some(c) = char::from_u32(number) else { continue };
            self.after(to, ';', |reader, to| (reader.found)(Edge::over(c, to)));
        }
    }

    /// A reference to a character by its name.
    fn named(&mut self, at: usize) {
        let mut reached = vec![(String::new(), at)];
        // The longest names have eight letters.
        for _ in 0..8 {
            let mut next = Vec::new();
            for (name, at) in reached {
                for (c, to) in self.letters(at).into_iter().filter(|(c, _)| c.is_ascii_alphanumeric()) {
                    let name = format!("{name}{c}");
                    if let Some(meant) = names::character(&name) {
                        (self.found)(Edge::over(meant, to));
                        self.after(to, ';', |reader, to| (reader.found)(Edge::over(meant, to)));
                    }
                    next.push((name, to));
                }
            }
            next.truncate(READINGS);
            reached = next;
        }
    }

    /// A unit of UTF-16 in four digits, or a pair of them.
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

    /// Bytes in digits, the marks of the first already read: a character of Latin-1, or one of UTF-8.
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
                next.truncate(READINGS);
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

    /// Goes on behind a character, where it stands.
    fn after(&mut self, at: usize, expected: char, mut then: impl FnMut(&mut Self, usize)) {
        for (_, to) in self.letters(at).into_iter().filter(|(c, _)| *c == expected) {
            then(self, to);
        }
    }

    /// Where these characters end, in every reading of them.
    fn marks(&mut self, at: usize, marks: &[char]) -> Vec<usize> {
        marks.iter().fold(vec![at], |reached, mark| {
            let letters = reached.into_iter().flat_map(|at| self.letters(at));
            letters.filter(|(c, _)| c == mark).map(|(_, to)| to).take(READINGS).collect()
        })
    }

    /// The numbers of so many digits, in every reading of them.
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
            next.truncate(READINGS);
            if digits.contains(&count) {
                numbers.extend(&next);
            }
            reached = next;
        }
        numbers
    }

    /// The letters that may come next. White space may break an escape as it may break anything.
    fn letters(&mut self, at: usize) -> Vec<(char, usize)> {
        let mut letters = Vec::new();
        let mut reached = vec![at];
        for _ in 0..BREAK {
            let mut next = Vec::new();
            for edge in reached.into_iter().flat_map(|at| (self.edges)(at)) {
                if !self.budget.step() {
                    return Vec::new();
                }
                match edge.letter {
                    Some(letter) => letters.push((letter, edge.to)),
                    None => next.push(edge.to),
                }
            }
            if next.is_empty() {
                break;
            }
            next.truncate(READINGS);
            reached = next;
        }
        letters.truncate(READINGS);
        letters
    }
}

/// The most readings of one escape that are followed.
const READINGS: usize = 16;

/// The most characters of white space within an escape: a line break, and an indentation.
const BREAK: usize = 8;
