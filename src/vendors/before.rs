//! What is known of a credential before a reset, to compare with afterwards.

use std::cmp::Ordering;

use super::report::{Found, PriorCredential};

/// What is known of a credential before a reset.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Before {
    /// The credential in the state, from an earlier reset by this provider.
    pub prior: PriorCredential,
    /// What the check before the reset found. It may be outdated.
    pub found: Found,
}

impl Before {
    /// Returns whether a version is later than all known ones; `None` if it is comparable with none of them.
    pub fn is_exceeded_by(&self, version: &str, compare: impl Fn(&str, &str) -> Option<Ordering>) -> Option<bool> {
        let found = self.found.versions.iter().chain(&self.found.version).map(|name| &**name);
        let known = found.chain(self.prior.version.as_deref()).filter_map(|known| compare(version, known));
        known.map(Ordering::is_gt).reduce(|one, other| one && other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Name;

    fn before(prior: Option<&str>, version: Option<&str>, versions: &[&str]) -> Before {
        let found = Found {
            version: version.and_then(Name::new),
            versions: versions.iter().filter_map(|text| Name::new(text)).collect(),
            ..Found::default()
        };
        Before { prior: PriorCredential { version: prior.map(str::to_owned), ..PriorCredential::default() }, found }
    }

    #[test]
    fn a_version_is_later_only_where_nothing_known_is_as_late() {
        let compare = |one: &str, other: &str| {
            let number = |text: &str| text.parse::<u32>().ok();
            Some(number(one)?.cmp(&number(other)?))
        };
        for (known, expected) in [
            (before(None, None, &[]), None),
            (before(Some("soon"), None, &[]), None),
            (before(Some("4"), None, &[]), Some(true)),
            (before(Some("5"), None, &[]), Some(false)),
            (before(Some("6"), None, &[]), Some(false)),
            // A check that lags behind the state.
            (before(Some("5"), Some("4"), &["4"]), Some(false)),
            // A state that lags behind the check.
            (before(Some("4"), Some("5"), &["5"]), Some(false)),
            (before(Some("4"), Some("soon"), &["soon", "3"]), Some(true)),
            (before(None, Some("soon"), &["soon", "5"]), Some(false)),
        ] {
            assert_eq!(known.is_exceeded_by("5", compare), expected, "{known:?}");
        }
    }
}
