//! `rotate_after` and `rotation_due`: rotation by the age of the password.
//!
//! Only a refresh looks at the clock. It stores its finding as `rotation_due`, so a plan stays a pure function of the
//! configuration and the state.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::duration;
use crate::framework::{
    schema::{Attribute, Type},
    value::Value,
};

pub(in crate::provider) const ROTATE_AFTER: &str = "rotate_after";
pub(in crate::provider) const ROTATION_DUE: &str = "rotation_due";

/// The argument.
pub(in crate::provider) fn argument() -> Attribute {
    Attribute::optional(
        ROTATE_AFTER,
        Type::String,
        "How old the password may become, as whole days such as `90d` or a duration such as `36h`; at least `1h`. A \
         refresh that finds it older sets `rotation_due`, and the plan then rotates. Changing or removing \
         this rotates nothing; the next refresh decides.",
    )
    .validated_by(check)
}

/// The computed attribute.
pub(in crate::provider) fn computed() -> Attribute {
    Attribute::computed(
        ROTATION_DUE,
        Type::Bool,
        "Whether the last refresh found the password older than `rotate_after`. False until this provider has reset \
         it.",
    )
}

/// Returns whether the password of a state is due at `now`, as a refresh stores it. `rotated_at` is when this provider
/// last reset it; if it never has, the password's age is unknown.
pub(in crate::provider) fn is_due(state: &Value, rotated_at: Option<Timestamp>, now: Timestamp) -> bool {
    let allowed = state.get(ROTATE_AFTER).as_str().and_then(parse);
    let allowed = allowed.and_then(|allowed| SignedDuration::try_from(allowed).ok());
    rotated_at.zip(allowed).is_some_and(|(rotated_at, allowed)| now.duration_since(rotated_at) > allowed)
}

/// Returns whether a plan rotates because of age: if a refresh has found the password to be due, by the same
/// `rotate_after` that is configured now. An unknown one may turn out to be the same.
pub(in crate::provider) fn rotates(prior: &Value, planned: &Value) -> bool {
    let (before, now) = (prior.get(ROTATE_AFTER), planned.get(ROTATE_AFTER));
    *prior.get(ROTATION_DUE) == Value::Bool(true) && !before.is_null() && (now.is_unknown() || now == before)
}

/// Returns the planned `rotation_due`. `resets` is whether the apply resets the password, or may.
pub(in crate::provider) fn planned(prior: &Value, planned: &Value, resets: bool) -> Value {
    let is_changed = prior.get(ROTATE_AFTER) != planned.get(ROTATE_AFTER);
    // Without a change, what an earlier version stored is kept, so that nothing is planned.
    if resets || is_changed { false.into() } else { prior.get(ROTATION_DUE).clone() }
}

/// Parses whole days such as `90d`, or a duration in Go's format, of at least [`SHORTEST`].
fn parse(text: &str) -> Option<Duration> {
    let length = match text.strip_suffix('d') {
        Some(days) if days.bytes().all(|byte| byte.is_ascii_digit()) => {
            Duration::from_secs(days.parse::<u64>().ok()?.checked_mul(SECONDS_PER_DAY)?)
        }
        _ => duration::parse(text)?,
    };
    // A longer one could not be compared with an age.
    SignedDuration::try_from(length).ok()?;
    Some(length).filter(|length| *length >= SHORTEST)
}

fn check(text: &str) -> Result<(), &'static str> {
    parse(text).map(drop).ok_or("must be whole days such as `90d`, or a duration such as `36h`, of at least `1h`")
}

const SECONDS_PER_DAY: u64 = 86_400;

