//! A new credential that was refused, and is therefore taken back.

use std::sync::Arc;

use super::{live_credentials::StoredCredential, revoke::Predecessor, rotator::Rotator, sink::Verified};
use crate::{
    http::{Error, Kind, Outcome},
    smtp::{Failure, Server},
    vendors::Operation,
};

/// How a rotation ended whose reset took effect.
#[derive(Debug)]
pub(crate) enum Rotated {
    /// The new password is stored.
    Stored(Verified),
    /// The mail server refused the new password to the end, and the request asks to undo that. The sink has stored the
    /// new credential, and the caller has to put the old state back before it revokes the new one.
    Refused(Box<Refused>),
}

/// A new credential that the mail server has refused to the end of the timeout.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) server: Server,
    pub(crate) failure: Failure,
    pub(super) stored: StoredCredential,
}

impl Refused {
    /// Returns the vendor's id of the new credential.
    pub(crate) fn id(&self) -> &str {
        self.stored.credential.version.as_deref().unwrap_or_default()
    }
}

impl Rotator {
    /// Revokes a new credential, once no state holds it any more. A panic is an error too, because the id must then be
    /// reported.
    pub(crate) async fn revoke_refused(&self, op: &Operation, refused: &Refused) -> Result<(), Error> {
        self.shared.live.release(&refused.stored);
        let credential = refused.stored.credential.clone();
        let revoked = Predecessor { target: self.target.clone(), api: Arc::clone(&self.api), credential };
        let op = op.clone();
        let revocation = tokio::spawn(async move { revoked.revoke(&op).await });
        revocation.await.unwrap_or_else(|_| {
            Err(Error::new(Kind::Setup, Outcome::MayHaveChanged, "", "the provider has crashed while revoking it"))
        })
    }
}
