//! The names of the attributes, and the words that some of them accept.

pub(super) use crate::provider::attributes::{PASSWORD_POLICY, SMTP_HOST, SMTP_PORT, VERIFY};

pub(super) const ID: &str = "id";
pub(super) const ON_EXTERNAL_CHANGE: &str = "on_external_change";
pub(super) const PASSWORD: &str = "password";
pub(super) const PASSWORD_WO: &str = "password_wo";
pub(super) const PASSWORD_WO_VERSION: &str = "password_wo_version";
pub(super) const REMOTE_VERSION: &str = "remote_version";
pub(super) const ROTATED_AT: &str = "rotated_at";
pub(super) const ROTATION_MODE: &str = "rotation_mode";
pub(super) const ROTATION_TRIGGER: &str = "rotation_trigger";
pub(super) const ROTATION_VERSION: &str = "rotation_version";
pub(super) const STALE: &str = "stale";
pub(super) const TIMEOUTS: &str = "timeouts";
pub(super) const USERNAME: &str = "username";
pub(super) const VERIFIED: &str = "verified";

/// What is done about a stale password that its user knows of.
pub(super) const IGNORE: &str = "ignore";
/// What is done about a stale password that is to heal by itself.
pub(super) const ROTATE: &str = "rotate";
/// What is done about a stale password where nothing is said.
pub(super) const WARN: &str = "warn";

/// The rotation mode that never drops the resource from state.
pub(super) const IN_PLACE: &str = "in_place";
/// The rotation mode where none is set.
pub(super) const REPLACE: &str = "replace";
