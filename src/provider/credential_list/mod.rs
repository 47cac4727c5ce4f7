//! The list resource `smtp_credential_password`: what `terraform query` finds in an account.

use std::sync::Arc;

use async_trait::async_trait;

use super::{
    account,
    attributes::{configured::Configured, target},
    diagnostics::vendor,
    settings::Connections,
};
use crate::{
    framework::{
        Call, ListResource, Listed, Query, Resource,
        diagnostic::{Diagnostics, Result},
        schema::Schema,
        value::Value,
    },
    vendors::{self, ImportId, PriorCredential, Target, VendorApi},
};

/// Lists the credentials of an account that can be imported.
pub(super) struct CredentialList {
    schema: Schema,
    connections: Arc<Connections>,
    /// What imports them.
    resource: Arc<dyn Resource>,
}

impl CredentialList {
    /// Creates the list of what `resource` can import.
    pub(super) fn new(connections: Arc<Connections>, resource: Arc<dyn Resource>) -> Self {
        let schema = Schema {
            version: 0,
            description: include_str!("description.md").to_owned(),
            attributes: account::attributes().collect(),
        };
        Self { schema, connections, resource }
    }

    /// Returns the state that an import stores; `None` if the credential is gone by now.
    async fn state(&self, call: &Call, import_id: &str) -> Result<Option<Value>> {
        let imported = self.resource.import(call, import_id).await?;
        Ok(self.resource.read(call, imported).await?.map(|stored| stored.state))
    }
}

#[async_trait]
impl ListResource for CredentialList {
    fn type_name(&self) -> &'static str {
        self.resource.type_name()
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        // The schema's checks have already reported any invalid field.
        target::scope_of(config, Configured::default()).err().unwrap_or_default()
    }

    async fn list(&self, call: &Call, config: Value, query: Query) -> Result<Vec<Listed>> {
        let account = account::list(&self.connections, call, &config).await?;
        let mut others = account.credentials;
        others.retain(|_, one| !is_own_login(&*account.api, one));
        if others.len() > query.limit {
            call.warn(vendor::cut(&account.scope, query.limit, others.len()));
        }
        let mut listed = Vec::new();
        for (import_id, one) in others.into_iter().take(query.limit) {
            let state = if query.with_states {
                let Some(state) = self.state(call, &import_id).await? else { continue };
                Some(state)
            } else {
                None
            };
            listed.push(Listed { display_name: display_name(&account.scope, one), import_id, state });
        }
        Ok(listed)
    }
}

/// Returns whether the provider itself logs in with a credential. Importing that one would prepare its revocation.
fn is_own_login(api: &dyn VendorApi, listed: &vendors::Listed) -> bool {
    let text = |name: &Option<_>| name.clone().map(String::from);
    let credential = PriorCredential { version: text(&listed.version), username: text(&listed.username) };
    api.refuse_own_login(&listed.target, &credential).is_err()
}

/// Returns what people call a credential: its user name, or its own name where each reset makes another user.
fn display_name(scope: &Target, listed: vendors::Listed) -> String {
    let username = match scope.vendor.import {
        ImportId::Credential | ImportId::ScopedCredential => None,
        ImportId::Identity => listed.username,
    };
    username.map_or_else(|| named(scope, listed.target), String::from)
}

fn named(scope: &Target, fields: vendors::Fields) -> String {
    let id = Target { vendor: scope.vendor, fields }.id();
    id.split_once('/').map_or(id.as_str(), |(_, name)| name).to_owned()
}
