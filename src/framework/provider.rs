//! The trait for providers.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{
    call::Call,
    data_source::DataSource,
    diagnostic::{Diagnostics, Result},
    function::Function,
    list_resource::ListResource,
    resource::Resource,
    schema::Schema,
    value::Value,
};

/// A provider: its configuration, the resources and data sources that use it, and functions, which do not.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// Returns the address in a registry, without the host: `namespace/type`.
    fn address(&self) -> &'static str;

    /// Returns the schema of the provider block. It must be the same in every process of a version.
    fn schema(&self) -> &Schema;

    /// Returns the resources, in any order.
    fn resources(&self) -> &[Arc<dyn Resource>];

    /// Returns the data sources, in any order.
    fn data_sources(&self) -> &[Arc<dyn DataSource>] {
        &[]
    }

    /// Returns the lists of resources, in any order. Versions of core without `query` never ask for them.
    fn list_resources(&self) -> &[Arc<dyn ListResource>] {
        &[]
    }

    /// Returns the functions, in any order. Versions of core without support for functions never ask for them.
    fn functions(&self) -> &[Arc<dyn Function>] {
        &[]
    }

    /// Validates a provider block against rules that the schema cannot express. Core calls this during `validate` and
    /// `plan`, before [`configure`](Self::configure). The schema's checks have passed, and any value may be unknown.
    /// Nothing may be sent.
    fn validate(&self, config: &Value) -> Diagnostics;

    /// Sets the configuration. Core calls this once per process, before every call except those for schemas, functions
    /// and validation. During plan any value may be unknown. Nothing is sent to a vendor. An error ends the run.
    async fn configure(&self, call: &Call, client: &Client, config: Value) -> Result<()>;

    /// Releases what the process holds elsewhere, such as a session at a vendor. The plugin server calls this once,
    /// after the last response and before the process ends, and cancels it after [`TIME_TO_CLOSE`]. Failures are
    /// ignored.
    async fn close(&self) {}
}

/// How long [`Provider::close`] may take. Core kills a process two seconds after asking it to end.
pub const TIME_TO_CLOSE: Duration = Duration::from_secs(1);

/// The core that called [`Provider::configure`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Client {
    /// Its version, such as `1.11.4`.
    pub version: String,
}
