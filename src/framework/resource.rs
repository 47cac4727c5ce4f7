//! A managed resource.

use async_trait::async_trait;

use super::{
    call::Call,
    diagnostic::{Diagnostics, Result},
    new_state::{Crash, NewState},
    plan::Draft,
    schema::Schema,
    state::{Change, Private, ResourceState},
    value::Value,
};

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
