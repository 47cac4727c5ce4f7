//! One call from core.

use std::sync::{Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::diagnostic::{Diagnostic, Diagnostics};

/// The context of one call from core: its stop signal, and the warnings to return with the response.
#[derive(Debug, Default)]
pub struct Call {
    /// Cancelled when core asks the provider to stop, or when the process has to end.
    pub stop: CancellationToken,
    warnings: Mutex<Diagnostics>,
}

impl Call {
    /// Creates a call that ends early when `stop` is cancelled.
    pub fn new(stop: CancellationToken) -> Self {
        Self { stop, warnings: Mutex::default() }
    }

    /// Adds a warning to the response, whether the call succeeds or fails.
    pub fn warn(&self, warning: Diagnostic) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    /// Takes the warnings added so far.
    pub fn take_warnings(&self) -> Diagnostics {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
