//! What is stored after a reset, and what the user should know of it. A vendor that follows a script answers.

use std::{
    cmp::Ordering,
    sync::{
        Arc, Mutex,
        atomic::{self, AtomicUsize},
    },
};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    http::{Error, Kind, Outcome},
    rotation::{
        endpoint::SmtpEndpoint,
        error::RotationError,
        reconcile::Known,
        request::{NewPassword, Request},
        rotator::Shared,
        unused_api::{target, target_where},
    },
    smtp::{Roots, Security},
    vendors::{Fields, Found, Listed, Observation, Presence, Target, VendorApi},
};

const PASSWORD: &str = "the new password";

/// What a vendor says.
#[derive(Clone, Debug, Default)]
struct Script {
    /// The user name and the version before the reset.
    found: Found,
    /// The password in the response to the reset, if it is not the usual one.
    password: Option<&'static str>,
    /// The user name in the response.
    username: Option<&'static str>,
    /// The version in the response.
    version: Option<&'static str>,
    /// What the vendor says about the reset.
    notes: &'static [Note],
    /// The versions after the reset.
    later: &'static [&'static str],
    /// Whether versions cannot be compared without a panic.
    panics: bool,
    /// Whether the response to the reset is lost.
    is_lost: bool,
}

/// A vendor that follows a script, and keeps what it is asked. Its versions are numbers.
#[derive(Debug)]
struct Scripted(Script, Arc<Asked>);

