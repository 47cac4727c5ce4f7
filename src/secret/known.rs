//! The secrets that this process knows, of all resources.

use std::{
    borrow::Borrow,
    collections::{HashMap, HashSet},
    hash::{Hash, Hasher},
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use zeroize::Zeroizing;

use super::plain::is_ignorable;

static KNOWN: RwLock<Option<Known>> = RwLock::new(None);

/// The minimum length of a secret to search for, in bytes.
const LEAST: usize = 4;

/// Remembers a secret. Remembering it again costs one lookup and no memory.
pub(super) fn remember(text: &str) {
    if text.len() < LEAST || read().as_ref().is_some_and(|known| known.texts.contains(text)) {
        return;
    }
    KNOWN.write().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().remember(text);
}

/// Returns the secrets; `None` while there are none.
pub(super) fn read() -> RwLockReadGuard<'static, Option<Known>> {
    KNOWN.read().unwrap_or_else(PoisonError::into_inner)
}

/// Secrets, sorted so that they can be found letter by letter.
#[derive(Default)]
pub(super) struct Known {
    texts: HashSet<Text>,
    /// By first letter; each list is sorted.
    by_first: HashMap<char, Vec<Letters>>,
    /// Those with fewer than four bytes of letters. Only their exact text is searched for.
    sparse: Vec<Text>,
}

/// A secret without ignorable characters.
pub(super) type Letters = Zeroizing<Box<[char]>>;

impl Known {
    /// Adds a secret.
    pub(super) fn remember(&mut self, text: &str) {
        if text.len() < LEAST || !self.texts.insert(Text::new(text)) {
            return;
        }
        let letters = || text.chars().filter(|c| !is_ignorable(*c));
        // A secret of white space only cannot be found without redacting all white space.
        let Some(first) = letters().next() else { return };
        if letters().map(char::len_utf8).sum::<usize>() < LEAST {
            return self.sparse.push(Text::new(text));
        }
        // Allocate everything at once: a growing buffer would leave copies behind.
        let mut all = Vec::with_capacity(letters().count());
        all.extend(letters());
        let all: Letters = Zeroizing::new(all.into_boxed_slice());
        let list = self.by_first.entry(first).or_default();
        if let Err(place) = list.binary_search_by(|other| (**other).cmp(&*all)) {
            list.insert(place, all);
        }
    }

    /// Returns the secrets that start with a letter.
    pub(super) fn beginning(&self, first: char) -> &[Letters] {
        self.by_first.get(&first).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns the secrets with few letters.
    pub(super) fn sparse(&self) -> impl Iterator<Item = &str> {
        self.sparse.iter().map(|text| &**text.0)
    }
}

/// Returns the secrets that continue with `letter`, of secrets with the same first `depth` letters.
pub(super) fn narrowed(secrets: &[Letters], depth: usize, letter: char) -> &[Letters] {
    let from = secrets.partition_point(|secret| secret.get(depth) < Some(&letter));
    let secrets = secrets.get(from..).unwrap_or_default();
    let to = secrets.partition_point(|secret| secret.get(depth) == Some(&letter));
    secrets.get(..to).unwrap_or_default()
}

struct Text(Zeroizing<Box<str>>);

impl Text {
    fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.into()))
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self.0).hash(state);
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }
}

impl Eq for Text {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_kept_once_and_found_letter_by_letter() {
        let mut known = Known::default();
        for secret in ["hunter2", "hunter2", "hunt 3r", "hunt", "abc", "\t\u{200b}\t\n", "a b c", "ünter"] {
            known.remember(secret);
        }
        assert_eq!(known.texts.len(), 6);
        let letters =
            |secrets: &[Letters]| secrets.iter().map(|letters| letters.iter().collect()).collect::<Vec<String>>();
        assert_eq!(letters(known.beginning('h')), ["hunt", "hunt3r", "hunter2"]);
        assert_eq!(letters(narrowed(known.beginning('h'), 4, 'e')), ["hunter2"]);
        assert_eq!(letters(narrowed(known.beginning('h'), 4, 'f')), [""; 0]);
        assert_eq!(letters(known.beginning('ü')), ["ünter"]);
        assert_eq!(known.sparse().collect::<Vec<_>>(), ["a b c"]);
        assert!(known.beginning('a').is_empty(), "three letters are in every text");
    }
}
