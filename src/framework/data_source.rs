//! What is looked up and never changed.

use async_trait::async_trait;

use super::{
    call::Call,
    diagnostic::{Diagnostics, Result},
    schema::Schema,
    value::Value,
};

/// A data source.
#[async_trait]
pub trait DataSource: Send + Sync + 'static {
    /// Its type, such as `smtp_credentials`.
    fn type_name(&self) -> &'static str;

    /// Its schema.
    fn schema(&self) -> &Schema;

    /// Judges a configuration beyond its schema. Any value may be unknown. No credentials and no network are needed.
    fn validate(&self, config: &Value) -> Diagnostics;

    /// Looks up what `config` asks for, and answers with the configuration and everything computed, nothing of it unknown.
    ///
    /// Core calls it in every run, while it plans; in an apply only where the plan could not, because the configuration was not
    /// known or the data source depends on what the apply changes. The provider is configured, the configuration wholly
    /// known and, by its schema, valid. Nothing may be changed by it: core may call it any number of times.
    async fn read(&self, call: &Call, config: Value) -> Result<Value>;
}
