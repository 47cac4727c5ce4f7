//! What the resets of this process have made and a state now holds. It is never revoked as something else's predecessor.
//!
//! A vendor may answer a request for a new credential with one that was there already, and with a new secret for it. Then what is to be
//! retired is what was just made: revoking it would kill the password that the state holds.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    rotate::Predecessor,
    schema::{REMOTE_VERSION, ROTATED_AT, USERNAME},
};
use crate::{
    framework::{diagnostic::Diagnostic, value::Value},
    http::Outcome,
    provider::target::Target,
    vendors::PriorCredential,
};

/// The credentials that states of this process hold.
#[derive(Debug, Default)]
pub(super) struct Made(Mutex<Vec<Holder>>);

/// A state, by what it holds.
#[derive(Debug)]
struct Holder {
    vendor: &'static str,
    /// The id of its resource.
    id: String,
    held: PriorCredential,
    rotated_at: Option<String>,
}

impl Made {
    /// Notes that a state now holds what a reset has made, in the place of the one before it.
    pub(super) fn note(&self, target: &Target, prior: &Value, state: &Value) {
        self.let_go(prior);
        let (held, rotated_at) = (held(state), rotated_at(state));
        self.lock().push(Holder { vendor: target.vendor.name, id: target.id(), held, rotated_at });
    }

    /// Notes that a state holds nothing any more.
    pub(super) fn let_go(&self, state: &Value) {
        let (held, rotated_at) = (held(state), rotated_at(state));
        self.lock().retain(|holder| holder.held != held || holder.rotated_at != rotated_at);
    }

    /// Tells whether a state holds this very credential.
    pub(super) fn holds(&self, predecessor: &Predecessor) -> bool {
        let Predecessor { target, held, .. } = predecessor;
        let is_same = |one: &Option<String>, other: &Option<String>| match (one, other) {
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            _ => false,
        };
        self.lock().iter().filter(|holder| holder.vendor == target.vendor.name).any(|holder| {
            // A credential that the vendor has not named may be any of its name.
            let is_unnamed = holder.held == PriorCredential::default() && holder.id == target.id();
            is_unnamed || is_same(&holder.held.version, &held.version) || is_same(&holder.held.username, &held.username)
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Holder>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The warning for an old credential that is not old: the vendor has answered the request for a new one with it.
pub(super) fn same_again(target: &Target, old: &str) -> Diagnostic {
    let title = target.vendor.title;
    Diagnostic::warning(
        "The previous credential was not revoked",
        format!(
            "Revoking `{old}`, which `{}` replaces: as far as {title}'s response shows, the new password belongs to this same credential, \
             so it has to stay valid. {} The state is up to date. The previous password may still work as well: log in to {title} and \
             look, and if it must stop working, make a credential under another name and revoke `{old}` by hand.",
            target.id(),
            Outcome::Changed.sentence()
        ),
    )
    .at(target.path())
}

/// The warning for a destroyed credential whose password another resource of the same run holds.
pub(super) fn still_held(target: &Target, id: &str) -> Diagnostic {
    Diagnostic::warning(
        "The credential was not revoked",
        format!(
            "Revoking the credential of `{}`: a password that this run has just stored belongs to `{id}` as well, so it stays valid. {} \
             Once nothing needs it any more, revoke `{id}` by hand.",
            target.id(),
            Outcome::NotChanged.sentence()
        ),
    )
}

fn held(state: &Value) -> PriorCredential {
    let text = |name| state.get(name).as_str().map(str::to_owned);
    PriorCredential { version: text(REMOTE_VERSION), username: text(USERNAME) }
}

fn rotated_at(state: &Value) -> Option<String> {
    state.get(ROTATED_AT).as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;

    use super::*;
    use crate::{
        http::Error,
        secret::Secret,
        vendors::{Fields, Listed, Operation, Presence, Reset, VendorApi},
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

    fn target(name: &str) -> Target {
        let named = Value::object([("smtpd", Value::object([("name", name.into()), ("role", "standard".into())]))]);
        Target::of(&named).unwrap().unwrap()
    }

    fn state(version: Option<&str>, username: Option<&str>, rotated_at: &str) -> Value {
        let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
        Value::object([(REMOTE_VERSION, text(version)), (USERNAME, text(username)), (ROTATED_AT, rotated_at.into())])
    }

    fn predecessor(name: &str, state: &Value) -> Predecessor {
        Predecessor { target: target(name), api: Arc::new(Unused), held: held(state) }
    }

    #[test]
    fn what_a_state_holds_is_known_by_its_id_or_its_user_and_by_its_name_where_the_vendor_names_neither() {
        let old = state(Some("Old-Id"), Some("old key"), "1");
        for (version, username, name, holds) in [
            (Some("new"), Some("new key"), "a", false),
            (Some("old-id"), Some("new key"), "b", true),
            (Some("new"), Some("old key"), "b", true),
            (None, Some("new key"), "a", false),
            (Some("new"), None, "a", false),
            (None, None, "a", true),
            (None, None, "b", false),
        ] {
            let made = Made::default();
            made.note(&target(name), &Value::Null, &state(version, username, "2"));
            assert_eq!(made.holds(&predecessor("a", &old)), holds, "{version:?} {username:?} of {name}");
        }
    }

    #[test]
    fn a_state_that_has_gone_holds_nothing_and_another_with_the_same_credential_does() {
        let made = Made::default();
        let [first, second, third] = ["1", "2", "3"].map(|rotated_at| state(Some("one"), Some("key"), rotated_at));
        made.note(&target("a"), &Value::Null, &first);
        made.note(&target("a"), &Value::Null, &second);
        let destroyed = predecessor("a", &first);
        made.let_go(&first);
        assert!(made.holds(&destroyed), "the second holds it");
        made.note(&target("a"), &second, &third);
        made.let_go(&third);
        assert!(!made.holds(&destroyed), "an update puts a state in the place of another");
    }
}
