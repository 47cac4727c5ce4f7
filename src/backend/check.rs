//! What holds for the text of a field. A refusal says what is wrong, as the end of a sentence, and never repeats the text.

use crate::http::BaseUrl;

/// Tells why a text cannot be the value of a field.
pub type Check = fn(&str) -> Result<(), &'static str>;

/// The longest address of RFC 5321, section 4.5.3.1: 64 bytes, `@` and 255 bytes.
const MAX_SEGMENT_BYTES: usize = 320;

/// A part of an import id and of a URL's path: it must not be able to lead elsewhere.
pub(super) fn segment(text: &str) -> Result<(), &'static str> {
    let fault = if text.is_empty() {
        "must not be empty"
    } else if text.len() > MAX_SEGMENT_BYTES {
        "must have at most 320 bytes"
    } else if text.contains('/') {
        "must not contain `/`"
    } else if text.contains('%') {
        "must not contain `%`: write it as it is, the provider encodes it"
    } else if text.contains("..") || text == "." {
        "must not contain `..` or be `.`"
    } else if text.chars().any(char::is_control) {
        "must not contain control characters"
    } else {
        return Ok(());
    };
    Err(fault)
}

/// A key or token that travels in an HTTP header.
pub(super) fn token(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("must not be empty; leave it out to use the environment variable")
    } else if text.bytes().any(|byte| !byte.is_ascii_graphic()) {
        Err(
            "must not contain spaces, line breaks or other characters outside printable ASCII; was it read from a file \
             with a line break at its end? (`trimspace` removes it)",
        )
    } else {
        Ok(())
    }
}

/// A name or a password that travels in a body or, encoded, in a header: any text on one line.
pub(super) fn line(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("must not be empty")
    } else if text.chars().any(char::is_control) {
        Err("must not contain line breaks or other control characters")
    } else {
        Ok(())
    }
}

/// A vendor's base URL.
pub(super) fn base_url(text: &str) -> Result<(), &'static str> {
    BaseUrl::parse(text).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_cannot_lead_elsewhere() {
        assert_eq!(segment("zh48wgsfld@62515.smtp.hubspot.net"), Ok(()));
        for bad in ["", "a/b", "a%2fb", "..", "a..b", ".", "a\nb", "a\u{85}b", &"a".repeat(321)] {
            assert!(segment(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_line_is_any_text_on_one_line() {
        for good in ["newsletter", "CI / CD: 100 %", "pass wörd"] {
            assert_eq!(line(good), Ok(()), "{good}");
        }
        for bad in ["", "a\nb", "a\u{0}", "a\u{85}b"] {
            assert!(line(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_token_is_printable_ascii() {
        assert_eq!(token("pat-na1-11111111-2222"), Ok(()));
        for bad in ["", "a b", "a\n", "a\r\nX: y", "é"] {
            assert!(token(bad).is_err(), "{bad:?}");
        }
    }
}
