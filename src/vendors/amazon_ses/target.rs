//! What names a credential.

use super::partition;
use crate::vendors::{Field, check};

pub(super) static REGION: Field = Field::shown(
    "region",
    "Region that mail is sent from, such as `eu-central-1`. The password is valid only there. IAM does not show it, so it \
     is not part of a generated configuration.",
    partition::region,
);
pub(super) static USER_NAME: Field = Field::shown(
    "user_name",
    "Name of the IAM user that sends mail, such as `ses-newsletter`. It has to exist, and nothing else may use its access \
     keys.",
    |text| match check::segment(text) {
        Ok(())
            if text.len() <= 128
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte)) =>
        {
            Ok(())
        }
        Ok(()) => Err("must be the name of an IAM user: at most 128 letters, digits and characters of `_+=,.@-`"),
        refused => refused,
    },
);
