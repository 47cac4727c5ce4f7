//! Whether the password in a state is still the live one, and what the user is told where it is not.

use std::cmp::Ordering;

use super::schema::{ID, ON_EXTERNAL_CHANGE, REMOTE_VERSION, ROTATE, ROTATED_AT, STALE, WARN};
use crate::framework::{
    diagnostic::{Diagnostic, Path},
    value::Value,
};

/// What a refresh has learned of the password that this provider made last. Of two findings the greater counts.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Evidence {
    /// Nothing can be said: what was known stays.
    #[default]
    Nothing,
    /// It is the live one.
    Live,
    /// Another has taken its place.
    Replaced,
}

impl Evidence {
    /// What the vendor's word on the credential's last change is worth, beside the one of this provider's own reset.
    ///
    /// Without a reset of its own, as after an import, there is nothing that could be stale. A word from before that reset is an
    /// odd one, and proves nothing.
    pub(super) fn of_version(
        state: &Value,
        told: Option<&str>,
        compare: impl FnOnce(&str, &str) -> Option<Ordering>,
    ) -> Self {
        let stored = state.get(REMOTE_VERSION).as_str();
        let (false, Some(stored), Some(told)) = (state.get(ROTATED_AT).is_null(), stored, told) else {
            return Self::Nothing;
        };
        match compare(told, stored) {
            Some(Ordering::Greater) => Self::Replaced,
            Some(Ordering::Equal) => Self::Live,
            Some(Ordering::Less) | None => Self::Nothing,
        }
    }

    /// Whether the password of a state is stale, now that this is known.
    pub(super) fn is_stale(self, state: &Value) -> bool {
        match self {
            Self::Live => false,
            Self::Replaced => true,
            Self::Nothing => *state.get(STALE) == Value::Bool(true),
        }
    }
}

/// A state whose password is certainly not the live one any more, if it has one that this provider made.
pub(super) fn outdated(state: &Value) -> Value {
    let mut state = state.clone();
    if !state.get(ROTATED_AT).is_null() {
        state.set(STALE, true);
    }
    state
}

/// Whether a plan is to rotate for a stale password. A setting that is not known yet may turn out to ask for it.
pub(super) fn asks_to_rotate(prior: &Value, planned: &Value) -> bool {
    let setting = planned.get(ON_EXTERNAL_CHANGE);
    *prior.get(STALE) == Value::Bool(true) && (setting.is_unknown() || setting.as_str() == Some(ROTATE))
}

/// The warning of a refresh, where the state's own setting asks for one. Of a password that was never stored there is none: what a
/// failed create has left is tainted, and the plan says so.
pub(super) fn seen(state: &Value) -> Option<Diagnostic> {
    let is_stored = !state.get(ROTATED_AT).is_null();
    let is_wanted = is_stored && state.get(ON_EXTERNAL_CHANGE).as_str().unwrap_or(WARN) == WARN;
    (is_wanted && *state.get(STALE) == Value::Bool(true)).then(|| {
        Diagnostic::warning(
            "The stored password is stale",
            format!(
                "Reading `{}`: it was changed after the password in the state was stored, by somebody else or by a reset whose response \
                 was lost. The password in the state most likely no longer works. Reset it once more: change `rotation_trigger`, \
                 or apply with `-replace`. `on_external_change = \"rotate\"` does so by itself, and `\"ignore\"` ends this warning.",
                id(state)
            ),
        )
        .at(Path::attribute(STALE))
    })
}

/// The warning of a plan that rotates for a stale password.
pub(super) fn rotation(prior: &Value) -> Diagnostic {
    Diagnostic::warning(
        "A rotation is planned for a stale password",
        format!(
            "`{}` was changed after the password in the state was stored, by somebody else or by a reset whose response was \
             lost. As `on_external_change` says, it is reset once more. The password that works now then stops working.",
            id(prior)
        ),
    )
    .at(Path::attribute(ON_EXTERNAL_CHANGE))
}

fn id(state: &Value) -> &str {
    state.get(ID).as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::credential_password::schema::IGNORE;

    fn state(changes: &[(&'static str, Value)]) -> Value {
        let known = [
            (ID, "vendor/credential".into()),
            (ON_EXTERNAL_CHANGE, WARN.into()),
            (REMOTE_VERSION, "5".into()),
            (ROTATED_AT, "2026-01-01T00:00:00.000000Z".into()),
            (STALE, false.into()),
        ];
        Value::object(known.into_iter().chain(changes.iter().cloned()))
    }

    fn evidence(state: &Value, told: Option<&str>) -> Evidence {
        let number = |text: &str| text.parse::<u32>().ok();
        Evidence::of_version(state, told, |one, other| Some(number(one)?.cmp(&number(other)?)))
    }

    #[test]
    fn only_a_later_change_than_our_own_reset_makes_a_password_stale() {
        let imported = [(REMOTE_VERSION, Value::from("5")), (ROTATED_AT, Value::Null)];
        for (changes, told, expected) in [
            (&[][..], Some("6"), Evidence::Replaced),
            (&[], Some("5"), Evidence::Live),
            (&[], Some("4"), Evidence::Nothing),
            (&[], Some("soon"), Evidence::Nothing),
            (&[], None, Evidence::Nothing),
            (&[(REMOTE_VERSION, Value::Null)], Some("6"), Evidence::Nothing),
            (&imported, Some("6"), Evidence::Nothing),
        ] {
            assert_eq!(evidence(&state(changes), told), expected, "{told:?}");
        }
    }

    #[test]
    fn what_says_nothing_leaves_what_was_known() {
        for before in [Value::Null, Value::Bool(false), Value::Bool(true)] {
            let state = state(&[(STALE, before.clone())]);
            assert_eq!(Evidence::Nothing.is_stale(&state), before == Value::Bool(true));
            assert!(!Evidence::Live.is_stale(&state) && Evidence::Replaced.is_stale(&state));
        }
    }

    #[test]
    fn a_refresh_warns_where_the_state_says_so_or_says_nothing() {
        for (setting, warns) in
            [(WARN.into(), true), (Value::Null, true), (ROTATE.into(), false), (IGNORE.into(), false)]
        {
            let setting = (ON_EXTERNAL_CHANGE, setting);
            assert_eq!(seen(&state(&[setting.clone(), (STALE, true.into())])).is_some(), warns);
            assert!(seen(&state(&[setting])).is_none());
        }
    }

    #[test]
    fn what_a_failed_create_has_left_is_no_stored_password() {
        assert!(seen(&state(&[(ROTATED_AT, Value::Null), (STALE, true.into())])).is_none());
    }

    #[test]
    fn every_warning_is_short_and_names_the_credential() {
        let state = state(&[(STALE, true.into())]);
        for warning in [seen(&state).unwrap(), rotation(&state)] {
            assert!(warning.summary.split(' ').count() <= 8, "{}", warning.summary);
            assert!(warning.detail.contains("`vendor/credential`"), "{}", warning.detail);
        }
    }
}
