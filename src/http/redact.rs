//! A vendor's words, made fit to be shown.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// Cleans text that a vendor sent: one line, short, free of control characters and of known secrets.
#[derive(Debug)]
pub(super) struct Redactor {
    secrets: Vec<Secret>,
}

impl Redactor {
    /// Makes a redactor that knows these secrets in the forms that go over the wire, plain and percent-encoded, and as the one
    /// line that is made of whatever is shown.
    pub(super) fn knowing<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let forms = |secret: &Secret| [secret.clone(), encoded(secret), Secret::new(one_line(secret.for_wire()))];
        let mut secrets: Vec<_> = secrets.into_iter().flat_map(forms).collect();
        // The longest first: one secret may lie within another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.for_wire().len()));
        Self { secrets }
    }

    /// Cleans words for people. `None` if nothing is left.
    pub(super) fn sentence(&self, text: &str) -> Option<Box<str>> {
        self.clean(text, 300)
    }

    /// Cleans a code or an id. `None` if nothing is left.
    pub(super) fn token(&self, text: &str) -> Option<Box<str>> {
        self.clean(text, 80)
    }

    /// Control characters go before secrets are looked for, and the cap comes last: neither may hide a part of one.
    fn clean(&self, text: &str, most: usize) -> Option<Box<str>> {
        let line = one_line(text);
        let line = self.secrets.iter().fold(line, |line, secret| secret.scrub(&line));
        let mut shown: String = line.chars().take(most).collect();
        if shown.len() < line.len() {
            shown.push('…');
        }
        (!shown.is_empty()).then(|| shown.into())
    }
}

fn encoded(secret: &Secret) -> Secret {
    let secret = secret.for_wire();
    // Room for the worst case: a buffer that grows leaves copies behind.
    let mut encoded = String::with_capacity(secret.len() * 3);
    encoded.extend(utf8_percent_encode(secret, NON_ALPHANUMERIC));
    Secret::new(encoded)
}

/// Drops terminal sequences and whatever else is not meant to be seen, and makes one space of any white space.
fn one_line(text: &str) -> String {
    // What it is made of may be a secret.
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            // ECMA-48, section 5.4: a control sequence ends with a character from `@` to `~`.
            '\u{1b}' if rest.peek() == Some(&'[') => {
                rest.next();
                rest.find(|c| ('@'..='~').contains(c));
            }
            c if c.is_whitespace() => plain.push(' '),
            c if c.is_control() || is_invisible(c) => {}
            c => plain.push(c),
        }
    }
    plain.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Unicode's marks that hide or turn around the text beside them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn terminal_sequences_and_line_breaks_are_gone() {
        let redactor = Redactor::knowing([]);
        assert_eq!(
            redactor.sentence("\u{1b}[31;1mred\u{1b}[0m\r\n\tand \u{7}more\u{202e}").unwrap().as_ref(),
            "red and more"
        );
        assert_eq!(redactor.sentence("\u{1b}[31m \n"), None);
    }

    #[test]
    fn a_secret_is_found_when_a_control_character_splits_it_and_when_the_cap_would_cut_it() {
        let secret = Secret::new("hunter2hunter2");
        let redactor = Redactor::knowing([&secret]);
        assert_eq!(redactor.sentence("a hunter2\u{0}hunter2 b").unwrap().as_ref(), "a [redacted] b");
        assert!(!redactor.sentence(&format!("{} hunter2hunter2", "x".repeat(295))).unwrap().contains("hunt"));
    }

    #[test]
    fn a_percent_encoded_secret_is_found() {
        let secret = Secret::new("a+b/c=d!");
        assert_eq!(
            Redactor::knowing([&secret]).sentence("token=a%2Bb%2Fc%3Dd%21").unwrap().as_ref(),
            "token=[redacted]"
        );
    }

    #[test]
    fn a_secret_of_several_words_is_found_in_the_line_that_is_made_of_it() {
        let secret = Secret::new("correct  horse\tbattery\u{7} staple ");
        let redactor = Redactor::knowing([&secret]);
        let said = format!("`{}` is too weak", secret.for_wire());
        assert_eq!(redactor.sentence(&said).unwrap().as_ref(), "`[redacted] ` is too weak");
    }

    proptest! {
        #[test]
        fn nothing_shown_holds_a_known_secret_or_a_control_character(
            secrets in prop::collection::vec("[A-Za-z0-9+/=%]{8,40}", 1..3),
            before in any::<String>(),
            between in any::<String>(),
        ) {
            let known: Vec<_> = secrets.iter().map(|secret| Secret::new(secret.clone())).collect();
            let text = format!("{before}{}{between}{}", secrets.join(""), secrets[0]);
            let shown = Redactor::knowing(&known).sentence(&text).unwrap();
            for secret in &secrets {
                prop_assert!(!shown.contains(secret.as_str()));
            }
            prop_assert!(!shown.chars().any(char::is_control));
            prop_assert!(shown.chars().count() <= 301);
        }
    }
}
