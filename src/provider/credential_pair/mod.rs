//! The resource `smtp_credential_pair`: two credentials that take turns.
//!
//! A rotation resets the one that is not in use and makes it the current one. The current credential is never touched.
//!
//! One module per request of core: `validate`, `plan`, `read`, `import`, `moved`, `apply`.

mod apply;
mod identity;
mod import;
mod moved;
mod plan;
mod read;
mod schema;
mod targets;
mod validate;

use std::sync::Arc;

use async_trait::async_trait;

use super::{password::private_data::PrivateData, settings::Connections};
use crate::{
    framework::{
        Call, Change, Crash, NewState, Private, Resource, ResourceState,
        diagnostic::{Diagnostics, Result},
        plan::Draft,
        schema::Schema,
        value::Value,
    },
    rotation::{LoginProbes, PendingReplacements, Shared},
};

/// Rotates between two existing credentials and keeps the password of the current one in state.
#[derive(Debug)]
pub(super) struct CredentialPair {
    schema: Schema,
    connections: Arc<Connections>,
    shared: Arc<Shared>,
    probes: LoginProbes,
    replacements: PendingReplacements,
}

impl CredentialPair {
    /// Creates the resource. `shared` is what the rotations of all resources share.
    pub(super) fn new(connections: Arc<Connections>, shared: Arc<Shared>) -> Self {
        Self {
            schema: schema::schema(),
            connections,
            shared,
            probes: LoginProbes::default(),
            replacements: PendingReplacements::default(),
        }
    }
}

#[async_trait]
impl Resource for CredentialPair {
    fn type_name(&self) -> &'static str {
        "smtp_credential_pair"
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn move_from(&self, type_name: &str, stored: ResourceState) -> Option<ResourceState> {
        moved::from(type_name, stored, &self.schema)
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        validate::config(config)
    }

    fn plan(&self, call: &Call, draft: &mut Draft) -> Result<()> {
        plan::plan(&self.connections, call, draft)
    }

    fn plan_destroy(&self, _: &Value) -> Private {
        PrivateData::of_destroy().into()
    }

    async fn read(&self, call: &Call, prior: ResourceState) -> Result<Option<ResourceState>> {
        self.refresh(call, prior).await
    }

    async fn create(&self, call: &Call, change: &Change, new: &NewState) -> Result<()> {
        Box::pin(self.apply_create(call, change, new)).await
    }

    async fn update(&self, call: &Call, change: &Change, new: &NewState) -> Result<()> {
        self.apply_update(call, change, new).await
    }

    async fn delete(&self, call: &Call, prior: &Value, planned: &Private) -> Result<()> {
        self.apply_delete(call, prior, planned).await
    }

    fn after_crash(&self, crash: Crash) -> &'static str {
        match crash {
            Crash::BeforeAct => "The password was not changed. Apply again.",
            Crash::InDoubt => {
                "The password may have been changed. If this was an update, that is the password of the other \
                 credential: the current one was not touched, and its data in the state is unchanged. Apply again."
            }
            Crash::Deleting => "The password was not changed. Try again.",
        }
    }

    async fn import(&self, call: &Call, id: &str) -> Result<ResourceState> {
        self.import_by_ids(call, id).await
    }

    fn import_id(&self, state: &Value) -> Option<String> {
        identity::of(state, self.connections.configured())
    }
}
