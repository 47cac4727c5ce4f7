//! Normalizes text as core does.
//!
//! Core's `cty.StringVal` converts every string from a provider to Unicode's composed form, NFC (UAX 15). For a mail
//! server that compares bytes, the result may be a different password.

use icu_normalizer::ComposingNormalizerBorrowed;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// Returns the text in its composed form.
pub(crate) fn composed(text: String) -> String {
    let nfc = ComposingNormalizerBorrowed::new_nfc();
    if nfc.is_normalized(&text) { text } else { nfc.normalize(&text).into_owned() }
}

/// Returns the secret in its composed form, if that differs.
pub(crate) fn composed_secret(secret: &Secret) -> Option<Secret> {
    let (nfc, text) = (ComposingNormalizerBorrowed::new_nfc(), secret.for_state());
    if nfc.is_normalized(text) {
        return None;
    }
    // Allocate everything at once: a growing buffer would leave copies behind. Composition never more than triples the
    // length.
    let mut composed = Zeroizing::new(String::with_capacity(3 * text.len()));
    nfc.normalize_to(text, &mut *composed).ok()?;
    Some(Secret::new(std::mem::take(&mut *composed)))
}

/// Reports whether two names mean the same: a vendor may write a name in another case than the configuration.
pub(crate) fn is_same_name(one: &str, other: &str) -> bool {
    name_key(one) == name_key(other)
}

/// Returns what all spellings of a name have in common.
pub(crate) fn name_key(name: &str) -> String {
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_another_case_is_the_same() {
        assert!(is_same_name("Tickets@Example.COM", "tickets@example.com"));
        assert!(is_same_name("b\u{dc}ro", "B\u{fc}ro"));
        assert!(!is_same_name("tickets", "ticket"));
    }

    #[test]
    fn text_is_composed_as_core_does_it() {
        for (given, expected) in [
            ("plain-ASCII_4711!", "plain-ASCII_4711!"),
            ("e\u{301}", "\u{e9}"),
            ("\u{e9}", "\u{e9}"),
            ("A\u{30a}ngstro\u{308}m", "\u{c5}ngstr\u{f6}m"),
            ("\u{212b}", "\u{c5}"),
            ("\u{1100}\u{1161}\u{11a8}", "\u{ac01}"),
            // Excluded from composition: these grow.
            ("\u{1d160}", "\u{1d158}\u{1d165}\u{1d16e}"),
            ("\u{958}", "\u{915}\u{93c}"),
            // Marks are brought into their order.
            ("q\u{307}\u{323}", "q\u{323}\u{307}"),
            // Compatible, and not the same.
            ("\u{fb01}\u{2460}", "\u{fb01}\u{2460}"),
        ] {
            assert_eq!(composed(given.to_owned()), expected);
            let secret = composed_secret(&Secret::new(given));
            assert_eq!(secret, (given != expected).then(|| Secret::new(expected)), "{given:?}");
        }
    }

    #[test]
    fn no_character_outgrows_the_room_for_it() {
        let nfc = ComposingNormalizerBorrowed::new_nfc();
        let longest = ('\0'..=char::MAX).map(|character| {
            let text = character.to_string();
            (nfc.normalize(&text).len(), 3 * text.len())
        });
        assert!(longest.into_iter().all(|(composed, room)| composed <= room));
    }
}
