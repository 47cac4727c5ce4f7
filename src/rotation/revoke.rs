//! The end of a credential that a reset has replaced by another.

use std::sync::Arc;

use super::{live_credentials::LiveCredentials, sink::Verified};
use crate::{
    http::Error,
    vendors::{Operation, PriorCredential, Target, VendorApi},
};

/// A credential of its own that a reset replaces, at whichever vendor it is.
#[derive(Clone, Debug)]
pub(crate) struct Predecessor {
    pub(crate) target: Target,
    pub(crate) api: Arc<dyn VendorApi>,
    pub(crate) credential: PriorCredential,
}

/// Why a predecessor was not revoked.
#[derive(Debug)]
pub(crate) enum Kept {
    /// A state of this run holds this same credential.
    StillHeld,
    /// The mail server refuses the password that takes its place, so the old one may be all that works.
    SuccessorRejected,
    /// The vendor could not revoke it.
    Failed(Error),
}

impl Predecessor {
    /// Revokes it at its vendor.
    pub(crate) async fn revoke(&self, op: &Operation) -> Result<(), Error> {
        self.api.revoke(op, &self.credential).await
    }

    /// Revokes it after its successor is stored. Returns why not, if it was not. A stop or the deadline cuts it short: the new password
    /// is not to wait.
    pub(crate) async fn revoke_after_reset(
        &self,
        op: &Operation,
        live: &LiveCredentials,
        successor: Verified,
    ) -> Option<Kept> {
        if live.holds(&self.target, &self.credential) {
            return Some(Kept::StillHeld);
        }
        if successor == Verified::Rejected {
            return Some(Kept::SuccessorRejected);
        }
        let revoked = op.wait(self.revoke(op)).await;
        let revoked =
            revoked.unwrap_or_else(|cut| Err(Error { reason: "there was no time left to wait".into(), ..cut }));
        revoked.err().map(Kept::Failed)
    }

    /// What its vendor knows it by.
    pub(crate) fn id(&self) -> &str {
        self.credential.version.as_deref().unwrap_or_default()
    }
}
