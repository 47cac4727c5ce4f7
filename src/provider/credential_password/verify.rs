//! `verify`: at which mail server a password is tried, and for how long.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::schema::{SMTP_HOST, SMTP_PORT, VERIFY};
use crate::{
    framework::{
        diagnostic::{Diagnostic, Diagnostics, Path},
        schema::{Attribute, Type},
        validate::invalid,
        value::Value,
    },
    http::Outcome,
    provider::{duration, host},
    smtp::{Roots, Security, Server},
    vendors::{SmtpDefaults, Vendor},
};

const HOST: &str = "host";
const ON_REFRESH: &str = "on_refresh";
const PORT: &str = "port";
const SECURITY: &str = "security";
const TIMEOUT: &str = "timeout";

const STARTTLS: &str = "starttls";
const TLS: &str = "tls";

/// The port that is TLS from the first byte (RFC 8314, section 3.3).
const TLS_PORT: u16 = 465;

/// How long a new password is tried where nothing is said.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

/// The nested attributes of `verify`.
pub(super) fn attributes() -> Vec<Attribute> {
    vec![
        Attribute::optional(
            HOST,
            Type::String,
            "Host name of the server to log in at; its certificate must be for it. Default: `smtp_host`.",
        )
        .validated_by(host::check),
        Attribute::optional(
            ON_REFRESH,
            Type::Bool,
            "Whether a refresh logs in too, with the stored password. One that has logged in before and is refused now is `stale`. Default: \
             `false`.",
        ),
        Attribute::optional(
            PORT,
            Type::Number,
            "Port of that server, 1 to 65535. Default: `smtp_port`; without one, 587, or 465 with `tls`.",
        ),
        Attribute::optional(
            SECURITY,
            Type::String,
            "`starttls` for a connection that is upgraded, `tls` for one that is TLS from its first byte. Default: `tls` where the port is 465, \
             `starttls` elsewhere.",
        )
        .validated_by(|text| match text {
            STARTTLS | TLS => Ok(()),
            _ => Err("must be `starttls` or `tls`"),
        }),
        Attribute::optional(
            TIMEOUT,
            Type::String,
            "How long a new password is tried until it works, such as `90s`; at most until the operation's own time is up. At most four \
             logins are refused in that time. Default: `60s`.",
        )
        .validated_by(duration::check),
    ]
}

/// Judges what no rule for a single text can. Any value may be unknown.
pub(super) fn validate(config: &Value, vendor: Option<&Vendor>) -> Diagnostics {
    let verify = config.get(VERIFY);
    let mut diagnostics = Diagnostics::default();
    if let Some(port) = verify.get(PORT).as_number()
        && !port.as_i64().is_some_and(|port| (1..=65535).contains(&port))
    {
        diagnostics.push(invalid(path(PORT), "must be a whole number from 1 to 65535"));
    }
    if let (Some(_), Some(vendor)) = (verify.as_object(), vendor)
        && vendor.smtp == SmtpDefaults::Undocumented
        && verify.get(HOST).is_null()
        && config.get(SMTP_HOST).is_null()
    {
        diagnostics.push(no_host(vendor));
    }
    diagnostics
}

/// Whether a refresh is to log in with the password of this state.
pub(super) fn is_on_refresh(state: &Value) -> bool {
    *state.get(VERIFY).get(ON_REFRESH) == Value::Bool(true)
}

/// Where a password is tried, as far as a plan knows it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Place {
    /// The host; `None` where the vendor tells it when it is asked.
    host: Option<String>,
    port: u16,
    security: String,
    /// How long a password is tried there, as it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout: Option<String>,
}

/// Two places are the same where it is the same server, for however long it is tried.
impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        (&self.host, self.port, &self.security) == (&other.host, other.port, &other.security)
    }
}

impl Eq for Place {}

impl Place {
    /// The place that a plan or a state names; `None` where there is no `verify`, or where a part of it is unknown.
    pub(super) fn of(value: &Value) -> Option<Self> {
        let verify = value.get(VERIFY);
        if verify.is_null() || !verify.is_wholly_known() {
            return None;
        }
        let security = verify.get(SECURITY).as_str();
        let ports = [verify.get(PORT), value.get(SMTP_PORT)];
        let port = match ports.into_iter().find(|port| !port.is_null()) {
            Some(port) => port.as_number()?.as_i64()?.try_into().ok()?,
            None if security == Some(TLS) => TLS_PORT,
            // RFC 6409, section 3.1.
            None => 587,
        };
        let security = security.unwrap_or(if port == TLS_PORT { TLS } else { STARTTLS });
        let hosts = [verify.get(HOST), value.get(SMTP_HOST)];
        let host = hosts.into_iter().find_map(|host| host.as_str()).map(str::to_owned);
        let timeout = verify.get(TIMEOUT).as_str().map(str::to_owned);
        Some(Self { host, port, security: security.to_owned(), timeout })
    }

