//! `verify`: the mail server to try a password at, and for how long.

use super::{
    SMTP_HOST, SMTP_PORT, VERIFY, duration, host,
    target::{Named, named},
};
use crate::{
    framework::{
        diagnostic::{Diagnostic, Diagnostics, Path},
        schema::{Attribute, Type},
        validate::invalid,
        value::Value,
    },
    http::Outcome,
    rotation::SmtpEndpoint,
    smtp::Security,
    vendors::{SmtpDefaults, Vendor},
};

const HOST: &str = "host";
const ON_REFRESH: &str = "on_refresh";
const PORT: &str = "port";
const PREVIOUS: &str = "previous";
const SECURITY: &str = "security";
const TIMEOUT: &str = "timeout";

const STARTTLS: &str = "starttls";
const TLS: &str = "tls";

/// The port that is TLS from the first byte (RFC 8314, section 3.3).
const TLS_PORT: u16 = 465;

/// The nested attributes of `verify`.
pub(in crate::provider) fn attributes() -> Vec<Attribute> {
    vec![
        Attribute::optional(
            HOST,
            Type::String,
            "Host name of the server to log in to; its certificate must be valid for this name. Default: `smtp_host`.",
        )
        .validated_by(host::check),
        Attribute::optional(
            ON_REFRESH,
            Type::Bool,
            "Whether a refresh also logs in, with the stored password. A password that has logged in before and is now \
             rejected is marked `stale`. Default: `false`.",
        ),
        Attribute::optional(
            PORT,
            Type::Number,
            "Port of that server, 1 to 65535. Default: `smtp_port`, or else 587, or 465 with `tls`.",
        ),
        Attribute::optional(
            PREVIOUS,
            Type::Bool,
            "Whether to also try the previous password, once, after the new one has logged in, if the state has it and \
             the reset invalidates it. The apply warns if the mail server still accepts it. For a rotation after a \
             leak. Default: `false`.",
        ),
        Attribute::optional(
            SECURITY,
            Type::String,
            "`starttls` to upgrade the connection, or `tls` for TLS from the first byte. Default: `tls` on port 465, \
             `starttls` on any other.",
        )
        .validated_by(|text| match text {
            STARTTLS | TLS => Ok(()),
            _ => Err("must be `starttls` or `tls`"),
        }),
        Attribute::optional(
            TIMEOUT,
            Type::String,
            "How long to keep trying a new password, such as `90s`, within the operation's own timeout. After four \
             rejected logins the provider stops trying. Default: `60s`, or what the vendor's guide says.",
        )
        .validated_by(duration::check),
    ]
}

/// The nested attributes of `verify` for a resource whose previous password is meant to work.
pub(in crate::provider) fn attributes_without_previous() -> Vec<Attribute> {
    attributes().into_iter().filter(|attribute| attribute.name != PREVIOUS).collect()
}

/// Validates what no check of a single string can. Any value may be unknown.
pub(in crate::provider) fn validate(config: &Value, vendor: Option<&Vendor>) -> Diagnostics {
    let verify = config.get(VERIFY);
    let mut diagnostics = Diagnostics::default();
    if let Some(port) = verify.get(PORT).as_number()
        && !port.as_i64().is_some_and(|port| (1..=65535).contains(&port))
    {
        diagnostics.push(invalid(path(PORT), "must be a whole number from 1 to 65535"));
    }
    if let (Some(_), Some(vendor)) = (verify.as_object(), vendor)
        && matches!(vendor.smtp, SmtpDefaults::Undocumented)
        && verify.get(HOST).is_null()
        && config.get(SMTP_HOST).is_null()
    {
        diagnostics.push(no_host(vendor));
    }
    diagnostics
}

/// Returns the path of `on_refresh`.
pub(in crate::provider) fn on_refresh_path() -> Path {
    path(ON_REFRESH)
}

