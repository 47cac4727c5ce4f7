//! The function `url`.

use super::filled;
use crate::{
    framework::{
        Fault, Function, Signature,
        schema::{Attribute, Type},
        value::{Number, Value},
    },
    provider::host,
    smtp::{self, Scheme},
};

/// Builds the URL that mail libraries take.
#[derive(Debug)]
pub(in crate::provider) struct Url {
    signature: Signature,
}

/// The place of `port` among the parameters.
const PORT: usize = 3;

impl Url {
    pub(in crate::provider) fn new() -> Self {
        let parameters = vec![
            Attribute::required("username", Type::String, "User name to log in with.").checked(filled),
            Attribute::required("password", Type::String, "Password to log in with.").sensitive().checked(filled),
            Attribute::required("host", Type::String, "Host name or IP address of the submission server.")
                .checked(host::check),
            Attribute::required("port", Type::Number, "Port of the submission server, 1 to 65535."),
            Attribute::required(
                "security",
                Type::String,
                "When TLS begins: `starttls` makes a URL with `smtp://`, `tls` (from the first byte, as on port 465) one with `smtps://`.",
            )
            .checked(|text| scheme(text).map(drop)),
        ];
        let (summary, help) =
            ("Builds an SMTP URL, every part of it percent-encoded.", include_str!("url.md").to_owned());
        Self { signature: Signature { summary, help, parameters, returns: Type::String } }
    }
}

impl Function for Url {
    fn name(&self) -> &'static str {
        "url"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, Fault> {
        let [username, password, host, port, security] = arguments else {
            return Err(Fault::new("The function takes five arguments."));
        };
        let port = port.as_number().and_then(Number::as_i64).and_then(|port| u16::try_from(port).ok());
        let Some(port) = port.filter(|port| *port > 0) else {
            return Err(Fault::of(PORT, "must be a whole number from 1 to 65535"));
        };
        let scheme = scheme(text(security)).map_err(|words| Fault::of(PORT + 1, words))?;
        let password = password.as_secret().cloned().unwrap_or_default();
        Ok(smtp::url(scheme, text(username), &password, text(host), port).into())
    }
}

fn scheme(security: &str) -> Result<Scheme, &'static str> {
    match security {
        "starttls" => Ok(Scheme::Smtp),
        "tls" => Ok(Scheme::Smtps),
        _ => Err("must be `starttls` or `tls`"),
    }
}

fn text(argument: &Value) -> &str {
    argument.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn url(host: &str, port: Number, security: &str) -> Result<String, Fault> {
        let password = Value::from(Secret::new("p@ss word"));
        let made = Url::new().call(&["u@b".into(), password, host.into(), port.into(), security.into()])?;
        Ok(made.as_secret().unwrap().for_state().to_owned())
    }

    #[test]
    fn the_scheme_follows_the_security_and_not_the_port() {
        for (port, security, expected) in [
            (587, "starttls", "smtp://u%40b:p%40ss%20word@smtp.example.com:587"),
            (465, "starttls", "smtp://u%40b:p%40ss%20word@smtp.example.com:465"),
            (2465, "tls", "smtps://u%40b:p%40ss%20word@smtp.example.com:2465"),
        ] {
            assert_eq!(url("smtp.example.com", Number::from(port), security).as_deref(), Ok(expected));
        }
        assert!(url("::1", Number::from(25), "tls").unwrap().ends_with("@[::1]:25"));
    }

    #[test]
    fn a_port_is_a_whole_number_that_a_server_can_have() {
        for port in [Number::from(0), Number::from(-1), Number::from(65536), Number::from_f64(58.7).unwrap()] {
            let fault = url("localhost", port, "tls").unwrap_err();
            assert_eq!(fault.argument, Some(PORT));
            assert_eq!(fault.text, "must be a whole number from 1 to 65535");
        }
    }
}
