//! What is asked before a reset, and after one whose response was lost.

use sandbox::ClosedPort;

use super::*;
use crate::{
    rotation::{
        scripted::{Kept, Scene, Script, in_place, op, request, script},
        unused_api::target,
    },
    smtp::Security,
};

#[tokio::test]
async fn a_lost_reset_is_compared_with_what_is_known_unless_this_run_changed_it() {
    for (target, expected) in
        [(in_place(true), [Some("1"), None]), (target(ResetKind::NewCredential, "a"), [Some("1"), Some("1")])]
    {
        let scene = Scene::new(target, Script { is_lost: true, ..script("1", None, &[]) });
        for _ in 0..2 {
            let op = op();
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
        assert_eq!(*scene.asked.room.lock().unwrap(), [(vec![Some(expected.to_owned())], None)]);
        assert_eq!(kept.last().smtp_host.as_deref(), Some("mail.example.com"));
    }
}

#[tokio::test]
async fn what_the_first_half_of_a_replacement_has_revoked_takes_no_room() {
    for is_revoked in [false, true] {
        let held = |version: &str| PriorCredential { version: Some(version.to_owned()), username: None };
        let mut scene = Scene::new(target(ResetKind::NewCredential, "a"), script("1", Some("2"), &[]));
        scene.rotator.known.credential = held("old");
        scene.rotator.known.previous = Some(held("older"));
        scene.rotator.known.is_previous_revoked = is_revoked;
        scene.rotate(request()).await;
        let [old, older] = ["old", "older"].map(|id| Some(id.to_owned()));
        let revoked = older.clone().filter(|_| is_revoked);
        assert_eq!(*scene.asked.room.lock().unwrap(), [(vec![old, older], revoked)]);
    }
}

#[tokio::test]
async fn a_credential_counts_as_reset_once_it_is_stored() {
    let scene = Scene::new(in_place(true), script("1", Some("2"), &[]));
    let is_reset = |scene: &Scene| scene.rotator.shared.leave(&scene.rotator.target, &scene.rotator.api);
    scene.rotate(request()).await;
    assert!(is_reset(&scene));
}

#[tokio::test]
async fn a_reset_of_what_a_pair_has_rotated_away_from_is_reported() {
    let scene = Scene::new(in_place(true), script("1", Some("2"), &[]));
    assert!(!scene.rotator.shared.leave(&scene.rotator.target, &scene.rotator.api));
    assert_eq!(scene.rotate(request()).await.notices(), ["ResetOfPrevious"]);
}

#[tokio::test]
async fn a_mail_server_that_is_not_there_is_found_out_before_a_reset() {
    let scene = Scene::new(in_place(true), script("1", Some("2"), &[]));
    let closed = ClosedPort::bind();
    let (host, port) = (Some("127.0.0.1".to_owned()), closed.port());
    let endpoint = SmtpEndpoint { host, port, security: Security::Tls, timeout: None };
    let op = op();
    let checked = scene.rotator.check_endpoint(&op, &endpoint).await;
    assert!(matches!(checked, Err(RotationError::MailServer { .. })), "{checked:?}");
}