/// Returns whether a refresh logs in with the password of this state.
pub(in crate::provider) fn is_on_refresh(state: &Value) -> bool {
    *state.get(VERIFY).get(ON_REFRESH) == Value::Bool(true)
}

/// Returns whether a plan tries the previous password once the new one has logged in.
pub(in crate::provider) fn tries_previous(planned: &Value) -> bool {
    *planned.get(VERIFY).get(PREVIOUS) == Value::Bool(true)
}

/// Returns the endpoint at which a plan or state tries a password; `None` if it has no `verify`, or a part of it is
/// unknown.
pub(in crate::provider) fn endpoint(value: &Value) -> Option<SmtpEndpoint> {
    let verify = value.get(VERIFY);
    if verify.is_null() || !verify.is_wholly_known() {
        return None;
    }
    let security = match verify.get(SECURITY).as_str() {
        Some(TLS) => Some(Security::Tls),
        Some(_) => Some(Security::StartTls),
        None => None,
    };
    // The most specific setting wins: `verify.port`, then the resource's port, then the standard.
    let ports = [verify.get(PORT), value.get(SMTP_PORT)];
    let port = match ports.into_iter().find(|port| !port.is_null()) {
        Some(port) => port.as_number()?.as_i64()?.try_into().ok()?,
        None if security == Some(Security::Tls) => TLS_PORT,
        // RFC 6409, section 3.1.
        None => 587,
    };
    let security = security.unwrap_or(if port == TLS_PORT { Security::Tls } else { Security::StartTls });
    let hosts = [verify.get(HOST), value.get(SMTP_HOST)];
    let host = hosts.into_iter().find_map(|host| host.as_str()).map(str::to_owned);
    let timeout = verify.get(TIMEOUT).as_str().and_then(duration::parse).or_else(|| match named(value) {
        Named::One(vendor) => vendor.lag.map(|lag| lag.verify),
        _ => None,
    });
    Some(SmtpEndpoint { host, port, security, timeout })
}

/// Returns the path of an argument inside `verify`.
fn path(name: &'static str) -> Path {
    Path::attribute(VERIFY).then(name)
}

