//! One call from core.

use std::sync::{Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::diagnostic::{Diagnostic, Diagnostics};

/// What one call from core carries: word of a stop, and the warnings that go back with the answer.
#[derive(Debug, Default)]
pub struct Call {
    /// Cancelled when core wants the provider to hurry, or when the process is told to end.
    pub stop: CancellationToken,
    warnings: Mutex<Diagnostics>,
}

impl Call {
    /// Makes a call that ends early when `stop` is cancelled.
    pub fn new(stop: CancellationToken) -> Self {
        Self { stop, warnings: Mutex::default() }
    }

    /// Sends a warning back with the answer, whatever the answer is.
    pub fn warn(&self, warning: Diagnostic) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    /// Takes the warnings given so far.
    pub fn take_warnings(&self) -> Diagnostics {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
