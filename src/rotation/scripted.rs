//! A vendor that follows a script, and what a rotation there leaves, for tests.

use std::{
    cmp::Ordering,
    sync::{
        Arc, Mutex,
        atomic::{self, AtomicUsize},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{
    reconcile::Known,
    refused::Rotated,
    request::{NewPassword, Request},
    rotator::{Rotator, Shared},
    sink::{NewCredential, Notice, Sink, Verified},
    unused_api::target_where,
};
use crate::{
    http::{Error, Kind, Outcome},
    secret::{Name, Secret},
    smtp::Roots,
    vendors::{
        Before, Fields, Found, Listed, Note, Observation, Operation, Presence, PriorCredential, Reset, ResetKind,
        Target, VendorApi,
    },
};

/// The usual password.
pub(super) const PASSWORD: &str = "the new password";

/// What a vendor says.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    /// The user name and the version before the reset.
    pub(super) found: Found,
    /// The password in the response to the reset, if it is not the usual one.
    pub(super) password: Option<&'static str>,
    /// The user name in the response.
    pub(super) username: Option<&'static str>,
    /// The version in the response.
    pub(super) version: Option<&'static str>,
    /// What the vendor says about the reset.
    pub(super) notes: &'static [Note],
    /// The versions after the reset.
    pub(super) later: &'static [&'static str],
    /// Whether versions cannot be compared without a panic.
    pub(super) panics: bool,
    /// Whether the response to the reset is lost.
    pub(super) is_lost: bool,
}

/// A vendor that follows a script, and keeps what it is asked. Its versions are numbers.
#[derive(Debug)]
struct Scripted(Script, Arc<Asked>);

/// The versions that are held, and the one that is to be revoked.
type AskedRoom = (Vec<Option<String>>, Option<String>);

/// What a vendor is asked.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// How often for versions after a reset.
    pub(super) versions: AtomicUsize,
    /// With which versions, held and to be revoked, for room for another credential.
    pub(super) room: Mutex<Vec<AskedRoom>>,
    /// With which earlier version for a lost reset.
    pub(super) lost: Mutex<Vec<Option<String>>>,
}

#[async_trait]
impl VendorApi for Scripted {
    async fn read(&self, _: &Operation, _: &Fields, _: &PriorCredential) -> Result<Presence, Error> {
        Ok(Presence::Found(self.0.found.clone()))
    }

    async fn list(&self, _: &Operation, _: &Fields) -> Result<Vec<Listed>, Error> {
        unreachable!("a rotation asks for one credential")
    }

    async fn reset(&self, _: &Operation, _: &Fields, _: &Before, new: Option<&Secret>) -> Result<Reset, Error> {
        if self.0.is_lost {
            return Err(Error::new(Kind::TimedOut, Outcome::MayHaveChanged, "api.example.com", "a test"));
        }
        let Script { password, username, version, notes, .. } = self.0;
        let password = new.is_none().then(|| Secret::new(password.unwrap_or(PASSWORD)));
        let [username, version] = [username, version].map(|text| text.and_then(Name::new));
        Ok(Reset { password, username, version, notes: notes.to_vec() })
    }

    async fn versions(&self, _: &Operation, _: &Fields) -> Result<Vec<Name>, Error> {
        self.1.versions.fetch_add(1, atomic::Ordering::Relaxed);
        Ok(self.0.later.iter().filter_map(|text| Name::new(text)).collect())
    }

    async fn check_room(
        &self,
        _: &Operation,
        _: &Fields,
        held: &[&PriorCredential],
        revoked: Option<&PriorCredential>,
    ) -> Result<(), Error> {
        let held = held.iter().map(|held| held.version.clone()).collect();
        self.1.room.lock().unwrap().push((held, revoked.and_then(|revoked| revoked.version.clone())));
        Ok(())
    }

    async fn find_lost_reset(&self, _: &Operation, _: &Fields, before: &Before) -> Result<Observation, Error> {
        self.1.lost.lock().unwrap().push(before.found.version.as_deref().map(str::to_owned));
        Ok(Observation::Unknown)
    }

    async fn smtp_host(&self, _: &Operation, _: &Fields) -> Result<Option<Name>, Error> {
        Ok(Name::new("mail.example.com"))
    }

    fn compare(&self, one: &str, other: &str) -> Option<Ordering> {
        assert!(!self.0.panics, "a test");
        let number = |text: &str| text.parse::<u32>().ok();
        Some(number(one)?.cmp(&number(other)?))
    }
}

/// Keeps what is stored, and the notices.
#[derive(Default)]
pub(super) struct Kept {
    stored: Mutex<Vec<NewCredential>>,
    notices: Mutex<Vec<String>>,
}

impl Kept {
    pub(super) fn versions(&self) -> Vec<Option<String>> {
        self.stored.lock().unwrap().iter().map(|new| new.version.as_deref().map(str::to_owned)).collect()
    }

    pub(super) fn last(&self) -> NewCredential {
        self.stored.lock().unwrap().last().unwrap().clone()
    }

    pub(super) fn notices(&self) -> Vec<String> {
        self.notices.lock().unwrap().clone()
    }
}

impl Sink for Kept {
    fn doubt(&self) {}

    fn settle(&self) {}

    fn store(&self, new: &NewCredential) {
        self.stored.lock().unwrap().push(new.clone());
    }

    fn notice(&self, notice: Notice) {
        self.notices.lock().unwrap().push(format!("{notice:?}"));
    }
}

/// One credential, and the vendor that has it.
pub(super) struct Scene {
    pub(super) rotator: Rotator,
    pub(super) asked: Arc<Asked>,
}

impl Scene {
    pub(super) fn new(target: Target, script: Script) -> Self {
        let asked = Arc::<Asked>::default();
        let rotator = Rotator {
            shared: Arc::new(Shared::default()),
            target,
            api: Arc::new(Scripted(script, Arc::clone(&asked))),
            roots: Roots::default(),
            credential: PriorCredential::default(),
            known: Known::default(),
        };
        Self { rotator, asked }
    }

    pub(super) async fn rotate(&self, request: Request) -> Kept {
        let kept = Kept::default();
        let op = op();
        let rotated = self.rotator.rotate(&op, request, &kept).await;
        assert!(matches!(rotated, Ok(Rotated::Stored(Verified::NotChecked))), "{:?}", rotated.err());
        kept
    }

    /// How often the vendor was asked for versions since the last question.
    pub(super) fn asked(&self) -> usize {
        self.asked.versions.swap(0, atomic::Ordering::Relaxed)
    }
}

/// A request for a password that the vendor makes, and for nothing else.
pub(super) fn request() -> Request {
    Request {
        password: NewPassword::ByVendor,
        wants_smtp_host: false,
        endpoint: None,
        tries_previous: false,
        username: None,
        spared: Vec::new(),
        replaces: None,
        revokes: None,
        undoes_refusal: false,
    }
}

/// A vendor with this version before the reset, in its response, and afterwards.
pub(super) fn script(before: &str, version: Option<&'static str>, later: &'static [&'static str]) -> Script {
    Script { found: Found { version: Name::new(before), ..Found::default() }, version, later, ..Script::default() }
}

/// A credential that is reset in place, at a vendor whose responses have versions or not.
pub(super) fn in_place(reports_version: bool) -> Target {
    target_where(
        |vendor| vendor.reset_kind == ResetKind::InPlace && vendor.reports_version == reports_version,
        "a@b.example",
    )
}

/// An operation of a minute.
pub(super) fn op() -> Operation {
    Operation::new(Duration::from_mins(1), CancellationToken::new())
}
