//! What a process has deleted as the first same of replacements, until the second same are over.
//!
//! Core does not tell a create what it replaces; all that both same know is the id of the second. Where two resources have
//! the same id, nobody can tell whose predecessor is whose. So nothing of theirs is revoked before all their creates have
//! worked: a create that fails after them still finds its old credential alive.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{reconcile::Known, revoke::Predecessor, sink::Verified};

/// The replacements that a process carries out, by the id of their second same.
#[derive(Debug, Default)]
pub(crate) struct PendingReplacements(Mutex<Replacements>);

/// What the deletion leaves to the create of the same replacement.
#[derive(Debug, Default)]
pub(crate) struct DeletedObject {
    /// What is to be revoked.
    pub(crate) predecessor: Option<Predecessor>,
    /// What the state knew of the same credential.
    pub(crate) known: Known,
    /// How many rotations in a row for a stale password the create completes; 0 if it is for something else.
    pub(crate) healed: u32,
}

#[derive(Debug, Default)]
struct Replacements {
    under_way: BTreeMap<String, SameName>,
    /// The ids for which a password was made that did not log in.
    rejected: BTreeSet<String>,
}

/// Replacements of one id.
#[derive(Debug, Default)]
struct SameName {
    deleted: Vec<DeletedObject>,
    created: usize,
    failed: usize,
}

impl PendingReplacements {
    /// Notes the deletion of a replacement.
    pub(crate) fn deleted(&self, id: String, deleted: DeletedObject) {
        self.lock().under_way.entry(id).or_default().deleted.push(deleted);
    }

    /// What was known of the credential that a create resets; nothing if it might be another's.
    pub(crate) fn known(&self, id: &str) -> Known {
        match self.lock().under_way.get(id).map(|same| &*same.deleted) {
            Some([deleted]) => deleted.known.clone(),
            _ => Known::default(),
        }
    }

    /// How many rotations in a row for a stale password a create completes.
    pub(crate) fn healed(&self, id: &str) -> u32 {
        self.lock()
            .under_way
            .get(id)
            .and_then(|same| same.deleted.iter().map(|deleted| deleted.healed).max())
            .unwrap_or_default()
    }

    /// Notes a create that succeeded. Returns what is to be revoked now, and whether all that takes its place has logged in.
    pub(crate) fn created(&self, id: &str, verified: Verified) -> (Verified, Vec<Predecessor>) {
        let mut replaced = self.lock();
        if verified == Verified::Rejected {
            replaced.rejected.insert(id.to_owned());
        }
        let verified = if replaced.rejected.contains(id) { Verified::Rejected } else { verified };
        let Some(same) = replaced.under_way.get_mut(id) else { return (verified, Vec::new()) };
        same.created += 1;
        let all_worked = same.are_over() && same.failed == 0;
        let revoked = if all_worked { same.alive() } else { Vec::new() };
        if same.are_over() {
            replaced.under_way.remove(id);
        }
        (verified, revoked)
    }

    /// Whether a password was made for this id that did not log in.
    pub(crate) fn has_rejected(&self, id: &str) -> bool {
        self.lock().rejected.contains(id)
    }

    /// Notes a create that failed. Returns which previous credentials are still alive; `None` if it was not part of a replacement.
    pub(crate) fn failed(&self, id: &str) -> Option<Vec<Predecessor>> {
        let mut replaced = self.lock();
        let same = replaced.under_way.get_mut(id)?;
        same.failed += 1;
        let alive = same.alive();
        if same.are_over() {
            replaced.under_way.remove(id);
        }
        Some(alive)
    }

    fn lock(&self) -> MutexGuard<'_, Replacements> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SameName {
    fn are_over(&self) -> bool {
        self.created + self.failed >= self.deleted.len()
    }

    fn alive(&self) -> Vec<Predecessor> {
        self.deleted.iter().filter_map(|deleted| deleted.predecessor.clone()).collect()
    }
}
