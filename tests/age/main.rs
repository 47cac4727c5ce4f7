//! The age format against its published test vectors, the program `age`, and damaged files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod damage;
#[path = "../support/fetch.rs"]
mod fetch;
mod peer;
mod vectors;

use terraform_provider_smtp::{
    age::{Identities, OpenError, Recipient, Seal, open_armored},
    secret::Secret,
};

/// A recipient, and the identity that belongs to it.
const PAIR: [&str; 2] = [
    "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
];

fn seal(recipients: &[&str], content: &str) -> String {
    let recipients: Vec<_> = recipients.iter().map(|recipient| Recipient::parse(recipient).unwrap()).collect();
    Seal::prepare(&recipients, getrandom::fill).unwrap().seal(&Secret::new(content))
}

fn identities(text: &str) -> Identities {
    Identities::parse(&Secret::new(text)).unwrap()
}

fn open(file: &str, identity: &str) -> Result<Vec<u8>, OpenError> {
    open_armored(file, &identities(identity)).map(|content| content.to_vec())
}

#[test]
fn what_is_sealed_is_opened_and_looks_different_every_time() {
    let [recipient, identity] = PAIR;
    for content in ["", "hunter2", &"p\u{e4}ss ".repeat(40_000)] {
        let [one, other] = [0, 1].map(|_| seal(&[recipient], content));
        assert_ne!(one, other);
        for file in [one, other] {
            assert_eq!(open(&file, identity).unwrap(), content.as_bytes());
        }
    }
}

#[test]
fn one_seal_gives_one_file_for_one_content() {
    let recipients = [Recipient::parse(PAIR[0]).unwrap()];
    let seal = Seal::prepare(&recipients, getrandom::fill).unwrap();
    assert_eq!(seal.seal(&Secret::new("hunter2")), seal.seal(&Secret::new("hunter2")));
    assert_eq!(format!("{seal:?}"), "Seal");
}

#[test]
fn without_random_bytes_nothing_is_prepared() {
    let recipients = [Recipient::parse(PAIR[0]).unwrap()];
    for fails_at in 0..3 {
        let calls = std::cell::Cell::new(0);
        let fill = |buffer: &mut [u8]| {
            let call = calls.replace(calls.get() + 1);
            if call == fails_at { Err(()) } else { getrandom::fill(buffer).map_err(drop) }
        };
        assert!(Seal::prepare(&recipients, fill).is_none(), "{fails_at}");
    }
}
