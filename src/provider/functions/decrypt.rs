//! The function `decrypt`.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::{
    age::{self, Identities, IdentityError, OpenError},
    framework::{
        Function, FunctionError, Signature,
        schema::{Attribute, Type},
        value::Value,
    },
    secret::Secret,
};

/// Decrypts an encrypted password.
#[derive(Debug)]
pub(in crate::provider) struct Decrypt {
    signature: Signature,
}

/// The indices of the arguments.
const FILE: usize = 0;
const IDENTITY: usize = 1;

impl Decrypt {
    pub(in crate::provider) fn new() -> Self {
        let parameters = vec![
            Attribute::optional(
                "encrypted_password",
                Type::String,
                "`encrypted_password` of a resource, or any text in the age format with ASCII armor, such as `age \
                 --armor` writes. If it is null, the result is null.",
            ),
            Attribute::required(
                "identity",
                Type::String,
                "The identity of one of the recipients: an `AGE-SECRET-KEY-1…` line, or the text of an identity file as \
                 `age-keygen` writes it. Pass an ephemeral variable, so that it is never stored.",
            )
            .sensitive(),
        ];
        let summary = "Decrypts a password that was encrypted to age recipients.";
        let description = include_str!("decrypt.md").to_owned();
        Self { signature: Signature { summary, description, parameters, variadic: None, returns: Type::String } }
    }
}

impl Function for Decrypt {
    fn name(&self) -> &'static str {
        "decrypt"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError> {
        match arguments {
            // After an import there is no password yet. An error would fail the plan of every configuration that uses
            // this function.
            [Value::Null, Value::Secret(_)] => Ok(Value::Null),
            [Value::String(file), Value::Secret(identity)] => decrypt(file, identity).map(Value::from),
            _ => Err(FunctionError::new("The function needs an encrypted password and an identity.")),
        }
    }
}

fn decrypt(file: &str, identity: &Secret) -> Result<Secret, FunctionError> {
    let identities = Identities::parse(identity).map_err(|error| FunctionError::of(IDENTITY, no_identity(error)))?;
    let content = age::open_armored(file, &identities).map_err(|error| match error {
        OpenError::NoMatch => {
            FunctionError::of(IDENTITY, "does not belong to any of the recipients that the password was encrypted to")
        }
        error => FunctionError::of(FILE, not_opened(file, error)),
    })?;
    // A buffer of its own size, since one that grows would leave a copy behind.
    let text = std::str::from_utf8(&content).map(|text| Zeroizing::new(text.to_owned()));
    let text = text.map_err(|_| FunctionError::of(FILE, "contains something other than text in UTF-8"))?;
    Ok(Secret::known(text.as_str()))
}

/// Says what is wrong with an identity, without repeating any of it.
fn no_identity(error: IdentityError) -> Cow<'static, str> {
    match error {
        IdentityError::Empty => {
            "has no identity; it must be an `AGE-SECRET-KEY-1…` line or the text of an identity file".into()
        }
        IdentityError::Recipient(line) => {
            format!("has a public key in line {line}; only the identity that belongs to it decrypts").into()
        }
        IdentityError::OtherType(line) => format!(
            "has an identity of another type in line {line}; only X25519 identities (`AGE-SECRET-KEY-1…`) are supported"
        )
        .into(),
        IdentityError::Encrypted => "is an encrypted identity file; decrypt it first, with `age --decrypt`".into(),
        IdentityError::Malformed(line) => {
            format!("has something in line {line} that is not an identity, or an identity with a typing error").into()
        }
    }
}

/// Says why a file cannot be decrypted although the identity may be right.
fn not_opened(file: &str, error: OpenError) -> &'static str {
    match error {
        OpenError::Armor if [BINARY, BINARY_IN_BASE64].iter().any(|start| file.starts_with(start)) => {
            "is an age file without armor; encrypt with `age --armor`"
        }
        OpenError::Armor => {
            "must be the whole text from `-----BEGIN AGE ENCRYPTED FILE-----` to `-----END AGE ENCRYPTED FILE-----`, \
             with no change in between"
        }
        OpenError::Header | OpenError::NoMatch => "is damaged: its header cannot be read",
        OpenError::Mac => "is damaged: its header was changed after it was encrypted",
        OpenError::Payload => "is damaged: its content was changed or cut off after it was encrypted",
    }
}

