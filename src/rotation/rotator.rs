//! What can rotate one credential.

use std::sync::Arc;

use super::{live_credentials::LiveCredentials, locks::CredentialLocks, login_queue::LoginQueues, reconcile::Known};
use crate::{
    smtp::Roots,
    vendors::{PriorCredential, Target, VendorApi},
};

/// What the rotations of one process share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(super) locks: CredentialLocks,
    /// The credentials that states hold.
    pub(crate) live: LiveCredentials,
    /// The logins at mail servers.
    pub(crate) logins: LoginQueues,
}

/// One credential, and the API that can reset it.
#[derive(Debug)]
pub(crate) struct Rotator {
    pub(crate) shared: Arc<Shared>,
    pub(crate) target: Target,
    pub(crate) api: Arc<dyn VendorApi>,
    /// Whom to trust where the new password is tried.
    pub(crate) roots: Roots,
    /// What the state holds of the credential; nothing for a new state.
    pub(crate) credential: PriorCredential,
    /// What is known of the credential from before, by this state or by one that was deleted for it.
    pub(crate) known: Known,
}
