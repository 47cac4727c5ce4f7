//! The credentials of an account: what the data source and the list resource have in common.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    attributes::{duration, import_id, target},
    diagnostics::vendor::{self, Step},
    settings::Connections,
};
use crate::{
    framework::{
        Call,
        diagnostic::{Diagnostic, Result},
        schema::{Attribute, Type},
        value::Value,
    },
    vendors::{Listed, Operation, Target, VendorApi},
};

const READ: &str = "read";
const TIMEOUTS: &str = "timeouts";

/// The default timeout, as a user would write it.
const DEFAULT_TIMEOUT: &str = "1m";

/// The account that a configuration selects, and its credentials.
#[derive(Debug)]
pub(super) struct Account {
    /// The vendor, and what selects the account there.
    pub(super) scope: Target,
    /// The vendor's API.
    pub(super) api: Arc<dyn VendorApi>,
    /// Those that can be imported, by import id: each once, whatever order and repetitions the vendor returns.
    pub(super) credentials: BTreeMap<String, Listed>,
}

/// Returns the attributes that select an account, and the timeout of the list.
pub(super) fn attributes() -> impl Iterator<Item = Attribute> {
    let read = format!("Timeout of the read, such as `90s`. Default: `{DEFAULT_TIMEOUT}`.");
    let read = Attribute::optional(READ, Type::String, read).validated_by(duration::check);
    let timeouts = Attribute::optional(
        TIMEOUTS,
        Type::Object(vec![read]),
        "How long the read may take, including waits for the vendor's rate limit.",
    );
    target::scope_attributes().chain([timeouts])
}

/// Lists the account that a configuration selects. Credentials that cannot be imported are omitted, with a warning.
pub(super) async fn list(connections: &Connections, call: &Call, config: &Value) -> Result<Account> {
    let scope = target::scope_of(config)?.ok_or_else(unknown)?;
    let api = connections.api(scope.vendor)?;
    let configured = config.get(TIMEOUTS).get(READ).as_str();
    let timeout = duration::parse(configured.unwrap_or(DEFAULT_TIMEOUT)).unwrap_or_default();
    let op = Operation::new(timeout, call.stop.clone());
    let listed = api.list(&op, &scope.fields).await;
    let listed = listed.map_err(|error| vendor::failed(Step::Listing, &scope, &error))?;
    let count = listed.len();
    let importable: Vec<_> =
        listed.into_iter().filter_map(|one| Some((import_id::of_listed(&scope, &one)?, one))).collect();
    if importable.len() < count {
        call.warn(vendor::left_out(&scope, count - importable.len()));
    }
    Ok(Account { scope, api, credentials: importable.into_iter().collect() })
}

fn unknown() -> Diagnostic {
    Diagnostic::error("Unknown account", "An argument that identifies the account is not known yet.")
}
