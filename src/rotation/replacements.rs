//! Connects the two halves of a replacement that deletes first: the deletion, and the create that follows.
//!
//! Core does not pass the replaced object to a create. All that both halves have in common is the id of the new object.
//! If two resources have the same id, it is unknown which predecessor belongs to which. None of them is therefore
//! revoked before all of their creates have succeeded: if one fails, its old credential must still be valid.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{reconcile::Known, revoke::Predecessor, sink::Verified};

/// The replacements in progress in this process, by the id of the new object.
#[derive(Debug, Default)]
pub(crate) struct PendingReplacements(Mutex<Replacements>);

/// What a deletion passes on to the create of the same replacement.
#[derive(Debug, Default)]
pub(crate) struct DeletedObject {
    /// The credentials to revoke.
    pub(crate) predecessors: Vec<Predecessor>,
    /// What the state knew of the same credential.
    pub(crate) known: Known,
    /// Whether the target of the create was known. If not, it is assumed to be the same as that of the deletion.
    pub(crate) is_named: bool,
    /// The number of rotations in a row for a stale password, counting the create; 0 if something else triggered it.
    pub(crate) healed: u32,
}

/// The consequences of a successful create.
#[derive(Debug)]
pub(crate) struct Created {
    /// Whether the successors of the credentials to revoke have logged in; `Rejected` if any of them has not.
    pub(crate) verified: Verified,
    /// The credentials to revoke now.
    pub(crate) revoked: Vec<Predecessor>,
    /// The credentials that are only revoked if another create follows, which may turn out to have another id.
    pub(crate) waiting: Vec<Predecessor>,
}

#[derive(Debug, Default)]
struct Replacements {
    under_way: BTreeMap<String, ReplacementsOfId>,
    /// The ids of new passwords that did not log in.
    rejected: BTreeSet<String>,
}

/// The replacements with one id.
#[derive(Debug, Default)]
struct ReplacementsOfId {
    deleted: Vec<DeletedObject>,
    created: usize,
    failed: usize,
}

impl PendingReplacements {
    /// Records a deletion that a create follows.
    pub(crate) fn deleted(&self, id: String, deleted: DeletedObject) {
        self.lock().under_way.entry(id).or_default().deleted.push(deleted);
    }

    /// Returns what was known of the credential that a create resets; nothing if several deletions share the id.
    pub(crate) fn known(&self, id: &str) -> Known {
        match self.lock().under_way.get(id).map(|same| &*same.deleted) {
            Some([deleted]) => deleted.known.clone(),
            _ => Known::default(),
        }
    }

    /// Returns the number of rotations in a row for a stale password, counting this create.
    pub(crate) fn healed(&self, id: &str) -> u32 {
        self.lock()
            .under_way
            .get(id)
            .and_then(|same| same.deleted.iter().map(|deleted| deleted.healed).max())
            .unwrap_or_default()
    }

    /// Records a successful create. Returns what to do with the predecessors.
    pub(crate) fn created(&self, id: &str, verified: Verified) -> Created {
        let mut replaced = self.lock();
        if verified == Verified::Rejected {
            replaced.rejected.insert(id.to_owned());
        }
        // The predecessors of one id cannot be distinguished, so one rejected password protects them all.
        let verified = if replaced.rejected.contains(id) { Verified::Rejected } else { verified };
        let Some(same) = replaced.under_way.get_mut(id) else {
            return Created { verified, revoked: Vec::new(), waiting: Vec::new() };
        };
        same.created += 1;
        let all_worked = same.is_finished() && same.failed == 0;
        let revoked = if all_worked { same.predecessors() } else { Vec::new() };
        // A create with an unknown target may never arrive under this id, and the user has to be warned while there is
        // still a create to attach the warning to.
        let waiting = if same.only_unnamed_remain() { same.named_predecessors() } else { Vec::new() };
        if same.is_finished() {
            replaced.under_way.remove(id);
        }
        Created { verified, revoked, waiting }
    }

    /// Returns whether a new password for this id did not log in.
    pub(crate) fn has_rejected(&self, id: &str) -> bool {
        self.lock().rejected.contains(id)
    }

