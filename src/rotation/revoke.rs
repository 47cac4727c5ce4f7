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
    /// The new credential may not work everywhere yet, and there was no time left to wait.
    SuccessorUnsettled,
    /// The call to the vendor failed.
    Failed(Error),
}

impl Predecessor {
    /// Revokes the credential at its vendor.
    pub(crate) async fn revoke(&self, op: &Operation) -> Result<(), Error> {
        self.api.revoke(op, &self.target.fields, &self.credential).await
    }

    /// Revokes the credential after its successor is stored. Returns the reason if it was not revoked. A stop or the
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
        if !shared.settled(op, &successor.id()).await {
            return Some(Kept::SuccessorUnsettled);
        }
        let revoked = op.wait(self.revoke(op)).await;
        let revoked =
            revoked.unwrap_or_else(|cut| Err(Error { reason: "there was no time left to wait".into(), ..cut }));
        revoked.err().map(Kept::Failed)
    }

    /// Returns the vendor's id of the credential.
    pub(crate) fn id(&self) -> &str {
        self.credential.version.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, time::Duration};

    use async_trait::async_trait;
    use tokio::time::Instant;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{
        rotation::unused_api::target,
        secret::Secret,
        vendors::{Before, Fields, Lag, Listed, Presence, Reset, ResetKind, Vendor},
    };

    /// A vendor that records when credentials are revoked.
    #[derive(Debug, Default)]
    struct Recording {
        revoked: Mutex<Vec<Instant>>,
        /// Whether it never responds.
        is_silent: bool,
    }

    #[async_trait]
    impl VendorApi for Recording {
        async fn read(&self, _: &Operation, _: &Fields, _: &PriorCredential) -> Result<Presence, Error> {
            unreachable!("it only revokes")
        }

        async fn list(&self, _: &Operation, _: &Fields) -> Result<Vec<Listed>, Error> {
            unreachable!("it only revokes")
        }

        async fn reset(&self, _: &Operation, _: &Fields, _: &Before, _: Option<&Secret>) -> Result<Reset, Error> {
            unreachable!("it only revokes")
        }

        async fn revoke(&self, _: &Operation, _: &Fields, _: &PriorCredential) -> Result<(), Error> {
            if self.is_silent {
                std::future::pending::<()>().await;
            }
            self.revoked.lock().unwrap().push(Instant::now());
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_old_credential_stays_until_the_new_one_works_everywhere() {
        const WAIT: Duration = Duration::from_secs(30);
        for (timeout, verified, has_logged_in, revoked_after) in [
            (60, Verified::NotChecked, false, Some(WAIT)),
            (60, Verified::LoggedIn, true, Some(Duration::ZERO)),
            (60, Verified::Rejected, false, None),
            (20, Verified::NotChecked, false, None),
        ] {
            let any = target(ResetKind::NewCredential, "a");
            let vendor: &'static Vendor = Box::leak(Box::new(Vendor {
                lag: Some(Lag { verify: WAIT, settle: WAIT, unseen: WAIT }),
                ..*any.vendor
            }));
            let target = Target { vendor, ..any };
            let (api, shared) = (Arc::new(Recording::default()), Shared::default());
            let credential = PriorCredential { version: Some("old".to_owned()), username: None };
            let old: Arc<dyn VendorApi> = api.clone();
            let predecessor = Predecessor { target: target.clone(), api: old, credential };
            let start = Instant::now();
            shared.settling.begin(&target);
            if has_logged_in {
                shared.settling.end(&target);
            }
            let op = Operation::new(Duration::from_secs(timeout), CancellationToken::new());
            let kept = predecessor.revoke_after_reset(&op, &shared, &target, verified).await;
            assert_eq!(kept.is_none(), revoked_after.is_some(), "{timeout} {verified:?}: {kept:?}");
            let revoked: Vec<_> = api.revoked.lock().unwrap().iter().map(|at| *at - start).collect();
            assert_eq!(revoked, revoked_after.into_iter().collect::<Vec<_>>(), "{timeout} {verified:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_revocation_that_takes_too_long_is_reported_as_such() {
        let target = target(ResetKind::NewCredential, "a");
        let credential = PriorCredential { version: Some("old".to_owned()), username: None };
        let predecessor = Predecessor {
            target: target.clone(),
            api: Arc::new(Recording { is_silent: true, ..Recording::default() }),
            credential,
        };
        let op = Operation::new(Duration::from_secs(20), CancellationToken::new());
        let kept = predecessor.revoke_after_reset(&op, &Shared::default(), &target, Verified::LoggedIn).await;
        let Some(Kept::Failed(error)) = kept else { panic!("{kept:?}") };
        assert_eq!(error.reason, "there was no time left to wait");
    }
}
