//! Converts planned changes into rotation requests.

use super::{
    names::{PASSWORD_POLICY, PASSWORD_WO, SMTP_HOST, USERNAME},
    state::State,
};
use crate::{
    framework::Change,
    provider::attributes::{password_policy, verify},
    rotation::{NewPassword, Request, RotationError},
    vendors::{PasswordSource, Target},
};

/// Converts a planned change into a rotation request.
pub(in crate::provider) fn of(target: &Target, change: &Change) -> std::result::Result<Request, RotationError> {
    let own = change.config.get(PASSWORD_WO).as_secret();
    let password = match (target.vendor.password_source, own) {
        (PasswordSource::Vendor, _) => NewPassword::ByVendor,
        (PasswordSource::Caller, Some(own)) => NewPassword::Own(own.clone()),
        (PasswordSource::Caller, None) => {
            // Validation has rejected an invalid policy, with every value known.
            let policy = password_policy::of(change.planned.get(PASSWORD_POLICY));
            // A length that is configured is no longer than that, so this is about the default.
            let policy = policy.map(|policy| policy.at_most(target.vendor.longest_password));
            NewPassword::Generated(policy.ok_or(RotationError::NoRandomBytes)?)
        }
    };
    Ok(Request {
        password,
        wants_smtp_host: change.planned.get(SMTP_HOST).is_unknown(),
        endpoint: verify::endpoint(&change.planned),
        tries_previous: verify::tries_previous(&change.planned),
        username: change.planned.get(USERNAME).as_str().map(str::to_owned),
        spared: Vec::new(),
        replaces: (!change.prior.is_null()).then(|| State::of(&change.prior).stored),
        revokes: None,
        undoes_refusal: false,
    })
}
