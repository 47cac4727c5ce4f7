//! The reset, and the state that follows from it.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    aftermath::{self, Aftermath, Known, Lost, Witness},
    leftover,
    made::{self, Made},
    notes::Notes,
    policy::Policy,
    schema::{
        PASSWORD, PASSWORD_POLICY, PASSWORD_WO, REMOTE_VERSION, ROTATED_AT, ROTATION_VERSION, SMTP_HOST, STALE,
        USERNAME, VERIFIED,
    },
    turns::{self, Turns},
    verification::{self, Verification, Verified},
    verify::Place,
    version,
};
use crate::{
    clock,
    framework::{Call, Change, NewState, ResourceState, diagnostic::Diagnostic, text, value::Value},
    http::{Error, Outcome},
    provider::{
        diagnose::{self, Doing},
        logins::Logins,
        target::Target,
    },
    secret::{Name, Secret},
    smtp::{Roots, Server},
    vendors::{Before, Found, Note, Operation, PasswordSource, Presence, PriorCredential, Reset, ResetKind, VendorApi},
};

/// One credential, and the API that can reset it.
#[derive(Debug)]
pub(super) struct Rotator {
    pub(super) target: Target,
    pub(super) api: Arc<dyn VendorApi>,
    /// What the state holds of the credential; nothing on a create.
    pub(super) held: PriorCredential,
    /// What is known of the credential from before.
    pub(super) known: Known,
    /// Whom to trust where the new password is tried.
    pub(super) roots: Roots,
    /// The logins at mail servers.
    pub(super) logins: Logins,
    pub(super) turns: Arc<Turns>,
    pub(super) made: Arc<Made>,
}

/// A credential of its own that a reset replaces, at whichever vendor it is.
#[derive(Clone, Debug)]
pub(super) struct Predecessor {
    pub(super) target: Target,
    pub(super) api: Arc<dyn VendorApi>,
    pub(super) held: PriorCredential,
}

/// What the new state needs beside the reset's own answer, gathered before the reset.
struct Prepared {
    /// The password that the vendor is told, where the caller makes it.
    new: Option<Secret>,
    /// Whether it is the user's own, which is never stored.
    is_own: bool,
    before: Before,
    smtp_host: Option<Name>,
    /// The login that is to show that the new password works.
    verification: Option<Verification>,
    /// Where that login is.
    place: Option<Place>,
}

/// A rotation that failed.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) outcome: Outcome,
    pub(super) diagnostic: Diagnostic,
}

impl From<Diagnostic> for Failed {
    /// A failure before the reset.
    fn from(diagnostic: Diagnostic) -> Self {
        Self { outcome: Outcome::NotChanged, diagnostic }
    }
}

impl Rotator {
    /// Checks all that can be checked without a reset: that the vendor answers, takes the credentials and has the target.
    pub(super) async fn check(&self, op: &Operation) -> Result<Found, Diagnostic> {
        match self.api.check(op, &self.target.fields, &self.held).await {
            Ok(Presence::Found(found)) => Ok(found),
            Ok(Presence::Gone) => Err(diagnose::gone(&self.target)),
            Err(error) => Err(diagnose::failed(Doing::Checking, &self.target, &error)),
        }
    }

    /// Checks that a login could be tried at the place that a plan has noted down.
    pub(super) async fn check_place(&self, op: &Operation, place: &Place) -> Result<(), Diagnostic> {
        let told = if place.is_told() { self.ask_for_host(op).await? } else { None };
        let server = place.server(told.as_deref(), self.target.vendor, self.roots.clone())?;
        verification::check(op, &self.target, &server, &self.logins, place.timeout()).await
    }

