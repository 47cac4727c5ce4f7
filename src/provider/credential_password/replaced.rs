//! What a process has deleted as the first halves of replacements, until the second halves are over.
//!
//! Core does not tell a create what it replaces; all that both halves know is the id of the second. Where two resources have
//! the same id, nobody can tell whose predecessor is whose. So nothing of theirs is retired before all their creates have
//! worked: a create that fails after them still finds its old credential alive.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{aftermath::Known, rotate::Predecessor, verification::Verified};
use crate::{
    framework::diagnostic::Diagnostic,
    http::Outcome,
    provider::{diagnose, target::Target},
};

/// The replacements that a process carries out, by the id of their second halves.
#[derive(Debug, Default)]
pub(super) struct Replaced(Mutex<Replacements>);

/// What the first half of a replacement leaves to the second.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// What is to be retired.
    pub(super) predecessor: Option<Predecessor>,
    /// What the state knew of the same credential.
    pub(super) known: Known,
    /// Whether what the second half resets was known. Otherwise it is taken for the same, which it need not be.
    pub(super) is_named: bool,
    /// How many rotations in a row for a stale password the second half completes; 0 where it is for something else.
    pub(super) healed: u32,
}

/// What follows from a create that worked.
#[derive(Debug)]
pub(super) struct Created {
    /// Whether all that takes the place of what is to be retired has logged in.
    pub(super) verified: Verified,
    /// What is to be retired now.
    pub(super) retired: Vec<Predecessor>,
    /// What is retired only if a create still comes that may be of another id.
    pub(super) waiting: Vec<Predecessor>,
}

#[derive(Debug, Default)]
struct Replacements {
    under_way: BTreeMap<String, Halves>,
    /// The ids for which a password was made that did not log in.
    unproven: BTreeSet<String>,
}

/// Replacements of the same id.
#[derive(Debug, Default)]
struct Halves {
    first: Vec<Half>,
    created: usize,
    failed: usize,
}

impl Replaced {
    /// Notes the first half of a replacement.
    pub(super) fn deleted(&self, id: String, half: Half) {
        self.lock().under_way.entry(id).or_default().first.push(half);
    }

    /// What was known of the credential that a create resets; nothing where it might be another's.
    pub(super) fn known(&self, id: &str) -> Known {
        match self.lock().under_way.get(id).map(|halves| &*halves.first) {
            Some([half]) => half.known.clone(),
            _ => Known::default(),
        }
    }

    /// How many rotations in a row for a stale password a create completes. Core tells a create nothing of what it replaces.
    pub(super) fn healed(&self, id: &str) -> u32 {
        self.lock()
            .under_way
            .get(id)
            .and_then(|halves| halves.first.iter().map(|half| half.healed).max())
            .unwrap_or_default()
    }

    /// Notes a create that worked. Tells what follows for the predecessors.
    pub(super) fn created(&self, id: &str, verified: Verified) -> Created {
        let mut replaced = self.lock();
        if verified == Verified::No {
            replaced.unproven.insert(id.to_owned());
        }
        let verified = if replaced.unproven.contains(id) { Verified::No } else { verified };
        let Some(halves) = replaced.under_way.get_mut(id) else {
            return Created { verified, retired: Vec::new(), waiting: Vec::new() };
        };
        halves.created += 1;
        let all_worked = halves.are_over() && halves.failed == 0;
        let retired = if all_worked { halves.alive() } else { Vec::new() };
        let waiting = if halves.may_be_over() { halves.alive_and_named() } else { Vec::new() };
        if halves.are_over() {
            replaced.under_way.remove(id);
        }
        Created { verified, retired, waiting }
    }

    /// Tells whether a password was made for this id that did not log in.
    pub(super) fn is_unproven(&self, id: &str) -> bool {
        self.lock().unproven.contains(id)
    }

    /// Notes a create that failed, and tells what from before is still alive; `None` where it was no second half.
    pub(super) fn failed(&self, id: &str) -> Option<Vec<Predecessor>> {
        let mut replaced = self.lock();
        let halves = replaced.under_way.get_mut(id)?;
        halves.failed += 1;
        let alive = halves.alive();
        if halves.are_over() {
            replaced.under_way.remove(id);
        }
        Some(alive)
    }

    fn lock(&self) -> MutexGuard<'_, Replacements> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Halves {
    fn are_over(&self) -> bool {
        self.created + self.failed >= self.first.len()
    }

