//! What a process has deleted as the first halves of replacements, until the second halves are over.
//!
//! Core does not tell a create what it replaces; all that both halves know is the id of the second. Where two resources have
//! the same id, nobody can tell whose predecessor is whose. So nothing of theirs is retired before all their creates have
//! worked: a create that fails after them still finds its old credential alive.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::rotate::Predecessor;

/// The replacements that are under way, by the id of their second halves.
#[derive(Debug, Default)]
pub(super) struct Replaced(Mutex<BTreeMap<String, Halves>>);

/// Replacements of the same id.
#[derive(Debug, Default)]
struct Halves {
    /// What each of them is to retire.
    predecessors: Vec<Option<Predecessor>>,
    created: usize,
    failed: usize,
}

impl Replaced {
    /// Notes the first half of a replacement.
    pub(super) fn deleted(&self, id: String, predecessor: Option<Predecessor>) {
        self.lock().entry(id).or_default().predecessors.push(predecessor);
    }

    /// Notes a create that worked, and tells what is to be retired now.
    pub(super) fn created(&self, id: &str) -> Vec<Predecessor> {
        let mut replaced = self.lock();
        let Some(halves) = replaced.get_mut(id) else { return Vec::new() };
        halves.created += 1;
        let all_worked = halves.are_over() && halves.failed == 0;
        let retired = if all_worked { halves.alive() } else { Vec::new() };
        if halves.are_over() {
            replaced.remove(id);
        }
        retired
    }

    /// Notes a create that failed, and tells what from before is still alive; `None` where it was no second half.
    pub(super) fn failed(&self, id: &str) -> Option<Vec<Predecessor>> {
        let mut replaced = self.lock();
        let halves = replaced.get_mut(id)?;
        halves.failed += 1;
        let alive = halves.alive();
        if halves.are_over() {
            replaced.remove(id);
        }
        Some(alive)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Halves>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Halves {
    fn are_over(&self) -> bool {
        self.created + self.failed >= self.predecessors.len()
    }

    fn alive(&self) -> Vec<Predecessor> {
        self.predecessors.iter().flatten().cloned().collect()
    }
}
