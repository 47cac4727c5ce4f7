//! The trait for managed resources.

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
    /// Returns the type name, such as `smtp_credential_password`.
    fn type_name(&self) -> &'static str;

    /// Returns the schema. It must be the same in every process of a version.
    fn schema(&self) -> &Schema;

    /// Converts a state that schema version `_version` wrote to the current version. Core asks for this before it uses
    /// any stored state, even one of the current version. Attributes that the current schema does not have are already
    /// dropped, and missing ones are null.
    fn upgrade(&self, _version: i64, state: Value) -> Value {
        state
    }

    /// Converts the state of a resource of another type of this provider, for a `moved` block. Core plans and refreshes
    /// the result like any other state. Returns `None` if that type cannot become this one.
    fn move_from(&self, _type_name: &str, _stored: ResourceState) -> Option<ResourceState> {
        None
    }

    /// Validates a configuration against rules that the schema cannot express. Core calls this during `validate` and
    /// `plan`. The schema's checks have passed, any value may be unknown, and the provider need not be configured.
    /// Nothing may be sent.
    fn validate(&self, config: &Value) -> Diagnostics;

    /// Finishes the plan of a create or an update, in which [`draft`](super::plan::draft) has filled in what follows
    /// from the schema.
    ///
    /// Core calls this during plan, and again during apply once every value is known. A replacement is planned twice,
    /// the second time with a null prior state. Core rejects a second plan that contradicts the first, so the result
    /// must depend on nothing but the draft and the provider's configuration. Any configured value may be unknown.
    fn plan(&self, call: &Call, draft: &mut Draft) -> Result<()>;

    /// Returns the private data that [`delete`](Self::delete) will receive when `prior` is destroyed. Core calls this
    /// during the plan of a destroy, which is not the delete half of a replacement.
    fn plan_destroy(&self, prior: &Value) -> Private;

    /// Refreshes the state of an object. Core calls this before planning, after an import, and in refresh-only runs.
    /// Returns `None` only if the object is confirmed to be gone, and core then drops it from state. In any doubt it
    /// returns an error, and core keeps the state.
    async fn read(&self, call: &Call, prior: ResourceState) -> Result<Option<ResourceState>>;

    /// Creates the object. Core calls this during apply, and `change.config` is wholly known. Call [`NewState::set`] as
    /// soon as the object exists: core stores that state even if this method then fails or panics. If it fails, core
    /// taints the stored object, so the next apply replaces it. If it fails without having set a state, core assumes
    /// that there is no object.
    async fn create(&self, call: &Call, change: &Change, new: &NewState) -> Result<()>;

    /// Updates the object. Core calls this during apply, and `change.config` is wholly known. The prior state stays
    /// stored, even if this method succeeds, unless another one is passed to [`NewState::set`].
    async fn update(&self, call: &Call, change: &Change, new: &NewState) -> Result<()>;

    /// Deletes the object. Core calls this during apply, drops the object from state on `Ok` and keeps it on `Err`.
    /// `planned` is the private data from [`plan_destroy`](Self::plan_destroy), or from [`plan`](Self::plan) for the
    /// delete half of a replacement.
    async fn delete(&self, call: &Call, prior: &Value, planned: &Private) -> Result<()>;

    /// Returns what may have happened to the object and what to do now, in whole sentences. The plugin server calls
    /// this after a create, update or delete has panicked, unless the new state is already certain.
    fn after_crash(&self, crash: Crash) -> &'static str;

    /// Creates a state from an import id. Core passes the result to [`read`](Self::read) next, which may still find
    /// that there is no such object.
    async fn import(&self, call: &Call, id: &str) -> Result<ResourceState>;

    /// Returns the import id of the object in a state, which is also its identity; `None` if it cannot be imported. Core
    /// stores it with the state. It may change whenever the state does.
    fn import_id(&self, _state: &Value) -> Option<String> {
        None
    }
}