    /// Resets the password and puts the new state where core will find it. Returns how the verification of it ended.
    pub(super) async fn rotate(
        &self,
        call: &Call,
        op: &Operation,
        change: &Change,
        new: &NewState,
    ) -> Result<Verified, Failed> {
        let turn = self.turns.take(op, &self.target.id()).await;
        let mut turn = turn.map_err(|error| diagnose::failed(Doing::Waiting, &self.target, &error))?;
        let mut prepared = self.prepare(op, change).await?;
        let (verification, place) = (prepared.verification.take(), prepared.place.take());
        let before = prepared.before.clone();
        let tried = turn.tries(&self.api);
        let begun = clock::now();
        // An update that fails leaves the state as it was, with whatever has asked for it.
        new.doubt(change.prior.is_null().then(|| leftover::of(change)));
        let reset = self.api.reset(op, &self.target.fields, prepared.new.as_ref()).await;
        let reset = match reset {
            Ok(reset) => reset,
            Err(error) => {
                if error.outcome == Outcome::NotChanged {
                    new.settle();
                }
                let witness = verification.as_ref().map(Verification::server).zip(place.as_ref());
                return Err(self.failed(error, op, tried, &before, begun, witness).await);
            }
        };
        // From here on the only copy of the password is in this process: nothing fails before `put`, and nothing after it
        // can take the state away again.
        let made = reset.password.clone();
        let reset = as_stored(reset);
        let is_stored_otherwise = reset.password != made;
        let (named, notes) = (reset.username.clone(), reset.notes.clone());
        let password = reset.password.clone().or_else(|| prepared.new.clone());
        let healed = Notes::from(&change.private).healed_after();
        let (reset, version) = self.with_its_own_version(reset, tried, &before);
        let mut stored = ResourceState {
            state: rotated(change, prepared, reset, clock::now()),
            private: Notes::of_state(&change.config, None, healed),
        };
        new.set(stored.clone());
        self.made.note(&self.target, &change.prior, &stored.state);
        tracing::info!(vendor = self.target.vendor.name, "the password was reset");
        if version == Version::OfBefore {
            self.read_version(op, &before, &mut stored, new).await;
        }
        // A vendor that makes another credential with every reset leaves the other resource its own.
        if turn.used(&self.api) == turns::Reset::Again && self.target.vendor.reset_kind == ResetKind::InPlace {
            call.warn(diagnose::reset_again(&self.target));
        }
        if is_stored_otherwise {
            call.warn(diagnose::stored_otherwise(&self.target));
        }
        if let (Some(named), Some(planned)) = (named, change.planned.get(USERNAME).as_str())
            && *named != *planned
        {
            call.warn(diagnose::another_user(&self.target, &named));
        }
        let mut verified = Verified::Open;
        if let Some((verification, password)) = verification.zip(password) {
            verified = verification.run(call, op, stored.state.get(USERNAME).as_str(), &password).await;
            stored.state.set(VERIFIED, verified);
            if verified == Verified::Yes {
                stored.private = Notes::of_state(&change.config, place, healed);
            }
            new.set(stored);
        }
        // Of a mail server that has caught up by now there is nothing to say.
        let has_caught_up = |note: &Note| *note == Note::NotYetEverywhere && verified == Verified::Yes;
        for note in notes.into_iter().filter(|note| !has_caught_up(note)) {
            call.warn(diagnose::noted(&self.target, note));
        }
        Ok(verified)
    }

    /// The response to a reset, without a version that may not be the reset's own, because it is no later than one from before. ResourceState, it
    /// would make every later look take this reset for somebody else's. What another reset of this run has left is not known.
    fn with_its_own_version(&self, reset: Reset, tried: turns::Reset, before: &Before) -> (Reset, Version) {
        let compare = |one: &str, other: &str| self.api.compare(one, other);
        let is_later = reset.version.as_ref().and_then(|version| before.is_exceeded_by(version, compare));
        match (self.target.vendor.reset_kind, tried, is_later) {
            (ResetKind::InPlace, turns::Reset::Again, _) => (Reset { version: None, ..reset }, Version::Unknown),
            (ResetKind::InPlace, turns::Reset::First, Some(false)) => {
                (Reset { version: None, ..reset }, Version::OfBefore)
            }
            _ => (reset, Version::Own),
        }
    }

