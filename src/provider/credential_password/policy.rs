//! Passwords that the provider makes, for vendors that leave it to the caller.

use zeroize::Zeroizing;

use super::schema::PASSWORD_POLICY;
use crate::{
    framework::{
        diagnostic::{Diagnostics, Path},
        schema::{Attribute, Type},
        validate::invalid,
        value::Value,
    },
    secret::Secret,
};

const LENGTH: &str = "length";
const LOWER: &str = "lower";
const UPPER: &str = "upper";
const DIGITS: &str = "digits";
const SPECIAL: &str = "special";
const SPECIAL_CHARACTERS: &str = "special_characters";

const DEFAULT_LENGTH: i64 = 32;
/// The unreserved characters of RFC 3986, section 2.3, that are neither letters nor digits: no URL needs to escape them.
const DEFAULT_SPECIAL_CHARACTERS: &str = "-_.~";

/// What a password is made of. Two policies are equal when they allow the same passwords.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Policy {
    length: usize,
    /// The wanted classes, each sorted and without doubles; a password has at least one character of each.
    classes: Vec<Vec<u8>>,
}

impl Policy {
    /// The nested attributes of `password_policy`.
    pub(super) fn attributes() -> Vec<Attribute> {
        let wanted = |name, what| {
            Attribute::optional(name, Type::Bool, format!("Whether the password has {what}. Default: `true`."))
        };
        vec![
            wanted(DIGITS, "digits"),
            Attribute::optional(LENGTH, Type::Number, "Its length, 12 to 128. Default: `32`."),
            wanted(LOWER, "lower-case letters"),
            wanted(SPECIAL, "characters of `special_characters`"),
            Attribute::optional(
                SPECIAL_CHARACTERS,
                Type::String,
                format!("The special characters to choose from: punctuation in ASCII. Default: `{DEFAULT_SPECIAL_CHARACTERS}`."),
            )
            .validated_by(punctuation),
            wanted(UPPER, "upper-case letters"),
        ]
    }

    /// The policy that a `password_policy` describes, null for the default; `None` while a part of it is unknown, or where it is
    /// not valid.
    pub(super) fn of(value: &Value) -> Option<Self> {
        value.is_wholly_known().then(|| Self::read(value).ok()).flatten()
    }

    /// Judges what no rule for a single text can.
    pub(super) fn validate(value: &Value) -> Diagnostics {
        if value.is_wholly_known() { Self::read(value).err().unwrap_or_default() } else { Diagnostics::default() }
    }

    fn read(value: &Value) -> Result<Self, Diagnostics> {
        let path = || Path::attribute(PASSWORD_POLICY);
        let length = match value.get(LENGTH).as_number() {
            None => Some(DEFAULT_LENGTH),
            Some(length) => length.as_i64(),
        };
        let length =
            length.and_then(|length| usize::try_from(length).ok()).filter(|length| (12..=128).contains(length));
        let length = length.ok_or_else(|| invalid(path().then(LENGTH), "must be a whole number from 12 to 128"))?;
        let special = value.get(SPECIAL_CHARACTERS).as_str().unwrap_or(DEFAULT_SPECIAL_CHARACTERS);
        let classes = [
            (LOWER, ('a'..='z').collect::<String>()),
            (UPPER, ('A'..='Z').collect()),
            (DIGITS, ('0'..='9').collect()),
            (SPECIAL, special.to_owned()),
        ];
        let wanted = classes.into_iter().filter(|(name, _)| value.get(name) != &Value::Bool(false));
        let classes: Vec<Vec<u8>> = wanted.map(|(_, characters)| sorted(characters)).collect();
        if classes.iter().any(Vec::is_empty) {
            return Err(invalid(
                path().then(SPECIAL_CHARACTERS),
                "must not be empty where `special` wants one of them",
            )
            .into());
        }
        if classes.is_empty() {
            return Err(invalid(path(), "must want at least one kind of character").into());
        }
        Ok(Self { length, classes })
    }

