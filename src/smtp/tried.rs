//! Tracks which mechanisms were tried, and decides which to try next.

use super::{Failure, FailureKind, login::Mechanism};

/// How many mechanisms one login tries. Each rejected mechanism is a rejected login, and servers lock out clients after
/// too many.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Extent {
    /// Every mechanism, until one accepts the password.
    Every,
    /// One mechanism. Several logins try the mechanisms in turn.
    One,
}

/// The results of the logins with one password at one server.
#[derive(Clone, Debug)]
pub struct Tried {
    /// How many logins may be rejected.
    most: usize,
    /// How many were rejected.
    refused: usize,
    /// How many mechanisms were offered.
    offered: usize,
    /// The mechanisms that were rejected regardless of the password.
    unusable: Vec<Mechanism>,
    /// The mechanism that checked the password last.
    last: Option<Mechanism>,
    /// The mechanism that has worked at this server.
    works: Option<Mechanism>,
}

impl Default for Tried {
    fn default() -> Self {
        Self::at_most(usize::MAX)
    }
}

impl Tried {
    /// Starts without results. At most `most` logins may be rejected.
    pub fn at_most(most: usize) -> Self {
        Self { most, refused: 0, offered: 1, unusable: Vec::new(), last: None, works: None }
    }

    /// Creates the state after `refused` rejections by a server that offers `offered` mechanisms.
    #[cfg(test)]
    pub(crate) fn after(most: usize, refused: usize, offered: usize) -> Self {
        Self { refused, offered, ..Self::at_most(most) }
    }

    /// Sets the mechanism that has worked at this server before.
    #[must_use]
    pub fn preferring(self, works: Option<Mechanism>) -> Self {
        Self { works, ..self }
    }

    /// Returns the mechanism that has worked.
    pub fn works(&self) -> Option<Mechanism> {
        self.works
    }

    /// Returns how many logins were rejected.
    pub fn refused(&self) -> usize {
        self.refused
    }

    /// Returns how many more logins may be rejected.
    pub fn left(&self) -> usize {
        self.most.saturating_sub(self.refused)
    }

    /// Returns how many rejections it can cost to try every usable mechanism once more.
    pub fn usable(&self) -> usize {
        match self.offered.saturating_sub(self.unusable.len()) {
            0 => self.offered,
            usable => usable,
        }
    }

    /// Returns the mechanisms to try, in order.
    pub(super) fn next(&mut self, offered: &[Mechanism], extent: Extent) -> Vec<Mechanism> {
        self.unusable.retain(|mechanism| offered.contains(mechanism));
        self.offered = offered.len();
        // If all mechanisms were rejected, try them again: the server may have been reconfigured.
        if self.unusable.len() == offered.len() {
            self.unusable.clear();
        }
        let is_usable = |mechanism: &Mechanism| !self.unusable.contains(mechanism);
        let mut next: Vec<_> = offered.iter().copied().filter(is_usable).collect();
        // The mechanism that worked for another password comes first.
        next.sort_by_key(|mechanism| Some(*mechanism) != self.works);
        if let (Extent::One, Some(last)) = (extent, self.last)
            && let Some(at) = next.iter().position(|mechanism| *mechanism == last)
        {
            next.rotate_left(at);
            next.rotate_left(1);
        }
        next
    }

    /// Records a login that worked.
    pub(super) fn worked(&mut self, mechanism: Mechanism) {
        self.works = Some(mechanism);
    }

    /// Records a rejection, and returns whether to try the next mechanism now.
    pub(super) fn note(&mut self, mechanism: Mechanism, failure: &Failure, extent: Extent) -> bool {
        self.refused += 1;
        let goes_on = if failure.kind == FailureKind::Refused {
            self.last = Some(mechanism);
            extent == Extent::Every
        } else {
            self.unusable.retain(|known| *known != mechanism);
            self.unusable.push(mechanism);
            true
        };
        goes_on && self.left() > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

    fn refusal(kind: FailureKind) -> Failure {
        Failure::new(kind, "a test")
    }

    #[test]
    fn mechanisms_that_refuse_the_password_take_turns() {
        let mut tried = Tried::default();
        for mechanism in [Mechanism::Plain, Mechanism::Login, Mechanism::Plain] {
            assert_eq!(tried.next(&BOTH, Extent::One)[0], mechanism);
            assert!(!tried.note(mechanism, &refusal(FailureKind::Refused), Extent::One));
        }
        assert_eq!(tried.next(&BOTH, Extent::Every), BOTH);
        assert!(tried.note(Mechanism::Plain, &refusal(FailureKind::Refused), Extent::Every));
        assert_eq!((tried.refused(), tried.usable()), (4, 2));
    }

    #[test]
    fn the_one_that_has_worked_comes_first() {
        let mut tried = Tried::default();
        tried.worked(Mechanism::Login);
        let mut next = Tried::at_most(4).preferring(tried.works());
        assert_eq!(next.next(&BOTH, Extent::Every), [Mechanism::Login, Mechanism::Plain]);
        next.note(Mechanism::Login, &refusal(FailureKind::Refused), Extent::One);
        assert_eq!(next.next(&BOTH, Extent::One)[0], Mechanism::Plain);
    }

    #[test]
    fn no_more_are_refused_than_may_be() {
        let mut tried = Tried::at_most(2);
        tried.next(&BOTH, Extent::Every);
        assert!(tried.note(Mechanism::Plain, &refusal(FailureKind::Refused), Extent::Every));
        assert!(!tried.note(Mechanism::Login, &refusal(FailureKind::Refused), Extent::Every));
        assert_eq!(tried.left(), 0);
    }

    #[test]
    fn one_that_is_refused_itself_is_not_tried_again_unless_all_are() {
        let mut tried = Tried::default();
        tried.next(&BOTH, Extent::One);
        for extent in [Extent::One, Extent::Every] {
            assert!(
                tried.note(Mechanism::Plain, &refusal(FailureKind::Mechanism), extent),
                "the other follows at once"
            );
            assert_eq!(tried.next(&BOTH, extent), [Mechanism::Login]);
            assert_eq!(tried.usable(), 1);
        }
        tried.note(Mechanism::Login, &refusal(FailureKind::Denied), Extent::One);
        assert_eq!(tried.usable(), 2);
        assert_eq!(tried.next(&BOTH, Extent::One), BOTH);
    }
}
