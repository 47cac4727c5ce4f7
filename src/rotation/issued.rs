//! Stores what a reset made. Nothing in this file returns a `Result`, so nothing can fail between the vendor's response
//! and the state.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{
    live_credentials::StoredCredential,
    locks::{CredentialGuard, Occurrence},
    login_check::LoginCheck,
    previous_login::try_previous,
    refused::{Refused, Rotated},
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
    /// Whether to also try the previous password.
    pub(super) tries_previous: bool,
    /// The planned user name; `None` if the vendor chooses it.
    pub(super) username: Option<String>,
    pub(super) replaces: Option<StoredCredential>,
    /// Whether a new credential that the mail server refuses is undone.
    pub(super) undoes_refusal: bool,
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
    pub(super) async fn conclude(self, op: &Operation, reset: Reset, sink: &dyn Sink) -> Rotated {
        let Self { rotator, mut guard, prepared, occurrence } = self;
        let (target, vendor) = (&rotator.target, rotator.target.vendor);
        let made = reset.password.clone();
        let reset = as_stored(reset);
        let is_recomposed = reset.password != made;
        let password = reset.password.or(prepared.password);
        let username = reset.username.clone().or(prepared.before.found.username.clone().and_then(composed));
        let stored_username = prepared.username.as_deref().or(username.as_deref()).map(str::to_owned);
        let mut new = NewCredential {
            password: password.clone().filter(|_| !prepared.is_own),
            username,
            version: None,
            smtp_host: prepared.smtp_host,
            rotated_at: after(clock::now(), prepared.replaces.as_ref().and_then(|stored| stored.rotated_at)),
            verified: Verified::NotChecked,
            logged_in_at: None,
        };
        // From here on the state has the password. What follows can add to it, and cannot take it away. The version
        // comes after it, because comparing versions runs a vendor's code, and a panic there must not cost the
        // password.
        sink.store(&new);
        let said_no_version = reset.version.is_none() && occurrence == Occurrence::First;
        let version = rotator.own_version(reset.version, occurrence, &prepared.before);
        // Where responses never have a version, it is read once the password is stored.
        let is_unsaid = said_no_version && version == ResponseVersion::Unknown && vendor.reports_version;
        let is_late = version == ResponseVersion::Older || (is_unsaid && vendor.reset_kind == ResetKind::InPlace);
        if let ResponseVersion::Own(version) = version {
            new.version = Some(version);
            sink.store(&new);
        }
        let version = new.version.as_deref().filter(|_| vendor.reports_version).map(str::to_owned);
        let credential = PriorCredential { version, username: stored_username.clone() };
        let stored = StoredCredential { credential, rotated_at: Some(new.rotated_at) };
        rotator.shared.live.hold(target, stored.clone(), prepared.replaces.as_ref());
        rotator.shared.settling.begin(target);
        tracing::info!(vendor = vendor.name, "the password was reset");
        if is_late && let Some(version) = rotator.later_version(op, &prepared.before, is_unsaid).await {
            new.version = Some(version);
            sink.store(&new);
        }
        // They say that the state is up to date, which is only true if the rotation is not undone.
        let mut notices = Vec::new();
        match (vendor.reset_kind, guard.succeeds(&rotator.api)) {
            (ResetKind::InPlace, Occurrence::Again) => notices.push(Notice::ResetAgain),
            (ResetKind::InPlace, Occurrence::OfPrevious) => notices.push(Notice::ResetOfPrevious),
            // If resets create new credentials, the other resource still has its own.
            (ResetKind::InPlace, Occurrence::First) | (ResetKind::NewCredential, _) => {}
        }
        if is_recomposed {
            notices.push(Notice::PasswordRecomposed);
        }
        if let (Some(reported), Some(planned)) = (reset.username, prepared.username)
            && *reported != *planned
        {
            notices.push(Notice::OtherUser(reported));
        }
        if let Some((login_check, password)) = prepared.login_check.zip(password) {
            let (verified, notice) = login_check.run(op, stored_username.as_deref(), &password).await;
            if let Some(Notice::LoginFailed { server, failure }) = &notice
                && failure.is_wrong_password()
                && prepared.undoes_refusal
                && is_another(&stored, prepared.replaces.as_ref())
            {
                let (server, failure) = ((**server).clone(), failure.clone());
                return Rotated::Refused(Box::new(Refused { server, failure, stored }));
            }
            if verified == Verified::LoggedIn {
                rotator.shared.settling.end(target);
            }
            new.verified = verified;
            new.logged_in_at = (verified == Verified::LoggedIn).then(|| login_check.endpoint().clone());
            sink.store(&new);
            notices.extend(notice);
            if verified == Verified::LoggedIn && prepared.tries_previous && vendor.reset_kind == ResetKind::InPlace {
                notices.extend(rotator.try_previous(op, &login_check).await);
            }
        }
        // After a successful login the mail server has picked up the reset.
        let has_caught_up = |note: &Note| *note == Note::NotYetActive && new.verified == Verified::LoggedIn;
        notices.extend(reset.notes.into_iter().filter(|note| !has_caught_up(note)).map(Notice::Vendor));
        for notice in notices {
            sink.notice(notice);
        }
        Rotated::Stored(new.verified)
    }
}

