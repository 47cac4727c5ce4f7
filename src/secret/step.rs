//! Steps through a text, and their budget.

use super::plain::is_ignorable;

/// A step over one letter, or over something ignorable.
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

/// The remaining steps for a text. The limit ensures that every search ends.
pub(super) struct Budget(usize);

impl Budget {
    pub(super) fn new(steps: usize) -> Self {
        Self(steps)
    }

    /// Uses one step. Returns `false` if none is left.
    pub(super) fn step(&mut self) -> bool {
        let left = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        left
    }

    pub(super) fn is_used_up(&self) -> bool {
        self.0 == 0
    }
}