    /// Whether all creates have come that are known to be of this id, and others may yet.
    fn may_be_over(&self) -> bool {
        let named = self.first.iter().filter(|half| half.is_named).count();
        !self.are_over() && self.created + self.failed >= named
    }

    fn alive_and_named(&self) -> Vec<Predecessor> {
        let named = self.first.iter().filter(|half| half.is_named);
        named.filter_map(|half| half.predecessor.clone()).collect()
    }

    fn alive(&self) -> Vec<Predecessor> {
        self.first.iter().filter_map(|half| half.predecessor.clone()).collect()
    }
}

/// The warning for an old credential that another replacement of the same run keeps, whose target was not known at plan.
pub(super) fn waits_for_another(target: &Target, old: &Predecessor) -> Diagnostic {
    let (id, old, title) = (target.id(), diagnose::stored(old.id()).to_string(), old.target.vendor.title);
    Diagnostic::warning(
        "The old credential may stay valid",
        format!(
            "Revoking `{old}`, which `{id}` replaces: another resource of this run is replaced too, and its new target was not known at \
             plan. If that is not `{id}`, `{old}` is not revoked. {} The state is up to date. After this run, look at {title}, and revoke \
             `{old}` by hand if it is still valid.",
            Outcome::Changed.sentence(),
        ),
    )
    .at(target.path())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;

    use super::*;
    use crate::{
        framework::value::Value,
        http::Error,
        secret::Secret,
        vendors::{Fields, Listed, Operation, Presence, PriorCredential, Reset, VendorApi},
    };

    #[derive(Debug)]
    struct Unused;

    #[async_trait]
    impl VendorApi for Unused {
        async fn read(&self, _: &Operation, _: &Fields, _: &PriorCredential) -> Result<Presence, Error> {
            unreachable!("nobody is asked")
        }

        async fn list(&self, _: &Operation, _: &Fields) -> Result<Vec<Listed>, Error> {
            unreachable!("nobody is asked")
        }

        async fn reset(&self, _: &Operation, _: &Fields, _: Option<&Secret>) -> Result<Reset, Error> {
            unreachable!("nobody is asked")
        }
    }

    fn predecessor(id: &str) -> Predecessor {
        let named = Value::object([("smtpd", Value::object([("name", "a".into()), ("role", "standard".into())]))]);
        let held = PriorCredential { version: Some(id.to_owned()), ..PriorCredential::default() };
        Predecessor { target: Target::of(&named).unwrap().unwrap(), api: Arc::new(Unused), held }
    }

    fn half(predecessor: Option<Predecessor>, is_named: bool) -> Half {
        Half { predecessor, is_named, ..Half::default() }
    }

    fn ids(predecessors: &[Predecessor]) -> Vec<&str> {
        predecessors.iter().map(Predecessor::id).collect()
    }

    #[test]
    fn what_waits_for_a_create_that_may_never_come_is_told() {
        // The first halves by whether they are named, and after each create what is retired and what only waits.
        for (halves, creates) in [
            (&[("one", true)][..], &[(&["one"][..], &[][..])][..]),
            (&[("one", true), ("two", true)], &[(&[], &[]), (&["one", "two"], &[])]),
            (&[("one", true), ("two", false)], &[(&[], &["one"]), (&["one", "two"], &[])]),
            (&[("one", true), ("", false)], &[(&[], &["one"]), (&["one"], &[])]),
            (
                &[("one", true), ("two", true), ("", false)],
                &[(&[], &[]), (&[], &["one", "two"]), (&["one", "two"], &[])],
            ),
            (&[("one", false)], &[(&["one"], &[])]),
        ] {
            let replaced = Replaced::default();
            for (id, is_named) in halves {
                let predecessor = (!id.is_empty()).then(|| predecessor(id));
                replaced.deleted("id".to_owned(), half(predecessor, *is_named));
            }
            for (retired, waiting) in creates {
                let created = replaced.created("id", Verified::Open);
                assert_eq!(
                    (ids(&created.retired), ids(&created.waiting)),
                    (retired.to_vec(), waiting.to_vec()),
                    "{halves:?}"
                );
            }
        }
    }

    #[test]
    fn the_warning_names_what_may_stay_valid() {
        let named = Value::object([("hubspot", Value::object([("user_name", "a@b".into())]))]);
        let warning = waits_for_another(&Target::of(&named).unwrap().unwrap(), &predecessor("old"));
        assert!(
            warning.summary.split(' ').count() <= 8 && warning.detail.contains("revoke `old` by hand"),
            "{warning:?}"
        );
    }
}
