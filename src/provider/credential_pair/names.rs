//! The attribute names that only a pair has.

/// The id of the credential whose password is in the state.
pub(super) const CURRENT: &str = "current";
/// The id of the credential that was current before and still works.
pub(super) const PREVIOUS: &str = "previous";
