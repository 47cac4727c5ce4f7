//! Times, in the forms that vendors write.

use jiff::{Timestamp, civil::DateTime, fmt::rfc2822, tz::TimeZone};

use crate::vendors::listing::Scalar;

/// Returns the time of an entry.
pub(super) fn moment(scalar: &Scalar) -> Option<Timestamp> {
    moment_in(scalar.text()?.raw())
}

/// Returns the time, from RFC 3339, or with a space for the `T`, or from RFC 2822. A time without a zone is in UTC.
pub(super) fn moment_in(text: &str) -> Option<Timestamp> {
    let in_mail = || rfc2822::parse(text).ok().map(|time| time.timestamp());
    let without_zone = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp());
    text.parse().ok().or_else(in_mail).or_else(without_zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Outside;

    #[test]
    fn a_time_is_read_in_the_forms_that_vendors_write() {
        for (text, expected) in [
            ("2023-10-06T23:47:56.678Z", Some("2023-10-06T23:47:56.678Z")),
            ("2023-10-06 23:47:56.678+00", Some("2023-10-06T23:47:56.678Z")),
            ("Mon, 11 Oct 2021 17:30:06 -0000", Some("2021-10-11T17:30:06Z")),
            ("2026-11-28 15:50:02", Some("2026-11-28T15:50:02Z")),
            ("soon", None),
        ] {
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(moment(&Scalar::Text(Outside::new(text))), expected, "{text}");
        }
    }
}
