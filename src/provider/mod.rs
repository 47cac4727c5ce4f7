//! The provider: its configuration, and the resource that it offers. It never names a vendor.

mod connections;
mod credential_password;
mod diagnose;
mod duration;
mod mail_server;
mod settings;
mod target;

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use self::{connections::Connections, credential_password::CredentialPassword};
use crate::{
    backend::Operation,
    framework::{
        Call, Client, Provider, Resource, TIME_TO_CLOSE,
        diagnostic::{Diagnostics, Result},
        schema::Schema,
        validate::{self, WriteOnly},
        value::Value,
    },
};

/// The provider `smtp`.
pub struct Smtp {
    schema: Schema,
    resources: [Arc<dyn Resource>; 1],
    connections: Arc<Connections>,
}

impl Smtp {
    /// Makes the provider, not yet configured.
    pub fn new() -> Self {
        let connections = Arc::<Connections>::default();
        let resources: [Arc<dyn Resource>; 1] = [Arc::new(CredentialPassword::new(Arc::clone(&connections)))];
        Self { schema: settings::schema(), resources, connections }
    }
}

impl Default for Smtp {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Provider for Smtp {
    fn address(&self) -> &'static str {
        "smtp-credentials/smtp"
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn resources(&self) -> &[Arc<dyn Resource>] {
        &self.resources
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        settings::validate(config)
    }

    async fn configure(&self, _: &Call, client: &Client, config: Value) -> Result<()> {
        // What was unknown when core validated may be known, and wrong, by now.
        let mut diagnostics = validate::config(&self.schema.attributes, &config, WriteOnly::Refused);
        diagnostics.extend(settings::validate(&config));
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        self.connections.configure(&client.version, &config, &|variable| {
            std::env::var(variable).ok().filter(|value| !value.is_empty())
        });
        Ok(())
    }

    async fn close(&self) {
        self.connections.close(&Operation::new(TIME_TO_CLOSE, CancellationToken::new())).await;
    }
}
