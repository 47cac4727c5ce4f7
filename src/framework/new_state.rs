//! The state that an apply returns to core.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::state::ResourceState;

/// How far a change had come when it crashed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Crash {
    /// Nothing had been sent.
    BeforeAct,
    /// It may have taken effect: [`NewState::doubt`] was called.
    InDoubt,
    /// A deletion crashed.
    Deleting,
}

/// Holds the state that core will store. A handler updates it as soon as the state becomes true.
///
/// Core receives this state even if the handler then fails or panics, so nothing after [`set`](Self::set) can lose it.
#[derive(Clone, Debug)]
pub struct NewState(Arc<Mutex<Content>>);

#[derive(Debug)]
struct Content {
    stored: ResourceState,
    /// The state before the doubt; `None` if there is no doubt.
    undoubted: Option<ResourceState>,
}

impl NewState {
    /// Creates a holder with the state that core stores unless it is replaced.
    pub fn holding(prior: ResourceState) -> Self {
        Self(Arc::new(Mutex::new(Content { stored: prior, undoubted: None })))
    }

    /// Replaces the state that core will store, and ends a doubt.
    pub fn set(&self, stored: ResourceState) {
        *self.lock() = Content { stored, undoubted: None };
    }

    /// Marks the outcome as unknown until [`set`](Self::set) or [`settle`](Self::settle) is called. If the change ends
    /// before that, core stores `left`, or the current state if that is `None`.
    pub fn doubt(&self, left: Option<ResourceState>) {
        let mut content = self.lock();
        // `settle` has to restore exactly what core would have stored without this change.
        let undoubted = content.stored.clone();
        if let Some(left) = left {
            content.stored = left;
        }
        content.undoubted = Some(undoubted);
    }

    /// Ends a doubt because the change certainly did not take effect.
    pub fn settle(&self) {
        let mut content = self.lock();
        if let Some(undoubted) = content.undoubted.take() {
            content.stored = undoubted;
        }
    }

    /// Returns whether the outcome is unknown.
    pub fn is_in_doubt(&self) -> bool {
        self.lock().undoubted.is_some()
    }

    /// Takes the state that core is to store.
    pub fn take(&self) -> ResourceState {
        std::mem::take(&mut self.lock().stored)
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        // A panic while the lock is held must not lose the state that it protects.
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
