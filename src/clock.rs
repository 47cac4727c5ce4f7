//! The system's time, limited to years that can be represented.

use std::time::SystemTime;

use jiff::Timestamp;

/// Returns the current time, never before 1970 and never after the year 9999.
///
/// A time outside this range is replaced by its nearest end. `Timestamp::now` would panic, possibly while this process
/// has the only copy of a password, and RFC 3339 cannot represent such a year.
pub(crate) fn now() -> Timestamp {
    clamped(SystemTime::now())
}

fn clamped(time: SystemTime) -> Timestamp {
    let out_of_range = if time < SystemTime::UNIX_EPOCH { Timestamp::UNIX_EPOCH } else { Timestamp::MAX };
    Timestamp::try_from(time).unwrap_or(out_of_range).max(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const YEAR_10_000: u64 = 253_402_300_800;

    #[test]
    fn a_clock_beyond_the_year_9999_gives_the_end_of_it() {
        for seconds in [YEAR_10_000, YEAR_10_000 * 2, i64::MAX as u64] {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(clamped(time), Timestamp::MAX);
            assert_eq!(format!("{:.6}", clamped(time)), "9999-12-30T22:00:00.999999Z");
        }
    }

    #[test]
    fn a_clock_before_1970_gives_1970() {
        for seconds in [1, YEAR_10_000, i64::MAX as u64] {
            let time = SystemTime::UNIX_EPOCH - Duration::from_secs(seconds);
            assert_eq!(format!("{:.6}", clamped(time)), "1970-01-01T00:00:00.000000Z");
        }
    }

    proptest! {
        #[test]
        fn any_time_is_written_with_a_year_of_four_digits(seconds in any::<i64>(), nanoseconds in 0..1_000_000_000_u32) {
            let distance = Duration::new(seconds.unsigned_abs(), nanoseconds);
            let time = if seconds < 0 {
                SystemTime::UNIX_EPOCH.checked_sub(distance)
            } else {
                SystemTime::UNIX_EPOCH.checked_add(distance)
            };
            let written = format!("{:.6}", time.map_or_else(now, clamped));
            prop_assert_eq!(written.len(), "2006-01-02T15:04:05.000000Z".len());
            prop_assert!(written.as_str() >= "1970" && written.ends_with('Z'), "{written}");
        }
    }
}