/// How a file without armor begins.
const BINARY: &str = "age-encryption.org/";
const BINARY_IN_BASE64: &str = "YWdlLWVuY3J5cHRpb24ub3Jn";

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::*;
    use crate::age::{Recipient, Seal};

    const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    const RECIPIENT: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    const ANOTHER: &str = "AGE-SECRET-KEY-1QYPQZQSPQGQSYQGZQYPQZQSPQGQSYQGZQYPQZQSPQGQSYQGZQYPQ696K9E";

    fn file(content: &str) -> String {
        let seal = Seal::prepare(&[Recipient::parse(RECIPIENT).unwrap()], getrandom::fill).unwrap();
        seal.seal(&Secret::new(content))
    }

    fn call(file: impl Into<Value>, identity: &str) -> Result<Value, FunctionError> {
        Decrypt::new().call(&[file.into(), Secret::new(identity).into()])
    }

    fn password() -> Value {
        Secret::new("hunter2hunter2").into()
    }

    #[test]
    fn an_identity_or_a_whole_identity_file_decrypts() {
        let file = file("hunter2hunter2");
        let identity_file = format!("# created: 2026-01-01\r\n# public key: {RECIPIENT}\r\n{IDENTITY}\r\n");
        for identity in [IDENTITY, &identity_file, &format!("\n {IDENTITY} \n")] {
            assert_eq!(call(&*file, identity), Ok(password()));
        }
        assert_eq!(call(file.replace('\n', "\r\n"), IDENTITY), Ok(password()), "CRLF");
    }

    #[test]
    fn a_null_file_gives_null_and_a_null_identity_is_an_error() {
        assert_eq!(call(Value::Null, IDENTITY), Ok(Value::Null));
        assert_eq!(call(Value::Null, ""), Ok(Value::Null));
        assert!(Decrypt::new().call(&[file("x").into(), Value::Null]).is_err());
        assert!(Decrypt::new().call(&[Value::Null, Value::Null]).is_err());
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_without_repeating_it() {
        let right = file("hunter2hunter2");
        let encoded: String = right.lines().filter(|line| !line.starts_with('-')).collect();
        let bytes = STANDARD.decode(&encoded).unwrap();
        let armored = |bytes: &[u8]| {
            let lines: Vec<_> = STANDARD.encode(bytes).into_bytes();
            let lines: Vec<_> = lines.chunks(64).map(|line| String::from_utf8(line.to_vec()).unwrap()).collect();
            format!("-----BEGIN AGE ENCRYPTED FILE-----\n{}\n-----END AGE ENCRYPTED FILE-----\n", lines.join("\n"))
        };
        let changed = |at: usize| {
            let mut bytes = bytes.clone();
            // Still base64, where it was.
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            armored(&bytes)
        };
        let mac = bytes.windows(4).position(|window| window == b"--- ").unwrap() + 5;
        for (file, argument, words) in [
            (String::new(), FILE, "must be the whole text"),
            ("x".repeat(1 << 20), FILE, "must be the whole text"),
            (right[..200].to_owned(), FILE, "must be the whole text"),
            (encoded, FILE, "without armor"),
            (format!("{BINARY}v1\n"), FILE, "without armor"),
            (armored(&bytes[..60]), FILE, "header cannot be read"),
            (changed(4), FILE, "header cannot be read"),
            (changed(mac), FILE, "header was changed"),
            (changed(bytes.len() - 1), FILE, "content was changed"),
            (armored(&bytes[..bytes.len() - 1]), FILE, "content was changed"),
        ] {
            let fault = call(file, IDENTITY).unwrap_err();
            assert_eq!(fault.argument, Some(argument), "{words}");
            assert!(fault.text.contains(words) && fault.text.len() < 200, "{}", fault.text);
        }
    }

    #[test]
    fn what_is_wrong_with_an_identity_is_said_without_repeating_it() {
        let file = file("hunter2hunter2");
        for (identity, words) in [
            ("", "has no identity"),
            ("# created: 2026-01-01\n\n", "has no identity"),
            (RECIPIENT, "has a public key in line 1"),
            ("AGE-SECRET-KEY-PQ-1QQQ", "another type in line 1"),
            ("-----BEGIN AGE ENCRYPTED FILE-----", "encrypted identity file"),
            (&format!("# mine\n{}", IDENTITY.to_lowercase()), "line 2 that is not an identity"),
            ("correct horse battery staple", "line 1 that is not an identity"),
            (ANOTHER, "does not belong to any of the recipients"),
        ] {
            let fault = call(&*file, identity).unwrap_err();
            assert_eq!(fault.argument, Some(super::IDENTITY), "{words}");
            assert!(fault.text.contains(words), "{}", fault.text);
            assert!(!fault.text.contains("horse") && !fault.text.to_uppercase().contains("GFPYY"), "{}", fault.text);
        }
    }
}