pub(in crate::provider) fn no_host(vendor: &Vendor) -> Diagnostic {
    let detail = format!(
        "{} documents no submission server, so there is nothing to log in to. {} Set `verify.host` or `smtp_host`.",
        vendor.title,
        Outcome::NotChanged.sentence()
    );
    // Core cannot point at an argument that is missing inside an object.
    Diagnostic::error("No server to log in to", detail).at(Path::attribute(VERIFY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{framework::value::Number, vendors::VENDORS};

    fn value(verify: Value, host: Value, port: Value) -> Value {
        Value::object([(VERIFY, verify), (SMTP_HOST, host), (SMTP_PORT, port)])
    }

    fn verify(settings: &[(&'static str, Value)]) -> Value {
        let names = attributes().into_iter().map(|attribute| (attribute.name.into_owned(), Value::Null));
        let mut verify = Value::object(names);
        for (name, value) in settings {
            verify.set(*name, value.clone());
        }
        verify
    }

    fn at(host: Option<&str>, port: u16, security: Security) -> SmtpEndpoint {
        SmtpEndpoint { host: host.map(str::to_owned), port, security, timeout: None }
    }

    #[test]
    fn the_endpoint_is_the_vendors_unless_another_is_named() {
        let smtp = |verify: Value| value(verify, "smtp.example.com".into(), 2525_u16.into());
        let unknown = |verify: Value| value(verify, Value::Null, Value::Null);
        let tls = || (SECURITY, TLS.into());
        let starttls = || (SECURITY, STARTTLS.into());
        for (row, value, expected) in [
            (1, smtp(Value::Null), None),
            (2, smtp(verify(&[])), Some(at(Some("smtp.example.com"), 2525, Security::StartTls))),
            (3, smtp(verify(&[(HOST, "mx".into()), tls()])), Some(at(Some("mx"), 2525, Security::Tls))),
            (4, smtp(verify(&[(PORT, 25_u16.into())])), Some(at(Some("smtp.example.com"), 25, Security::StartTls))),
            (5, unknown(verify(&[(HOST, "mx".into())])), Some(at(Some("mx"), 587, Security::StartTls))),
            (6, unknown(verify(&[(HOST, "mx".into()), tls()])), Some(at(Some("mx"), 465, Security::Tls))),
            (7, value(verify(&[]), Value::Unknown, 587_u16.into()), Some(at(None, 587, Security::StartTls))),
            (8, smtp(verify(&[(HOST, Value::Unknown)])), None),
            (9, value(verify(&[]), "mx".into(), Value::Unknown), None),
            (10, smtp(Value::Unknown), None),
            (11, value(verify(&[]), "mx".into(), 465_u16.into()), Some(at(Some("mx"), 465, Security::Tls))),
            (12, smtp(verify(&[(PORT, 465_u16.into())])), Some(at(Some("smtp.example.com"), 465, Security::Tls))),
            (
                13,
                smtp(verify(&[(PORT, 465_u16.into()), starttls()])),
                Some(at(Some("smtp.example.com"), 465, Security::StartTls)),
            ),
            (
                14,
                value(verify(&[(PORT, 587_u16.into())]), "mx".into(), 465_u16.into()),
                Some(at(Some("mx"), 587, Security::StartTls)),
            ),
        ] {
            assert_eq!(endpoint(&value), expected, "row {row}");
        }
    }

    #[test]
    fn a_vendor_that_needs_longer_is_given_longer() {
        let timeout = |vendor: &Vendor, settings: &[(&'static str, Value)]| {
            let fields = vendor.target.iter().map(|field| (field.name, "a".into()));
            let named = [(vendor.name, Value::object(fields)), (VERIFY, verify(settings))];
            endpoint(&Value::object(named)).unwrap().timeout
        };
        for vendor in VENDORS {
            assert_eq!(timeout(vendor, &[]), vendor.lag.map(|lag| lag.verify), "{}", vendor.name);
            assert_eq!(timeout(vendor, &[(TIMEOUT, "5s".into())]), Some(std::time::Duration::from_secs(5)));
        }
    }

    #[test]
    fn without_any_host_there_is_nothing_to_log_in_at() {
        let paths = |value: &Value, vendor| -> Vec<String> {
            validate(value, vendor).iter().map(|diagnostic| diagnostic.path.to_string()).collect()
        };
        let lacks = value(verify(&[]), Value::Null, Value::Null);
        for vendor in VENDORS {
            let is_error = matches!(vendor.smtp, SmtpDefaults::Undocumented);
            assert_eq!(!paths(&lacks, Some(vendor)).is_empty(), is_error, "{}", vendor.name);
            let undocumented = VENDORS.iter().find(|vendor| matches!(vendor.smtp, SmtpDefaults::Undocumented)).copied();
            for fine in [
                value(Value::Null, Value::Null, Value::Null),
                value(Value::Unknown, Value::Null, Value::Null),
                value(verify(&[]), "mx".into(), Value::Null),
                value(verify(&[]), Value::Unknown, Value::Null),
                value(verify(&[(HOST, "mx".into())]), Value::Null, Value::Null),
                value(verify(&[(HOST, Value::Unknown)]), Value::Null, Value::Null),
            ] {
                assert_eq!(paths(&fine, undocumented), <[&str; 0]>::default());
            }
        }
        assert_eq!(paths(&lacks, None), <[&str; 0]>::default());
    }

    #[test]
    fn a_port_is_a_port() {
        for port in [0, -1, 65_536] {
            let value = value(verify(&[(PORT, Number::from(port).into())]), Value::Null, Value::Null);
            assert_eq!(validate(&value, None).iter().next().unwrap().path, path(PORT), "{port}");
        }
    }
}
