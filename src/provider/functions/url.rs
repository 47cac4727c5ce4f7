//! The function `url`.

use super::filled::filled;
use crate::{
    framework::{
        Function, FunctionError, Signature,
        schema::{Attribute, Type},
        value::{Number, Value},
    },
    provider::attributes::host,
    secret::Secret,
    smtp::{self, Library, Security},
};

/// Builds the SMTP URL of a credential for a mail library.
#[derive(Debug)]
pub(in crate::provider) struct Url {
    signature: Signature,
}

/// The port of TLS from the first byte (RFC 8314, section 3.3).
const SUBMISSIONS: i64 = 465;

const USERNAME: &str = "username";
const PASSWORD: &str = "password";
const SMTP_HOST: &str = "smtp_host";
const SMTP_PORT: &str = "smtp_port";

impl Url {
    pub(in crate::provider) fn new() -> Self {
        let credential = vec![
            Attribute::optional(USERNAME, Type::String, "User name to log in with.").validated_by(filled),
            Attribute::optional(PASSWORD, Type::String, "Password to log in with.").sensitive().validated_by(filled),
            Attribute::optional(SMTP_HOST, Type::String, "Host name or IP address of the submission server.")
                .validated_by(host::check),
            Attribute::optional(SMTP_PORT, Type::Number, "Port of the submission server, 1 to 65535."),
        ];
        let parameters = vec![Attribute::optional(
            "credential",
            Type::Object(credential),
            "The whole `smtp_credential_password`, or any object with `username`, `password`, `smtp_host` and \
             `smtp_port`. If it or one of the four is null, the result is null.",
        )];
        let options = Attribute::required(
            "options",
            Type::String,
            format!(
                "At most one of `starttls` and `tls` (TLS from the first byte); the default is `tls` on port 465 and \
                 `starttls` on any other. And at most one library that will parse the URL: {}.",
                libraries()
            ),
        );
        let (summary, description) =
            ("Builds the SMTP URL of a credential for a mail library.", include_str!("url.md").to_owned());
        Self {
            signature: Signature { summary, description, parameters, variadic: Some(options), returns: Type::String },
        }
    }
}

impl Function for Url {
    fn name(&self) -> &'static str {
        "url"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError> {
        let [credential, options @ ..] = arguments else {
            return Err(FunctionError::new("The function needs a credential."));
        };
        let options = Options::read(options)?;
        let (username, password) = (credential.get(USERNAME), credential.get(PASSWORD));
        let (host, port) = (credential.get(SMTP_HOST), credential.get(SMTP_PORT));
        // After an import the password is null. An error would fail the plan of every configuration that uses this
        // function.
        if [username, password, host, port].iter().any(|part| part.is_null()) {
            return Ok(Value::Null);
        }
        let number = port.as_number().and_then(Number::as_i64);
        let Some(port) = number.and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0) else {
            return Err(FunctionError::of(0, format!("`{SMTP_PORT}` must be a whole number from 1 to 65535")));
        };
        let implied = if number == Some(SUBMISSIONS) { Security::Tls } else { Security::StartTls };
        let security = options.security.unwrap_or(implied);
        let password = password.as_secret().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        options.url(security, &text(username), &password, &text(host), port).map(Value::from)
    }
}

/// The parsed options.
#[derive(Clone, Copy, Debug, Default)]
struct Options {
    security: Option<Security>,
    /// The library, with the index of its argument.
    library: Option<(usize, Library)>,
}

impl Options {
    fn read(options: &[Value]) -> Result<Self, FunctionError> {
        let mut read = Self::default();
        for (option, index) in options.iter().zip(1..) {
            let word = option.as_str().unwrap_or_default();
            let fault = |words: String| FunctionError::of(index, words);
            let security = match word {
                "starttls" => Some(Security::StartTls),
                "tls" => Some(Security::Tls),
                _ => None,
            };
            let library = Library::ALL.into_iter().find(|library| library.name() == word);
            match (security, library) {
                (Some(security), _) => match read.security.replace(security) {
                    Some(before) if before == security => return Err(fault(format!("has `{word}` twice"))),
                    Some(_) => return Err(fault("must not have both `starttls` and `tls`".to_owned())),
                    None => {}
                },
                (_, Some(library)) => match read.library.replace((index, library)) {
                    Some((_, before)) if before == library => return Err(fault(format!("has `{word}` twice"))),
                    Some((_, before)) => {
                        return Err(fault(format!("must not have two libraries, `{before}` and `{library}`")));
                    }
                    None => {}
                },
                (None, None) => {
                    return Err(fault(format!("must be `starttls`, `tls` or one of the libraries {}", libraries())));
                }
            }
        }
        Ok(read)
    }