    /// The same place, with the host that the vendor has told.
    pub(super) fn told(self, told: Option<&str>) -> Self {
        Self { host: self.host.or_else(|| told.map(str::to_owned)), ..self }
    }

    /// Whether the vendor is to be asked for the host.
    pub(super) fn is_told(&self) -> bool {
        self.host.is_none()
    }

    /// How long a password is tried there, and how long a busy server is asked again before a reset.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout.as_deref().and_then(duration::parse).unwrap_or(DEFAULT_TIMEOUT)
    }

    /// The server, where the host is known: by now, or by what the vendor has told.
    pub(super) fn server(&self, told: Option<&str>, vendor: &Vendor, roots: Roots) -> Result<Server, Diagnostic> {
        let host = self.host.as_deref().or(told).ok_or_else(|| no_host(vendor))?;
        let security = if self.security == TLS { Security::Tls } else { Security::StartTls };
        Ok(Server::new(host, self.port, security, roots))
    }
}

/// The path to a setting of `verify`.
fn path(name: &'static str) -> Path {
    Path::attribute(VERIFY).then(name)
}

fn no_host(vendor: &Vendor) -> Diagnostic {
    let detail = format!(
        "{} names no submission server, so that there is none to log in at. {} Set `verify.host`, or `smtp_host`.",
        vendor.title,
        Outcome::NotChanged.sentence()
    );
    // Of what is missing inside an object core finds no line.
    Diagnostic::error("No server to log in at", detail).at(Path::attribute(VERIFY))
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

    fn place(host: Option<&str>, port: u16, security: &str) -> Place {
        Place { host: host.map(str::to_owned), port, security: security.to_owned(), timeout: None }
    }

    #[test]
    fn the_place_is_the_vendors_unless_another_is_named() {
        let smtp = |verify: Value| value(verify, "smtp.example.com".into(), 2525_u16.into());
        let unknown = |verify: Value| value(verify, Value::Null, Value::Null);
        let tls = || (SECURITY, TLS.into());
        let starttls = || (SECURITY, STARTTLS.into());
        for (row, value, expected) in [
            (1, smtp(Value::Null), None),
            (2, smtp(verify(&[])), Some(place(Some("smtp.example.com"), 2525, STARTTLS))),
            (3, smtp(verify(&[(HOST, "mx".into()), tls()])), Some(place(Some("mx"), 2525, TLS))),
            (4, smtp(verify(&[(PORT, 25_u16.into())])), Some(place(Some("smtp.example.com"), 25, STARTTLS))),
            (5, unknown(verify(&[(HOST, "mx".into())])), Some(place(Some("mx"), 587, STARTTLS))),
            (6, unknown(verify(&[(HOST, "mx".into()), tls()])), Some(place(Some("mx"), 465, TLS))),
            (7, value(verify(&[]), Value::Unknown, 587_u16.into()), Some(place(None, 587, STARTTLS))),
            (8, smtp(verify(&[(HOST, Value::Unknown)])), None),
            (9, value(verify(&[]), "mx".into(), Value::Unknown), None),
            (10, smtp(Value::Unknown), None),
            (11, value(verify(&[]), "mx".into(), 465_u16.into()), Some(place(Some("mx"), 465, TLS))),
            (12, smtp(verify(&[(PORT, 465_u16.into())])), Some(place(Some("smtp.example.com"), 465, TLS))),
            (
                13,
                smtp(verify(&[(PORT, 465_u16.into()), starttls()])),
                Some(place(Some("smtp.example.com"), 465, STARTTLS)),
            ),
            (
                14,
                value(verify(&[(PORT, 587_u16.into())]), "mx".into(), 465_u16.into()),
                Some(place(Some("mx"), 587, STARTTLS)),
            ),
        ] {
            assert_eq!(Place::of(&value), expected, "row {row}");
        }
    }

    #[test]
    fn without_any_host_there_is_nothing_to_log_in_at() {
        let paths = |value: &Value, vendor| -> Vec<String> {
            validate(value, vendor).iter().map(|diagnostic| diagnostic.path.to_string()).collect()
        };
        let lacks = value(verify(&[]), Value::Null, Value::Null);
        for vendor in VENDORS {
            let is_error = vendor.smtp == SmtpDefaults::Undocumented;
            assert_eq!(!paths(&lacks, Some(vendor)).is_empty(), is_error, "{}", vendor.name);
            let undocumented = VENDORS.iter().find(|vendor| vendor.smtp == SmtpDefaults::Undocumented).copied();
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

    #[test]
    fn a_place_survives_the_way_through_core() {
        let place = place(None, 587, TLS);
        let text = serde_json::to_string(&place).unwrap();
        assert_eq!(serde_json::from_str::<Place>(&text).unwrap(), place);
    }
}