/// A shorter one would rotate with every other plan.
const SHORTEST: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use super::*;

    const ROTATED_AT: &str = "2026-01-01T00:00:00.000001Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn state(rotate_after: impl Into<Value>, due: impl Into<Value>) -> Value {
        Value::object([(ROTATE_AFTER, rotate_after.into()), (ROTATION_DUE, due.into())])
    }

    #[test]
    fn whole_days_and_durations_of_an_hour_or_more_are_accepted() {
        for (text, hours) in [
            ("1h", 1.0),
            ("60m", 1.0),
            ("90m", 1.5),
            ("1.5h", 1.5),
            ("3600s", 1.0),
            ("2160h", 2160.0),
            ("36h30m", 36.5),
            ("1d", 24.0),
            ("90d", 2160.0),
            ("007d", 168.0),
        ] {
            assert_eq!(parse(text), Some(Duration::from_secs_f64(hours * 3600.0)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "0",
            "90",
            "0s",
            "0d",
            "0h",
            "59m",
            "59m59.9s",
            "3599s",
            "1ms",
            "-90d",
            "-1h",
            "+90d",
            "1.5d",
            "0.5d",
            "d",
            "h",
            "1d12h",
            "12h1d",
            "90 d",
            " 90d",
            "90d ",
            "90days",
            "90D",
            "1w",
            "1mo",
            "1y",
            "P90D",
            "soon",
            "٩d",
            "1e3d",
            "1_000d",
            "99999999999999999999d",
            "18446744073709551615d",
            "213503982334602d",
            "99999999999999999999h",
            "9223372036854775807h",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_password_is_due_once_it_is_older() {
        let rotated_at = Some(at(ROTATED_AT));
        for (after, rotated_at, now, expected) in [
            ("1d".into(), rotated_at, "2026-01-01T00:00:00Z", false),
            ("1d".into(), rotated_at, "2026-01-02T00:00:00.000001Z", false),
            ("1d".into(), rotated_at, "2026-01-02T00:00:00.000002Z", true),
            ("24h".into(), rotated_at, "2026-01-02T00:00:00.000002Z", true),
            ("1d".into(), rotated_at, "2025-01-01T00:00:00Z", false),
            ("1d".into(), None, "2026-06-01T00:00:00Z", false),
            (Value::Null, rotated_at, "2026-06-01T00:00:00Z", false),
            ("soon".into(), rotated_at, "2026-06-01T00:00:00Z", false),
            ("106751991167300d".into(), rotated_at, "9999-12-30T22:00:00Z", false),
        ] {
            assert_eq!(is_due(&state(after.clone(), false), rotated_at, at(now)), expected, "{after:?} at {now}");
        }
        assert!(is_due(&state("1h", false), Some(Timestamp::MIN), Timestamp::MAX));
    }

    #[test]
    fn only_what_a_refresh_found_due_by_the_same_argument_rotates() {
        let config = |after: Value| Value::object([(ROTATE_AFTER, after)]);
        // prior, configured, whether it rotates, and what is planned without another reset
        for (row, prior, after, rotates_now, due) in [
            (1, state("90d", true), "90d".into(), true, Value::Bool(true)),
            (2, state("90d", true), Value::Unknown, true, false.into()),
            (3, state("90d", true), "30d".into(), false, false.into()),
            (4, state("90d", true), Value::Null, false, false.into()),
            (5, state("90d", false), "90d".into(), false, false.into()),
            (6, state("90d", false), Value::Unknown, false, false.into()),
            (7, state("90d", false), "30d".into(), false, false.into()),
            (8, state(Value::Null, false), "30d".into(), false, false.into()),
            (9, state(Value::Null, Value::Null), Value::Null, false, Value::Null),
            (10, state(Value::Null, Value::Null), "30d".into(), false, false.into()),
            (11, state(Value::Null, true), Value::Null, false, true.into()),
            (12, Value::Null, "90d".into(), false, false.into()),
        ] {
            let config = config(after);
            assert_eq!(rotates(&prior, &config), rotates_now, "row {row}");
            assert_eq!(planned(&prior, &config, false), due, "row {row}");
            assert_eq!(planned(&prior, &config, true), Value::Bool(false), "row {row}");
        }
    }
}
