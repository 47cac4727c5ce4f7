//! Replies to commands (RFC 5321, section 4.2) and their codes.

use std::fmt;

/// A reply of one or more lines (RFC 5321, section 4.2).
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Reply {
    /// The code, from 200 to 599.
    pub(super) code: u16,
    /// The lines of text, to look for keywords. They are never shown.
    pub(super) lines: Vec<String>,
}

/// An enhanced status code (RFC 3463): class, subject and detail, displayed as `5.7.8`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Enhanced {
    class: u8,
    subject: u16,
    detail: u16,
}

impl Enhanced {
    /// Returns whether the code fits a wrong user name or password: 5.7.8, or the unspecific 5.7.0 (RFC 3463 and RFC
    /// 4954).
    pub(super) fn is_of_password(self) -> bool {
        matches!((self.class, self.subject, self.detail), (5, 7, 0 | 8))
    }

    /// Parses the code at the start of a line (RFC 2034, section 4).
    fn leading(text: &str) -> Option<Self> {
        let word = text.split(' ').next()?;
        let mut parts = word.split('.').map(|part| {
            let is_number = (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| part.parse().ok()).flatten()
        });
        let mut part = || -> Option<u16> { parts.next().flatten() };
        let (class, subject, detail) = (part()?, part()?, part()?);
        let class = u8::try_from(class).ok().filter(|class| matches!(class, 2 | 4 | 5))?;
        parts.next().is_none().then_some(Self { class, subject, detail })
    }
}

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl Reply {
    /// Returns the enhanced code. If the lines have several, one that is not about the password takes precedence.
    pub(super) fn enhanced(&self) -> Option<Enhanced> {
        let codes = || self.lines.iter().filter_map(|line| Enhanced::leading(line));
        codes().find(|code| !code.is_of_password()).or_else(|| codes().next())
    }
}

/// One line of a reply.
pub(super) struct Line {
    pub(super) code: u16,
    pub(super) is_last: bool,
    pub(super) text: String,
}

impl Line {
    /// Parses a line including its end; `None` if it is not a line of a reply.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let line = line.trim_ascii_end();
        let (digits, rest) = line.split_at_checked(3)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
        let (is_last, text) = match rest {
            [] => (true, rest),
            [b' ', text @ ..] => (true, text),
            [b'-', text @ ..] => (false, text),
            _ => return None,
        };
        (200..600).contains(&code).then(|| Self { code, is_last, text: String::from_utf8_lossy(text).into_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enhanced_code_begins_a_line_and_is_nothing_but_numbers() {
        let enhanced = |lines: &[&str]| {
            let reply = Reply { code: 535, lines: lines.iter().map(|&line| line.to_owned()).collect() };
            reply.enhanced().map(|code| code.to_string())
        };
        for (lines, expected) in [
            (&["5.7.8 No"][..], Some("5.7.8")),
            (&["5.7.8"], Some("5.7.8")),
            (&["5.7.139 Disabled [AM0PR01CA0123.eurprd01.prod.exchangelabs.com]"], Some("5.7.139")),
            (&["5.7.8 Username and Password not accepted.", "5.7.8 See"], Some("5.7.8")),
            (&["No", "5.7.8 See"], Some("5.7.8")),
            (&["5.7.8 No", "5.7.57 Client not authenticated"], Some("5.7.57")),
            (&["No 5.7.8"], None),
            (&["#5.7.8 No"], None),
            (&["5.7.8x No"], None),
            (&["5.7.8.1 No"], None),
            (&["5.7 No"], None),
            (&["3.7.8 No"], None),
            (&["5.7.1234 No"], None),
            (&["+5.7.8 No"], None),
            (&["5.+7.8 No"], None),
            (&[""], None),
        ] {
            assert_eq!(enhanced(lines).as_deref(), expected, "{lines:?}");
        }
    }
}