    /// Records a failed create. Returns the previous credentials, which are still valid; `None` if it was not part of a
    /// replacement.
    pub(crate) fn failed(&self, id: &str) -> Option<Vec<Predecessor>> {
        let mut replaced = self.lock();
        let same = replaced.under_way.get_mut(id)?;
        same.failed += 1;
        let predecessors = same.predecessors();
        if same.is_finished() {
            replaced.under_way.remove(id);
        }
        Some(predecessors)
    }

    fn lock(&self) -> MutexGuard<'_, Replacements> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReplacementsOfId {
    fn is_finished(&self) -> bool {
        self.created + self.failed >= self.deleted.len()
    }

    /// Returns whether all creates that certainly have this id are done, while others may still follow.
    fn only_unnamed_remain(&self) -> bool {
        let named = self.deleted.iter().filter(|deleted| deleted.is_named).count();
        !self.is_finished() && self.created + self.failed >= named
    }

    fn named_predecessors(&self) -> Vec<Predecessor> {
        let named = self.deleted.iter().filter(|deleted| deleted.is_named);
        named.flat_map(|deleted| deleted.predecessors.clone()).collect()
    }

    fn predecessors(&self) -> Vec<Predecessor> {
        self.deleted.iter().flat_map(|deleted| deleted.predecessors.clone()).collect()
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
        Predecessor {
            target: target(ResetKind::NewCredential, "a"),
            api: Arc::new(UnusedApi),
            credential,
            made_at: None,
        }
    }

    fn ids(predecessors: &[Predecessor]) -> Vec<&str> {
        predecessors.iter().map(Predecessor::id).collect()
    }

    #[test]
    fn a_revocation_that_waits_for_an_uncertain_create_is_reported() {
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
                let predecessors = (!id.is_empty()).then(|| predecessor(id)).into_iter().collect();
                let deleted = DeletedObject { predecessors, is_named: *is_named, ..DeletedObject::default() };
                replacements.deleted("id".to_owned(), deleted);
            }
            for (revoked, waiting) in creates {
                let created = replacements.created("id", Verified::NotChecked);
                let seen = (ids(&created.revoked), ids(&created.waiting));
                assert_eq!(seen, (revoked.to_vec(), waiting.to_vec()), "{deleted:?}");
            }
        }
    }

    #[test]
    fn what_a_deletion_knew_is_passed_on_only_if_it_is_the_only_one() {
        let replacements = PendingReplacements::default();
        let passed_on = |id: &str| (replacements.known(id).credential.version, replacements.healed(id));
        assert_eq!(passed_on("id"), (None, 0));
        for (version, healed, expected) in [("1", 3, (Some("1".to_owned()), 3)), ("2", 2, (None, 3))] {
            let credential = PriorCredential { version: Some(version.to_owned()), username: None };
            let known = Known { credential, ..Known::default() };
            replacements.deleted("id".to_owned(), DeletedObject { known, healed, ..DeletedObject::default() });
            assert_eq!(passed_on("id"), expected);
        }
        assert_eq!(passed_on("another"), (None, 0));
    }

    #[test]
    fn a_rejected_password_is_remembered_for_its_id() {
        let replacements = PendingReplacements::default();
        for (id, verified) in [("a", Verified::Rejected), ("b", Verified::LoggedIn), ("c", Verified::NotChecked)] {
            replacements.created(id, verified);
            assert_eq!(replacements.has_rejected(id), verified == Verified::Rejected, "{id}");
        }
    }

    #[test]
    fn failed_creates_are_counted_too() {
        let replacements = PendingReplacements::default();
        for (id, is_named) in [("one", true), ("two", true), ("three", false)] {
            let predecessors = vec![predecessor(id)];
            replacements.deleted("id".to_owned(), DeletedObject { predecessors, is_named, ..DeletedObject::default() });
        }
        let all = ["one", "two", "three"];
        assert_eq!(replacements.failed("id").as_deref().map(ids), Some(all.to_vec()));
        // Of those that are certain, this is the last.
        let created = replacements.created("id", Verified::NotChecked);
        assert_eq!((ids(&created.revoked), ids(&created.waiting)), (vec![], vec!["one", "two"]));
        assert_eq!(replacements.failed("id").as_deref().map(ids), Some(all.to_vec()));
        assert!(replacements.failed("id").is_none(), "all are over");
    }
}
