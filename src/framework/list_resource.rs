//! The trait for lists of resources, which `terraform query` shows.

use async_trait::async_trait;

use super::{
    call::Call,
    diagnostic::{Diagnostics, Result},
    schema::Schema,
    value::Value,
};

/// Lists what exists and could be imported as a resource.
#[async_trait]
pub trait ListResource: Send + Sync + 'static {
    /// Returns the type name of the resource that it lists, such as `smtp_credential_password`.
    fn type_name(&self) -> &'static str;

    /// Returns the schema of its configuration. It must be the same in every process of a version.
    fn schema(&self) -> &Schema;

    /// Validates a configuration against rules that the schema cannot express. The plugin server calls this again
    /// before [`list`](Self::list). The provider need not be configured, and any value may be unknown. Nothing may be
    /// sent.
    fn validate(&self, config: &Value) -> Diagnostics;

    /// Lists what `config` asks for, in a stable order. The provider is configured, `config` is wholly known, and it
    /// has been validated. The method must not change anything.
    async fn list(&self, call: &Call, config: Value, query: Query) -> Result<Vec<Listed>>;
}

/// What a query wants.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Query {
    /// The most results; never 0.
    pub limit: usize,
    /// Whether each result has its state.
    pub with_states: bool,
}

/// One object that exists.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its import id.
    pub import_id: String,
    /// What people call it.
    pub display_name: String,
    /// The state that an import would give it, if the query wants it.
    pub state: Option<Value>,
}
