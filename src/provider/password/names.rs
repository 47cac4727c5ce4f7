//! The attribute names, and the keywords that some attributes accept.

pub(in crate::provider) use crate::provider::attributes::{
    PASSWORD_POLICY, PASSWORD_WO, SMTP_HOST, SMTP_PORT, VERIFY,
    age_recipients::AGE_RECIPIENTS,
    retire_previous::PREVIOUS,
    rotate_after::{ROTATE_AFTER, ROTATION_DUE},
};

/// The name of the credential of a pair whose password is in the state.
pub(in crate::provider) const CURRENT: &str = "current";
pub(in crate::provider) const ID: &str = "id";
pub(in crate::provider) const ON_EXTERNAL_CHANGE: &str = "on_external_change";
pub(in crate::provider) const PASSWORD: &str = "password";
pub(in crate::provider) const PASSWORD_WO_VERSION: &str = "password_wo_version";
pub(in crate::provider) const REMOTE_VERSION: &str = "remote_version";
pub(in crate::provider) const ROTATED_AT: &str = "rotated_at";
pub(in crate::provider) const ROTATION_MODE: &str = "rotation_mode";
pub(in crate::provider) const ROTATION_TRIGGER: &str = "rotation_trigger";
pub(in crate::provider) const ROTATION_VERSION: &str = "rotation_version";
pub(in crate::provider) const STALE: &str = "stale";
pub(in crate::provider) const TIMEOUTS: &str = "timeouts";
pub(in crate::provider) const USERNAME: &str = "username";
pub(in crate::provider) const VERIFIED: &str = "verified";

/// `on_external_change`: a stale password is neither reported nor reset.
pub(in crate::provider) const IGNORE: &str = "ignore";
/// `on_external_change`: a stale password is reset by the next apply.
pub(in crate::provider) const ROTATE: &str = "rotate";
/// `on_external_change`: every refresh warns of a stale password. The default.
pub(in crate::provider) const WARN: &str = "warn";

/// `rotation_mode`: an update, which never drops the resource from state.
pub(in crate::provider) const IN_PLACE: &str = "in_place";
/// `rotation_mode`: a replacement. The default.
pub(in crate::provider) const REPLACE: &str = "replace";
