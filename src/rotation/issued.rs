//! Stores what a reset made. Nothing in this file returns a `Result`, so nothing can fail between the vendor's response
//! and the state.

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

/// What the new state needs in addition to the vendor's response, gathered before the reset.
pub(super) struct Prepared {
    /// The password to send; `None` if the vendor generates it.
    pub(super) password: Option<Secret>,
    /// Whether the password is the user's own, which is never stored.
    pub(super) is_own: bool,
    pub(super) before: Before,
    pub(super) smtp_host: Option<Name>,
    /// The login that verifies the new password.
    pub(super) login_check: Option<LoginCheck>,
    /// The planned user name; `None` if the vendor chooses it.
    pub(super) username: Option<String>,
    pub(super) replaces: Option<StoredCredential>,
}

/// A reset whose response has arrived, so the only copy of the new password is in this process. Nothing can fail before
/// it is stored, and nothing afterwards can undo that.
pub(super) struct Issued<'a> {
    pub(super) rotator: &'a Rotator,
    pub(super) guard: CredentialGuard,
    pub(super) prepared: Prepared,
    /// Whether this run has already tried to reset the credential.
    pub(super) occurrence: Occurrence,
}

impl Issued<'_> {
    /// Stores what the reset made, then completes it: the version, the notices and the login.
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
        // From here on the state has the password. What follows can add to it, and cannot take it away.
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
        // If resets create new credentials, the other resource still has its own.
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
            if let Some(notice) = notice {
                sink.notice(notice);
            }
        }
        // After a successful login the mail server has picked up the reset.
        let has_caught_up = |note: &Note| *note == Note::NotYetActive && new.verified == Verified::LoggedIn;
        reset.notes.into_iter().filter(|note| !has_caught_up(note)).for_each(|note| sink.notice(Notice::Vendor(note)));
        new.verified
    }
}

impl Rotator {
    /// Returns the version in the response, unless it may predate the reset, and whether there is no better one to ask
    /// for. If an older version were stored, every refresh would take this reset for somebody else's.
    fn own_version(&self, reset: &Reset, occurrence: Occurrence, before: &Before) -> (Option<Name>, bool) {
        let compare = |one: &str, other: &str| self.api.compare(one, other);
        let is_later = reset.version.as_ref().and_then(|version| before.is_exceeded_by(version, compare));
        match (self.target.vendor.reset_kind, occurrence, is_later) {
            // The version after this run's earlier reset is unknown, so there is nothing to compare with.
            (ResetKind::InPlace, Occurrence::Again, _) => (None, true),
            (ResetKind::InPlace, Occurrence::First, Some(false)) => (None, false),
            _ => (reset.version.clone(), true),
        }
    }

    /// Asks once for the version of a reset whose response contained an older one.
    async fn later_version(&self, op: &Operation, before: &Before) -> Option<Name> {
        let op = op.within(LONGEST_LOOK);
        let versions = op.wait(self.api.versions(&op, &self.target.fields)).await.ok()?.ok()?;
        let compare = |one: &str, other: &str| self.api.compare(one, other);
        versions.into_iter().find(|version| before.is_exceeded_by(version, compare) == Some(true))
    }
}

/// Converts a reset's strings to the form in which core stores them. Comparisons and logins must use what will be in
/// the state.
fn as_stored(reset: Reset) -> Reset {
    let composed_secret = |password: Secret| text::composed_secret(&password).unwrap_or(password);
    Reset {
        password: reset.password.map(composed_secret),
        username: reset.username.and_then(composed),
        version: reset.version.and_then(composed),
        ..reset
    }
}

/// Composes a name (NFC). The result is checked again, since only the composed form may contain a secret.
fn composed(name: Name) -> Option<Name> {
    Name::new(&text::composed(name.into()))
}

/// Returns `now` in whole microseconds, and one microsecond later if it equals the time of the previous reset. Users
/// compare it as a version, so it must differ.
fn after(now: Timestamp, previous: Option<Timestamp>) -> Timestamp {
    let now = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
    if previous == Some(now) { now.saturating_add(SignedDuration::from_micros(1)).unwrap_or(now) } else { now }
}

/// How long to wait for a version once the reset is stored.
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
