//! What can be asked of a vendor.

use std::{cmp::Ordering, fmt::Debug};

use async_trait::async_trait;

use super::{
    before::Before,
    fields::Fields,
    report::{Listed, Observation, Presence, PriorCredential, Reset},
};
use crate::{
    http::{Operation, Result},
    secret::{Name, Secret},
};

/// Resets passwords at one vendor, with one account.
#[async_trait]
pub trait VendorApi: Debug + Send + Sync {
    /// Looks the credential up. [`Presence::Gone`] only when the vendor definitely says so; any doubt is an error.
    async fn read(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<Presence>;

    /// Checks all that can be checked before a reset: that the vendor answers, takes the login, and has what is to be reset.
    async fn check(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<Presence> {
        self.read(op, target, prior).await
    }

    /// Compares two of the vendor's words on a credential's last change; `None` where they cannot be compared. Asks nobody.
    fn compare(&self, one: &str, other: &str) -> Option<Ordering> {
        (one == other).then_some(Ordering::Equal)
    }

    /// Refuses to replace or to revoke what it is itself logged in with. Asks nobody, so that a plan can tell.
    fn refuse_own_login(&self, _held: &PriorCredential) -> Result<()> {
        Ok(())
    }

    /// The submission server that the login points to, where it is another than [`Vendor::smtp`](super::Vendor::smtp). Asks nobody, so that a plan can tell.
    fn other_smtp_host(&self) -> Option<&'static str> {
        None
    }

    /// Lists the live credentials of a scope, all pages of it, in any order. What a process was told once is not asked again.
    async fn list(&self, op: &Operation, scope: &Fields) -> Result<Vec<Listed>>;

    /// Resets the password: to `new` where the caller makes it. At most one reset takes effect.
    async fn reset(&self, op: &Operation, target: &Fields, new: Option<&Secret>) -> Result<Reset>;

    /// Whether the vendor shows the credential now, past anything that was read earlier; `false` if it does not say.
    async fn shows(&self, _op: &Operation, _target: &Fields) -> Result<bool> {
        Ok(false)
    }

    /// Looks again, past anything that was read earlier, for a reset whose response was lost.
    ///
    /// It reports what the vendor shows, and that may be late, or of somebody else's making.
    async fn find_lost_reset(&self, _op: &Operation, _target: &Fields, _before: &Before) -> Result<Observation> {
        Ok(Observation::Unknown)
    }

    /// Reads what the vendor says now of the credential's last change, past anything that was read earlier; empty where it says
    /// nothing.
    async fn versions(&self, _op: &Operation, _target: &Fields) -> Result<Vec<Name>> {
        Ok(Vec::new())
    }

    /// Revokes what an earlier reset made, for a vendor with [`ResetKind::NewCredential`](super::ResetKind::NewCredential). Succeeds where it is already gone.
    async fn revoke(&self, _op: &Operation, _held: &PriorCredential) -> Result<()> {
        Ok(())
    }

    /// Asks for the submission host, at a vendor with [`SmtpDefaults::Reported`](super::SmtpDefaults::Reported).
    async fn smtp_host(&self, _op: &Operation, _target: &Fields) -> Result<Option<Name>> {
        Ok(None)
    }

    /// Logs out, where there is something to log out of. Best effort, at the end of the process.
    async fn close(&self, _op: &Operation) {}
}
