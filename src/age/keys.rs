//! Recipients, to which files are encrypted, and identities, which decrypt them.

use bech32::{Bech32, Hrp, primitives::decode::CheckedHrpstring};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// An X25519 recipient: a public key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Recipient(pub(super) PublicKey);

/// Why a text is not a recipient that files can be encrypted to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecipientError {
    /// It contains an identity, which is secret.
    Identity,
    /// It is a recipient of the hybrid, post-quantum type.
    Hybrid,
    /// It is a recipient of a plugin.
    Plugin,
    /// It is an SSH key.
    Ssh,
    /// It is a recipient, but not in lower case.
    UpperCase,
    /// It is something else, or has a typing error.
    Malformed,
}

/// The identities of an identity file.
pub struct Identities(Vec<StaticSecret>);

/// Why a text is not an identity file. The lines are counted from 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IdentityError {
    /// It has no identity.
    Empty,
    /// A line has a recipient, which cannot decrypt.
    Recipient(usize),
    /// A line has an identity of a type other than X25519.
    OtherType(usize),
    /// The file is encrypted itself.
    Encrypted,
    /// A line is something else, or has a typing error.
    Malformed(usize),
}

const RECIPIENT: &str = "age";
const IDENTITY: &str = "age-secret-key-";

impl Recipient {
    /// Parses a recipient: `age1…`, in lower case.
    pub fn parse(text: &str) -> Result<Self, RecipientError> {
        let lower = Zeroizing::new(text.to_ascii_lowercase());
        if lower.contains("age-secret-key-") || lower.contains("age-plugin-") {
            return Err(RecipientError::Identity);
        }
        if lower.starts_with("ssh-") || lower.starts_with("ecdsa-") || lower.starts_with("sk-") {
            return Err(RecipientError::Ssh);
        }
        if lower.starts_with("age1pq1") || lower.starts_with("age1tagpq1") {
            return Err(RecipientError::Hybrid);
        }
        // The prefix ends at the last `1`, as no `1` is part of the key. Without a valid checksum it may be a mistyped
        // `l`.
        let has_longer_prefix = lower.strip_prefix("age1").is_some_and(|rest| rest.contains('1'));
        if has_longer_prefix && CheckedHrpstring::new::<Bech32>(&lower).is_ok() {
            return Err(RecipientError::Plugin);
        }
        if let Some(key) = decode(text, RECIPIENT, false) {
            let recipient = PublicKey::from(*key);
            // With such a key everybody could decrypt. No identity has it.
            let is_usable = StaticSecret::from([1; 32]).diffie_hellman(&recipient).was_contributory();
            return if is_usable { Ok(Self(recipient)) } else { Err(RecipientError::Malformed) };
        }
        let is_shouted = *lower != *text && decode(&lower, RECIPIENT, false).is_some();
        Err(if is_shouted { RecipientError::UpperCase } else { RecipientError::Malformed })
    }
}

impl Identities {
    /// Parses an identity, or the text of an identity file: identities, empty lines, and comments that begin with `#`.
    pub fn parse(text: &Secret) -> Result<Self, IdentityError> {
        let mut identities = Vec::new();
        text.check(|text| {
            for (line, number) in text.lines().zip(1..) {
                let line = line.trim();
                if !line.is_empty() && !line.starts_with('#') {
                    identities.push(identity(line, number)?);
                }
            }
            if identities.is_empty() { Err(IdentityError::Empty) } else { Ok(()) }
        })?;
        Ok(Self(identities))
    }

    /// Returns the secret keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = &StaticSecret> {
        self.0.iter()
    }
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identities")
    }
}

fn identity(line: &str, number: usize) -> Result<StaticSecret, IdentityError> {
    if let Some(key) = decode(line, IDENTITY, true) {
        return Ok(StaticSecret::from(*key));
    }
    let lower = Zeroizing::new(line.to_ascii_lowercase());
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| lower.starts_with(prefix));
    Err(if starts(&["age1", "ssh-"]) {
        IdentityError::Recipient(number)
    } else if starts(&["age-secret-key-pq-", "age-plugin-", "-----begin openssh", "-----begin rsa"]) {
        IdentityError::OtherType(number)
    } else if starts(&["-----begin age", "age-encryption.org/"]) {
        IdentityError::Encrypted
    } else {
        IdentityError::Malformed(number)
    })
}

