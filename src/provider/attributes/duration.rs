//! Durations in Go's format, which Terraform users know.

use std::time::Duration;

use jiff::SignedDuration;

/// Parses a duration longer than zero such as `90s`, `1h30m` or `1.5s`, the format of Go's `time.ParseDuration`.
pub(in crate::provider) fn parse(text: &str) -> Option<Duration> {
    // The parser also accepts words, days and spaces. No other Terraform provider does.
    if !text.starts_with(|first: char| first.is_ascii_digit()) || text.contains(|c| !"0123456789.hmsuµn".contains(c)) {
        return None;
    }
    let duration: SignedDuration = text.parse().ok()?;
    Duration::try_from(duration).ok().filter(|duration| !duration.is_zero())
}

/// Validates an argument that must be a duration.
pub(in crate::provider) fn check(text: &str) -> Result<(), &'static str> {
    parse(text).map(drop).ok_or("must be a duration longer than zero, such as `90s`, `5m` or `1h30m`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        for (text, seconds) in
            [("90s", 90.0), ("5m", 300.0), ("1h30m", 5400.0), ("1.5s", 1.5), ("250ms", 0.25), ("10us", 1e-5)]
        {
            assert_eq!(parse(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in ["", "90", "0s", "-5s", "5 minutes", "1d", "PT5M", "s", "5m ago", "99999999999999999999h", "1mo"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