    /// Asks once for the version of a reset whose response showed the one from before. The new state is stored already, and where there
    /// is no later version, it stays without one.
    async fn read_version(&self, op: &Operation, before: &Before, stored: &mut ResourceState, new: &NewState) {
        let op = op.within(LONGEST_LOOK);
        let Ok(Ok(versions)) = op.wait(self.api.versions(&op, &self.target.fields)).await else { return };
        let compare = |one: &str, other: &str| self.api.compare(one, other);
        let is_later = |version: &Name| before.is_exceeded_by(version, compare) == Some(true);
        if let Some(version) = versions.into_iter().find(is_later) {
            stored.state.set(REMOTE_VERSION, version);
            new.set(stored.clone());
        }
    }

    /// Fetches what the plan of an update without a reset left open: the submission host of a vendor that tells it.
    pub(super) async fn fill_in(&self, op: &Operation, state: &mut Value) -> Result<(), Diagnostic> {
        let host = self.smtp_host(op, state).await?;
        state.set(SMTP_HOST, host);
        Ok(())
    }

    /// The failure of a reset, with what can be learned about it.
    ///
    /// After another reset of this run, what was known before that one shows a change whether or not this one has happened.
    async fn failed(
        &self,
        error: Error,
        op: &Operation,
        tried: turns::Reset,
        before: &Before,
        begun: Timestamp,
        witness: Option<(&Server, &Place)>,
    ) -> Failed {
        let is_first = tried == turns::Reset::First;
        let unknown = Before::default();
        let before =
            if is_first || self.target.vendor.reset_kind == ResetKind::NewCredential { before } else { &unknown };
        let former = self.known.former.as_ref().filter(|_| is_first);
        let witness = witness.zip(former).filter(|((_, place), former)| former.is_proven_at(place));
        let witness = witness.map(|((server, _), former)| Witness { server, former });
        let lost = Lost { target: &self.target, api: &*self.api, before, begun, witness };
        let Aftermath { error, seen } = aftermath::of(error, op, lost).await;
        let diagnostic = diagnose::failed_and_seen(Doing::Resetting, &self.target, &error, &seen);
        Failed { outcome: error.outcome, diagnostic }
    }

    async fn prepare(&self, op: &Operation, change: &Change) -> Result<Prepared, Diagnostic> {
        let own = change.config.get(PASSWORD_WO).as_secret();
        let new = match (self.target.vendor.password_source, own) {
            (PasswordSource::Vendor, _) => None,
            (PasswordSource::Caller, Some(own)) => Some(own.clone()),
            (PasswordSource::Caller, None) => Some(generated(change)?),
        };
        let found = self.check(op).await?;
        let smtp_host = self.smtp_host(op, &change.planned).await?;
        let verification =
            Verification::of(&change.planned, &self.target, smtp_host.as_deref(), &self.roots, &self.logins)?;
        if let Some(verification) = &verification {
            verification.check(op).await?;
        }
        let place = Place::of(&change.planned).map(|place| place.told(smtp_host.as_deref()));
        let before = Before { prior: self.known.held.clone(), found };
        Ok(Prepared { new, is_own: own.is_some(), before, smtp_host, verification, place })
    }

    async fn smtp_host(&self, op: &Operation, planned: &Value) -> Result<Option<Name>, Diagnostic> {
        if !planned.get(SMTP_HOST).is_unknown() {
            return Ok(None);
        }
        self.ask_for_host(op).await
    }

    async fn ask_for_host(&self, op: &Operation) -> Result<Option<Name>, Diagnostic> {
        let host = self.api.smtp_host(op, &self.target.fields).await;
        host.map_err(|error| diagnose::failed(Doing::Checking, &self.target, &error))
    }
}

impl Predecessor {
    /// Ends it at its vendor.
    pub(super) async fn retire(&self, op: &Operation) -> Result<(), Error> {
        self.api.retire(op, &self.held).await
    }

