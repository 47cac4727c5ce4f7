//! The trait for vendors' APIs.

use std::{cmp::Ordering, fmt::Debug};

use async_trait::async_trait;

use super::{
    absence,
    before::Before,
    fields::Fields,
    report::{Listed, Observation, Presence, PriorCredential, Reset},
};
use crate::{
    http::{Operation, Result},
    secret::{Name, Secret},
};

/// Resets passwords at one vendor, with one login. `rotation` and the resource call these methods. The fields of a
/// target are complete and valid, except for an import by id, whose target is empty.
#[async_trait]
pub trait VendorApi: Debug + Send + Sync {
    /// Looks a credential up, for a refresh. Returns [`Presence::Gone`] only if the vendor confirms that
    /// it is gone. In any doubt it returns an error.
    async fn read(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<Presence>;

    /// Looks a credential up for an import, by its id. That is all that is known: no state holds it, so an empty list
    /// contradicts nothing.
    async fn find_by_id(&self, op: &Operation, target: &Fields, id: &str) -> Result<Presence> {
        let prior = PriorCredential { version: Some(id.to_owned()), ..PriorCredential::default() };
        absence::without_state(self.read(op, target, &prior).await)
    }

    /// Checks before a reset everything that can be checked: that the vendor is reachable, accepts the login, and has
    /// the credential. Nothing is changed. Called while the credential is locked.
    async fn check(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<Presence> {
        self.read(op, target, prior).await
    }

    /// Checks before a reset that another credential can be made, at a vendor that limits how many there are. `held` are
    /// the credentials of the state, the current one and then the previous one. `revoked` is revoked before the reset.
    /// Called after a successful [`check`](Self::check).
    async fn check_room(
        &self,
        _op: &Operation,
        _target: &Fields,
        _held: &[&PriorCredential],
        _revoked: Option<&PriorCredential>,
    ) -> Result<()> {
        Ok(())
    }

    /// Compares two last-changed markers of a credential; `None` if they are not comparable. Sends nothing.
    fn compare(&self, one: &str, other: &str) -> Option<Ordering> {
        (one == other).then_some(Ordering::Equal)
    }

    /// Fails if this API's login cannot work for such a credential. Sends nothing, because a plan calls it too.
    fn refuse_target(&self, _target: &Fields) -> Result<()> {
        Ok(())
    }

    /// Fails if the credential to replace or revoke is the one that this API logs in with. Sends nothing, because a
    /// plan calls it too.
    fn refuse_own_login(&self, _target: &Fields, _prior: &PriorCredential) -> Result<()> {
        Ok(())
    }

    /// Says what a reset makes where it makes a new credential, in words that follow "any": how to find one whose
    /// response was lost.
    fn successor(&self) -> &'static str {
        "credential of this name"
    }

    /// Returns the submission server that belongs to the login, if it differs from
    /// [`Vendor::smtp`](super::Vendor::smtp). Sends nothing, because a plan calls it.
    fn smtp_host_of_login(&self) -> Option<&'static str> {
        None
    }

    /// Lists all active credentials of a scope, in any order, for the data source. A list may be cached for the
    /// lifetime of the process.
    async fn list(&self, op: &Operation, scope: &Fields) -> Result<Vec<Listed>>;

    /// Resets the password, to `new` if the caller chooses it. Called after a successful [`check`](Self::check), while
    /// the credential is locked. The request is repeated only if that cannot cause a second reset. On success the
    /// returned password is the only copy. The outcome of an error must be certain, or
    /// [`Outcome::MayHaveChanged`](crate::http::Outcome::MayHaveChanged).
    async fn reset(&self, op: &Operation, target: &Fields, before: &Before, new: Option<&Secret>) -> Result<Reset>;

    /// Returns whether the vendor shows the credential now, bypassing caches; `false` if it does not say. Called only
    /// after a reset whose response was lost.
    async fn shows(&self, _op: &Operation, _target: &Fields) -> Result<bool> {
        Ok(false)
    }

    /// Looks for traces of a reset whose response was lost, bypassing caches. May be called several times for one
    /// reset.
    ///
    /// The result is what the vendor shows, which may be late or caused by somebody else.
    async fn find_lost_reset(&self, _op: &Operation, _target: &Fields, _before: &Before) -> Result<Observation> {
        Ok(Observation::Unknown)
    }

    /// Fetches the credential's current last-changed markers, bypassing caches; empty if there are none. Called after a
    /// reset whose response contained an older one.
    async fn versions(&self, _op: &Operation, _target: &Fields) -> Result<Vec<Name>> {
        Ok(Vec::new())
    }

    /// Revokes a credential that an earlier reset created, at a vendor with
    /// [`ResetKind::NewCredential`](super::ResetKind::NewCredential). Fails with [`Kind::NotFound`](crate::http::Kind)
    /// if the vendor does not have it: the caller knows whether it is gone or may be too new to be known everywhere.
    async fn revoke(&self, _op: &Operation, _target: &Fields, _prior: &PriorCredential) -> Result<()> {
        Ok(())
    }

    /// Fetches the submission host, at a vendor with [`SmtpDefaults::Reported`](super::SmtpDefaults::Reported).
    async fn smtp_host(&self, _op: &Operation, _target: &Fields) -> Result<Option<Name>> {
        Ok(None)
    }

    /// Logs out, if there is a session. Called once when the process ends; failures are ignored.
    async fn close(&self, _op: &Operation) {}
}