/// What a vendor is asked.
#[derive(Debug, Default)]
struct Asked {
    /// How often for versions after a reset.
    versions: AtomicUsize,
    /// With which known version for room for another credential.
    room: Mutex<Vec<Option<String>>>,
    /// With which earlier version for a lost reset.
    lost: Mutex<Vec<Option<String>>>,
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
        prior: &PriorCredential,
        _: Option<&PriorCredential>,
    ) -> Result<(), Error> {
        self.1.room.lock().unwrap().push(prior.version.clone());
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
struct Kept {
    stored: Mutex<Vec<NewCredential>>,
    notices: Mutex<Vec<String>>,
}

impl Kept {
    fn versions(&self) -> Vec<Option<String>> {
        self.stored.lock().unwrap().iter().map(|new| new.version.as_deref().map(str::to_owned)).collect()
    }

    fn last(&self) -> NewCredential {
        self.stored.lock().unwrap().last().unwrap().clone()
    }

    fn notices(&self) -> Vec<String> {
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
struct Scene {
    rotator: Rotator,
    asked: Arc<Asked>,
}

impl Scene {
    fn new(target: Target, script: Script) -> Self {
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

    async fn rotate(&self, request: Request) -> Kept {
        let kept = Kept::default();
        let op = Operation::new(Duration::from_mins(1), CancellationToken::new());
        let rotated = self.rotator.rotate(&op, request, &kept).await;
        assert!(matches!(rotated, Ok(Rotated::Stored(Verified::NotChecked))), "{:?}", rotated.err());
        kept
    }

    /// How often the vendor was asked for versions since the last question.
    fn asked(&self) -> usize {
        self.asked.versions.swap(0, atomic::Ordering::Relaxed)
    }
}

fn request() -> Request {
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

fn script(before: &str, version: Option<&'static str>, later: &'static [&'static str]) -> Script {
    Script { found: Found { version: Name::new(before), ..Found::default() }, version, later, ..Script::default() }
}

/// A credential that is reset in place, at a vendor whose responses have versions or not.
fn in_place(reports_version: bool) -> Target {
    target_where(
        |vendor| vendor.reset_kind == ResetKind::InPlace && vendor.reports_version == reports_version,
        "a@b.example",
    )
}

#[tokio::test]
async fn a_version_is_stored_only_if_it_is_that_of_this_reset() {
    let another = || target(ResetKind::NewCredential, "a");
    for (target, script, stored, asked) in [
        (in_place(true), script("1", Some("2"), &[]), Some("2"), 0),
        // What is not comparable may be it.
        (in_place(true), script("1", Some("soon"), &[]), Some("soon"), 0),
        // The response is older than the reset, so the vendor is asked once.
        (in_place(true), script("5", Some("2"), &["5", "7"]), Some("7"), 1),
        (in_place(true), script("5", Some("5"), &["7"]), Some("7"), 1),
        (in_place(true), script("5", Some("2"), &["5"]), None, 1),
        (in_place(true), script("5", Some("2"), &["soon"]), None, 1),
        // So it is where the response has none and others have one.
        (in_place(true), script("5", None, &["6"]), Some("6"), 1),
        (in_place(true), script("", None, &["3"]), Some("3"), 1),
        (in_place(false), script("5", None, &["6"]), None, 0),
        // A new credential has no later version than its own.
        (another(), script("5", Some("2"), &[]), Some("2"), 0),
        (another(), script("5", None, &["6"]), None, 0),
    ] {
        let scene = Scene::new(target, script.clone());
        let kept = scene.rotate(request()).await;
        let mut expected = vec![None];
        expected.extend(stored.map(|version| Some(version.to_owned())));
        assert_eq!((kept.versions(), scene.asked()), (expected, asked), "{script:?}");
        assert_eq!(kept.last().password, Some(Secret::new(PASSWORD)));
    }
}

#[tokio::test]
async fn the_second_reset_of_a_run_takes_no_version_in_place_and_is_reported() {
    for response in [Some("9"), None] {
        let scene = Scene::new(in_place(true), script("1", response, &["9"]));
        assert_eq!(scene.rotate(request()).await.notices(), <[&str; 0]>::default());
        scene.asked();
        let kept = scene.rotate(request()).await;
        assert_eq!((kept.versions(), scene.asked()), (vec![None], 0), "{response:?}");
        assert_eq!(kept.notices(), ["ResetAgain"]);
    }

    // Each new credential is another.
    let scene = Scene::new(target(ResetKind::NewCredential, "a"), script("1", Some("2"), &[]));
    for _ in 0..2 {
        let kept = scene.rotate(request()).await;
        assert_eq!((kept.versions().len(), kept.notices().len()), (2, 0));
    }
}

#[tokio::test]
async fn a_stored_credential_is_known_to_be_held_by_its_version_or_user_name() {
    for (reports_version, held) in [(true, Some("2")), (false, None)] {
        let mut script = script("1", Some("2"), &[]);
        script.username = Some("someone");
        let scene = Scene::new(in_place(reports_version), script);
        scene.rotate(Request { username: Some("a".to_owned()), ..request() }).await;
        let Rotator { shared, target, .. } = &scene.rotator;
        let by = |version: Option<&str>| PriorCredential { version: version.map(str::to_owned), username: None };
        assert_eq!(
            shared.live.holds(target, &by(Some("2"))),
            held.is_some() || (target.vendor.username)(&target.fields).is_some()
        );
        assert!(held.is_none() || !shared.live.holds(target, &by(Some("3"))));
    }
}

#[tokio::test]
async fn names_and_passwords_are_stored_composed_and_what_differs_is_reported() {
    let mut script = Script {
        password: Some("cafe\u{301}"),
        username: Some("re\u{301}my"),
        version: Some("e\u{301}"),
        ..script("1", None, &[])
    };
    let scene = Scene::new(in_place(true), script.clone());
    let kept = scene.rotate(request()).await;
    let last = kept.last();
    assert_eq!(last.password, Some(Secret::new("caf\u{e9}")));
    assert_eq!(last.username.as_deref(), Some("r\u{e9}my"));
    assert_eq!(last.version.as_deref(), Some("\u{e9}"));
    assert_eq!(kept.notices(), ["PasswordRecomposed"]);

    script.password = None;
    for (planned, is_other) in [("r\u{e9}my", false), ("anna", true)] {
        let scene = Scene::new(in_place(true), script.clone());
        let notices = scene.rotate(Request { username: Some(planned.to_owned()), ..request() }).await.notices();
        assert_eq!(notices.iter().any(|notice| notice.starts_with("OtherUser")), is_other, "{notices:?}");
        assert_eq!(notices.len(), usize::from(is_other));
    }
}

#[tokio::test]
async fn a_lost_reset_is_compared_with_what_is_known_unless_this_run_has_changed_that() {
    for (target, expected) in
        [(in_place(true), [Some("1"), None]), (target(ResetKind::NewCredential, "a"), [Some("1"), Some("1")])]
    {
        let scene = Scene::new(target, Script { is_lost: true, ..script("1", None, &[]) });
        for _ in 0..2 {
            let op = Operation::new(Duration::from_mins(1), CancellationToken::new());
            let lost = scene.rotator.rotate(&op, request(), &Kept::default()).await;
            assert!(matches!(lost, Err(RotationError::Reset(_))), "{lost:?}");
        }
        assert_eq!(*scene.asked.lost.lock().unwrap(), expected.map(|version| version.map(str::to_owned)));
    }
}

#[tokio::test]
async fn room_is_asked_for_with_the_credential_that_is_held_or_replaced() {
    let held = |version: &str| PriorCredential { version: Some(version.to_owned()), username: None };
    for (credential, expected) in [(PriorCredential::default(), "replaced"), (held("own"), "own")] {
        let mut scene = Scene::new(target(ResetKind::NewCredential, "a"), script("1", Some("2"), &[]));
        scene.rotator.known.credential = held("replaced");
        scene.rotator.credential = credential;
        let kept = scene.rotate(Request { wants_smtp_host: true, ..request() }).await;
        assert_eq!(*scene.asked.room.lock().unwrap(), [Some(expected.to_owned())]);
        assert_eq!(kept.last().smtp_host.as_deref(), Some("mail.example.com"));
    }
}

#[tokio::test]
async fn a_credential_counts_as_reset_once_it_is_stored() {
    let scene = Scene::new(in_place(true), script("1", Some("2"), &[]));
    let is_reset = || scene.rotator.shared.is_reset(&scene.rotator.target, &scene.rotator.api);
    assert!(!is_reset());
    scene.rotate(request()).await;
    assert!(is_reset());
}

#[tokio::test]
async fn a_mail_server_that_is_not_there_is_found_out_before_a_reset() {
    let scene = Scene::new(in_place(true), script("1", Some("2"), &[]));
    // The listener is gone, so nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = SmtpEndpoint { host: Some("127.0.0.1".to_owned()), port, security: Security::Tls, timeout: None };
    let op = Operation::new(Duration::from_mins(1), CancellationToken::new());
    let checked = scene.rotator.check_endpoint(&op, &endpoint).await;
    assert!(matches!(checked, Err(RotationError::MailServer { .. })), "{checked:?}");
}

#[tokio::test]
async fn what_a_vendor_notes_is_reported_while_no_login_has_shown_otherwise() {
    let notes = &[Note::NotYetActive, Note::UndocumentedResponse];
    let scene = Scene::new(in_place(true), Script { notes, ..script("1", Some("2"), &[]) });
    let notices = scene.rotate(request()).await.notices();
    assert_eq!(notices, ["Vendor(NotYetActive)", "Vendor(UndocumentedResponse)"]);
}

#[tokio::test]
async fn the_users_own_password_is_never_stored() {
    let scene = Scene::new(in_place(true), script("1", Some("2"), &[]));
    let own = NewPassword::Own(Secret::new("the user's own"));
    assert_eq!(scene.rotate(Request { password: own, ..request() }).await.last().password, None);
}

#[tokio::test]
async fn the_password_is_stored_before_a_vendors_code_can_panic() {
    let kept = Arc::new(Kept::default());
    let sink = Arc::clone(&kept);
    let rotation = tokio::spawn(async move {
        let script = Script { panics: true, ..script("1", Some("2"), &[]) };
        let scene = Scene::new(target(ResetKind::InPlace, "a@b"), script);
        let op = Operation::new(Duration::from_mins(1), CancellationToken::new());
        scene.rotator.rotate(&op, request(), &*sink).await
    });
    assert!(rotation.await.unwrap_err().is_panic());
    assert_eq!((kept.versions(), kept.last().password), (vec![None], Some(Secret::new(PASSWORD))));
}

#[test]
fn only_another_version_is_another_credential() {
    let stored = |version: Option<&str>| StoredCredential {
        credential: PriorCredential { version: version.map(str::to_owned), username: None },
        rotated_at: None,
    };
    for (new, replaced, expected) in [
        (Some("b"), Some(Some("a")), true),
        (Some("A"), Some(Some("a")), false),
        (Some("b"), Some(None), false),
        (Some("b"), None, false),
        (None, Some(Some("a")), false),
    ] {
        let replaced = replaced.map(stored);
        assert_eq!(is_another(&stored(new), replaced.as_ref()), expected, "{new:?} {replaced:?}");
    }
}

#[test]
fn the_time_of_a_rotation_is_never_the_previous_one() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let now = at("2026-01-01T00:00:00.000001789Z");
    assert_eq!(after(now, None), at("2026-01-01T00:00:00.000001Z"));
    assert_eq!(after(now, Some(at("2026-01-01T00:00:00.000001Z"))), at("2026-01-01T00:00:00.000002Z"));
    assert_eq!(after(now, Some(at("2026-01-01T00:00:00.000002Z"))), at("2026-01-01T00:00:00.000001Z"));
    assert!(after(Timestamp::MAX, None) <= Timestamp::MAX);
}
