//! Terraform's ideas as plain Rust.
//!
//! A [`Provider`] with its [`Resource`]s, [`DataSource`]s and [`Function`]s is what the plugin server serves. The traits say
//! when core calls, what holds then, and what must hold afterwards. This module knows nothing of gRPC, HTTP or SMTP.

mod data_source;
pub mod decode_error;
pub mod diagnostic;
mod function;
pub mod json;
pub mod msgpack;
pub mod number;
pub mod object;
pub mod plan;
pub mod schema;
mod shape;
pub mod validate;
pub mod value;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

pub use data_source::DataSource;
pub use decode_error::DecodeError;
use diagnostic::{Diagnostic, Diagnostics, Result};
pub use function::{Function, FunctionError, Signature};
use plan::Draft;
use schema::Schema;
use value::Value;

/// A provider: its own configuration, what works with it, and the functions that do without.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// Where the registries list it, without their host: `namespace/type`.
    fn address(&self) -> &'static str;

    /// The schema of the provider block.
    fn schema(&self) -> &Schema;

    /// Every resource, in any order.
    fn resources(&self) -> &[Arc<dyn Resource>];

    /// Every data source, in any order.
    fn data_sources(&self) -> &[Arc<dyn DataSource>] {
        &[]
    }

    /// Every function, in any order. A core that is too old for functions never sees them.
    fn functions(&self) -> &[Arc<dyn Function>] {
        &[]
    }

    /// Judges a provider block beyond its schema. Any value may be unknown. No credentials and no network are needed.
    fn validate(&self, config: &Value) -> Diagnostics;

    /// Takes the configuration. Core calls it once in a process, before anything but schemas and validation;
    /// any value may be unknown at plan. Nothing is sent to a vendor.
    async fn configure(&self, call: &Call, client: &Client, config: Value) -> Result<()>;

    /// Lets go of what the process holds elsewhere, such as a login. Best effort: it is called once, when the last call is
    /// answered and the process ends, and is cut off after [`TIME_TO_CLOSE`].
    async fn close(&self) {}
}

/// How long a provider may take to close. Core kills a process two seconds after it has told it to end.
pub const TIME_TO_CLOSE: Duration = Duration::from_secs(1);

/// The core that started this process.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Client {
    /// Its version, such as `1.11.4`.
    pub version: String,
}

/// A managed resource.
#[async_trait]
pub trait Resource: Send + Sync + 'static {
    /// Its type, such as `smtp_credential_password`.
    fn type_name(&self) -> &'static str;

    /// Its schema.
    fn schema(&self) -> &Schema;

    /// Makes a state of today's schema from one that an earlier version of it wrote. What the schema does not know is already gone, and
    /// what the state lacks is null.
    fn upgrade(&self, _version: i64, state: Value) -> Value {
        state
    }

    /// Judges a configuration beyond its schema. Any value may be unknown. No credentials and no network are needed.
    fn validate(&self, config: &Value) -> Diagnostics;

    /// Finishes the plan of a create or an update.
    ///
    /// [`plan::draft`] has filled in what follows from the schema alone. Core plans a replacement twice, the second time
    /// with a null prior state, and plans again at apply: the same draft must get the same answer, so this neither waits
    /// nor looks at anything that changes.
    fn plan(&self, call: &Call, draft: &mut Draft) -> Result<()>;

    /// Tells what the deletion of `prior` is to be handed as its planned private data.
    fn plan_destroy(&self, prior: &Value) -> Private;

    /// Looks at the real object. `None` only where it is definitely gone; on any doubt an error, and core keeps the state.
    async fn read(&self, call: &Call, prior: ResourceState) -> Result<Option<ResourceState>>;

    /// Makes the object. What is put into `new` is what core stores, whatever happens afterwards. With an error beside it core taints
    /// the object, and replaces it with the next apply; nothing stored with an error means that there is no object.
    async fn create(&self, call: &Call, change: &Change, new: &NewState) -> Result<()>;

    /// Changes the object. Core stores the prior state unless another is put into `new`.
    async fn update(&self, call: &Call, change: &Change, new: &NewState) -> Result<()>;

    /// Ends the object. Core forgets it when this succeeds, and keeps it when it fails.
    async fn delete(&self, call: &Call, prior: &Value, planned: &Private) -> Result<()>;

    /// Says what may have become of the object, and what to do now, when a change of it crashed and nothing was put.
    fn after_crash(&self, crash: Crash) -> &'static str;

    /// Makes a state from an import id. Core reads it next.
    async fn import(&self, call: &Call, id: &str) -> Result<ResourceState>;
}

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

/// Bytes that core keeps beside a state or a plan and never shows. They are no place for secrets.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Private(pub Vec<u8>);

/// A state and the private data beside it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResourceState {
    /// The state; null for no object.
    pub state: Value,
    /// The private data.
    pub private: Private,
}

/// One approved change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// The state before; null for a create.
    pub prior: Value,
    /// What was planned, with unknowns.
    pub planned: Value,
    /// The configuration, wholly known; the only place of write-only values.
    pub config: Value,
    /// The private data that the plan answered with.
    pub private: Private,
}

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
