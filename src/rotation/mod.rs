//! How a password is rotated, whoever asks for it.
//!
//! This module knows vendors and mail servers. It knows nothing of Terraform: a resource turns its configuration into a
//! [`Request`], implements [`Sink`], and turns what comes back into states and diagnostics.
//!
//! - `reset` checks, resets, and hands over to `issued` or to `reconcile`;
//! - `issued` is the way from the vendor's response to the state. Nothing in it returns a `Result`;
//! - `reconcile` finds out what has become of a reset whose response was lost;
//! - `revoke` ends the credential that a reset has replaced, and `replacements` knows which one that is;
//! - `locks` keeps resets of one credential apart, and `live_credentials` what a state holds from being revoked;
//! - `login_check` tries a new password, `login_probe` a stored one, and `login_queue` keeps both from being locked out;
//! - `drift` judges whether a stored password is still the live one.

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
mod reconcile;
mod replacements;
mod request;
mod reset;
mod revoke;
mod rotator;
mod sink;
#[cfg(test)]
mod unused_api;

pub(crate) use self::{
    drift::Drift,
    endpoint::SmtpEndpoint,
    error::RotationError,
    live_credentials::StoredCredential,
    login_probe::{LoginProbes, ProbeResult},
    password_policy::PasswordPolicy,
    reconcile::{Evidence, Known, PreviousPassword},
    replacements::{Created, DeletedObject, PendingReplacements},
    request::{NewPassword, Request},
    revoke::{Kept, Predecessor},
    rotator::{Rotator, Shared},
    sink::{NewCredential, Notice, Sink, Verified},
};
