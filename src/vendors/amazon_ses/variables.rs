//! The settings, and the environment variables that AWS's own tools read.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>

use super::partition;
use crate::vendors::{Field, Fields, check};

pub(super) static SETTINGS: &[&Field] = &[
    &PROFILE,
    &REGION,
    &ACCESS_KEY_ID,
    &SECRET_ACCESS_KEY,
    &SESSION_TOKEN,
    &AWS_PROFILE,
    &DEFAULT_REGION,
    &CONFIG_FILE,
    &SHARED_CREDENTIALS_FILE,
    &ROLE_ARN,
    &ROLE_SESSION_NAME,
    &WEB_IDENTITY_TOKEN_FILE,
    &ENDPOINT_URL_STS,
    &CONTAINER_RELATIVE_URI,
    &CONTAINER_FULL_URI,
    &CONTAINER_TOKEN,
    &CONTAINER_TOKEN_FILE,
    &METADATA_DISABLED,
    &METADATA_ENDPOINT,
];

pub(super) static PROFILE: Field = Field::shown(
    "profile",
    "Profile in the shared AWS configuration to log in with. Set here, it comes before all other sources; \
     `AWS_PROFILE` comes after `AWS_ACCESS_KEY_ID` and a web identity.",
    check::line,
);
pub(super) static REGION: Field = Field::shown(
    "region",
    "Region whose AWS partition IAM is called in, and in which roles are assumed, such as `eu-central-1`. \
     `AWS_DEFAULT_REGION` is read, too. It is not the region that mail is sent from, which is part of the credential.",
    partition::region,
)
.or_env("AWS_REGION");

pub(super) static ACCESS_KEY_ID: Field = open("AWS_ACCESS_KEY_ID");
pub(super) static SECRET_ACCESS_KEY: Field = secret("AWS_SECRET_ACCESS_KEY");
pub(super) static SESSION_TOKEN: Field = secret("AWS_SESSION_TOKEN");
pub(super) static AWS_PROFILE: Field = open("AWS_PROFILE");
pub(super) static CONFIG_FILE: Field = open("AWS_CONFIG_FILE");
pub(super) static SHARED_CREDENTIALS_FILE: Field = open("AWS_SHARED_CREDENTIALS_FILE");
pub(super) static ROLE_ARN: Field = open("AWS_ROLE_ARN");
pub(super) static ROLE_SESSION_NAME: Field = open("AWS_ROLE_SESSION_NAME");
pub(super) static WEB_IDENTITY_TOKEN_FILE: Field = open("AWS_WEB_IDENTITY_TOKEN_FILE");
pub(super) static ENDPOINT_URL_STS: Field = open("AWS_ENDPOINT_URL_STS");
pub(super) static CONTAINER_RELATIVE_URI: Field = open("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
pub(super) static CONTAINER_FULL_URI: Field = open("AWS_CONTAINER_CREDENTIALS_FULL_URI");
pub(super) static CONTAINER_TOKEN: Field = secret("AWS_CONTAINER_AUTHORIZATION_TOKEN");
pub(super) static CONTAINER_TOKEN_FILE: Field = open("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
pub(super) static METADATA_DISABLED: Field = open("AWS_EC2_METADATA_DISABLED");
pub(super) static METADATA_ENDPOINT: Field = open("AWS_EC2_METADATA_SERVICE_ENDPOINT");

static DEFAULT_REGION: Field =
    Field::shown("AWS_DEFAULT_REGION", "", partition::region).or_env("AWS_DEFAULT_REGION").variable();

/// The region of the settings.
pub(super) fn region(settings: &Fields) -> Option<&str> {
    settings.text(&REGION).or_else(|| settings.text(&DEFAULT_REGION))
}

const fn open(name: &'static str) -> Field {
    Field::shown(name, "", |_| Ok(())).or_env(name).variable()
}

const fn secret(name: &'static str) -> Field {
    Field::secret(name, "", |_| Ok(())).or_env(name).variable()
}
