//! Decides which of the two credentials is current after an apply.

use crate::{
    provider::credential_pair::targets::{self, Targets},
    vendors::Target,
};

/// What an apply does with the pair. The numbers are places in the list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Turn {
    /// Nothing is reset; the current credential is at this place.
    Stay(usize),
    /// The credential at this place is reset and becomes the current one.
    Reset(usize),
    /// What is reset, if anything, depends on a value that is not known yet.
    Undecided,
}

impl Turn {
    /// Decides. `current` is the id of the current credential; `None` for a create. `is_asked` is whether a change other
    /// than that of the list asks for a rotation, and `is_certain` whether that follows from known values only.
    pub(super) fn next(targets: &Targets, current: Option<&str>, is_asked: bool, is_certain: bool) -> Self {
        let Some(current) = current else { return Self::Reset(0) };
        match targets.position(current) {
            Some(_) if is_asked && !is_certain => Self::Undecided,
            Some(place) if is_asked => Self::Reset(targets::other(place)),
            Some(place) => Self::Stay(place),
            // An element that is not known yet may turn out to be the current one.
            None if targets.is_known() => Self::Reset(0),
            None => Self::Undecided,
        }
    }

    /// Returns the credential that is current after the apply; `None` if that is not known yet.
    pub(super) fn target(self, targets: &Targets) -> Option<&Target> {
        match self {
            Self::Stay(place) | Self::Reset(place) => targets.element(place),
            Self::Undecided => None,
        }
    }
}
