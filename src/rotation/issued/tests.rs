//! What is stored after a reset, and what the user should know of it.

use std::sync::Arc;

use super::*;
use crate::rotation::{
    request::{NewPassword, Request},
    scripted::{Kept, PASSWORD, Scene, Script, in_place, op, request, script},
    unused_api::target,
};

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
async fn a_stored_credential_is_held_under_its_version_if_it_has_one() {
    for (reports_version, version, expected) in
        [(true, "2", true), (true, "3", false), (false, "2", true), (false, "3", true)]
    {
        let scene = Scene::new(in_place(reports_version), script("1", Some("2"), &[]));
        scene.rotate(request()).await;
        let credential = PriorCredential { version: Some(version.to_owned()), username: None };
        let is_held = scene.rotator.shared.live.holds(&scene.rotator.target, &credential);
        assert_eq!(is_held, expected, "{version}, {reports_version}");
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
        let op = op();
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