    /// Ends it after its successor is stored. A stop or the deadline cuts it short: the new password is not to wait.
    ///
    /// Where the new one did not log in, the old one may be all that works, and is left to the user. And what a state holds now is no
    /// old one, whatever the vendor calls it.
    pub(super) async fn retire_after_reset(&self, call: &Call, op: &Operation, held: &Made, verified: Verified) {
        if held.holds(self) {
            return call.warn(made::same_again(&self.target, self.id()));
        }
        if verified == Verified::No {
            return call.warn(diagnose::spared(&self.target, self.id()));
        }
        let retired = op.wait(self.retire(op)).await;
        let retired =
            retired.unwrap_or_else(|cut| Err(Error { reason: "there was no time left to wait".into(), ..cut }));
        if let Err(error) = retired {
            call.warn(diagnose::not_retired(&self.target, self.id(), &error));
        }
    }

    /// What its vendor knows it by.
    pub(super) fn id(&self) -> &str {
        self.held.version.as_deref().unwrap_or_default()
    }
}

/// What the vendor made, as core will store it: what is compared and tried must be what there will be.
fn as_stored(reset: Reset) -> Reset {
    let composed = |password: Secret| text::composed_secret(&password).unwrap_or(password);
    Reset {
        password: reset.password.map(composed),
        username: reset.username.and_then(composed_name),
        version: reset.version.and_then(composed_name),
        ..reset
    }
}

/// The name in Unicode's composed form. It may be that of a secret only now, so it leaves through the exit once more.
fn composed_name(name: Name) -> Option<Name> {
    Name::new(&text::composed(name.into()))
}

/// Whose version the response to a reset shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Version {
    /// That of the reset, as far as anybody knows.
    Own,
    /// One from before it.
    OfBefore,
    /// It may be that of another reset of this run.
    Unknown,
}

/// How long a version is waited for whose reset is stored already.
const LONGEST_LOOK: Duration = Duration::from_secs(2);

fn generated(change: &Change) -> Result<Secret, Diagnostic> {
    let policy = Policy::of(change.planned.get(PASSWORD_POLICY));
    let made = policy.and_then(|policy| policy.generate(getrandom::fill).ok());
    made.inspect(Secret::remember).ok_or_else(|| {
        Diagnostic::error(
            "No password could be made",
            "The system gave no random bytes. The password was not changed. Try again later.",
        )
    })
}

/// The planned state with what the reset made known.
fn rotated(change: &Change, prepared: Prepared, reset: Reset, now: Timestamp) -> Value {
    let mut state = change.planned.clone();
    for (name, value) in [
        (REMOTE_VERSION, reset.version),
        (SMTP_HOST, prepared.smtp_host),
        (USERNAME, reset.username.or(prepared.before.found.username.and_then(composed_name))),
    ] {
        if state.get(name).is_unknown() {
            state.set(name, value);
        }
    }
    let made = if prepared.is_own { None } else { reset.password.or(prepared.new) };
    state.set(PASSWORD, made);
    state.set(ROTATED_AT, rotated_at(now, change.prior.get(ROTATED_AT)));
    state.set(ROTATION_VERSION, version::after(now, change.prior.get(ROTATION_VERSION)));
    state.set(STALE, false);
    // Nothing is known of that before it is tried, and until then this is the state that counts.
    state.set(VERIFIED, Value::Null);
    state
}

/// `now` as RFC 3339 with six fraction digits; a microsecond later where that is what it was before, because others compare
/// it as a version.
fn rotated_at(now: Timestamp, before: &Value) -> String {
    let text = format!("{now:.6}");
    if before.as_str() == Some(&text) {
        let later = now.saturating_add(jiff::SignedDuration::from_micros(1)).unwrap_or(now);
        format!("{later:.6}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_rotation_is_never_the_one_before() {
        let now: Timestamp = "2026-01-01T00:00:00.000001Z".parse().unwrap();
        assert_eq!(rotated_at(now, &Value::Null), "2026-01-01T00:00:00.000001Z");
        assert_eq!(rotated_at(now, &"2026-01-01T00:00:00.000001Z".into()), "2026-01-01T00:00:00.000002Z");
        assert_eq!(rotated_at(Timestamp::MAX, &Value::Null).len(), "9999-12-30T22:00:00.999999Z".len());
        let whole: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(rotated_at(whole, &Value::Null), "2026-01-01T00:00:00.000000Z");
    }
}
