//! The headers in which a vendor says when to retry.

use std::time::{Duration, SystemTime};

use http::header::{HeaderMap, RETRY_AFTER};

/// Returns how long `Retry-After` asks to wait, in seconds or as an HTTP date (RFC 9110, section 10.2.3). `None` if
/// there is no valid header. Of several values the longest is used.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    longest(headers, RETRY_AFTER.as_str(), |text| seconds_or_date(text, now))
}

/// Returns the time to the next window of a rate limit. `RateLimit-Reset` is in seconds
/// (draft-ietf-httpapi-ratelimit-headers, up to the sixth). `X-RateLimit-Reset`, which no standard defines, is in
/// seconds or a Unix time. Both may come with any response.
pub(super) fn next_window(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let names = ["ratelimit-reset", "x-ratelimit-reset"];
    names.into_iter().filter_map(|name| longest(headers, name, |text| seconds_or_unix_time(text, now))).max()
}

fn longest(headers: &HeaderMap, name: &str, parse: impl Fn(&str) -> Option<Duration>) -> Option<Duration> {
    headers.get_all(name).iter().filter_map(|value| parse(value.to_str().ok()?.trim())).max()
}

fn seconds_or_date(text: &str, now: SystemTime) -> Option<Duration> {
    seconds(text).or_else(|| Some(until(httpdate::parse_http_date(text).ok()?, now)))
}

fn seconds_or_unix_time(text: &str, now: SystemTime) -> Option<Duration> {
    let seconds = seconds(text)?;
    if seconds < EARLIEST_UNIX_TIME {
        return Some(seconds);
    }
    Some(SystemTime::UNIX_EPOCH.checked_add(seconds).map_or(Duration::MAX, |time| until(time, now)))
}

/// Parses a number of digits only. A number that is too large becomes a very long time.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let digits_only = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits_only.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
}

fn until(time: SystemTime, now: SystemTime) -> Duration {
    time.duration_since(now).unwrap_or_default()
}

/// September 2001. Smaller numbers are seconds to wait, since no vendor asks to wait for thirty years.
const EARLIEST_UNIX_TIME: Duration = Duration::from_secs(1_000_000_000);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-20 12:00:00 UTC, in Unix time.
    const NOW: u64 = 1_795_176_000;

    fn wait(name: &'static str, values: &[&str]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, value.parse().unwrap());
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
        retry_after(&headers, now).or_else(|| next_window(&headers, now)).map(|wait| wait.as_secs())
    }

    #[test]
    fn the_header_is_seconds_or_a_date() {
        for (value, expected) in [
            ("0", Some(0)),
            ("1", Some(1)),
            (" 7 ", Some(7)),
            ("99999", Some(99_999)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Fri, 20 Nov 2026 12:00:30 GMT", Some(30)),
            ("Friday, 20-Nov-26 12:00:30 GMT", Some(30)),
            ("Fri, 20 Nov 2026 11:59:00 GMT", Some(0)),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("", None),
            ("soon", None),
            ("Fri, 99 Nov 2026 12:00:30 GMT", None),
        ] {
            assert_eq!(wait("retry-after", &[value]), expected, "{value:?}");
        }
    }

    #[test]
    fn of_two_headers_the_longer_wait_counts() {
        assert_eq!(wait("retry-after", &["1", "5"]), Some(5));
        assert_eq!(wait("retry-after", &["5", "garbage"]), Some(5));
    }

    #[test]
    fn the_reset_of_the_window_is_seconds_or_unix_time() {
        assert_eq!(wait("x-ratelimit-reset", &["12"]), Some(12));
        assert_eq!(wait("x-ratelimit-reset", &["1795176042"]), Some(42));
        assert_eq!(wait("x-ratelimit-reset", &["1795175000"]), Some(0));
        assert_eq!(wait("x-ratelimit-reset", &["99999999999999999999999"]), Some(u64::MAX));
        assert_eq!(wait("x-ratelimit-reset", &["tomorrow"]), None);
    }

    proptest! {
        #[test]
        fn no_header_is_too_odd(value in "[ -~]{0,40}") {
            let _ = (wait("retry-after", &[&value]), wait("x-ratelimit-reset", &[&value]));
        }

        #[test]
        fn seconds_are_taken_as_they_are(seconds in 0..u64::MAX) {
            prop_assert_eq!(wait("retry-after", &[&seconds.to_string()]), Some(seconds));
        }
    }
}
