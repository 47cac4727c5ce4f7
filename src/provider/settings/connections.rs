//! The connections to vendors: one API client per vendor with complete settings.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use tokio::task::JoinSet;

use super::{
    block::{self, Resolved},
    environment::{self, Environment},
    http_block::{self, Described},
    http_schema::HTTP_BLOCK,
};
use crate::{
    framework::{
        diagnostic::{Diagnostic, Path, Result},
        value::Value,
    },
    provider::attributes::configured::Configured,
    smtp::Roots,
    vendors::{Client, Operation, VENDORS, Vendor, VendorApi, http_api::HttpApi},
};

/// The connection to a vendor.
#[derive(Clone, Debug)]
pub(in crate::provider) enum Connection {
    /// Ready to be called.
    Ready(Arc<dyn VendorApi>),
    /// A setting is not known yet, so nothing can be called.
    Unknown,
    /// The credentials are missing or invalid.
    Refused(Diagnostic),
}

/// The connections to all vendors, and the certificates to trust for mail servers. Every `ConfigureProvider` sets them.
#[derive(Debug, Default)]
pub(in crate::provider) struct Connections {
    vendors: RwLock<BTreeMap<&'static str, Connection>>,
    roots: RwLock<Option<Roots>>,
    /// What the `http` block describes.
    described: RwLock<Option<&'static Vendor>>,
}

impl Connections {
    /// Creates the connections to all vendors. Nothing is sent.
    pub(in crate::provider) async fn configure(
        &self,
        core_version: &str,
        config: &Value,
        environment: Environment<'_>,
    ) -> Result<()> {
        // Before anything is sent, so that no response can repeat a secret unredacted.
        environment::remember(environment);
        let settings = block::client(config, core_version, environment).await?;
        let client = settings.map(Client::new);
        let roots = client.as_ref().map(|client| Roots::shared_with(client.trust()));
        *self.roots.write().unwrap_or_else(PoisonError::into_inner) = roots;
        let connect = |vendor: &'static Vendor| {
            // A client needs all common settings, so one unknown setting leaves every vendor unknown.
            let Some(client) = &client else { return Connection::Unknown };
            match block::resolve(vendor, config.get(vendor.name), environment) {
                Resolved::Complete(fields, base_url) => Connection::Ready(vendor.api(&fields, base_url, client)),
                Resolved::Unknown => Connection::Unknown,
                // A resource reports it, and the path inside the provider block means nothing there.
                Resolved::Refused(diagnostic) => Connection::Refused(diagnostic.at(Path::default())),
            }
        };
        let (described, connection) = match http_block::connect(config, client.as_ref(), environment) {
            Described::Nothing => (None, Connection::Refused(http_block::missing())),
            Described::Api(HttpApi { vendor, api }) => {
                (Some(vendor), api.map_or(Connection::Unknown, Connection::Ready))
            }
            // Unlike a vendor's login, the block is in the configuration, and its paths mean something.
            Described::Refused(diagnostics) => return Err(diagnostics),
        };
        let built_in = VENDORS.iter().map(|vendor| (vendor.name, connect(vendor)));
        let connections = built_in.chain([(HTTP_BLOCK, connection)]).collect();
        *self.vendors.write().unwrap_or_else(PoisonError::into_inner) = connections;
        *self.described.write().unwrap_or_else(PoisonError::into_inner) = described;
        Ok(())
    }

    /// Logs out at all vendors concurrently.
    pub(in crate::provider) async fn close(&self, op: &Operation) {
        let mut closing = JoinSet::new();
        for api in self.ready() {
            let op = op.clone();
            closing.spawn(async move { api.close(&op).await });
        }
        while closing.join_next().await.is_some() {}
    }

    /// Creates connections from API clients.
    pub(in crate::provider) fn ready_with(apis: impl IntoIterator<Item = (&'static str, Arc<dyn VendorApi>)>) -> Self {
        let connections = apis.into_iter().map(|(vendor, api)| (vendor, Connection::Ready(api)));
        Self { vendors: RwLock::new(connections.collect()), ..Self::default() }
    }

    fn ready(&self) -> Vec<Arc<dyn VendorApi>> {
        let connections = self.vendors.read().unwrap_or_else(PoisonError::into_inner);
        let ready = connections.values().filter_map(|connection| match connection {
            Connection::Ready(api) => Some(Arc::clone(api)),
            Connection::Unknown | Connection::Refused(_) => None,
        });
        ready.collect()
    }

    /// Returns the vendors as the provider block configures them.
    pub(in crate::provider) fn configured(&self) -> Configured {
        Configured::with(*self.described.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the certificates to trust for mail servers; only the system's if no settings are known.
    pub(in crate::provider) fn roots(&self) -> Roots {
        self.roots.read().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
    }

    /// Returns the connection to a vendor.
    pub(in crate::provider) fn to(&self, vendor: &Vendor) -> Connection {
        let connections = self.vendors.read().unwrap_or_else(PoisonError::into_inner);
        connections.get(vendor.name).cloned().unwrap_or(Connection::Unknown)
    }

    /// Returns the API client of a vendor, or an error if there is none.
    pub(in crate::provider) fn api(&self, vendor: &Vendor) -> Result<Arc<dyn VendorApi>> {
        match self.to(vendor) {
            Connection::Ready(api) => Ok(api),
            Connection::Unknown => Err(unknown_settings(vendor).into()),
            Connection::Refused(diagnostic) => Err(diagnostic.into()),
        }
    }
}

fn unknown_settings(vendor: &Vendor) -> Diagnostic {
    Diagnostic::error(
        "Provider settings are not known yet",
        format!(
            "A setting in `{}` of the provider block depends on something that does not exist yet, so {} cannot be \
             called. Apply that first, for example with `-target`.",
            vendor.name, vendor.title
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_trait::async_trait;
    use tokio::sync::Barrier;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{
        http::Error,
        secret::Secret,
        vendors::{Before, Fields, Listed, Presence, PriorCredential, Reset},
    };

    /// An API that is closed only together with others.
    #[derive(Debug)]
    struct Together(Arc<Barrier>);

    #[async_trait]
    impl VendorApi for Together {
        async fn read(&self, _: &Operation, _: &Fields, _: &PriorCredential) -> std::result::Result<Presence, Error> {
            unreachable!("it is only closed")
        }

        async fn list(&self, _: &Operation, _: &Fields) -> std::result::Result<Vec<Listed>, Error> {
            unreachable!("it is only closed")
        }

        async fn reset(
            &self,
            _: &Operation,
            _: &Fields,
            _: &Before,
            _: Option<&Secret>,
        ) -> std::result::Result<Reset, Error> {
            unreachable!("it is only closed")
        }

        async fn close(&self, _: &Operation) {
            self.0.wait().await;
        }
    }

    #[tokio::test]
    async fn all_vendors_are_closed_at_once() {
        let barrier = Arc::new(Barrier::new(3));
        let api = || -> Arc<dyn VendorApi> { Arc::new(Together(Arc::clone(&barrier))) };
        let connections = Connections::ready_with([("one", api()), ("two", api())]);
        let op = Operation::new(Duration::from_secs(30), CancellationToken::new());
        tokio::join!(connections.close(&op), barrier.wait());
    }
}
