//! Everything that is needed to rotate one credential.

use std::sync::Arc;

use super::{
    live_credentials::LiveCredentials,
    locks::CredentialLocks,
    login_queue::LoginQueues,
    previous_login::{UntriedPrevious, try_previous},
    reconcile::{Known, StoredLogin},
    settling::Settling,
    sink::Notice,
};
use crate::{
    smtp::Roots,
    vendors::{Operation, PriorCredential, Target, VendorApi},
};

/// The state that all rotations of a process share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(super) locks: CredentialLocks,
    /// The credentials that states hold.
    pub(crate) live: LiveCredentials,
    /// The queues for logins at mail servers.
    pub(crate) logins: LoginQueues,
    /// The new credentials that may not work everywhere yet.
    pub(super) settling: Settling,
    pub(super) untried: UntriedPrevious,
}

impl Shared {
    /// Tries the login of a deleted object if a create of this process has reset the same credential and did not know
    /// it. Returns what the user should know.
    pub(crate) async fn try_replaced(
        &self,
        op: &Operation,
        id: &str,
        login: &StoredLogin,
        roots: Roots,
    ) -> Option<Notice> {
        let endpoint = self.untried.take(id)?;
        try_previous(op, &self.logins, &endpoint.server(roots)?, &endpoint, login).await
    }

    /// Waits until a new credential of this process works everywhere, if it has not logged in. Returns whether it does
    /// by then: a stop or the deadline ends the wait.
    pub(crate) async fn settled(&self, op: &Operation, id: &str) -> bool {
        self.settling.wait(op, id).await
    }

    /// Records that a pair has rotated away from a credential, whose password is meant to go on working. Returns whether
    /// this run has already reset it for another resource. A later reset of this run is a
    /// [`Notice::ResetOfPrevious`].
    pub(crate) fn leave(&self, target: &Target, api: &Arc<dyn VendorApi>) -> bool {
        self.locks.leave(&target.id(), api)
    }
}

/// Rotates one credential.
#[derive(Debug)]
pub(crate) struct Rotator {
    pub(crate) shared: Arc<Shared>,
    pub(crate) target: Target,
    pub(crate) api: Arc<dyn VendorApi>,
    /// The certificates to trust when the new password is tried.
    pub(crate) roots: Roots,
    /// The credential in the state; empty for a new state.
    pub(crate) credential: PriorCredential,
    /// What was known of the credential before, from this state or from the one that it replaces.
    pub(crate) known: Known,
}
