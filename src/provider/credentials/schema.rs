//! The schema of the data source `smtp_credentials`.

use crate::{
    framework::schema::{Attribute, Schema, Type},
    provider::account,
};

pub(super) const CREATED_AT: &str = "created_at";
pub(super) const CREDENTIALS: &str = "credentials";
pub(super) const ID: &str = "id";
pub(super) const REMOTE_VERSION: &str = "remote_version";
pub(super) const USERNAME: &str = "username";

/// Returns the schema of the data source.
pub(super) fn schema() -> Schema {
    let credential = vec![
        Attribute::computed(
            CREATED_AT,
            Type::String,
            "When it was created, in RFC 3339 format (UTC); null if the vendor does not report it.",
        ),
        Attribute::computed(
            ID,
            Type::String,
            "The vendor and what identifies the credential there: the import id of `smtp_credential_password`.",
        ),
        Attribute::computed(
            REMOTE_VERSION,
            Type::String,
            "The vendor's last-changed marker for the credential; null if the vendor does not report one.",
        ),
        Attribute::computed(USERNAME, Type::String, "The user name to log in with over SMTP."),
    ];
    // A list of objects rather than of nested attributes: core's mocks leave nested attributes empty.
    let credentials = Type::List(Box::new(Type::Object(credential)));
    let credentials = Attribute::computed(CREDENTIALS, credentials, "The credentials, sorted by `id`.");
    Schema {
        version: 0,
        description: include_str!("description.md").to_owned(),
        attributes: account::attributes().chain([credentials]).collect(),
    }
}
