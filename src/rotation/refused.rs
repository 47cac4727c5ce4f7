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

impl Rotated {
    /// Returns how the login with the new password ended.
    pub(crate) fn verified(&self) -> Verified {
        match self {
            Self::Stored(verified) => *verified,
            Self::Refused(_) => Verified::Rejected,
        }
    }
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
        let StoredCredential { credential, rotated_at: made_at } = refused.stored.clone();
        let revoked = Predecessor { target: self.target.clone(), api: Arc::clone(&self.api), credential, made_at };
        let op = op.clone();
        let revocation = tokio::spawn(async move { revoked.revoke(&op).await });
        revocation.await.unwrap_or_else(|_| {
            Err(Error::new(Kind::Setup, Outcome::MayHaveChanged, "", "the provider crashed while revoking it"))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_trait::async_trait;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{
        rotation::{reconcile::Known, rotator::Shared, unused_api::target},
        secret::Secret,
        smtp::{FailureKind, Roots, Security},
        vendors::{Before, Fields, Listed, Presence, PriorCredential, Reset, ResetKind, VendorApi},
    };

    /// A vendor whose revocations crash.
    #[derive(Debug)]
    struct Panicking;

    #[async_trait]
    impl VendorApi for Panicking {
        async fn read(&self, _: &Operation, _: &Fields, _: &PriorCredential) -> Result<Presence, Error> {
            unreachable!("it is only revoked")
        }

        async fn list(&self, _: &Operation, _: &Fields) -> Result<Vec<Listed>, Error> {
            unreachable!("it is only revoked")
        }

        async fn reset(&self, _: &Operation, _: &Fields, _: &Before, _: Option<&Secret>) -> Result<Reset, Error> {
            unreachable!("it is only revoked")
        }

        async fn revoke(&self, _: &Operation, _: &Fields, _: &PriorCredential) -> Result<(), Error> {
            panic!("a test")
        }
    }

    #[tokio::test]
    async fn a_revocation_that_crashes_is_an_error() {
        let rotator = Rotator {
            shared: Arc::new(Shared::default()),
            target: target(ResetKind::NewCredential, "a"),
            api: Arc::new(Panicking),
            roots: Roots::default(),
            credential: PriorCredential::default(),
            known: Known::default(),
        };
        let credential = PriorCredential { version: Some("new".to_owned()), username: None };
        let refused = Refused {
            server: Server::new("mail.example.com", 587, Security::Tls, Roots::default()),
            failure: Failure { kind: FailureKind::Refused, code: Some(535), enhanced: None, reason: "a test".into() },
            stored: StoredCredential { credential, rotated_at: None },
        };
        let op = Operation::new(Duration::from_mins(1), CancellationToken::new());
        let error = rotator.revoke_refused(&op, &refused).await.unwrap_err();
        assert_eq!((error.outcome, refused.id()), (Outcome::MayHaveChanged, "new"));
    }
}
