//! Handles invisible text: control characters, terminal sequences, white space, and Unicode's invisible characters.

use std::ops::Range;

use zeroize::Zeroizing;

/// Returns whether a character is ignored in the search for secrets.
pub(super) fn is_ignorable(c: char) -> bool {
    if c.is_ascii() { c <= ' ' || c == '\u{7f}' } else { c.is_whitespace() || c.is_control() || is_invisible(c) }
}

/// Returns whether a character affects the text around it or is invisible: control characters, line and paragraph
/// separators, and Unicode's format and default-ignorable characters.
pub(super) fn is_active(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_invisible(c)
}

/// Unicode's general category Cf and its property `Default_Ignorable_Code_Point` (17.0), with `U+FFF9` to `U+FFFB`.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
        | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// A terminal sequence (ECMA-48, section 5; ISO 2022, section 13.2), in characters.
#[derive(Clone, Copy)]
pub(super) struct Sequence {
    /// The length of its introducer.
    pub(super) head: usize,
    /// The length without the final character.
    pub(super) open: usize,
    /// The total length. For an invalid sequence, the length of the valid part.
    pub(super) whole: usize,
}

/// Returns the sequence at the start of `text`.
pub(super) fn sequence(text: &[char]) -> Option<Sequence> {
    let (head, body) = match text {
        ['\u{1b}', '[', ..] => (2, Body::Control),
        ['\u{9b}', ..] => (1, Body::Control),
        ['\u{1b}', 'P' | 'X' | ']' | '^' | '_', ..] => (2, Body::String),
        ['\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}', ..] => (1, Body::String),
        ['\u{1b}', ..] => (1, Body::Escape),
        _ => return None,
    };
    let rest = text.get(head..).unwrap_or_default();
    let run = |from: usize, range: Range<char>| {
        rest.get(from..).unwrap_or_default().iter().take_while(|c| range.contains(*c)).count()
    };
    let parameters = if body == Body::Control { run(0, '0'..'@') } else { 0 };
    let last = if body == Body::Control { '@'..='~' } else { '0'..='~' };
    Some(match body {
        // An unterminated string is not skipped, because that would drop the rest of the text.
        Body::String => Sequence { head, open: head, whole: head + string(rest).unwrap_or(0) },
        Body::Control | Body::Escape => {
            let before = parameters + run(parameters, ' '..'0');
            let ends = rest.get(before).is_some_and(|c| last.contains(c));
            Sequence { head, open: head + before, whole: head + before + usize::from(ends) }
        }
    })
}

/// The kind of a sequence's body.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Body {
    Control,
    Escape,
    String,
}

/// Returns the length of a control string including its end: BEL, as in xterm, ST, or a character that cancels it.
fn string(rest: &[char]) -> Option<usize> {
    let end = rest.iter().position(|c| matches!(c, '\u{7}' | '\u{18}' | '\u{1a}' | '\u{1b}' | '\u{9c}'))?;
    let is_terminator = rest.get(end..end + 2) == Some(&['\u{1b}', '\\']);
    match rest.get(end)? {
        '\u{1b}' if !is_terminator => Some(end),
        _ => Some(end + 1 + usize::from(is_terminator)),
    }
}

/// Converts the text to one line of visible characters, with `[redacted]` for each of the byte ranges, which are sorted
/// and disjoint. A line of more than `most` characters is cut and ends with `…`. `None` if nothing is left.
pub(super) fn line(text: &str, redacted: &[Range<usize>], most: usize) -> Option<Box<str>> {
    let mut line = Line { text: String::new(), count: 0, most, is_apart: false };
    let mut from = 0;
    for range in redacted {
        // A terminal sequence cannot extend into a redacted range.
        line.piece(text.get(from..range.start).unwrap_or_default());
        "[redacted]".chars().for_each(|c| line.push(c));
        from = from.max(end_of_sequence(text, range));
    }
    line.piece(text.get(from..).unwrap_or_default());
    if line.count > most {
        line.text.push('…');
    }
    (!line.text.is_empty()).then(|| line.text.into())
}