impl Rotator {
    /// Tries the previous password. If it is not known, as in a create, that is left to the deletion of the object that
    /// has it.
    async fn try_previous(&self, op: &Operation, login_check: &LoginCheck) -> Option<Notice> {
        let endpoint = login_check.endpoint();
        if let Some(login) = &self.known.login {
            try_previous(op, &self.shared.logins, login_check.server(), endpoint, login).await
        } else {
            self.shared.untried.leave(self.target.id(), endpoint.clone());
            None
        }
    }

    /// Judges the version in the response. If an older one were stored, every refresh would take this reset for
    /// somebody else's.
    fn own_version(&self, version: Option<Name>, occurrence: Occurrence, before: &Before) -> ResponseVersion {
        let Some(version) = version else { return ResponseVersion::Unknown };
        let compare = |one: &str, other: &str| self.api.compare(one, other);
        match (self.target.vendor.reset_kind, occurrence) {
            // The version after this run's earlier reset is unknown, so there is nothing to compare with.
            (ResetKind::InPlace, Occurrence::Again) => ResponseVersion::Unknown,
            (ResetKind::InPlace, Occurrence::First) if before.is_exceeded_by(&version, compare) == Some(false) => {
                ResponseVersion::Older
            }
            _ => ResponseVersion::Own(version),
        }
    }

    /// Asks once for the version of a reset whose response contained none, or an older one. One that is comparable with
    /// nothing that was known before is taken only if `may_be_first`.
    async fn later_version(&self, op: &Operation, before: &Before, may_be_first: bool) -> Option<Name> {
        let op = op.within(LONGEST_LOOK);
        let versions = op.wait(self.api.versions(&op, &self.target.fields)).await.ok()?.ok()?;
        let compare = |one: &str, other: &str| self.api.compare(one, other);
        // One that is not later than what was known before the reset may be read too early.
        versions.into_iter().find(|version| before.is_exceeded_by(version, compare).unwrap_or(may_be_first))
    }
}

/// Returns whether a new credential is certainly another than the one it replaces. Only then can it be revoked.
fn is_another(new: &StoredCredential, replaced: Option<&StoredCredential>) -> bool {
    let replaced = replaced.and_then(|replaced| replaced.credential.version.as_ref());
    new.credential.version.as_ref().zip(replaced).is_some_and(|(new, old)| !new.eq_ignore_ascii_case(old))
}

/// The version in the response to a reset.
#[derive(Debug, Eq, PartialEq)]
enum ResponseVersion {
    /// It is the reset's, as far as is known.
    Own(Name),
    /// It is older than the reset, so the vendor can be asked for the reset's.
    Older,
    /// There is none, or it may be that of another reset of this run.
    Unknown,
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
mod tests;
