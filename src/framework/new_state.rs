//! The state that a change of an object ends in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::state::ResourceState;

/// Where a change of an object was when it crashed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Crash {
    /// It had done nothing yet.
    BeforeAct,
    /// It may have acted: [`NewState::doubt`] was called.
    InDoubt,
    /// It was a deletion.
    Deleting,
}

/// Where the new state is put the moment it is true.
///
/// Core is answered with what lies here even if the handler then fails or panics, so that nothing after
/// [`set`](Self::set) can lose it.
#[derive(Clone, Debug)]
pub struct NewState(Arc<Mutex<Content>>);

#[derive(Debug)]
struct Content {
    stored: ResourceState,
    /// What was there before a doubt; nothing where there is none.
    undoubted: Option<ResourceState>,
}

impl NewState {
    /// Starts with what core keeps if nothing else is put.
    pub fn holding(prior: ResourceState) -> Self {
        Self(Arc::new(Mutex::new(Content { stored: prior, undoubted: None })))
    }

    /// Replaces what core will store.
    pub fn set(&self, stored: ResourceState) {
        *self.lock() = Content { stored, undoubted: None };
    }

    /// Marks the moment from which nobody knows what has been done, until [`set`](Self::set) or [`settle`](Self::settle). If the
    /// change ends before that, core stores `left`, or where that is `None` what it would have kept.
    pub fn doubt(&self, left: Option<ResourceState>) {
        let mut content = self.lock();
        let undoubted = content.stored.clone();
        if let Some(left) = left {
            content.stored = left;
        }
        content.undoubted = Some(undoubted);
    }

    /// Ends a doubt: nothing was done.
    pub fn settle(&self) {
        let mut content = self.lock();
        if let Some(undoubted) = content.undoubted.take() {
            content.stored = undoubted;
        }
    }

    /// Whether nobody knows what has been done.
    pub fn is_in_doubt(&self) -> bool {
        self.lock().undoubted.is_some()
    }

    /// Takes what core is to store.
    pub fn take(&self) -> ResourceState {
        std::mem::take(&mut self.lock().stored)
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(text: &str) -> ResourceState {
        ResourceState { state: text.into(), ..ResourceState::default() }
    }

    #[test]
    fn a_doubt_leaves_what_it_says_until_it_ends() {
        let new = NewState::holding(stored("prior"));
        new.doubt(Some(stored("left")));
        assert!(new.is_in_doubt());
        new.settle();
        assert!(!new.is_in_doubt());
        assert_eq!(new.take(), stored("prior"));

        for (left, expected) in [(None, "prior"), (Some(stored("left")), "left")] {
            let new = NewState::holding(stored("prior"));
            new.doubt(left);
            assert_eq!(new.take(), stored(expected));
        }

        let new = NewState::holding(stored("prior"));
        new.doubt(Some(stored("left")));
        new.set(stored("new"));
        new.settle();
        assert!(!new.is_in_doubt());
        assert_eq!(new.take(), stored("new"));
    }
}
