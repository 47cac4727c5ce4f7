//! What the logins so far have shown of a server's mechanisms, and which are to be tried next.

use super::{Failure, FailureKind, login::Mechanism};

/// How much one login is to find out. Each mechanism that is refused is a refused login, and servers lock out clients for too many.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Extent {
    /// Whether the password is taken by any mechanism: a refusal by one of them is none by the next.
    Every,
    /// Whether one more mechanism takes the password. Several logins take the mechanisms in turn.
    One,
}

/// What logins with one password at one server have shown so far.
#[derive(Clone, Debug)]
pub struct Tried {
    /// How many logins may be refused.
    most: usize,
    /// How many were.
    refused: usize,
    /// How many mechanisms were offered.
    offered: usize,
    /// Those that were refused as such.
    unusable: Vec<Mechanism>,
    /// The one that judged the password last.
    last: Option<Mechanism>,
    /// The one that has worked at this server.
    works: Option<Mechanism>,
}

impl Default for Tried {
    fn default() -> Self {
        Self::at_most(usize::MAX)
    }
}

impl Tried {
    /// Nothing so far, and at most so many refused logins from here on.
    pub fn at_most(most: usize) -> Self {
        Self { most, refused: 0, offered: 1, unusable: Vec::new(), last: None, works: None }
    }

    /// What so many refusals by a server that offers so many mechanisms leave.
    #[cfg(test)]
    pub(crate) fn after(most: usize, refused: usize, offered: usize) -> Self {
        Self { refused, offered, ..Self::at_most(most) }
    }

    /// The same, at a server at which one mechanism has worked before.
    #[must_use]
    pub fn preferring(self, works: Option<Mechanism>) -> Self {
        Self { works, ..self }
    }

    /// The mechanism that has worked.
    pub fn works(&self) -> Option<Mechanism> {
        self.works
    }

    /// How many logins were refused.
    pub fn refused(&self) -> usize {
        self.refused
    }

    /// How many more can be refused.
    pub fn left(&self) -> usize {
        self.most.saturating_sub(self.refused)
    }

    /// How many will be if every mechanism is tried once more and refused.
    pub fn usable(&self) -> usize {
        match self.offered.saturating_sub(self.unusable.len()) {
            0 => self.offered,
            usable => usable,
        }
    }

    /// What to try of what is offered, in this order.
    pub(super) fn next(&mut self, offered: &[Mechanism], extent: Extent) -> Vec<Mechanism> {
        self.unusable.retain(|mechanism| offered.contains(mechanism));
        self.offered = offered.len();
        // What was refused may be offered in earnest by now, where there is nothing else to try.
        if self.unusable.len() == offered.len() {
            self.unusable.clear();
        }
        let is_usable = |mechanism: &Mechanism| !self.unusable.contains(mechanism);
        let mut next: Vec<_> = offered.iter().copied().filter(is_usable).collect();
        // Another password may have shown which of them works.
        next.sort_by_key(|mechanism| Some(*mechanism) != self.works);
        if let (Extent::One, Some(last)) = (extent, self.last)
            && let Some(at) = next.iter().position(|mechanism| *mechanism == last)
        {
            next.rotate_left(at);
            next.rotate_left(1);
        }
        next
    }

    /// Notes a login that worked.
    pub(super) fn worked(&mut self, mechanism: Mechanism) {
        self.works = Some(mechanism);
    }

    /// Notes a refusal, and tells whether the next mechanism is to be tried now.
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
