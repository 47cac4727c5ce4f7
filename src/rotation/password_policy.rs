//! Generates passwords, for vendors that let the caller choose them.

use zeroize::Zeroizing;

use crate::secret::Secret;

/// The rules for a generated password. Policies are equal if they allow the same passwords.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PasswordPolicy {
    length: usize,
    /// The character classes, each sorted and without duplicates. A password has at least one character of each.
    classes: Vec<Vec<u8>>,
}

impl PasswordPolicy {
    /// Creates a policy. The classes must be ASCII and not empty, and there must not be more of them than `length`.
    pub(crate) fn new(length: usize, classes: impl IntoIterator<Item = String>) -> Self {
        Self { length, classes: classes.into_iter().map(sorted).collect() }
    }

    /// Shortens the passwords to what a vendor accepts.
    #[must_use]
    pub(crate) fn at_most(self, longest: Option<usize>) -> Self {
        Self { length: longest.map_or(self.length, |longest| self.length.min(longest)), ..self }
    }

    /// Generates a password. Every password that the policy allows is equally likely.
    ///
    /// The first and last characters are letters or digits if the policy has any. So no program takes the password for
    /// an option or for YAML syntax, and a double click selects all of it.
    ///
    /// `fill` fills a buffer with random bytes. Bytes that would bias the choice of characters are discarded, and so
    /// are passwords that lack a class. Repairing such a password instead would make some more likely than others.
    pub(crate) fn generate<E>(&self, mut fill: impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Secret, E> {
        let all = self.classes.concat();
        let plain: Vec<u8> = all.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
        let ends = if plain.is_empty() { &all } else { &plain };
        let mut random = Zeroizing::new([0; 256]);
        loop {
            // Allocate everything at once: a growing buffer would leave copies behind.
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

/// Maps a random byte to a character; `None` for the bytes beyond the last whole multiple of the alphabet's length.
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
    const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const DIGITS: &str = "0123456789";
    const SPECIAL: &str = "-_.~";

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

    fn policy(length: usize, classes: &[&str]) -> PasswordPolicy {
        PasswordPolicy::new(length, classes.iter().map(|&class| class.to_owned()))
    }

    fn text(policy: &PasswordPolicy, fill: impl FnMut(&mut [u8]) -> Result<(), Infallible>) -> String {
        policy.generate(fill).unwrap().for_state().to_owned()
    }

    #[test]
    fn a_vendors_limit_shortens_a_password_and_never_lengthens_it() {
        for (longest, length) in [(None, 30), (Some(20), 20), (Some(40), 30)] {
            assert_eq!(PasswordPolicy::new(30, ["a".to_owned()]).at_most(longest).length, length, "{longest:?}");
        }
    }

    #[test]
    fn a_password_has_the_length_and_every_wanted_class_and_nothing_else() {
        let mut fill = seeded(1);
        let policy = policy(12, &[LOWER, DIGITS, SPECIAL]);
        for _ in 0..2000 {
            let password = text(&policy, &mut fill);
            assert_eq!(password.len(), 12);
            assert!(password.bytes().any(|byte| byte.is_ascii_lowercase()));
            assert!(password.bytes().any(|byte| byte.is_ascii_digit()));
            assert!(password.chars().any(|character| SPECIAL.contains(character)));
            assert!(!password.bytes().any(|byte| byte.is_ascii_uppercase()));
        }
    }

    #[test]
    fn every_character_is_as_likely_as_any_other() {
        // One class, so that no password is thrown away: 640,000 draws over 26 letters. Chi-squared with 25 degrees of
        // freedom exceeds 60 with a probability below one in ten thousand; `byte % 26` without rejection gives more
        // than 600.
        let policy = policy(32, &[LOWER]);
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
            let classes = kinds.iter().enumerate().filter(|(bit, _)| wanted >> bit & 1 == 1).map(|(_, kind)| *kind);
            let policy = policy(12, &classes.collect::<Vec<_>>());
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
        // Both kinds are nearly certain to be there, so almost no password is thrown away. At the ends 26 letters, in
        // between these and six special characters: 25 and 31 degrees of freedom, which exceed 60 and 68 with a
        // probability below one in ten thousand.
        let policy = policy(64, &[LOWER, "-_.~!*"]);
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
}