/// Decodes 32 bytes from Bech32, if they are in the one form that encodes them.
fn decode(text: &str, prefix: &str, is_upper: bool) -> Option<Zeroizing<[u8; 32]>> {
    let checked = CheckedHrpstring::new::<Bech32>(text).ok()?;
    let mut key = Zeroizing::new([0; 32]);
    let mut bytes = checked.byte_iter();
    if bytes.len() != key.len() {
        return None;
    }
    key.iter_mut().zip(&mut bytes).for_each(|(byte, decoded)| *byte = decoded);
    // This compares the prefix, the case, and the bits after the last byte.
    let prefix = Hrp::parse(prefix).ok()?;
    let encode = if is_upper { bech32::encode_upper::<Bech32> } else { bech32::encode_lower::<Bech32> };
    let encoded = Zeroizing::new(encode(prefix, key.as_slice()).ok()?);
    (*encoded == *text).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Those of the specification's example and of its test vectors.
    const RECIPIENT: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

    fn hrp(prefix: &str, bytes: &[u8]) -> String {
        bech32::encode::<Bech32>(Hrp::parse(prefix).unwrap(), bytes).unwrap()
    }

    fn refused(text: &str) -> Option<IdentityError> {
        Identities::parse(&Secret::new(text)).err()
    }

    #[test]
    fn an_identity_belongs_to_its_recipient() {
        let identities = Identities::parse(&Secret::new(IDENTITY)).unwrap();
        let public = PublicKey::from(&identities.0[0]);
        assert_eq!(Recipient::parse(RECIPIENT), Ok(Recipient(public)));
        assert_eq!(format!("{identities:?}"), "Identities");
    }

    #[test]
    fn what_is_no_recipient_is_refused_for_its_reason() {
        let valid_low = hrp("age", &[0; 32]);
        let (long, bech32m) = (hrp("age", &[7; 33]), RECIPIENT.replace("nujwj", "nujwq"));
        let plugin = hrp("age1yubikey", &[7; 33]);
        let hybrid = format!("age1pq1{}", "q".repeat(1000));
        for (text, error) in [
            (IDENTITY, RecipientError::Identity),
            (&IDENTITY.to_lowercase(), RecipientError::Identity),
            (&format!("# a file\n{IDENTITY}\n"), RecipientError::Identity),
            ("AGE-PLUGIN-YUBIKEY-1QQQ", RecipientError::Identity),
            (&RECIPIENT.to_uppercase(), RecipientError::UpperCase),
            (&RECIPIENT.replace("age1z", "Age1z"), RecipientError::UpperCase),
            (&RECIPIENT.replace("age1z", "age1Z"), RecipientError::UpperCase),
            (&hybrid, RecipientError::Hybrid),
            (&plugin, RecipientError::Plugin),
            ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample", RecipientError::Ssh),
            ("ssh-rsa AAAA", RecipientError::Ssh),
            ("", RecipientError::Malformed),
            ("age1", RecipientError::Malformed),
            ("age", RecipientError::Malformed),
            (&format!("{RECIPIENT}\n"), RecipientError::Malformed),
            (&format!(" {RECIPIENT}"), RecipientError::Malformed),
            (&RECIPIENT[..60], RecipientError::Malformed),
            (&RECIPIENT.replacen('l', "1", 1), RecipientError::Malformed),
            (&plugin.replace("yubikey1", "yubikey1q"), RecipientError::Malformed),
            (&bech32m, RecipientError::Malformed),
            (&long, RecipientError::Malformed),
            (&valid_low, RecipientError::Malformed),
            (&"\u{e9}".repeat(62), RecipientError::Malformed),
            (&"a".repeat(100_000), RecipientError::Malformed),
        ] {
            assert_eq!(Recipient::parse(text), Err(error), "{text:.70}");
        }
    }

    #[test]
    fn no_change_of_one_character_is_a_recipient() {
        for at in 0..RECIPIENT.len() {
            for character in "qpzry9x8gf2tvdw0s3jn54khce6mua7l1bioAZ ".chars() {
                let changed = format!("{}{character}{}", &RECIPIENT[..at], &RECIPIENT[at + 1..]);
                assert!(changed == RECIPIENT || Recipient::parse(&changed).is_err(), "{changed}");
            }
        }
    }

    #[test]
    fn an_identity_file_may_have_comments_and_empty_lines() {
        for text in [
            IDENTITY.to_owned(),
            format!("{IDENTITY}\n"),
            format!("# created: 2026-01-01T00:00:00Z\r\n# public key: {RECIPIENT}\r\n\r\n{IDENTITY}\r\n"),
            format!("  {IDENTITY}  \n\n#{IDENTITY}"),
        ] {
            assert_eq!(Identities::parse(&Secret::new(&*text)).unwrap().0.len(), 1, "{text:?}");
        }
        assert_eq!(Identities::parse(&Secret::new(format!("{IDENTITY}\n{IDENTITY}"))).unwrap().0.len(), 2);
    }

    #[test]
    fn what_is_no_identity_is_refused_for_its_reason() {
        for (text, error) in [
            ("", IdentityError::Empty),
            (" \n# only a comment\n\n", IdentityError::Empty),
            (RECIPIENT, IdentityError::Recipient(1)),
            ("ssh-ed25519 AAAA", IdentityError::Recipient(1)),
            ("#\nAGE-SECRET-KEY-PQ-1QQQQ", IdentityError::OtherType(2)),
            ("AGE-PLUGIN-YUBIKEY-1QQQ", IdentityError::OtherType(1)),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA", IdentityError::OtherType(1)),
            ("-----BEGIN AGE ENCRYPTED FILE-----\nAAAA", IdentityError::Encrypted),
            (&IDENTITY.to_lowercase(), IdentityError::Malformed(1)),
            (&IDENTITY[..70], IdentityError::Malformed(1)),
            (&format!("{IDENTITY}\n\nhunter2"), IdentityError::Malformed(3)),
            (&IDENTITY.replace("GFPYY", "GFPYQ"), IdentityError::Malformed(1)),
            (&format!("{IDENTITY} {IDENTITY}"), IdentityError::Malformed(1)),
            (&"\0".repeat(10), IdentityError::Malformed(1)),
        ] {
            assert_eq!(refused(text), Some(error), "{text:?}");
        }
    }
}
