//! The resource `smtp_credential_password`.
//!
//! One module per request of core: `validate`, `plan`, `read`, `import`, `apply`, `upgrade`.

mod apply;
mod identity;
mod import;
mod plan;
mod read;
mod schema;
mod upgrade;
mod validate;

#[cfg(test)]
pub(super) use self::{
    plan::{Decision, finish},
    schema::schema,
};

use std::sync::Arc;

use async_trait::async_trait;

use self::private_data::PrivateData;
use super::{
    diagnostics,
    password::{names, operation, private_data, state},
    settings::Connections,
};
use crate::{
    framework::{
        Call, Change, Crash, NewState, Private, Resource, ResourceState,
        diagnostic::{Diagnostics, Result},
        plan::Draft,
        schema::Schema,
        value::Value,
    },
    rotation::{LoginProbes, PendingReplacements, RotationError, Shared},
    vendors::Target,
};

/// Resets the password of an existing credential and keeps the new one in state.
#[derive(Debug)]
pub(super) struct CredentialPassword {
    schema: Schema,
    connections: Arc<Connections>,
    shared: Arc<Shared>,
    probes: LoginProbes,
    replacements: PendingReplacements,
}

impl CredentialPassword {
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
impl Resource for CredentialPassword {
    fn type_name(&self) -> &'static str {
        "smtp_credential_password"
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn upgrade(&self, version: i64, state: Value) -> Value {
        upgrade::state(version, state)
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
        self.apply_create(call, change, new).await
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
            Crash::InDoubt => "The password may have been changed. Apply again: the password is reset once more.",
            Crash::Deleting => "The password may have been changed. Try again.",
        }
    }

    async fn import(&self, call: &Call, id: &str) -> Result<ResourceState> {
        self.import_by_id(call, id).await
    }

    fn import_id(&self, state: &Value) -> Option<String> {
        identity::of(state)
    }
}

/// Converts a failed rotation into diagnostics.
fn diagnose(target: &Target, error: &RotationError) -> Diagnostics {
    diagnostics::rotation::failed(target, error).into()
}