    /// Makes a password, each that the policy allows as likely as any other.
    ///
    /// The first and the last character are letters or digits where the policy has any, so that a program takes the password neither for
    /// an option nor for a mark of YAML, and a double click selects all of it.
    ///
    /// `fill` fills a buffer with random bytes. What does not fit is thrown away and drawn again, single bytes for an even choice of
    /// characters and whole passwords for the wanted classes; either correction instead would favour some passwords.
    pub(super) fn generate<E>(&self, mut fill: impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Secret, E> {
        let all = self.classes.concat();
        let plain: Vec<u8> = all.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
        let ends = if plain.is_empty() { &all } else { &plain };
        let mut random = Zeroizing::new([0; 256]);
        loop {
            // Room for all of it: a buffer that grows leaves copies behind.
            let mut password = String::with_capacity(self.length);
            while password.len() < self.length {
                fill(random.as_mut_slice())?;
                for byte in random.iter() {
                    let is_end = password.is_empty() || password.len() + 1 == self.length;
                    let picked = pick(if is_end { ends } else { &all }, *byte);
                    password.extend(picked.filter(|_| password.len() < self.length).map(char::from));
                }
            }
            let secret = Secret::new(password);
            if secret.check(|text| if self.allows(text) { Ok(()) } else { Err(()) }).is_ok() {
                return Ok(secret);
            }
        }
    }

    fn allows(&self, password: &str) -> bool {
        self.classes.iter().all(|class| password.bytes().any(|byte| class.contains(&byte)))
    }
}

/// The character that a random byte stands for; `None` for the bytes left over beyond the last whole round of the alphabet.
fn pick(alphabet: &[u8], byte: u8) -> Option<u8> {
    let byte = usize::from(byte);
    (byte < 256 - 256 % alphabet.len()).then(|| alphabet[byte % alphabet.len()])
}

fn sorted(characters: String) -> Vec<u8> {
    let mut bytes = characters.into_bytes();
    bytes.sort_unstable();
    bytes.dedup();
    bytes
}

fn punctuation(text: &str) -> Result<(), &'static str> {
    if text.bytes().all(|byte| byte.is_ascii_punctuation()) { Ok(()) } else { Err("must hold ASCII punctuation only") }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::framework::value::Number;

    /// Bytes of a generator that is seeded, so that a failure comes again (splitmix64).
    fn seeded(mut seed: u64) -> impl FnMut(&mut [u8]) -> Result<(), Infallible> {
        move |buffer| {
            for chunk in buffer.chunks_mut(8) {
                seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = seed;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
            }
            Ok(())
        }
    }