    fn url(
        self,
        security: Security,
        username: &str,
        password: &Secret,
        host: &str,
        port: u16,
    ) -> Result<Secret, FunctionError> {
        let library = self.library.map(|(_, library)| library);
        let url = smtp::url(security, library, username, password, host, port);
        url.ok_or_else(|| {
            let (index, library) = self.library.unwrap_or((0, Library::Curl));
            FunctionError::of(
                index,
                format!(
                    "no URL makes `{library}` require STARTTLS, and without it the password is sent in clear text: \
                     omit `{library}` and run it with `--ssl-reqd`, or use `tls` with a port that uses TLS from the \
                     first byte, such as 465"
                ),
            )
        })
    }
}

fn libraries() -> String {
    Library::ALL.map(|library| format!("`{library}`")).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(changes: &[(&'static str, Value)]) -> Value {
        let mut credential = Value::object([
            (USERNAME, "u@b".into()),
            (PASSWORD, Secret::new("p@ss word").into()),
            (SMTP_HOST, "smtp.example.com".into()),
            (SMTP_PORT, 587_u16.into()),
        ]);
        for (name, value) in changes {
            credential.set(*name, value.clone());
        }
        credential
    }

    fn call(credential: Value, options: &[&str]) -> Result<Value, FunctionError> {
        let options = options.iter().map(|option| Value::from(*option));
        Url::new().call(&[credential].into_iter().chain(options).collect::<Vec<_>>())
    }

    fn url(port: u16, options: &[&str]) -> String {
        let made = call(credential(&[(SMTP_PORT, port.into())]), options).unwrap();
        made.as_secret().unwrap().for_state().to_owned()
    }

    #[test]
    fn tls_follows_the_port_unless_an_option_says_otherwise() {
        for (port, options, scheme) in [
            (587, &[][..], "smtp"),
            (2525, &[], "smtp"),
            (465, &[], "smtps"),
            (465, &["starttls"], "smtp"),
            (2465, &["tls"], "smtps"),
        ] {
            assert_eq!(url(port, options), format!("{scheme}://u%40b:p%40ss%20word@smtp.example.com:{port}"));
        }
        assert_eq!(url(587, &["lettre"]), url(587, &["starttls", "lettre"]));
        assert_eq!(url(465, &["tls", "dj-email-url"]), url(465, &["dj-email-url", "tls"]));
        assert!(url(465, &["dj-email-url"]).ends_with(":465?ssl=True"));
    }

    #[test]
    fn a_null_gives_null_whatever_else_is_there() {
        assert_eq!(call(Value::Null, &[]), Ok(Value::Null));
        for name in [USERNAME, PASSWORD, SMTP_HOST, SMTP_PORT] {
            let null = |port: u16| credential(&[(SMTP_PORT, port.into()), (name, Value::Null)]);
            assert_eq!(call(null(587), &[]), Ok(Value::Null), "{name}");
            assert_eq!(call(null(0), &["curl", "starttls"]), Ok(Value::Null), "{name}");
        }
    }

    #[test]
    fn a_port_is_a_whole_number_that_a_server_can_have() {
        for port in [Number::from(0), Number::from(-1), Number::from(65536), Number::from_f64(58.7).unwrap()] {
            let fault = call(credential(&[(SMTP_PORT, port.into())]), &["tls"]).unwrap_err();
            assert_eq!(fault, FunctionError::of(0, "`smtp_port` must be a whole number from 1 to 65535"));
        }
    }

    #[test]
    fn options_that_do_not_go_together_are_pointed_at() {
        for (options, argument, words) in [
            (&["ssl"][..], 1, "must be `starttls`, `tls` or one of the libraries `curl`, `dj-email-url`"),
            (&["tls", ""], 2, "must be `starttls`, `tls` or"),
            (&["TLS"], 1, "must be `starttls`, `tls` or"),
            (&["lettre", "tls", "tls"], 3, "has `tls` twice"),
            (&["tls", "lettre", "starttls"], 3, "must not have both `starttls` and `tls`"),
            (&["symfony", "symfony"], 2, "has `symfony` twice"),
            (&["lettre", "starttls", "curl"], 3, "must not have two libraries, `lettre` and `curl`"),
            (&["curl"], 1, "no URL makes `curl` require STARTTLS"),
            (&["starttls", "curl"], 2, "no URL makes `curl` require STARTTLS"),
        ] {
            let fault = call(credential(&[]), options).unwrap_err();
            assert_eq!(fault.argument, Some(argument), "{options:?}");
            assert!(fault.text.starts_with(words), "{options:?}: {}", fault.text);
            assert!(options[0] == "curl" || options[1..].contains(&"curl") || call(Value::Null, options).is_err());
        }
    }
}
