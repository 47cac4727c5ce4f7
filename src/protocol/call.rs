//! One call from core, run where neither a panic nor a lost connection can undo it.

use std::{future::Future, sync::Arc};

use super::{convert, lifecycle::Lifecycle, wire::Answer};
use crate::framework::{
    Call, Provider,
    diagnostic::{Diagnostic, Diagnostics, Result},
};

/// How the work on a call ended.
pub(super) enum Ended<T> {
    /// It is done.
    Done(T),
    /// It failed, and says why.
    Failed(Diagnostics),
    /// It panicked.
    Crashed,
}

impl<T> Ended<T> {
    /// What was made, and what went wrong.
    pub(super) fn into_parts(self) -> (Option<T>, Diagnostics) {
        match self {
            Self::Done(value) => (Some(value), Diagnostics::default()),
            Self::Failed(errors) => (None, errors),
            Self::Crashed => (None, crash("Nothing was changed.").into()),
        }
    }
}

/// Does the work of a call in a task of its own, and answers with how it ended and with the warnings that it gave.
///
/// The task counts as in flight until it is done, and goes on when core hangs up: what a vendor has begun cannot be taken
/// back. A panic ends the task and nothing else.
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
        // The payload of a panic may quote a value. It goes no further.
        Err(_) => Ended::Crashed,
    };
    (ended, call.take_warnings())
}

/// The answer to a call: what the work made, or else `otherwise`, with all diagnostics.
pub(super) fn answer<A: Answer>(ended: Ended<A>, warnings: Diagnostics, otherwise: A) -> A {
    let (made, errors) = ended.into_parts();
    let mut answer = made.unwrap_or(otherwise);
    answer.diagnostics().extend(convert::diagnostics(errors).chain(convert::diagnostics(warnings)));
    answer
}

/// What the user reads after a panic. `state_of_things` says in a sentence what it may have left behind.
pub(super) fn crash(state_of_things: &str) -> Diagnostic {
    Diagnostic::error(
        "The provider crashed",
        format!(
            "This is a bug in the provider. {state_of_things} The line that begins with `panic:` in its log names the place in its \
             source; please report it with that line."
        ),
    )
}
