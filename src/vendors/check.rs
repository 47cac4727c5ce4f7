//! Checks for the values of fields. An error follows the field's name and never quotes the value.

/// Checks the value of a field. The error says why it is invalid.
pub type Check = fn(&str) -> Result<(), &'static str>;

/// The longest address of RFC 5321, section 4.5.3.1: 64 bytes, `@` and 255 bytes.
const MAX_SEGMENT_BYTES: usize = 320;

/// Checks a segment of import ids and of URL paths, which must not be able to change the path.
pub(super) fn segment(text: &str) -> Result<(), &'static str> {
    let fault = if text.is_empty() {
        "must not be empty"
    } else if text.len() > MAX_SEGMENT_BYTES {
        "must have at most 320 bytes"
    } else if is_quoted(text) {
        "must not contain the quotation marks around it"
    } else if text.chars().any(char::is_control) {
        "must not contain line breaks or other control characters; was it read from a file with a line break at its \
         end? (`trimspace` removes it)"
    } else if text.trim() != text {
        "must not begin or end with a space (`trimspace` removes it)"
    } else if text.contains('/') {
        "must not contain `/`: it is a single name or address, not a path or a URL"
    } else if has_escape(text) {
        "must not contain `%` followed by two hexadecimal digits: write the character itself, the provider encodes it"
    } else if text.contains("..") || text == "." {
        "must not contain `..` or be `.`"
    } else {
        return Ok(());
    };
    Err(fault)
}

/// Checks a GUID of something that also has a number.
pub(super) fn guid(text: &str) -> Result<(), &'static str> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("must be the GUID, such as `92703823-f3a4-48e2-8e87-7adf25454800`; the number is another id");
    }
    segment(text)
}

/// Checks a key or token that is sent in an HTTP header.
pub(super) fn token(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("must not be empty; omit it to use the environment variable")
    } else if is_quoted(text) {
        Err("must not contain the quotation marks around it")
    } else if text.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("bearer")) {
        Err("must be the token alone, without the word `Bearer`")
    } else if text.bytes().any(|byte| !byte.is_ascii_graphic()) {
        Err(
            "must not contain spaces, line breaks or other characters outside printable ASCII; was it read from a file \
             with a line break at its end? (`trimspace` removes it)",
        )
    } else {
        Ok(())
    }
}

/// Returns whether a text is in quotation marks, as if copied literally from a file of environment variables.
fn is_quoted(text: &str) -> bool {
    let text = text.trim();
    text.len() > 1 && ['"', '\''].into_iter().any(|mark| text.starts_with(mark) && text.ends_with(mark))
}

/// Returns whether a server might decode a part as percent-encoding, even if it decodes twice.
fn has_escape(text: &str) -> bool {
    text.split('%').skip(1).any(|rest| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2)
}

/// Checks a switch, in the forms of environment variables.
pub(super) fn switch(text: &str) -> Result<(), &'static str> {
    parse_switch(text).map(drop).ok_or("must be `true` or `false`")
}

/// Returns whether a switch is on; `None` if the text is neither form.
pub fn parse_switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// Checks a name or a password that is sent in a body or, encoded, in a header: any text on one line.
pub(super) fn line(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("must not be empty")
    } else if text.chars().any(char::is_control) {
        Err("must not contain line breaks or other control characters")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_cannot_lead_elsewhere() {
        for good in ["zh48wgsfld@62515.smtp.hubspot.net", "user%example.com", "100%", "50% off", "o'hara@example.com"] {
            assert_eq!(segment(good), Ok(()), "{good}");
        }
        let bad =
            ["", "a/b", "a%2fb", "a%2Eb", "%%2f", "%252f", "..", "a..b", ".", "a\nb", "a\u{85}b", &"a".repeat(321)];
        for bad in bad {
            assert!(segment(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_refusal_gives_the_hint_that_helps() {
        let checks: [(Check, &str, &str); 14] = [
            (token, "\"pat-na1-1111\"", "quotation marks"),
            (token, "'pat-na1-1111'", "quotation marks"),
            (token, "\"pat-na1-1111\"\n", "quotation marks"),
            (token, "Bearer pat-na1-1111", "without the word `Bearer`"),
            (token, "bearer pat-na1-1111\n", "without the word `Bearer`"),
            (token, "pat-na1-1111\n", "`trimspace`"),
            (segment, "zh48@62515\n", "`trimspace`"),
            (segment, "zh48@62515\r\n", "`trimspace`"),
            (segment, "zh48@62515 ", "must not begin or end with a space"),
            (segment, " zh48@62515", "must not begin or end with a space"),
            (segment, "\"zh48@62515\"", "quotation marks"),
            (segment, "acct_1/news@example.com", "not a path or a URL"),
            (segment, "zh48%4062515", "write the character"),
            (guid, "1", "the number is another id"),
        ];
        for (check, text, hint) in checks {
            let words = check(text).unwrap_err();
            assert!(words.contains(hint) && !words.contains(text.trim()), "{text:?}: {words}");
        }
        assert_eq!(guid("92703823-f3a4-48e2-8e87-7adf25454800"), Ok(()));
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
