//! Runs a call from core in a task that survives a panic and a lost connection.

use std::{future::Future, sync::Arc};

use super::{convert, lifecycle::Lifecycle, wire::Answer};
use crate::framework::{
    Call, Provider,
    diagnostic::{Diagnostic, Diagnostics, Result},
};

/// How the work on a call ended.
pub(super) enum Ended<T> {
    /// It succeeded.
    Done(T),
    /// It failed with diagnostics.
    Failed(Diagnostics),
    /// It panicked.
    Crashed,
}

impl<T> Ended<T> {
    /// Returns the result and the errors.
    pub(super) fn into_parts(self) -> (Option<T>, Diagnostics) {
        match self {
            Self::Done(value) => (Some(value), Diagnostics::default()),
            Self::Failed(errors) => (None, errors),
            Self::Crashed => (None, crash("Nothing was changed.").into()),
        }
    }
}

/// Runs a call in a separate task. Returns how it ended, and its warnings.
///
/// The task is in flight until it is done, and continues when core disconnects, because a request to a vendor cannot be
/// taken back. A panic ends only the task.
pub(super) async fn run<T, F>(
    provider: &Arc<dyn Provider>,
    lifecycle: &Lifecycle,
    work: impl FnOnce(Arc<dyn Provider>, Arc<Call>) -> F + Send + 'static,
) -> (Ended<T>, Diagnostics)
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let call = Arc::new(Call::new(lifecycle.stop_token()));
    let (provider, own) = (provider.clone(), call.clone());
    let ended = match lifecycle.run(async move { work(provider, own).await }).await {
        Ok(Ok(value)) => Ended::Done(value),
        Ok(Err(diagnostics)) => Ended::Failed(diagnostics),
        // The payload of a panic may quote a value, so it is dropped.
        Err(_) => Ended::Crashed,
    };
    (ended, call.take_warnings())
}

/// Builds the response to a call: its result or else `otherwise`, with all diagnostics.
pub(super) fn answer<A: Answer>(ended: Ended<A>, warnings: Diagnostics, otherwise: A) -> A {
    let (made, errors) = ended.into_parts();
    let mut answer = made.unwrap_or(otherwise);
    answer.diagnostics().extend(convert::diagnostics(errors).chain(convert::diagnostics(warnings)));
    answer
}

/// Creates the diagnostic for a panic. `state_of_things` says in a sentence what may have happened.
pub(super) fn crash(state_of_things: &str) -> Diagnostic {
    Diagnostic::error(
        "The provider crashed",
        format!(
            "This is a bug in the provider. {state_of_things} Please report it, with the line of its log that starts \
             with `panic:`, which names the place in the source."
        ),
    )
}
