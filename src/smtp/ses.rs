//! Derives Amazon SES SMTP passwords (version 4) from an AWS key and a region.
//!
//! <https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html>

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::hmac;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// The messages of the last rounds. Each round signs its message with the result of the previous one.
const TERMINAL: [&str; 3] = ["ses", "aws4_request", "SendRawEmail"];
const DATE: &str = "11111111";
const VERSION: u8 = 4;

/// Derives the SMTP password of an AWS key for one region. The user name is the key's id.
pub fn password(secret_access_key: &Secret, region: &str) -> Secret {
    let key = secret_access_key.for_state();
    let mut first = Zeroizing::new(Vec::with_capacity(4 + key.len()));
    first.extend_from_slice(b"AWS4");
    first.extend_from_slice(key.as_bytes());

    let rounds = [region].into_iter().chain(TERMINAL);
    let signature = rounds.fold(sign(&first, DATE), |key, message| sign(key.as_ref(), message));
    let bytes = Zeroizing::new([&[VERSION], signature.as_ref()].concat());
    Secret::new(STANDARD.encode(&*bytes))
}

fn sign(key: &[u8], message: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of the AWS provider's tests.
    #[test]
    fn a_password_is_what_aws_makes_of_the_key() {
        for (region, expected) in [
            ("eu-central-1", "BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2"),
            ("us-west-1", "BH+jbMzper5WwlwUar9E1ySBqHa9whi0GPo+sJ0mVYJj"),
        ] {
            assert_eq!(password(&Secret::new("some+secret+key"), region).for_state(), expected, "{region}");
        }
    }
}
