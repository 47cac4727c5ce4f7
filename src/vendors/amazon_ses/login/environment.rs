//! Credentials in environment variables.

use super::{
    key::AwsKey,
    sts::{Role, WebIdentity},
};
use crate::vendors::{Field, Fields, amazon_ses::variables as names};

/// Returns the access key of the environment; `None` if no part of it is set. The error names what is missing.
pub(super) fn key(settings: &Fields) -> Result<Option<AwsKey>, String> {
    let (id, secret) = (settings.text(&names::ACCESS_KEY_ID), settings.secret(&names::SECRET_ACCESS_KEY));
    let pair = both((&names::ACCESS_KEY_ID, id), (&names::SECRET_ACCESS_KEY, secret))?;
    Ok(pair.map(|(id, secret)| AwsKey::lasting(id, secret, settings.secret(&names::SESSION_TOKEN))))
}

/// Returns the web identity of the environment; `None` if no part of it is set. The error names what is missing.
pub(super) fn web_identity(settings: &Fields) -> Result<Option<WebIdentity>, String> {
    let [arn, file] = [&names::ROLE_ARN, &names::WEB_IDENTITY_TOKEN_FILE].map(|field| (field, settings.text(field)));
    let role = |arn| Role::new(arn, settings.text(&names::ROLE_SESSION_NAME));
    Ok(both(arn, file)?.map(|(arn, file)| WebIdentity { role: role(arn), token_file: file.into() }))
}

/// Returns two variables that only work together. One alone may be meant for a login that the next source is not.
fn both<A, B>(
    (one, first): (&Field, Option<A>),
    (other, second): (&Field, Option<B>),
) -> Result<Option<(A, B)>, String> {
    let half = |set: &Field, missing: &Field| Err(format!("`{}` is set, but `{}` is not", set.name, missing.name));
    match (first, second) {
        (Some(first), Some(second)) => Ok(Some((first, second))),
        (Some(_), None) => half(one, other),
        (None, Some(_)) => half(other, one),
        (None, None) => Ok(None),
    }
}
