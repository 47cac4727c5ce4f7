//! Damaged files: always an error, never a panic, and nothing of the content in it.

use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use terraform_provider_smtp::age::{self, OpenError};

use crate::{PAIR, identities, open, seal};

const CONTENT: &str = "correct horse battery staple";

fn binary(text: &str) -> Vec<u8> {
    let encoded: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(encoded).unwrap()
}

#[test]
fn no_bit_of_a_file_can_be_flipped() {
    let identities = identities(PAIR[1]);
    let file = binary(&seal(&[PAIR[0]], CONTENT));
    for bit in 0..file.len() * 8 {
        let mut damaged = file.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(age::open(&damaged, &identities).is_err(), "bit {bit}");
    }
}

#[test]
fn no_bit_of_the_armor_can_be_flipped() {
    let text = seal(&[PAIR[0]], CONTENT);
    for bit in 0..text.len() * 8 {
        let mut damaged = text.clone().into_bytes();
        damaged[bit / 8] ^= 1 << (bit % 8);
        // The last line break is white space after the file, and may be anything of that kind.
        let Ok(damaged) = String::from_utf8(damaged) else { continue };
        assert!(damaged.trim() == text.trim() || open(&damaged, PAIR[1]).is_err(), "bit {bit}");
    }
}

#[test]
fn a_file_cannot_be_cut_off_anywhere() {
    let identities = identities(PAIR[1]);
    let text = seal(&[PAIR[0]], CONTENT);
    let file = binary(&text);
    for end in 0..file.len() {
        assert!(age::open(&file[..end], &identities).is_err(), "{end} bytes");
    }
    for end in 0..text.trim_end().len() {
        assert_eq!(open(&text[..end], PAIR[1]), Err(OpenError::Armor), "{end} characters");
    }
}

#[test]
fn a_megabyte_of_anything_is_an_error_at_once() {
    let text = seal(&[PAIR[0]], CONTENT);
    let (begin, end) = text.split_at(text.find('\n').unwrap() + 1);
    let stanza = "-> X25519 AAAA\n\n".repeat(60_000);
    for garbage in [
        "x".repeat(1 << 20),
        "\n".repeat(1 << 20),
        begin.repeat(1 << 15),
        format!("{begin}{}\n{end}", "A".repeat(1 << 20)),
        format!("{begin}{}{end}", format!("{}\n", "A".repeat(64)).repeat(1 << 14)),
        format!("age-encryption.org/v1\n{stanza}"),
    ] {
        assert!(open(&garbage, PAIR[1]).is_err());
        assert!(age::open(garbage.as_bytes(), &identities(PAIR[1])).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_damage_goes_unnoticed(
        length in 0_usize..140_000,
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..100, prop::collection::vec(any::<u8>(), 0..100)), 1..4),
    ) {
        let content: String = "correct horse ".chars().cycle().take(length).collect();
        let file = binary(&seal(&[PAIR[0]], &content));
        let mut damaged = file.clone();
        for (at, removed, added) in cuts {
            let from = at.index(damaged.len());
            let to = (from + removed).min(damaged.len());
            damaged.splice(from..to, added);
        }
        let opened = age::open(&damaged, &identities(PAIR[1]));
        prop_assert!(damaged == file || opened.is_err());
    }

    #[test]
    fn no_bytes_make_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000), lines in "(-> [A-Za-z0-9+/ ]{0,80}\n[A-Za-z0-9+/]{0,70}\n){0,4}(--- [A-Za-z0-9+/]{0,50}\n)?") {
        let identities = identities(PAIR[1]);
        let headed = [b"age-encryption.org/v1\n", lines.as_bytes(), &bytes].concat();
        for file in [bytes, headed] {
            prop_assert!(age::open(&file, &identities).is_err());
            prop_assert!(age::open_armored(&String::from_utf8_lossy(&file), &identities).is_err());
        }
    }
}
