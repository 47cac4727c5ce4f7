//! Names and addresses of servers.

use std::net::Ipv6Addr;

use url::Host;

use super::{SMTP_HOST, SMTP_PORT};
use crate::framework::{
    diagnostic::{Diagnostic, Path},
    schema::{Attribute, Type},
    validate::invalid,
    value::Value,
};

/// The arguments `smtp_host` and `smtp_port`.
pub(in crate::provider) fn arguments() -> [Attribute; 2] {
    let host = "Host name of the submission server. Default: the vendor's own.";
    let port = "Port of the submission server, 1 to 65535. Default: the vendor's own.";
    [
        Attribute::optional_computed(SMTP_HOST, Type::String, host).validated_by(check),
        Attribute::optional_computed(SMTP_PORT, Type::Number, port),
    ]
}

/// Validates an argument that must be a host.
pub(in crate::provider) fn check(text: &str) -> Result<(), &'static str> {
    if Host::parse(text).is_ok() || text.parse::<Ipv6Addr>().is_ok() {
        Ok(())
    } else {
        Err("must be a host name or an IP address, without a port")
    }
}

/// Validates `smtp_port`, which may be unknown.
pub(in crate::provider) fn validate_port(config: &Value) -> Option<Diagnostic> {
    let port = config.get(SMTP_PORT).as_number()?;
    let is_port = port.as_i64().is_some_and(|port| (1..=65535).contains(&port));
    (!is_port).then(|| invalid(Path::attribute(SMTP_PORT), "must be a whole number from 1 to 65535"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_a_name_or_an_address_and_no_port() {
        for good in ["smtp.hubapi.com", "localhost", "127.0.0.1", "::1", "[::1]", "xn--exmple-cua.se"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "smtp.example.com:587", "a b", "user@host", "a/b", "[::1]:25", "1:2"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
