//! From the vendor's response to the state. Nothing in this file returns a `Result`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{
    live_credentials::StoredCredential,
    locks::{CredentialGuard, Occurrence},
    login_check::LoginCheck,
    rotator::Rotator,
    sink::{NewCredential, Notice, Sink, Verified},
};
use crate::{
    clock,
    secret::{Name, Secret},
    text,
    vendors::{Before, Note, Operation, PriorCredential, Reset, ResetKind},
};

/// What the new state needs beside the vendor's response, gathered before the reset.
pub(super) struct Prepared {
    /// The password that the vendor is sent; `None` where it makes one.
    pub(super) password: Option<Secret>,
    /// Whether it is the user's own, which is never stored.
    pub(super) is_own: bool,
    pub(super) before: Before,
    pub(super) smtp_host: Option<Name>,
    /// The login that is to show that the new password works.
    pub(super) login_check: Option<LoginCheck>,
    /// The user name that the state will have; `None` where the vendor names it.
    pub(super) username: Option<String>,
    pub(super) replaces: Option<StoredCredential>,
}

/// A reset whose response has arrived: the only copy of the new password is in this process. Nothing fails before it is stored, and
/// nothing after that can take the state away again.
pub(super) struct Issued<'a> {
    pub(super) rotator: &'a Rotator,
    pub(super) guard: CredentialGuard,
    pub(super) prepared: Prepared,
    /// Whether this run has tried to reset the credential before.
    pub(super) occurrence: Occurrence,
}

impl Issued<'_> {
    /// Stores what the reset made, and then finds out what more there is to know of it.
    pub(super) async fn conclude(self, op: &Operation, reset: Reset, sink: &dyn Sink) -> Verified {
        let Self { rotator, mut guard, prepared, occurrence } = self;
        let (target, vendor) = (&rotator.target, rotator.target.vendor);
        let made = reset.password.clone();
        let reset = as_stored(reset);
        let is_recomposed = reset.password != made;
        let (version, is_own_version) = rotator.own_version(&reset, occurrence, &prepared.before);
        let password = reset.password.or(prepared.password);
        let username = reset.username.clone().or(prepared.before.found.username.clone().and_then(composed));
        let stored_username = prepared.username.as_deref().or(username.as_deref()).map(str::to_owned);
        let mut new = NewCredential {
            password: password.clone().filter(|_| !prepared.is_own),
            username,
            version,
            smtp_host: prepared.smtp_host,
            rotated_at: after(clock::now(), prepared.replaces.as_ref().and_then(|stored| stored.rotated_at)),
            verified: Verified::NotChecked,
            logged_in_at: None,
        };
        sink.store(&new);
        let version = new.version.as_deref().filter(|_| vendor.reports_version).map(str::to_owned);
        let credential = PriorCredential { version, username: stored_username.clone() };
        let stored = StoredCredential { credential, rotated_at: Some(new.rotated_at) };
        rotator.shared.live.hold(target, stored, prepared.replaces.as_ref());
        tracing::info!(vendor = vendor.name, "the password was reset");
        if !is_own_version && let Some(version) = rotator.later_version(op, &prepared.before).await {
            new.version = Some(version);
            sink.store(&new);
        }
        // Where a reset makes another credential, the other resource keeps its own.
        if guard.succeeds(&rotator.api) == Occurrence::Again && vendor.reset_kind == ResetKind::InPlace {
            sink.notice(Notice::ResetAgain);
        }
        if is_recomposed {
            sink.notice(Notice::PasswordRecomposed);
        }
        if let (Some(reported), Some(planned)) = (reset.username, prepared.username)
            && *reported != *planned
        {
            sink.notice(Notice::OtherUser(reported));
        }
        if let Some((login_check, password)) = prepared.login_check.zip(password) {
            let (verified, notice) = login_check.run(op, stored_username.as_deref(), &password).await;
            new.verified = verified;
            new.logged_in_at = (verified == Verified::LoggedIn).then(|| login_check.endpoint().clone());
            sink.store(&new);
            notice.into_iter().for_each(|notice| sink.notice(notice));
        }
        // Of a mail server that has caught up by now there is nothing to say.
        let has_caught_up = |note: &Note| *note == Note::NotYetEverywhere && new.verified == Verified::LoggedIn;
        reset.notes.into_iter().filter(|note| !has_caught_up(note)).for_each(|note| sink.notice(Notice::Vendor(note)));
        new.verified
    }
}

impl Rotator {
    /// The version in the response to a reset, unless it may not be the reset's own; and whether it is certain that there is no other to
    /// ask for. Stored, a version from before the reset would make every later look take this reset for somebody else's.
    fn own_version(&self, reset: &Reset, occurrence: Occurrence, before: &Before) -> (Option<Name>, bool) {
        let compare = |one: &str, other: &str| self.api.compare(one, other);
        let is_later = reset.version.as_ref().and_then(|version| before.is_exceeded_by(version, compare));
        match (self.target.vendor.reset_kind, occurrence, is_later) {
            // What another reset of this run has left is not known.
            (ResetKind::InPlace, Occurrence::Again, _) => (None, true),
            (ResetKind::InPlace, Occurrence::First, Some(false)) => (None, false),
            _ => (reset.version.clone(), true),
        }
    }

    /// Asks once for the version of a reset whose response showed an earlier one.
    async fn later_version(&self, op: &Operation, before: &Before) -> Option<Name> {
        let op = op.within(LONGEST_LOOK);
        let versions = op.wait(self.api.versions(&op, &self.target.fields)).await.ok()?.ok()?;
        let compare = |one: &str, other: &str| self.api.compare(one, other);
        versions.into_iter().find(|version| before.is_exceeded_by(version, compare) == Some(true))
    }
}

/// What the vendor made, as core will store it: what is compared and tried must be what there will be.
fn as_stored(reset: Reset) -> Reset {
    let composed_secret = |password: Secret| text::composed_secret(&password).unwrap_or(password);
    Reset {
        password: reset.password.map(composed_secret),
        username: reset.username.and_then(composed),
        version: reset.version.and_then(composed),
        ..reset
    }
}

/// The name in Unicode's composed form. It may be that of a secret only now, so it leaves through the exit once more.
fn composed(name: Name) -> Option<Name> {
    Name::new(&text::composed(name.into()))
}

/// `now` in whole microseconds, and one later if it is the time of the previous reset, because others compare it as a version.
fn after(now: Timestamp, previous: Option<Timestamp>) -> Timestamp {
    let now = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
    if previous == Some(now) { now.saturating_add(SignedDuration::from_micros(1)).unwrap_or(now) } else { now }
}

/// How long a version is waited for whose reset is stored already.
const LONGEST_LOOK: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_rotation_is_never_the_previous_one() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-01-01T00:00:00.000001789Z");
        assert_eq!(after(now, None), at("2026-01-01T00:00:00.000001Z"));
        assert_eq!(after(now, Some(at("2026-01-01T00:00:00.000001Z"))), at("2026-01-01T00:00:00.000002Z"));
        assert_eq!(after(now, Some(at("2026-01-01T00:00:00.000002Z"))), at("2026-01-01T00:00:00.000001Z"));
        assert!(after(Timestamp::MAX, None) <= Timestamp::MAX);
    }
}
