//! The wording of errors and warnings.

pub(in crate::provider) mod drift;
pub(in crate::provider) mod lost_reset;
pub(in crate::provider) mod mail_server;
pub(in crate::provider) mod overlap;
pub(in crate::provider) mod pair;
pub(in crate::provider) mod pair_gone;
mod previous_login;
mod reset;
pub(in crate::provider) mod revocation;
pub(in crate::provider) mod rotation;
pub(in crate::provider) mod vendor;
