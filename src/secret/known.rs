//! The secrets that this process knows, whichever resource they belong to.

use std::{
    borrow::Borrow,
    collections::{HashMap, HashSet},
    hash::{Hash, Hasher},
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use zeroize::Zeroizing;

use super::plain::is_ignorable;

static KNOWN: RwLock<Option<Known>> = RwLock::new(None);

/// The least bytes of a secret that is looked for.
const LEAST: usize = 4;

/// Remembers a secret. One that is known already costs a look-up and no memory.
pub(super) fn remember(text: &str) {
    if text.len() < LEAST || read().as_ref().is_some_and(|known| known.texts.contains(text)) {
        return;
    }
    KNOWN.write().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().remember(text);
}

/// The secrets; `None` while there are none.
pub(super) fn read() -> RwLockReadGuard<'static, Option<Known>> {
    KNOWN.read().unwrap_or_else(PoisonError::into_inner)
}

/// Secrets, in an order by which they are found letter by letter.
#[derive(Default)]
pub(super) struct Known {
    texts: HashSet<Text>,
    /// By their first letters, each list in order.
    by_first: HashMap<char, Vec<Letters>>,
    /// Those with fewer than four bytes of letters. They are looked for as they are.
    sparse: Vec<Text>,
}

/// A secret without what counts as nothing.
pub(super) type Letters = Zeroizing<Box<[char]>>;

impl Known {
    /// Adds a secret.
    pub(super) fn remember(&mut self, text: &str) {
        if text.len() < LEAST || !self.texts.insert(Text::new(text)) {
            return;
        }
        let letters = || text.chars().filter(|c| !is_ignorable(*c));
        let Some(first) = letters().next() else { return };
        if letters().map(char::len_utf8).sum::<usize>() < LEAST {
            return self.sparse.push(Text::new(text));
        }
        // Room for all of it at once: a buffer that grows leaves copies behind.
        let mut all = Vec::with_capacity(letters().count());
        all.extend(letters());
        let all: Letters = Zeroizing::new(all.into_boxed_slice());
        let list = self.by_first.entry(first).or_default();
        if let Err(place) = list.binary_search_by(|other| (**other).cmp(&*all)) {
            list.insert(place, all);
        }
    }

    /// The secrets that begin with a letter.
    pub(super) fn beginning(&self, first: char) -> &[Letters] {
        self.by_first.get(&first).map(Vec::as_slice).unwrap_or_default()
    }

    /// The secrets of a few letters between white space.
    pub(super) fn sparse(&self) -> impl Iterator<Item = &str> {
        self.sparse.iter().map(|text| &**text.0)
    }
}

/// Of secrets that are alike in their first `depth` letters, those that go on with `letter`.
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
