//! The provider: its configuration, resources, data sources and functions. No vendor is named here.

mod account;
mod attributes;
mod credential_list;
mod credential_pair;
mod credential_password;
mod credentials;
mod diagnostics;
mod functions;
mod password;
mod settings;

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use self::{
    credential_list::CredentialList,
    credential_pair::CredentialPair,
    credential_password::CredentialPassword,
    credentials::Credentials,
    functions::{Decrypt, SesPassword, Url},
    settings::Connections,
};
use crate::{
    framework::{
        Call, Client, DataSource, Function, ListResource, Provider, Resource, TIME_TO_CLOSE,
        diagnostic::{Diagnostics, Result},
        schema::Schema,
        validate::{self, WriteOnly},
        value::Value,
    },
    rotation::Shared,
    vendors::{Operation, VendorApi},
};

/// The provider `smtp`.
pub struct Smtp {
    schema: Schema,
    data_sources: [Arc<dyn DataSource>; 1],
    functions: [Arc<dyn Function>; 3],
    list_resources: [Arc<dyn ListResource>; 1],
    resources: [Arc<dyn Resource>; 2],
    connections: Arc<Connections>,
}

impl Smtp {
    /// Creates the provider, not yet configured.
    pub fn new() -> Self {
        Self::over(Connections::default())
    }

    /// Creates the provider with these APIs, by vendor name, instead of a configuration.
    pub fn with(apis: impl IntoIterator<Item = (&'static str, Arc<dyn VendorApi>)>) -> Self {
        Self::over(Connections::ready_with(apis))
    }

    fn over(connections: Connections) -> Self {
        let (connections, shared) = (Arc::new(connections), Arc::<Shared>::default());
        let password: Arc<dyn Resource> =
            Arc::new(CredentialPassword::new(Arc::clone(&connections), Arc::clone(&shared)));
        Self {
            schema: settings::schema(),
            data_sources: [Arc::new(Credentials::new(Arc::clone(&connections)))],
            functions: [Arc::new(Decrypt::new()), Arc::new(SesPassword::new()), Arc::new(Url::new())],
            list_resources: [Arc::new(CredentialList::new(Arc::clone(&connections), Arc::clone(&password)))],
            resources: [password, Arc::new(CredentialPair::new(Arc::clone(&connections), shared))],
            connections,
        }
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

    fn data_sources(&self) -> &[Arc<dyn DataSource>] {
        &self.data_sources
    }

    fn list_resources(&self) -> &[Arc<dyn ListResource>] {
        &self.list_resources
    }

    fn functions(&self) -> &[Arc<dyn Function>] {
        &self.functions
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        settings::validate(config)
    }

    async fn configure(&self, _: &Call, client: &Client, config: Value) -> Result<()> {
        // Values that were unknown when core validated may be known, and invalid, by now.
        let mut diagnostics = validate::config(&self.schema.attributes, &config, WriteOnly::Refused);
        diagnostics.extend(settings::validate(&config));
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        let environment = |variable: &str| std::env::var(variable).ok().filter(|value| !value.is_empty());
        self.connections.configure(&client.version, &config, &environment).await
    }

    async fn close(&self) {
        self.connections.close(&Operation::new(TIME_TO_CLOSE, CancellationToken::new())).await;
    }
}
