//! Rotates passwords.
//!
//! This module knows vendors and mail servers but nothing of Terraform. A resource converts its configuration into a
//! [`Request`], implements [`Sink`], and converts the results into states and diagnostics.
//!
//! - `reset` checks, resets, and continues in `issued` or `reconcile`;
//! - `issued` stores what the reset made; nothing in it returns a `Result`;
//! - `reconcile` finds out what happened to a reset whose response was lost;
//! - `revoke` revokes the credential that a reset replaced, `refused` a new one that does not log in, and
//!   `replacements` knows which one that is; `settling` waits before it until the new one works everywhere;
//! - `locks` serializes resets of one credential, and `live_credentials` protects what a state holds from revocation;
//! - `login_check` tries a new password, `previous_login` the one before, `login_probe` a stored one, and `login_queue`
//!   avoids lockouts;
//! - `drift` decides whether a stored password still works.

mod drift;
mod endpoint;
mod error;
mod issued;
mod live_credentials;
mod locks;
mod login_check;
mod login_probe;
mod login_queue;
mod password_policy;
mod previous_login;
mod reconcile;
mod refused;
mod replacements;
mod request;
mod reset;
mod revoke;
mod rotator;
#[cfg(test)]
mod scripted;
mod settling;
mod sink;
mod spared;
#[cfg(test)]
mod unused_api;

pub(crate) use self::{
    drift::Drift,
    endpoint::SmtpEndpoint,
    error::RotationError,
    live_credentials::StoredCredential,
    login_probe::{LoginProbes, ProbeResult},
    password_policy::PasswordPolicy,
    reconcile::{Evidence, Known, PreviousPassword, Reconciled, StoredLogin},
    refused::{Refused, Rotated},
    replacements::{Created, DeletedObject, PendingReplacements},
    request::{NewPassword, Request},
    revoke::{Kept, Predecessor},
    rotator::{Rotator, Shared},
    sink::{NewCredential, Notice, Sink, Verified},
    spared::Spared,
};
