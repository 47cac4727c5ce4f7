//! The rate limit in a vendor's response headers.

use std::time::{Duration, SystemTime};

use http::HeaderMap;

use super::super::retry_after::{next_window, seconds};

/// The remaining quota of a vendor's rate limit.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::http) struct Quota {
    /// How many more requests the vendor accepts.
    pub(in crate::http) remaining: Option<u64>,
    /// The time until it accepts more.
    pub(in crate::http) reset: Option<Duration>,
    /// The window of the rate limit.
    pub(in crate::http) window: Option<Duration>,
}

impl Quota {
    /// Reads the headers of a response:
    ///
    /// - `X-HubSpot-RateLimit-Remaining` and `-Interval-Milliseconds`
    ///   (<https://developers.hubspot.com/docs/api/usage-details>). Those of the daily limit do not say when to ask
    ///   again, and a limit of a second is not worth a wait.
    /// - `RateLimit-Remaining` and `RateLimit-Reset`, `RateLimit` and `RateLimit-Policy`
    ///   (draft-ietf-httpapi-ratelimit-headers, in the forms of the third, the seventh and the tenth).
    /// - `X-RateLimit-Remaining` and `X-RateLimit-Reset`, which no standard defines.
    ///
    /// Of several remaining counts the smallest is used. Invalid values are ignored.
    pub(in crate::http) fn read(headers: &HeaderMap, now: SystemTime) -> Self {
        let texts = |name: &'static str| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let counts = REMAINING.into_iter().flat_map(texts).filter_map(|text| seconds(text.trim())).map(|n| n.as_secs());
        let policy = texts("ratelimit").flat_map(members).min_by_key(|member| member.remaining);
        let (remaining, reset) = policy.map_or((None, None), |member| (Some(member.remaining), member.reset));

        let interval = texts("x-hubspot-ratelimit-interval-milliseconds").filter_map(|text| seconds(text.trim()));
        let interval = interval.map(|number| Duration::from_millis(number.as_secs()));
        let mut windows = texts("ratelimit-policy").flat_map(|text| text.split(',')).map(|text| number(text, &["w"]));
        // With several policies it is unknown which one the other values belong to.
        let window = windows.next().flatten().filter(|_| windows.next().is_none()).map(Duration::from_secs);
        Self {
            remaining: counts.chain(remaining).min(),
            reset: reset.or_else(|| next_window(headers, now)),
            window: interval.chain(window).max().filter(|window| !window.is_zero() && *window <= LONGEST_WINDOW),
        }
    }
}

/// One policy in `RateLimit`.
struct Member {
    remaining: u64,
    reset: Option<Duration>,
}

/// Parses `"name";r=50;t=30, …` or `limit=100, remaining=50, reset=30`.
fn members(text: &str) -> Vec<Member> {
    let whole = number(text, &["remaining"]).map(|_| text);
    let parts: Vec<_> = whole.map_or_else(|| text.split(',').collect(), |text| vec![text]);
    let member = |part: &&str| {
        let remaining = number(part, &["r", "remaining"])?;
        Some(Member { remaining, reset: number(part, &["t", "reset"]).map(Duration::from_secs) })
    };
    parts.iter().filter_map(member).collect()
}

/// Returns the integer with one of these names.
fn number(text: &str, names: &[&str]) -> Option<u64> {
    text.split([',', ';']).find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        names.contains(&name.trim()).then(|| seconds(value.trim()))?.map(|number| number.as_secs())
    })
}

const REMAINING: [&str; 3] = ["x-hubspot-ratelimit-remaining", "ratelimit-remaining", "x-ratelimit-remaining"];

/// Longer windows are ignored, since no operation can wait for them.
const LONGEST_WINDOW: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(lines: &[(&'static str, &str)]) -> (Option<u64>, Option<u64>, Option<u64>) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_176_000);
        let quota = Quota::read(&headers, now);
        (quota.remaining, quota.reset.map(|wait| wait.as_secs()), quota.window.map(|wait| wait.as_secs()))
    }

    #[test]
    fn every_vendors_headers_are_read() {
        // HubSpot's, as recorded; the daily limit and the secondly one are no help.
        let hubspot = [
            ("x-hubspot-ratelimit-daily", "250000"),
            ("x-hubspot-ratelimit-daily-remaining", "0"),
            ("x-hubspot-ratelimit-interval-milliseconds", "10000"),
            ("x-hubspot-ratelimit-max", "100"),
            ("x-hubspot-ratelimit-remaining", "42"),
            ("x-hubspot-ratelimit-secondly", "10"),
            ("x-hubspot-ratelimit-secondly-remaining", "0"),
        ];
        assert_eq!(read(&hubspot), (Some(42), None, Some(10)));
        // draft-ietf-httpapi-ratelimit-headers, the third, the seventh and the tenth.
        let third = [("ratelimit-remaining", "7"), ("ratelimit-reset", "9"), ("ratelimit-policy", "100;w=60")];
        assert_eq!(read(&third), (Some(7), Some(9), Some(60)));
        assert_eq!(read(&[("ratelimit", "limit=100, remaining=50, reset=5")]), (Some(50), Some(5), None));
        let tenth = [
            ("ratelimit", r#""day";r=5000;t=3600, "burst";r=3;t=8"#),
            ("ratelimit-policy", r#""day";q=9999;w=86400, "burst";q=100;w=10"#),
        ];
        assert_eq!(read(&tenth), (Some(3), Some(8), None));
        let customary =
            [("x-ratelimit-limit", "60"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1795176042")];
        assert_eq!(read(&customary), (Some(0), Some(42), None));
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        for text in ["", "-1", "many", "1.5", "r=", "w=x", ";;==,,"] {
            for name in ["ratelimit", "ratelimit-policy", "ratelimit-remaining", "x-hubspot-ratelimit-remaining"] {
                assert_eq!(read(&[(name, text)]), (None, None, None), "{name}: {text}");
            }
        }
        for text in ["0", "86400000", "99999999999999999999999"] {
            assert_eq!(read(&[("x-hubspot-ratelimit-interval-milliseconds", text)]), (None, None, None), "{text}");
        }
        assert_eq!(read(&[("x-ratelimit-remaining", "5"), ("x-ratelimit-remaining", "3")]).0, Some(3));
    }

    proptest! {
        #[test]
        fn no_header_is_too_odd(value in "[ -~]{0,60}") {
            for name in REMAINING.into_iter().chain(["ratelimit", "ratelimit-policy", "ratelimit-reset"]) {
                let _ = read(&[(name, &value)]);
            }
        }
    }
}
