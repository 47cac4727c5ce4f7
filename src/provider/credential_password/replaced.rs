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

    /// Notes a create that worked. Tells what is to be retired now, and whether all that takes its place has logged in.
    pub(super) fn created(&self, id: &str, verified: Verified) -> (Verified, Vec<Predecessor>) {
        let mut replaced = self.lock();
        if verified == Verified::No {
            replaced.unproven.insert(id.to_owned());
        }
        let verified = if replaced.unproven.contains(id) { Verified::No } else { verified };
        let Some(halves) = replaced.under_way.get_mut(id) else { return (verified, Vec::new()) };
        halves.created += 1;
        let all_worked = halves.are_over() && halves.failed == 0;
        let retired = if all_worked { halves.alive() } else { Vec::new() };
        if halves.are_over() {
            replaced.under_way.remove(id);
        }
        (verified, retired)
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

    fn alive(&self) -> Vec<Predecessor> {
        self.first.iter().filter_map(|half| half.predecessor.clone()).collect()
    }
}
