//! A typed view of the resource's state.

use jiff::Timestamp;

use super::names::{
    CURRENT, ID, IGNORE, ON_EXTERNAL_CHANGE, PASSWORD, PREVIOUS, REMOTE_VERSION, ROTATE, ROTATED_AT, SMTP_HOST, STALE,
    USERNAME, VERIFIED, WARN,
};
use crate::{
    framework::value::Value,
    provider::attributes::verify,
    rotation::{PreviousPassword, SmtpEndpoint, StoredCredential, StoredLogin},
    secret::{Name, Secret},
    vendors::{Found, PriorCredential},
};

/// The state of the resource.
#[derive(Clone, Debug)]
pub(in crate::provider) struct State {
    pub(in crate::provider) id: String,
    /// The name of the current credential of a pair; empty where the resource is not a pair.
    pub(in crate::provider) current: String,
    /// The name or the import id of the previous credential, if that still works.
    pub(in crate::provider) previous: Option<String>,
    pub(in crate::provider) stored: StoredCredential,
    /// The password, if it is stored in clear text.
    pub(in crate::provider) password: Option<Secret>,
    pub(in crate::provider) is_stale: bool,
    pub(in crate::provider) is_verified: bool,
    pub(in crate::provider) on_external_change: OnExternalChange,
    /// Where `verify` tries a password.
    pub(in crate::provider) endpoint: Option<SmtpEndpoint>,
    /// Whether a refresh logs in with the stored password.
    pub(in crate::provider) probes_on_refresh: bool,
}

/// The reaction to a password that somebody else has changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::provider) enum OnExternalChange {
    /// None; only `stale` is set.
    Ignore,
    /// The next apply resets it again.
    Rotate,
    /// Every refresh warns.
    Warn,
}

impl OnExternalChange {
    /// Validates the argument `on_external_change`.
    pub(in crate::provider) fn check(text: &str) -> Result<(), &'static str> {
        match text {
            IGNORE | ROTATE | WARN => Ok(()),
            _ => Err("must be `warn`, `rotate` or `ignore`"),
        }
    }
}

impl State {
    /// Reads a state. Null reads as a state in which nothing is set.
    pub(in crate::provider) fn of(state: &Value) -> Self {
        let text = |name| state.get(name).as_str().map(str::to_owned);
        let is_true = |name| *state.get(name) == Value::Bool(true);
        Self {
            id: text(ID).unwrap_or_default(),
            current: text(CURRENT).unwrap_or_default(),
            previous: text(PREVIOUS),
            stored: StoredCredential {
                credential: PriorCredential { version: text(REMOTE_VERSION), username: text(USERNAME) },
                rotated_at: rotated_at(state),
            },
            password: state.get(PASSWORD).as_secret().cloned(),
            is_stale: is_true(STALE),
            is_verified: is_true(VERIFIED),
            on_external_change: match state.get(ON_EXTERNAL_CHANGE).as_str() {
                Some(IGNORE) => OnExternalChange::Ignore,
                Some(ROTATE) => OnExternalChange::Rotate,
                _ => OnExternalChange::Warn,
            },
            endpoint: verify::endpoint(state),
            probes_on_refresh: verify::is_on_refresh(state),
        }
    }

    /// Returns the login, whether or not it works.
    pub(in crate::provider) fn login(&self) -> Option<StoredLogin> {
        let (username, password) = (self.stored.credential.username.clone()?, self.password.clone()?);
        Some(StoredLogin { username, password })
    }

    /// Returns the password if it is known to have logged in and not known to be stale. Only such a password can prove
    /// a reset by being rejected.
    pub(in crate::provider) fn previous_password(
        &self,
        logged_in_at: Option<SmtpEndpoint>,
    ) -> Option<PreviousPassword> {
        let StoredLogin { username, password } = self.login()?;
        let logged_in_at = logged_in_at.filter(|_| !self.is_stale)?;
        Some(PreviousPassword { username, password, logged_in_at })
    }

