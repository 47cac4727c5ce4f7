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
    /// Decides. `current` is the id of the current credential; `None` for a create, and empty if the state has none.
    /// `is_asked` is whether a change other than that of the list asks for a rotation, and `is_certain` whether that
    /// follows from known values only.
    pub(super) fn next(targets: &Targets, current: Option<&str>, is_asked: bool, is_certain: bool) -> Self {
        let current = match current {
            None => return Self::Reset(0),
            // Where it is not known which credential is in use, none may be reset.
            Some("") => return Self::Undecided,
            Some(current) => current,
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::value::Value;
    use crate::provider::attributes::configured::Configured;
    use crate::text::is_same_name;

    fn targets(users: [Option<&str>; 2]) -> Targets {
        let element = |user: Option<&str>| match user {
            Some(user) => Value::object([("user_name", user.into())]),
            None => Value::Unknown,
        };
        Targets::of(&Value::object([("hubspot", Value::List(users.map(element).to_vec()))]), Configured::default())
            .unwrap()
    }

    #[test]
    fn the_credential_in_use_is_reset_by_no_turn_but_a_create() {
        use Turn::{Reset, Stay, Undecided};
        let (a, b, c) = (Some("a"), Some("b"), Some("c"));
        for (row, users, current, is_asked, is_certain, expected) in [
            (1, [a, b], None, false, true, Reset(0)),
            (2, [None, None], None, false, true, Reset(0)),
            (3, [a, b], Some("hubspot/a"), false, true, Stay(0)),
            (4, [a, b], Some("hubspot/b"), false, true, Stay(1)),
            (5, [a, b], Some("hubspot/a"), true, true, Reset(1)),
            (6, [a, b], Some("hubspot/b"), true, true, Reset(0)),
            (7, [a, None], Some("hubspot/a"), false, true, Stay(0)),
            (8, [a, None], Some("hubspot/a"), true, true, Reset(1)),
            (9, [None, b], Some("hubspot/a"), false, true, Undecided),
            (10, [None, None], Some("hubspot/a"), true, true, Undecided),
            (11, [c, b], Some("hubspot/a"), false, true, Reset(0)),
            (12, [c, b], Some("hubspot/a"), true, true, Reset(0)),
            (13, [a, b], Some("hubspot/a"), true, false, Undecided),
            (14, [a, b], Some("hubspot/a"), false, false, Stay(0)),
            (17, [a, b], Some(""), true, true, Undecided),
            // Another spelling is the same credential.
            (15, [Some("A"), b], Some("hubspot/a"), true, true, Reset(1)),
            (16, [b, Some("A")], Some("hubspot/a"), true, true, Reset(0)),
        ] {
            let targets = targets(users);
            let turn = Turn::next(&targets, current, is_asked, is_certain);
            assert_eq!(turn, expected, "row {row}");
            if let (Reset(place), Some(current)) = (turn, current) {
                let reset = targets.element(place).map(Target::id);
                assert!(reset.is_none_or(|id| !is_same_name(&id, current)), "row {row}");
            }
        }
    }
}
