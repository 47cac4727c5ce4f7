//! A provider, and the core that started it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{
    call::Call,
    data_source::DataSource,
    diagnostic::{Diagnostics, Result},
    function::Function,
    resource::Resource,
    schema::Schema,
    value::Value,
};

/// A provider: its own configuration, what works with it, and the functions that do without.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// Where the registries list it, without their host: `namespace/type`.
    fn address(&self) -> &'static str;

    /// The schema of the provider block.
    fn schema(&self) -> &Schema;

    /// Every resource, in any order.
    fn resources(&self) -> &[Arc<dyn Resource>];

    /// Every data source, in any order.
    fn data_sources(&self) -> &[Arc<dyn DataSource>] {
        &[]
    }

    /// Every function, in any order. A core that is too old for functions never sees them.
    fn functions(&self) -> &[Arc<dyn Function>] {
        &[]
    }

    /// Judges a provider block beyond its schema. Any value may be unknown. No credentials and no network are needed.
    fn validate(&self, config: &Value) -> Diagnostics;

    /// Takes the configuration. Core calls it once in a process, before anything but schemas and validation;
    /// any value may be unknown at plan. Nothing is sent to a vendor.
    async fn configure(&self, call: &Call, client: &Client, config: Value) -> Result<()>;

    /// Lets go of what the process holds elsewhere, such as a login. Best effort: it is called once, when the last call is
    /// answered and the process ends, and is cut off after [`TIME_TO_CLOSE`].
    async fn close(&self) {}
}

/// How long a provider may take to close. Core kills a process two seconds after it has told it to end.
pub const TIME_TO_CLOSE: Duration = Duration::from_secs(1);

/// The core that started this process.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Client {
    /// Its version, such as `1.11.4`.
    pub version: String,
}
