//! The data source `smtp_credentials`.

mod schema;

use std::sync::Arc;

use async_trait::async_trait;

use self::schema::{CREATED_AT, CREDENTIALS, ID, REMOTE_VERSION, USERNAME};
use super::{
    account::{self, Account},
    attributes::target,
    settings::Connections,
};
use crate::{
    framework::{
        Call, DataSource,
        diagnostic::{Diagnostics, Result},
        schema::Schema,
        value::Value,
    },
    vendors::Listed,
};

/// Lists the credentials of an account.
#[derive(Debug)]
pub(super) struct Credentials {
    schema: Schema,
    connections: Arc<Connections>,
}

impl Credentials {
    pub(super) fn new(connections: Arc<Connections>) -> Self {
        Self { schema: schema::schema(), connections }
    }
}

#[async_trait]
impl DataSource for Credentials {
    fn type_name(&self) -> &'static str {
        "smtp_credentials"
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        // The schema's checks have already reported any invalid field.
        target::scope_of(config).err().unwrap_or_default()
    }

    async fn read(&self, call: &Call, config: Value) -> Result<Value> {
        let Account { credentials, .. } = account::list(&self.connections, call, &config).await?;
        let mut state = config;
        state.set(CREDENTIALS, Value::List(credentials.into_iter().map(|(id, listed)| value(id, listed)).collect()));
        Ok(state)
    }
}

fn value(id: String, listed: Listed) -> Value {
    let created_at = listed.created_at.map(|time| time.to_string());
    Value::object([
        (CREATED_AT, created_at.into()),
        (ID, id.into()),
        (REMOTE_VERSION, listed.version.into()),
        (USERNAME, listed.username.into()),
    ])
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{
        http::Error,
        secret::{Name, Secret},
        vendors::{self, Before, Fields, ImportId, Presence, PriorCredential, Reset, VENDORS, Vendor, VendorApi},
    };

    type Answer<T> = std::result::Result<T, Error>;

    /// The vendors whose logins say which credentials a list holds; first one whose import id is a single name.
    fn vendors() -> Vec<&'static Vendor> {
        let mut vendors: Vec<_> = VENDORS.iter().copied().filter(|vendor| vendor.scope.is_empty()).collect();
        vendors.sort_by_key(|vendor| (vendor.import != ImportId::Identity, vendor.identity.len()));
        vendors
    }

    /// A vendor with credentials of these names.
    #[derive(Debug)]
    struct Fake(&'static [&'static str]);

    #[async_trait]
    impl VendorApi for Fake {
        async fn read(&self, _: &vendors::Operation, _: &Fields, _: &PriorCredential) -> Answer<Presence> {
            unreachable!("it is only listed")
        }

        async fn list(&self, _: &vendors::Operation, _: &Fields) -> Answer<Vec<Listed>> {
            let listed = self.0.iter().map(|name| {
                let mut target = Fields::default();
                let _ = target.insert(vendors()[0].target[0], Secret::new(*name));
                Listed { target, username: Name::new(name), ..Listed::default() }
            });
            Ok(listed.collect())
        }

        async fn reset(&self, _: &vendors::Operation, _: &Fields, _: &Before, _: Option<&Secret>) -> Answer<Reset> {
            unreachable!("it is only listed")
        }
    }

    #[tokio::test]
    async fn a_list_is_sorted_and_has_every_credential_that_can_be_imported_once() {
        let vendor = vendors()[0];
        let names = &["b@c", "a/b", "a@c", "b@c", "..", ""];
        let api: Arc<dyn VendorApi> = Arc::new(Fake(names));
        let source = Credentials::new(Arc::new(Connections::ready_with([(vendor.name, api)])));
        let call = Call::new(CancellationToken::new());
        let config = Value::object([(vendor.name, Value::object::<&str>([]))]);
        let state = source.read(&call, config).await.unwrap();
        let Value::List(listed) = state.get(CREDENTIALS) else { panic!("{state:?}") };
        let ids: Vec<_> = listed.iter().map(|one| one.get(ID).as_str().unwrap().to_owned()).collect();
        assert_eq!(ids, ["a@c", "b@c"].map(|name| format!("{}/{name}", vendor.name)));
        assert!(listed.iter().all(|one| one.get(CREATED_AT).is_null()));
        let warnings: Vec<_> = call.take_warnings().into_iter().collect();
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].detail.contains("returned 3 credentials whose names"), "{}", warnings[0].detail);
    }

    #[test]
    fn exactly_one_account_is_named() {
        let source = Credentials::new(Arc::default());
        let [first, second] = [vendors()[0].name, vendors()[1].name];
        let object = || Value::object::<&str>([]);
        for (config, errors) in [
            (Value::object([(first, object())]), 0),
            (Value::object([(first, Value::Unknown)]), 0),
            (Value::object::<&str>([]), 1),
            (Value::object([(first, object()), (second, object())]), 1),
        ] {
            assert_eq!(source.validate(&config).into_iter().count(), errors, "{config:?}");
        }
    }
}
