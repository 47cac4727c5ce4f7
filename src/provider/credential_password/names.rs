//! The attribute names, and the keywords that some attributes accept.

pub(super) use crate::provider::attributes::{
    PASSWORD_POLICY, SMTP_HOST, SMTP_PORT, VERIFY,
    retire_previous::PREVIOUS,
    rotate_after::{ROTATE_AFTER, ROTATION_DUE},
};

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

/// `on_external_change`: a stale password is neither reported nor reset.
pub(super) const IGNORE: &str = "ignore";
/// `on_external_change`: a stale password is reset by the next apply.
pub(super) const ROTATE: &str = "rotate";
/// `on_external_change`: every refresh warns of a stale password. The default.
pub(super) const WARN: &str = "warn";

/// `rotation_mode`: an update, which never drops the resource from state.
pub(super) const IN_PLACE: &str = "in_place";
/// `rotation_mode`: a replacement. The default.
pub(super) const REPLACE: &str = "replace";
