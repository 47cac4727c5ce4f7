//! Detects whether the password in a state still works.

use std::cmp::Ordering;

use super::live_credentials::StoredCredential;
use crate::text;

/// What a refresh found about the password of this provider's last reset. Of two findings the greater one wins.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Drift {
    /// Nothing. What was known before still holds.
    #[default]
    Unknown,
    /// The password still works.
    Absent,
    /// The password was replaced.
    Confirmed,
}

impl Drift {
    /// Compares the credential's last change, as the vendor reports it now, with this provider's own reset.
    ///
    /// Without a reset by this provider, as after an import, no stored password could be stale. A change earlier than
    /// the reset proves nothing, since a vendor may report changes late.
    pub(crate) fn of_version(
        stored: &StoredCredential,
        reported: Option<&str>,
        compare: impl FnOnce(&str, &str) -> Option<Ordering>,
    ) -> Self {
        let (Some(_), Some(own), Some(reported)) = (stored.rotated_at, &stored.credential.version, reported) else {
            return Self::Unknown;
        };
        match compare(&text::composed(reported.to_owned()), own) {
            Some(Ordering::Greater) => Self::Confirmed,
            Some(Ordering::Equal) => Self::Absent,
            Some(Ordering::Less) | None => Self::Unknown,
        }
    }

    /// Returns whether the password is stale after this finding.
    pub(crate) fn is_stale(self, was_stale: bool) -> bool {
        match self {
            Self::Absent => false,
            Self::Confirmed => true,
            Self::Unknown => was_stale,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::vendors::PriorCredential;

    fn drift(version: Option<&str>, is_rotated: bool, reported: Option<&str>) -> Drift {
        let number = |text: &str| text.parse::<u32>().ok();
        let stored = StoredCredential {
            credential: PriorCredential { version: version.map(str::to_owned), ..PriorCredential::default() },
            rotated_at: is_rotated.then_some(Timestamp::UNIX_EPOCH),
        };
        Drift::of_version(&stored, reported, |one, other| Some(number(one)?.cmp(&number(other)?)))
    }

    #[test]
    fn only_a_later_change_than_our_own_reset_makes_a_password_stale() {
        for (version, is_rotated, reported, expected) in [
            (Some("5"), true, Some("6"), Drift::Confirmed),
            (Some("5"), true, Some("5"), Drift::Absent),
            (Some("5"), true, Some("4"), Drift::Unknown),
            (Some("5"), true, Some("soon"), Drift::Unknown),
            (Some("5"), true, None, Drift::Unknown),
            (None, true, Some("6"), Drift::Unknown),
            (Some("5"), false, Some("6"), Drift::Unknown),
        ] {
            assert_eq!(drift(version, is_rotated, reported), expected, "{version:?} {is_rotated} {reported:?}");
        }
    }

    #[test]
    fn unknown_drift_leaves_what_was_known() {
        for was_stale in [false, true] {
            assert_eq!(Drift::Unknown.is_stale(was_stale), was_stale);
            assert!(!Drift::Absent.is_stale(was_stale) && Drift::Confirmed.is_stale(was_stale));
        }
    }
}
