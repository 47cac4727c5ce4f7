//! The function `ses_password`.

use super::filled::filled;
use crate::{
    framework::{
        Function, FunctionError, Signature,
        schema::{Attribute, Type},
        value::Value,
    },
    smtp::ses,
};

/// Derives the SMTP password of an AWS key.
#[derive(Debug)]
pub(in crate::provider) struct SesPassword {
    signature: Signature,
}

/// The length of an access key id, which is easily confused with the secret.
const ID_BYTES: usize = 20;

/// The maximum length, in bytes. Secret access keys are shorter; session tokens have several hundred.
const MOST_BYTES: usize = 128;

impl SesPassword {
    pub(in crate::provider) fn new() -> Self {
        let parameters = vec![
            Attribute::required(
                "secret_access_key",
                Type::String,
                "Secret access key of an IAM user who may call `ses:SendRawEmail`. The key's id is the user name for SMTP.",
            )
            .sensitive()
            .validated_by(secret_access_key),
            Attribute::required(
                "region",
                Type::String,
                "Region whose endpoint the password is for, such as `eu-central-1`. It does not work in any other \
                 region.",
            )
            .validated_by(region),
        ];
        let summary = "Derives the Amazon SES SMTP password of an AWS access key.";
        let description = include_str!("ses_password.md").to_owned();
        Self { signature: Signature { summary, description, parameters, variadic: None, returns: Type::String } }
    }
}

impl Function for SesPassword {
    fn name(&self) -> &'static str {
        "ses_password"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError> {
        match arguments {
            [Value::Secret(key), Value::String(region)] => Ok(ses::password(key, region).into()),
            _ => Err(FunctionError::new("The function needs a secret access key and a region.")),
        }
    }
}

/// Rejects what cannot be a secret access key. Otherwise the result would be a password that never works.
fn secret_access_key(text: &str) -> Result<(), &'static str> {
    filled(text)?;
    let is_id = text.len() == ID_BYTES && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if text.bytes().any(|byte| !byte.is_ascii_graphic()) {
        Err("must not contain spaces, line breaks or other characters outside printable ASCII")
    } else if is_id && text.starts_with("ASIA") {
        Err("is the id of a temporary key; over SMTP, SES accepts only the keys of IAM users")
    } else if is_id && text.starts_with("AKIA") {
        Err("is the id of an access key; pass its secret instead")
    } else if text.len() > MOST_BYTES {
        Err("is too long for a secret access key; over SMTP, SES accepts no session tokens, only the keys of IAM users")
    } else {
        Ok(())
    }
}

/// Validates the form of a region's name: `eu-central-1`, `us-gov-west-1`.
fn region(text: &str) -> Result<(), &'static str> {
    let parts: Vec<_> = text.split('-').collect();
    let is_word = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match parts.as_slice() {
        [words @ .., number] if words.len() >= 2 && words.iter().all(|word| is_word(word)) && is_number(number) => {
            Ok(())
        }
        _ => Err("must be the name of an AWS region, such as `eu-central-1`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_secret_access_key_is_rejected() {
        for good in ["some+secret+key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"] {
            assert_eq!(secret_access_key(good), Ok(()));
        }
        for (bad, words) in [
            ("", "must not be empty"),
            ("with a space", "spaces"),
            ("with-a-line-break\n", "line breaks"),
            ("AKIAIOSFODNN7EXAMPLE", "id of an access key"),
            ("ASIAIOSFODNN7EXAMPLE", "temporary key"),
            (&"a".repeat(129), "session token"),
        ] {
            assert!(secret_access_key(bad).unwrap_err().contains(words), "{words}");
        }
    }

    #[test]
    fn a_region_has_the_form_of_a_regions_name() {
        for good in ["eu-central-1", "us-gov-west-1", "ap-southeast-12"] {
            assert_eq!(region(good), Ok(()), "{good}");
        }
        for bad in
            ["", "eu central 1", "eu-central", "EU-CENTRAL-1", "eu-central-1a", "eu--1", "central-1", "eu-central-1 "]
        {
            assert!(region(bad).is_err(), "{bad}");
        }
    }
}
