//! Credentials in environment variables.

use super::{
    key::AwsKey,
    sts::{Role, WebIdentity},
};
use crate::vendors::{Fields, amazon_ses::variables as names};

/// Returns the access key of the environment, if it is complete.
pub(super) fn key(settings: &Fields) -> Option<AwsKey> {
    let (id, secret) = (settings.text(&names::ACCESS_KEY_ID)?, settings.secret(&names::SECRET_ACCESS_KEY)?);
    Some(AwsKey::lasting(id, secret, settings.secret(&names::SESSION_TOKEN)))
}

/// Returns the web identity of the environment, if it is complete.
pub(super) fn web_identity(settings: &Fields) -> Option<WebIdentity> {
    let arn = settings.text(&names::ROLE_ARN)?;
    let token_file = settings.text(&names::WEB_IDENTITY_TOKEN_FILE)?.into();
    let role = Role::new(arn, settings.text(&names::ROLE_SESSION_NAME));
    Some(WebIdentity { role, token_file })
}
