//! Revokes a credential that a reset has replaced by a new one.

use std::sync::Arc;

use super::{rotator::Shared, sink::Verified};
use crate::{
    http::Error,
    vendors::{Operation, PriorCredential, Target, VendorApi},
};

/// A credential that a new one replaces, possibly at another vendor.
#[derive(Clone, Debug)]
pub(crate) struct Predecessor {
    pub(crate) target: Target,
    pub(crate) api: Arc<dyn VendorApi>,
    pub(crate) credential: PriorCredential,
}

/// Why a predecessor was not revoked.
#[derive(Debug)]
pub(crate) enum Kept {
    /// A state of this run holds the same credential.
    StillHeld,
    /// The mail server rejects the new password, so the old one may be the only one that works.
    SuccessorRejected,
    /// The call to the vendor failed.
    Failed(Error),
}

impl Predecessor {
    /// Revokes the credential at its vendor.
    pub(crate) async fn revoke(&self, op: &Operation) -> Result<(), Error> {
        self.api.revoke(op, &self.target.fields, &self.credential).await
    }

    /// Revokes the credential after its successor is stored and should work. Returns the reason if it was not revoked. A stop or the
    /// deadline ends it early, since core should receive the new password soon.
    pub(crate) async fn revoke_after_reset(
        &self,
        op: &Operation,
        shared: &Shared,
        successor: &Target,
        verified: Verified,
    ) -> Option<Kept> {
        if shared.live.holds(&self.target, &self.credential) {
            return Some(Kept::StillHeld);
        }
        if verified == Verified::Rejected {
            return Some(Kept::SuccessorRejected);
        }
        let revoked = op.wait(async {
            shared.settling.wait(op, &successor.id()).await?;
            self.revoke(op).await
        });
        let revoked = revoked.await;
        let revoked =
            revoked.unwrap_or_else(|cut| Err(Error { reason: "there was no time left to wait".into(), ..cut }));
        revoked.err().map(Kept::Failed)
    }

    /// Returns the vendor's id of the credential.
    pub(crate) fn id(&self) -> &str {
        self.credential.version.as_deref().unwrap_or_default()
    }
}
