//! What a user may write in `smtp_credentials`, and what it answers with.

use crate::{
    framework::schema::{Attribute, Schema, Type},
    provider::attributes::{duration, target},
};

pub(super) const CREATED_AT: &str = "created_at";
pub(super) const CREDENTIALS: &str = "credentials";
pub(super) const ID: &str = "id";
pub(super) const READ: &str = "read";
pub(super) const REMOTE_VERSION: &str = "remote_version";
pub(super) const TIMEOUTS: &str = "timeouts";
pub(super) const USERNAME: &str = "username";

/// How long a read may take where `timeouts` does not say, as a user would write it.
pub(super) const DEFAULT_TIMEOUT: &str = "1m";

/// The schema of the data source.
pub(super) fn schema() -> Schema {
    let credential = vec![
        Attribute::computed(
            CREATED_AT,
            Type::String,
            "When it was made, in RFC 3339 and UTC; null where the vendor does not tell.",
        ),
        Attribute::computed(
            ID,
            Type::String,
            "The vendor and what names the credential there: the import id of `smtp_credential_password`.",
        ),
        Attribute::computed(
            REMOTE_VERSION,
            Type::String,
            "What the vendor tells of the credential's last change; null where it tells nothing.",
        ),
        Attribute::computed(USERNAME, Type::String, "The user name to log in with over SMTP."),
    ];
    // A list of objects and not of nested attributes: core's mocks always leave the latter empty.
    let credentials = Type::List(Box::new(Type::Object(credential)));
    let read = format!("Longest duration of the read, such as `90s`. Default: `{DEFAULT_TIMEOUT}`.");
    let read = Attribute::optional(READ, Type::String, read).validated_by(duration::check);
    let others = [
        Attribute::optional(
            TIMEOUTS,
            Type::Object(vec![read]),
            "How long it may take, waits for the vendor's rate limit included.",
        ),
        Attribute::computed(CREDENTIALS, credentials, "The credentials, sorted by `id`."),
    ];
    Schema {
        version: 0,
        description: include_str!("description.md").to_owned(),
        attributes: target::scope_attributes().chain(others).collect(),
    }
}
