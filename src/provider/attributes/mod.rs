//! Schema fragments that resources share, and how they are parsed.

pub(in crate::provider) mod age_recipients;
pub(in crate::provider) mod configured;
pub(in crate::provider) mod duration;
pub(in crate::provider) mod host;
pub(in crate::provider) mod import_id;
pub(in crate::provider) mod lists;
pub(in crate::provider) mod password_policy;
pub(in crate::provider) mod retire_previous;
pub(in crate::provider) mod rotate_after;
pub(in crate::provider) mod rotation_version;
pub(in crate::provider) mod target;
pub(in crate::provider) mod verify;

pub(in crate::provider) const PASSWORD_POLICY: &str = "password_policy";
pub(in crate::provider) const PASSWORD_WO: &str = "password_wo";
pub(in crate::provider) const SMTP_HOST: &str = "smtp_host";
pub(in crate::provider) const SMTP_PORT: &str = "smtp_port";
pub(in crate::provider) const VERIFY: &str = "verify";