/// Returns the end of `range`, or of the terminal sequence that begins in it and continues after it. Its rest would be
/// shown as text once its introducer is redacted.
fn end_of_sequence(text: &str, range: &Range<usize>) -> usize {
    let mut at = range.start;
    while let Some((offset, c)) =
        text.get(at..range.end).unwrap_or_default().char_indices().find(|(_, c)| introduces(*c))
    {
        at += offset;
        let rest = Zeroizing::new(text.get(at..).unwrap_or_default().chars().collect::<Vec<_>>());
        let whole = sequence(&rest).map_or(1, |sequence| sequence.whole.max(1));
        at += rest.iter().take(whole).map(|c| c.len_utf8()).sum::<usize>().max(c.len_utf8());
    }
    at.max(range.end)
}

fn introduces(c: char) -> bool {
    matches!(c, '\u{1b}' | '\u{90}' | '\u{98}' | '\u{9b}' | '\u{9d}'..='\u{9f}')
}

struct Line {
    text: String,
    /// The number of characters so far.
    count: usize,
    most: usize,
    /// Whether white space followed the last character.
    is_apart: bool,
}

impl Line {
    fn piece(&mut self, text: &str) {
        // The dropped characters may be part of a secret.
        let chars = Zeroizing::new(text.chars().collect::<Vec<_>>());
        let mut at = 0;
        while let Some(&c) = chars.get(at).filter(|_| self.count <= self.most) {
            if let Some(sequence) = sequence(chars.get(at..).unwrap_or_default()) {
                at += sequence.whole;
                continue;
            }
            if c.is_whitespace() {
                self.is_apart = true;
            } else if !is_ignorable(c) {
                self.push(c);
            }
            at += 1;
        }
    }

    fn push(&mut self, c: char) {
        if std::mem::take(&mut self.is_apart) && self.count > 0 {
            self.put(' ');
        }
        self.put(c);
    }

    fn put(&mut self, c: char) {
        self.count += 1;
        if self.count <= self.most {
            self.text.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        line(text, &[], 300).map(String::from).unwrap_or_default()
    }

    #[test]
    fn a_line_is_what_a_terminal_would_show_and_nothing_else() {
        for (text, expected) in [
            ("\u{1b}[31;1mred\u{1b}[0m\r\n\tand \u{7}more\u{202e}", "red and more"),
            ("\u{1b}[31m \n", ""),
            ("mx\u{1b}]0;owned\u{7}", "mx"),
            ("a\u{1b}]8;;https://example.com\u{1b}\\b\u{1b}]8;;\u{1b}\\c", "abc"),
            ("a\u{9d}0;owned\u{9c}b", "ab"),
            ("a\u{1b}P1$r0m\u{1b}\\b\u{1b}_x\u{18}c\u{1b}^x\u{1b}[1md", "abcd"),
            ("a\u{9b}1;31mb\u{1b}[?25lc\u{1b}[1 qd", "abcd"),
            ("a\u{1b}(Bb\u{1b}cd\u{1b}#8e\u{1b}", "abde"),
            ("a\u{1b}]0;owned", "a0;owned"),
            ("a\u{1b}[31é", "aé"),
            ("\u{85}a\u{2028}b\u{2029}c\u{a0}d", "a b c d"),
            ("a\u{200b}b\u{2066}c\u{feff}d\u{ad}e\u{e0041}f\u{fe0f}g\u{3164}h\u{61c}i", "abcdefghi"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_redacted_is_out_of_the_reach_of_sequences_and_counts_for_the_cap() {
        let text = "a\u{1b}[secret\u{1b}]0;secret\u{7}b";
        let found: Vec<_> = text.match_indices("secret").map(|(at, found)| at..at + found.len()).collect();
        assert_eq!(line(text, &found, 300).unwrap().as_ref(), "a[redacted]0;[redacted]b");
        assert_eq!(line(text, &found, 12).unwrap().as_ref(), "a[redacted]0…");
    }
}
