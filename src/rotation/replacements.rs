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
    /// Whether the target of the create was known. If not, it is taken for the same one, which it need not be.
    pub(crate) is_named: bool,
    /// How many rotations in a row for a stale password the create completes; 0 if it is for something else.
    pub(crate) healed: u32,
}

/// What follows from a create that succeeded.
#[derive(Debug)]
pub(crate) struct Created {
    /// Whether all that takes the place of what is to be revoked has logged in.
    pub(crate) verified: Verified,
    /// What is to be revoked now.
    pub(crate) revoked: Vec<Predecessor>,
    /// What is revoked only if a create follows that may be of another id.
    pub(crate) waiting: Vec<Predecessor>,
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

    /// Notes a create that succeeded. Returns what follows for the predecessors.
    pub(crate) fn created(&self, id: &str, verified: Verified) -> Created {
        let mut replaced = self.lock();
        if verified == Verified::Rejected {
            replaced.rejected.insert(id.to_owned());
        }
        let verified = if replaced.rejected.contains(id) { Verified::Rejected } else { verified };
        let Some(same) = replaced.under_way.get_mut(id) else {
            return Created { verified, revoked: Vec::new(), waiting: Vec::new() };
        };
        same.created += 1;
        let all_worked = same.are_over() && same.failed == 0;
        let revoked = if all_worked { same.alive() } else { Vec::new() };
        let waiting = if same.may_be_over() { same.alive_and_named() } else { Vec::new() };
        if same.are_over() {
            replaced.under_way.remove(id);
        }
        Created { verified, revoked, waiting }
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

    /// Whether all creates have come that are known to be of this id, and others may follow.
    fn may_be_over(&self) -> bool {
        let named = self.deleted.iter().filter(|deleted| deleted.is_named).count();
        !self.are_over() && self.created + self.failed >= named
    }

    fn alive_and_named(&self) -> Vec<Predecessor> {
        let named = self.deleted.iter().filter(|deleted| deleted.is_named);
        named.filter_map(|deleted| deleted.predecessor.clone()).collect()
    }

    fn alive(&self) -> Vec<Predecessor> {
        self.deleted.iter().filter_map(|deleted| deleted.predecessor.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        rotation::unused_api::{UnusedApi, target},
        vendors::{PriorCredential, ResetKind},
    };

    fn predecessor(id: &str) -> Predecessor {
        let credential = PriorCredential { version: Some(id.to_owned()), ..PriorCredential::default() };
        Predecessor { target: target(ResetKind::NewCredential, "a"), api: Arc::new(UnusedApi), credential }
    }

    fn ids(predecessors: &[Predecessor]) -> Vec<&str> {
        predecessors.iter().map(Predecessor::id).collect()
    }

    #[test]
    fn a_credential_whose_revocation_waits_for_a_create_that_may_never_come_is_reported() {
        // What was deleted and whether its create was named, and after each create what is revoked and what only waits.
        for (deleted, creates) in [
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
            let replacements = PendingReplacements::default();
            for (id, is_named) in deleted {
                let predecessor = (!id.is_empty()).then(|| predecessor(id));
                let deleted = DeletedObject { predecessor, is_named: *is_named, ..DeletedObject::default() };
                replacements.deleted("id".to_owned(), deleted);
            }
            for (revoked, waiting) in creates {
                let created = replacements.created("id", Verified::NotChecked);
                let seen = (ids(&created.revoked), ids(&created.waiting));
                assert_eq!(seen, (revoked.to_vec(), waiting.to_vec()), "{deleted:?}");
            }
        }
    }
}
