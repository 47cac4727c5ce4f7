//! No text from outside brings out a secret, whichever way it is written, nor anything that would act on a terminal.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod encodings;
mod parrot;
mod provider;

use proptest::{collection::vec, prelude::*, sample::select};
use terraform_provider_smtp::secret::{Name, Secret, Shown};

use encodings::{Encoding, encoding, nested};

/// What may become a password: printable ASCII with quotes, backslashes and spaces, and other characters.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[!-~][ -~]{6,30}[!-~]",
        2 => "[!-~][ -~éßñ漢😀€]{4,16}[!-~]",
        2 => "[%&+=\\\\\"'/u0-9a-f;#x]{8,24}",
        1 => "[A-Za-z0-9_.~-]{20,60}",
        1 => "[éßñ漢😀€]{4,8}",
    ]
}

/// What is ignored wherever it is: white space, control and format characters, terminal sequences, and
/// beginnings of such.
pub(crate) fn nothing() -> impl Strategy<Value = &'static str> {
    select(vec![
        " ",
        "\r\n\t",
        "\u{0}",
        "\u{7}",
        "\u{85}",
        "\u{a0}",
        "\u{ad}",
        "\u{200b}",
        "\u{202e}",
        "\u{2066}",
        "\u{2028}",
        "\u{feff}",
        "\u{fe0f}",
        "\u{e0041}",
        "\u{3164}",
        "\u{1b}",
        "\u{1b}[",
        "\u{9b}",
        "\u{1b}[31m",
        "\u{9b}0;1m",
        "\u{1b}[?25",
        "\u{1b}]",
        "\u{1b}]0;owned\u{7}",
        "\u{9d}8;;x\u{9c}",
        "\u{1b}P1$r\u{1b}\\",
        "\u{1b}_x\u{1b}\\",
        "\u{1b}(B",
        "\u{1b}c",
        "\u{1b}(",
        "\u{1b}^",
        "\u{90}",
    ])
}

pub(crate) const INVISIBLE: &str = "\u{ad}\u{200b}\u{202e}\u{2066}\u{2028}\u{feff}\u{fe0f}\u{e0041}\u{3164}";

#[test]
fn the_rest_of_a_terminal_sequence_is_redacted_with_the_secret_it_begins_in() {
    Secret::known("A  aaA0!");
    // `0;` may end the last character reference, and may be a parameter of the sequence.
    for (end, shown_end) in
        [("\u{9b}0;1m", ""), ("\u{1b}[0;1m", ""), ("\u{9b}0;", ""), ("\u{9b}0;1m on", " on"), (";1m", "1m")]
    {
        let written = format!("«&#65&#32&#32&#97&#97&#65&#48&#33{end}»");
        assert_eq!(shown(&written), format!("«[redacted]{shown_end}»"), "{written:?}");
    }
}

#[test]
fn a_broken_terminal_sequence_hides_no_digit_of_base64() {
    Secret::known(">>>~~~ok>>");
    let digits = "Pj4+fn5+b2s+Pg==";
    for broken in ["\u{1b}(", "\u{1b}[", "\u{1b}$", "\u{9b}"] {
        for at in 0..digits.len() {
            let written = format!("«{}{broken}{}»", &digits[..at], &digits[at..]);
            assert_eq!(shown(&written), "«[redacted]»", "{written:?}");
        }
    }
}

#[test]
fn a_character_reference_is_read_across_several_terminal_sequences() {
    Secret::known("u=&u;\\0u'\"'f=");
    Secret::known("&&漢\\éVT*)");
    for written in [
        "u=&amp\u{fe0f};u;\\0u&#39;&\u{1b}[?25\u{9b}0;1mquot;&#39;f=",
        "&amp;&amp;漢\\&eac\u{1b}c\u{9b}0;1mu\u{1b}]0;owned\u{7}te;VT\u{3164}*)",
    ] {
        assert_eq!(shown(&format!("«{written}»")), "«[redacted]»", "{written:?}");
    }
}