    /// Returns whether the password has logged in at `endpoint`. Only then does a rejection there say anything about
    /// it.
    ///
    /// Release 0.1.0 stored only that it has logged in, not where.
    pub(in crate::provider) fn has_logged_in(
        &self,
        logged_in_at: Option<&SmtpEndpoint>,
        endpoint: &SmtpEndpoint,
    ) -> bool {
        logged_in_at.map_or(self.is_verified, |logged_in_at| logged_in_at == endpoint)
    }

    /// Returns whether this is what a failed create left: a state without a password, whose resource is tainted.
    pub(in crate::provider) fn is_leftover(&self) -> bool {
        self.is_stale && self.stored.rotated_at.is_none()
    }

    /// Returns whether a refresh warns of a stale password. The plan shows that the leftover of a failed create is
    /// tainted, so that needs no warning.
    pub(in crate::provider) fn warns_of_staleness(&self) -> bool {
        let is_wanted = self.on_external_change == OnExternalChange::Warn;
        self.is_stale && is_wanted && !self.is_leftover()
    }
}

/// Returns when this provider last reset the password of a state.
pub(in crate::provider) fn rotated_at(state: &Value) -> Option<Timestamp> {
    state.get(ROTATED_AT).as_str().and_then(|text| text.parse().ok())
}

/// Fills in what an import could not know.
pub(in crate::provider) fn completed(mut state: Value, found: Found, host: Option<Name>) -> Value {
    for (name, value) in [(USERNAME, found.username), (SMTP_HOST, host)] {
        if state.get(name).is_null() {
            state.set(name, value);
        }
    }
    state
}

/// Replaces everything unknown in the value by null.
pub(in crate::provider) fn without_unknowns(value: Value) -> Value {
    match value {
        Value::Object(mut attributes) => {
            for value in attributes.values_mut() {
                *value = without_unknowns(std::mem::take(value));
            }
            Value::Object(attributes)
        }
        Value::Unknown => Value::Null,
        known => known,
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::WARN;
    use super::*;
    use crate::smtp::Security;

    fn state(changes: &[(&'static str, Value)]) -> State {
        let known = [
            (PASSWORD, Value::from(Secret::new("old"))),
            (ROTATED_AT, "2026-01-01T00:00:00.000000Z".into()),
            (STALE, false.into()),
            (USERNAME, "a".into()),
        ];
        State::of(&Value::object(known.into_iter().chain(changes.iter().cloned())))
    }

    fn at(port: u16) -> SmtpEndpoint {
        let host = Some("mail.example.com".to_owned());
        SmtpEndpoint { host, port, security: Security::StartTls, timeout: None }
    }

    #[test]
    fn only_a_password_that_has_logged_in_and_is_not_stale_can_be_asked_about() {
        assert!(state(&[]).previous_password(None).is_none());
        assert!(state(&[(STALE, true.into())]).previous_password(Some(at(587))).is_none());
        assert!(state(&[(PASSWORD, Value::Null)]).previous_password(Some(at(587))).is_none());
        assert_eq!(state(&[]).previous_password(Some(at(587))).unwrap().logged_in_at, at(587));
    }

    #[test]
    fn a_password_has_logged_in_where_the_private_data_says_so() {
        for (verified, logged_in_at, expected) in [
            (Value::Bool(true), None, true),
            (Value::Bool(true), Some(at(587)), true),
            (Value::Bool(true), Some(at(465)), false),
            (Value::Bool(false), None, false),
            (Value::Null, None, false),
        ] {
            let state = state(&[(VERIFIED, verified)]);
            assert_eq!(state.has_logged_in(logged_in_at.as_ref(), &at(587)), expected, "{logged_in_at:?}");
        }
    }

    #[test]
    fn a_refresh_warns_if_the_state_says_so_or_says_nothing() {
        for (setting, warns) in
            [(WARN.into(), true), (Value::Null, true), (ROTATE.into(), false), (IGNORE.into(), false)]
        {
            let setting = (ON_EXTERNAL_CHANGE, setting);
            assert_eq!(state(&[setting.clone(), (STALE, true.into())]).warns_of_staleness(), warns);
            assert!(!state(&[setting]).warns_of_staleness());
        }
        let left_by_a_failed_create = [(ROTATED_AT, Value::Null), (STALE, true.into())];
        assert!(!state(&left_by_a_failed_create).warns_of_staleness());
    }
}
