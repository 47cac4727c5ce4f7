//! Revokes a credential that a reset has replaced by a new one.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::time;

use super::{rotator::Shared, sink::Verified};
use crate::{
    clock,
    http::{Error, Kind},
    vendors::{Operation, PriorCredential, Target, VendorApi},
};

/// A credential that a new one replaces, possibly at another vendor.
#[derive(Clone, Debug)]
pub(crate) struct Predecessor {
    pub(crate) target: Target,
    pub(crate) api: Arc<dyn VendorApi>,
    pub(crate) credential: PriorCredential,
    /// When it was made; `None` if that is unknown or at least two resets ago.
    pub(crate) made_at: Option<Timestamp>,
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
    /// Revokes the credential at its vendor. Succeeds if it is already gone.
    ///
    /// One that was made a moment ago may only be unknown where the vendor looked. It would then stay valid and be in
    /// no state, so it is tried again, and in the end fails with [`Kind::NotFound`].
    pub(crate) async fn revoke(&self, op: &Operation) -> Result<(), Error> {
        let mut pauses = PAUSES.iter();
        loop {
            let error = match self.api.revoke(op, &self.target.fields, &self.credential).await {
                Err(error) if error.kind == Kind::NotFound => error,
                revoked => return revoked,
            };
            if !self.target.vendor.may_be_unseen(self.made_at, clock::now()) {
                return Ok(());
            }
            let Some(pause) = pauses.next() else { return Err(error) };
            op.wait(time::sleep(*pause)).await?;
        }
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

/// The pauses before the revocation of a credential that its vendor may not know yet is tried again. What comes later
/// is for the next run, since nothing is lost as long as the state has the credential.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8), Duration::from_secs(16)];

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use jiff::SignedDuration;
    use tokio::time::Instant;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{
        http::Outcome,
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
        /// How often it does not know the credential before it does.
        absent: usize,
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
            let mut revoked = self.revoked.lock().unwrap();
            revoked.push(Instant::now());
            if revoked.len() <= self.absent {
                return Err(Error::new(Kind::NotFound, Outcome::NotChanged, "api.example.com", "it is not there"));
            }
            Ok(())
        }
    }

    const WAIT: Duration = Duration::from_secs(30);

    /// A credential of a vendor that may not know a new one everywhere.
    fn lagging() -> Target {
        let any = target(ResetKind::NewCredential, "a");
        let lag = Some(Lag { verify: WAIT, settle: WAIT, unseen: WAIT });
        Target { vendor: Box::leak(Box::new(Vendor { lag, ..*any.vendor })), ..any }
    }

    fn old(target: &Target, api: &Arc<Recording>, made_at: Option<Timestamp>) -> Predecessor {
        let credential = PriorCredential { version: Some("old".to_owned()), username: None };
        let (target, api) = (target.clone(), Arc::clone(api) as Arc<dyn VendorApi>);
        Predecessor { target, api, credential, made_at }
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_credential_that_may_be_too_new_is_not_gone_where_its_vendor_does_not_know_it() {
        let now = clock::now();
        let never_lags = target(ResetKind::NewCredential, "a");
        for (target, made_at, absent, tries, is_revoked) in [
            (&lagging(), Some(now), 0, 1, true),
            (&lagging(), Some(now), 1, 2, true),
            (&lagging(), Some(now), PAUSES.len(), PAUSES.len() + 1, true),
            (&lagging(), Some(now), PAUSES.len() + 1, PAUSES.len() + 1, false),
            (&lagging(), Some(now - SignedDuration::from_mins(10)), usize::MAX, 1, true),
            (&lagging(), None, usize::MAX, 1, true),
            (&never_lags, Some(now), usize::MAX, 1, true),
        ] {
            let api = Arc::new(Recording { absent, ..Recording::default() });
            let op = Operation::new(Duration::MAX, CancellationToken::new());
            let revoked = old(target, &api, made_at).revoke(&op).await;
            let case = format!("{:?} {made_at:?} {absent}: {revoked:?}", target.vendor.lag);
            assert_eq!((revoked.is_ok(), api.revoked.lock().unwrap().len()), (is_revoked, tries), "{case}");
            assert!(revoked.err().is_none_or(|error| error.kind == Kind::NotFound), "{case}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_old_credential_stays_until_the_new_one_works_everywhere() {
        for (timeout, verified, has_logged_in, revoked_after) in [
            (60, Verified::NotChecked, false, Some(WAIT)),
            (60, Verified::LoggedIn, true, Some(Duration::ZERO)),
            (60, Verified::Rejected, false, None),
            (20, Verified::NotChecked, false, None),
        ] {
            let target = lagging();
            let (api, shared) = (Arc::new(Recording::default()), Shared::default());
            let predecessor = old(&target, &api, None);
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
        let predecessor = old(&target, &Arc::new(Recording { is_silent: true, ..Recording::default() }), None);
        let op = Operation::new(Duration::from_secs(20), CancellationToken::new());
        let kept = predecessor.revoke_after_reset(&op, &Shared::default(), &target, Verified::LoggedIn).await;
        let Some(Kept::Failed(error)) = kept else { panic!("{kept:?}") };
        assert_eq!(error.reason, "there was no time left to wait");
    }
}