#[test]
fn a_character_reference_is_read_across_any_number_of_invisible_characters() {
    Secret::known("pass\"word");
    for number in [1, 31, 33, 100] {
        let invisible = "\u{200b}".repeat(number);
        assert_eq!(shown(&format!("«pass&qu{invisible}ot;word»")), "«[redacted]»", "{number} between");
    }
}

fn shown(text: &str) -> String {
    Shown::sentence(text).map(|shown| shown.to_string()).unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("CASES").map_or(300, |cases| cases.parse().unwrap()), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_secret_is_redacted_whole_in_any_encoding_of_an_encoding(secret in secret(), encodings in nested()) {
        Secret::known(&*secret);
        // Three are as many as are taken off, and of bytes as text two.
        let written = encodings.iter().fold(secret.clone(), |text, encoding| encoding.write(&text));
        let is_binary = |encoding: &&Encoding| matches!(encoding, Encoding::Base64 { .. } | Encoding::Hex { .. });
        prop_assume!(encodings.iter().filter(is_binary).count() < 3);
        let shown = shown(&format!("«{written}»"));
        // Each octal escape behind another escape can be read in many ways. What is too complex to search is not shown at
        // all, so nothing of the secret is either.
        let is_octal_within = encodings.iter().rev().skip(1).any(|encoding| matches!(encoding, Encoding::Octal));
        if !(is_octal_within && shown == "[redacted]") {
            prop_assert_eq!(shown, "«[redacted]»", "{:?}", written);
        }
        prop_assert_eq!(Name::new(&written), None);
    }

    #[test]
    fn what_counts_as_nothing_neither_hides_nor_reveals_any_of_a_secret(
        secret in secret(),
        encoding in encoding(),
        mut nothings in vec((any::<prop::sample::Index>(), nothing()), 1..5),
    ) {
        Secret::known(&*secret);
        if let Encoding::Base64 { .. } | Encoding::Hex { .. } = encoding {
            // What of a terminal sequence is a digit is decided for all of them, and where it breaks off within digits,
            // nobody can.
            let first = if nothings[0].1 == "\u{1b}[?25" { "\u{1b}[" } else { nothings[0].1 };
            for (_, nothing) in &mut nothings {
                *nothing = first;
            }
        }
        let mut written: Vec<String> = encoding.write(&secret).chars().map(String::from).collect();
        for (at, nothing) in nothings {
            written.insert(at.index(written.len() + 1), nothing.to_owned());
        }
        let shown = shown(&format!("«{}»", written.concat()));
        prop_assert_eq!(shown.replace(' ', ""), "«[redacted]»", "{:?}", written.concat());
    }

    #[test]
    fn in_base64_and_hex_no_digit_of_a_secret_is_shown_and_every_other_is(
        before in "([ -~]{0,20}[|])?",
        secret in "[!-~]{8,24}",
        after in "([|][ -~]{0,20})?",
        url_safe: bool,
    ) {
        Secret::known(&*secret);
        let whole = format!("{before}{secret}{after}");
        prop_assume!(whole.matches(&*secret).count() == 1);
        let encoded = Encoding::Base64 { url_safe, padded: false, wrap: 0 }.write(&whole);
        let (from, to) = (before.len() * 8 / 6, ((before.len() + secret.len()) * 8).div_ceil(6));
        prop_assert_eq!(shown(&encoded), format!("{}[redacted]{}", &encoded[..from], &encoded[to..]));
        let encoded = Encoding::Hex { upper: url_safe, separator: "" }.write(&whole);
        let (from, to) = (before.len() * 2, (before.len() + secret.len()) * 2);
        prop_assert_eq!(shown(&encoded), format!("{}[redacted]{}", &encoded[..from], &encoded[to..]));
    }

    #[test]
    fn whatever_is_shown_is_one_short_line_of_visible_characters(text in any::<String>(), nothings in vec(nothing(), 0..8)) {
        let shown = shown(&format!("{text}{}", nothings.join(&text)));
        prop_assert!(shown.chars().count() <= 301);
        let is_active = |c: char| c.is_control() || INVISIBLE.contains(c);
        prop_assert!(!shown.chars().any(is_active));
    }
}
