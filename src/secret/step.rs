//! One step through a text.

use super::plain::is_ignorable;

/// A step over one letter, or over what counts as nothing.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) struct Edge {
    pub(super) letter: Option<char>,
    pub(super) to: usize,
}

impl Edge {
    pub(super) fn over(letter: char, to: usize) -> Self {
        Self { letter: (!is_ignorable(letter)).then_some(letter), to }
    }
}

/// The work that is left for a text, in steps: nobody can make a search endless.
pub(super) struct Budget(usize);

impl Budget {
    pub(super) fn new(steps: usize) -> Self {
        Self(steps)
    }

    /// Takes a step, where there is one left.
    pub(super) fn step(&mut self) -> bool {
        let left = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        left
    }

    pub(super) fn is_used_up(&self) -> bool {
        self.0 == 0
    }
}
