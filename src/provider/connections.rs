//! One connected backend for each vendor that the configuration and the environment suffice for.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use tokio::task::JoinSet;

use super::settings::{self, Environment, Resolved};
use crate::{
    backend::{Backend, Client, Operation, VENDORS, Vendor},
    framework::{
        diagnostic::{Diagnostic, Path},
        value::Value,
    },
};

/// The way to a vendor.
#[derive(Clone, Debug)]
pub(super) enum Connection {
    /// Ready to be called.
    Ready(Arc<dyn Backend>),
    /// A setting is not known yet, so that nothing can be asked.
    Unknown,
    /// There are no credentials, or they cannot be right.
    Refused(Diagnostic),
}

/// The ways to all vendors; filled by every `ConfigureProvider`.
#[derive(Debug, Default)]
pub(super) struct Connections(RwLock<BTreeMap<&'static str, Connection>>);

impl Connections {
    /// Connects every vendor that can be. Nothing is sent.
    pub(super) fn configure(&self, core_version: &str, config: &Value, environment: Environment) {
        let client = settings::client(config, core_version, environment).map(Client::new);
        let connect = |vendor: &'static Vendor| {
            let Some(client) = &client else { return Connection::Unknown };
            match settings::resolve(vendor, config.get(vendor.name), environment) {
                Resolved::Complete(fields) => Connection::Ready((vendor.connect)(&fields, client)),
                Resolved::Unknown => Connection::Unknown,
                // A resource tells it, and its path leads into the provider block.
                Resolved::Refused(diagnostic) => Connection::Refused(diagnostic.at(Path::default())),
            }
        };
        let connections = VENDORS.iter().map(|vendor| (vendor.name, connect(vendor))).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = connections;
    }

    /// Logs out at every vendor, at all of them at once.
    pub(super) async fn close(&self, op: &Operation) {
        let mut closing = JoinSet::new();
        for backend in self.ready() {
            let op = op.clone();
            closing.spawn(async move { backend.close(&op).await });
        }
        while closing.join_next().await.is_some() {}
    }

    fn ready(&self) -> Vec<Arc<dyn Backend>> {
        let connections = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let ready = connections.values().filter_map(|connection| match connection {
            Connection::Ready(backend) => Some(Arc::clone(backend)),
            Connection::Unknown | Connection::Refused(_) => None,
        });
        ready.collect()
    }

    /// The way to one vendor.
    pub(super) fn to(&self, vendor: &Vendor) -> Connection {
        let connections = self.0.read().unwrap_or_else(PoisonError::into_inner);
        connections.get(vendor.name).cloned().unwrap_or(Connection::Unknown)
    }
}