    fn policy(settings: &[(&'static str, Value)]) -> Policy {
        Policy::of(&Value::object(settings.iter().cloned())).unwrap()
    }

    fn text(policy: &Policy, fill: impl FnMut(&mut [u8]) -> Result<(), Infallible>) -> String {
        policy.generate(fill).unwrap().for_state().to_owned()
    }

    #[test]
    fn policies_are_equal_by_what_they_allow() {
        let default = Policy::of(&Value::Null).unwrap();
        assert_eq!(policy(&[]), default);
        assert_eq!(policy(&[(LENGTH, Number::from(32).into()), (LOWER, true.into())]), default);
        assert_eq!(policy(&[(SPECIAL_CHARACTERS, "~._--".into())]), default);
        assert_ne!(policy(&[(SPECIAL_CHARACTERS, "-_.~!*".into())]), default);
        assert_ne!(policy(&[(SPECIAL, false.into())]), default);
        let without = policy(&[(SPECIAL, false.into()), (SPECIAL_CHARACTERS, "+".into())]);
        assert_eq!(without, policy(&[(SPECIAL, false.into())]));
        assert_eq!(Policy::of(&Value::object([(LENGTH, Value::Unknown)])), None);
    }

    #[test]
    fn a_password_has_the_length_and_every_wanted_class_and_nothing_else() {
        let mut fill = seeded(1);
        let policy = policy(&[(LENGTH, Number::from(12).into()), (UPPER, false.into())]);
        for _ in 0..2000 {
            let password = text(&policy, &mut fill);
            assert_eq!(password.len(), 12);
            assert!(password.bytes().any(|byte| byte.is_ascii_lowercase()));
            assert!(password.bytes().any(|byte| byte.is_ascii_digit()));
            assert!(password.chars().any(|character| DEFAULT_SPECIAL_CHARACTERS.contains(character)));
            assert!(!password.bytes().any(|byte| byte.is_ascii_uppercase()));
        }
    }

    #[test]
    fn every_character_is_as_likely_as_any_other() {
        // One class, so that no password is thrown away: 640,000 draws over 26 letters. Chi-squared with 25 degrees of freedom exceeds 60
        // with a probability below one in ten thousand; `byte % 26` without rejection gives more than 600.
        let policy = policy(&[(UPPER, false.into()), (DIGITS, false.into()), (SPECIAL, false.into())]);
        let mut fill = seeded(2);
        let mut counts = [0_u32; 26];
        for _ in 0..20_000 {
            for byte in text(&policy, &mut fill).bytes() {
                counts[usize::from(byte - b'a')] += 1;
            }
        }
        assert!(unevenness(&counts) < 60.0, "{}", unevenness(&counts));
    }

    #[test]
    fn the_ends_are_letters_or_digits_where_the_policy_has_any() {
        let kinds = [LOWER, UPPER, DIGITS, SPECIAL];
        let mut fill = seeded(3);
        for wanted in 1_u32..16 {
            let settings = kinds.iter().enumerate().map(|(bit, kind)| (*kind, Value::Bool(wanted >> bit & 1 == 1)));
            let length = (LENGTH, Number::from(12).into());
            let policy = policy(&settings.chain([length]).collect::<Vec<_>>());
            for _ in 0..500 {
                let password = text(&policy, &mut fill);
                assert_eq!(password.len(), 12);
                let has_plain = wanted != 1 << 3;
                for end in [password.as_bytes()[0], password.as_bytes()[11]] {
                    assert_eq!(end.is_ascii_alphanumeric(), has_plain, "{wanted:04b}");
                }
            }
        }
    }

    /// A chi-squared over the same number of draws for each of `counts`.
    fn unevenness(counts: &[u32]) -> f64 {
        let expected = f64::from(counts.iter().sum::<u32>()) / f64::from(u32::try_from(counts.len()).unwrap());
        counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum()
    }

    #[test]
    fn the_ends_are_as_evenly_chosen_as_the_rest() {
        // Both kinds are nearly certain to be there, so almost no password is thrown away. At the ends 26 letters, in between these and six
        // special characters: 25 and 31 degrees of freedom, which exceed 60 and 68 with a probability below one in ten thousand.
        let special = (SPECIAL_CHARACTERS, "-_.~!*".into());
        let length = (LENGTH, Number::from(64).into());
        let policy = policy(&[length, special, (UPPER, false.into()), (DIGITS, false.into())]);
        let mut fill = seeded(4);
        let mut counts = [[0_u32; 128]; 3];
        for _ in 0..20_000 {
            let password = text(&policy, &mut fill);
            for (place, position) in [0, 30, 63].into_iter().enumerate() {
                counts[place][usize::from(password.as_bytes()[position])] += 1;
            }
        }
        for (place, (kinds, bound)) in [(26, 60.0), (32, 68.0), (26, 60.0)].into_iter().enumerate() {
            let seen: Vec<_> = counts[place].into_iter().filter(|count| *count > 0).collect();
            assert_eq!(seen.len(), kinds);
            assert!(unevenness(&seen) < bound, "{place}: {}", unevenness(&seen));
        }
    }

    #[test]
    fn a_default_password_needs_no_escaping_anywhere() {
        let mut fill = seeded(5);
        let policy = Policy::of(&Value::Null).unwrap();
        for _ in 0..2000 {
            let password = text(&policy, &mut fill);
            assert_eq!(password.len(), 32);
            let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            assert!(password.bytes().all(is_unreserved));
            assert!(!password.starts_with(['-', '.', '_', '~']) && !password.ends_with(['-', '.', '_', '~']));
        }
    }

    #[test]
    fn impossible_policies_are_refused() {
        let nothing = [LOWER, UPPER, DIGITS, SPECIAL].map(|name| (name, Value::Bool(false)));
        for (value, path) in [
            (Value::object([(LENGTH, Number::from(11).into())]), "password_policy.length"),
            (Value::object([(LENGTH, Number::from(129).into())]), "password_policy.length"),
            (Value::object([(SPECIAL_CHARACTERS, "".into())]), "password_policy.special_characters"),
            (Value::object(nothing), "password_policy"),
        ] {
            assert_eq!(Policy::validate(&value).iter().next().unwrap().path.to_string(), path);
        }
        let unwanted = Value::object([(SPECIAL, false.into()), (SPECIAL_CHARACTERS, "".into())]);
        assert_eq!(Policy::validate(&unwanted).iter().count(), 0);
        assert!(punctuation("a").is_err() && punctuation("é").is_err());
    }
}
