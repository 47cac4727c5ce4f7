//! The trait for data sources.

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
    /// Returns the type name, such as `smtp_credentials`.
    fn type_name(&self) -> &'static str;

    /// Returns the schema. It must be the same in every process of a version.
    fn schema(&self) -> &Schema;

    /// Validates a configuration against rules that the schema cannot express. Core calls this during `validate` and
    /// `plan`; the plugin server calls it again before [`read`](Self::read). The provider need not be configured, and
    /// any value may be unknown. Nothing may be sent.
    fn validate(&self, config: &Value) -> Diagnostics;

    /// Looks up what `config` asks for. Returns the configuration with every computed attribute set and nothing
    /// unknown.
    ///
    /// Core calls this in every run during plan. It defers the call to apply if the configuration is not known yet or
    /// the data source depends on something that the apply changes. The provider is configured, `config` is wholly
    /// known, and it has been validated. The method must not change anything: core may call it any number of times.
    async fn read(&self, call: &Call, config: Value) -> Result<Value>;
}
