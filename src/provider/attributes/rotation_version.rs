//! `rotation_version`: a number that grows with every reset, so other resources can depend on it.

use jiff::Timestamp;

use crate::framework::value::{Number, Value};

/// The version while this provider has not reset the password yet.
const NEVER: i64 = 0;

/// Returns the version of a reset at `now`: seconds since 1970, and always greater than the previous version.
pub(in crate::provider) fn after(now: Timestamp, before: &Value) -> Number {
    let before = before.as_number().and_then(Number::as_i64).unwrap_or(NEVER);
    Number::from(now.as_second().max(before.saturating_add(1)))
}

/// Derives the version from the time of the last reset, for a state without a version.
pub(in crate::provider) fn of(rotated_at: Option<Timestamp>) -> Number {
    Number::from(rotated_at.map_or(NEVER, Timestamp::as_second))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_version_is_the_time_in_seconds_and_greater_than_the_one_before() {
        for (now, before, expected) in [
            ("1970-01-01T00:00:10.999999Z", Value::Null, 10),
            ("1970-01-01T00:00:10Z", Number::from(0).into(), 10),
            ("1970-01-01T00:00:10Z", Number::from(9).into(), 10),
            ("1970-01-01T00:00:10Z", Number::from(10).into(), 11),
            ("1970-01-01T00:00:10Z", Number::from(11).into(), 12),
            ("1970-01-01T00:00:10Z", Number::from(4000).into(), 4001),
            ("1970-01-01T00:00:00Z", Value::Null, 1),
            ("1931-01-01T00:00:00Z", Number::from(0).into(), 1),
        ] {
            assert_eq!(after(at(now), &before), Number::from(expected), "{now}");
        }
        let last = Timestamp::MAX.as_second();
        assert_eq!(after(Timestamp::MAX, &Number::from(last).into()), Number::from(last + 1));
        assert_eq!(after(Timestamp::MAX, &Number::from(i64::MAX).into()), Number::from(i64::MAX));
    }

    #[test]
    fn a_state_without_one_has_the_version_of_its_last_reset() {
        assert_eq!(of(None), Number::from(NEVER));
        assert_eq!(of(Some(at("2026-11-20T20:42:52.679243Z"))), Number::from(1_795_207_372));
    }
}
