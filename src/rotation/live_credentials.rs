//! The credentials that states of this process hold. They must not be revoked as another state's predecessor.
//!
//! When asked for a new credential, a vendor may return an existing one with a new secret. Then the predecessor and the
//! new credential are the same, and revoking it would invalidate the password in the state.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::vendors::{PriorCredential, Target};

/// The credentials that states of this process hold.
#[derive(Debug, Default)]
pub(crate) struct LiveCredentials(Mutex<Vec<Holder>>);

/// A credential as a state stores it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StoredCredential {
    pub(crate) credential: PriorCredential,
    /// When this provider last reset its password; `None` if it never has.
    pub(crate) rotated_at: Option<Timestamp>,
}

/// A state that holds a credential.
#[derive(Debug)]
struct Holder {
    vendor: &'static str,
    /// The id of the resource.
    id: String,
    stored: StoredCredential,
}

impl LiveCredentials {
    /// Records that a state now holds `stored` instead of what it `replaces`.
    pub(crate) fn hold(&self, target: &Target, stored: StoredCredential, replaces: Option<&StoredCredential>) {
        if let Some(replaces) = replaces {
            self.release(replaces);
        }
        self.lock().push(Holder { vendor: target.vendor.name, id: target.id(), stored });
    }

    /// Records that a state no longer holds its credential.
    pub(crate) fn release(&self, stored: &StoredCredential) {
        self.lock().retain(|holder| holder.stored != *stored);
    }

    /// Returns whether any state holds this credential.
    pub(crate) fn holds(&self, target: &Target, credential: &PriorCredential) -> bool {
        let is_same = |one: Option<&String>, other: Option<&String>| match (one, other) {
            // A vendor may write an id in another case than it did before.
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            _ => false,
        };
        // A user name that the vendor does not make is that of all its credentials, or of all of one name.
        let names_one = (target.vendor.username)(&target.fields).is_none();
        self.lock().iter().filter(|holder| holder.vendor == target.vendor.name).any(|holder| {
            let held = &holder.stored.credential;
            let [held_user, user] = [held, credential].map(|one| one.username.as_ref().filter(|_| names_one));
            // If nothing in the response distinguishes credentials, any credential of this name may be the one.
            let is_unnamed = held.version.is_none() && held_user.is_none() && holder.id == target.id();
            is_unnamed || is_same(held.version.as_ref(), credential.version.as_ref()) || is_same(held_user, user)
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Holder>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rotation::unused_api::target_at, vendors::Fields};

    /// A credential of this name, where each has a user name of its own.
    fn named(name: &str) -> Target {
        target_at(|vendor| (vendor.username)(&Fields::default()).is_none(), name)
    }

    /// A credential of this name, where all have the same user name.
    fn alike(name: &str) -> Target {
        target_at(|vendor| (vendor.username)(&Fields::default()).is_some(), name)
    }

    fn stored(version: Option<&str>, username: Option<&str>, rotated_at: i64) -> StoredCredential {
        let [version, username] = [version, username].map(|text| text.map(str::to_owned));
        let rotated_at = Timestamp::from_second(rotated_at).ok();
        StoredCredential { credential: PriorCredential { version, username }, rotated_at }
    }

    #[test]
    fn a_live_credential_is_matched_by_id_or_user_or_else_by_name() {
        let old = stored(Some("Old-Id"), Some("old key"), 1);
        for (version, username, name, holds) in [
            (Some("new"), Some("new key"), "a", false),
            (Some("old-id"), Some("new key"), "b", true),
            (Some("new"), Some("old key"), "b", true),
            (None, Some("new key"), "a", false),
            (Some("new"), None, "a", false),
            (None, None, "a", true),
            (None, None, "b", false),
        ] {
            let live = LiveCredentials::default();
            live.hold(&named(name), stored(version, username, 2), None);
            assert_eq!(live.holds(&named("a"), &old.credential), holds, "{version:?} {username:?} of {name}");
        }
    }

    #[test]
    fn a_user_name_that_all_credentials_share_identifies_none_of_them() {
        let old = stored(Some("Old-Id"), Some("user"), 1);
        for (version, name, holds) in [
            (Some("new"), "a", false),
            (Some("new"), "b", false),
            (Some("old-id"), "b", true),
            (None, "a", true),
            (None, "b", false),
        ] {
            let live = LiveCredentials::default();
            live.hold(&alike(name), stored(version, Some("user"), 2), None);
            assert_eq!(live.holds(&alike("a"), &old.credential), holds, "{version:?} of {name}");
        }
    }

    #[test]
    fn a_deleted_state_holds_nothing_and_another_with_the_same_credential_does() {
        let live = LiveCredentials::default();
        let [first, second, third] = [1, 2, 3].map(|rotated_at| stored(Some("one"), Some("key"), rotated_at));
        live.hold(&named("a"), first.clone(), None);
        live.hold(&named("a"), second.clone(), None);
        live.release(&first);
        assert!(live.holds(&named("a"), &first.credential), "the second holds it");
        live.hold(&named("a"), third.clone(), Some(&second));
        live.release(&third);
        assert!(!live.holds(&named("a"), &first.credential), "an update puts a state in the place of another");
    }
}
