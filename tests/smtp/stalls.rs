//! A server that falls silent.

use std::sync::Arc;

use sandbox::{SmtpEffect, SmtpFault, Stage};
use terraform_provider_smtp::smtp::{FailureKind, Security};

use crate::scene::{BOTH, Scene, USER};

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up() {
    for security in BOTH {
        for stage in [
            Stage::Banner,
            Stage::Ehlo,
            Stage::StartTls,
            Stage::Handshake,
            Stage::EhloOverTls,
            Stage::Auth,
            Stage::Login,
        ] {
            if security == Security::Tls && matches!(stage, Stage::Ehlo | Stage::StartTls) {
                continue;
            }
            let failure = stalled(security, stage).await.unwrap_err();
            assert_eq!((failure.kind, failure.code), (FailureKind::TimedOut, None), "{stage:?} over {security:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_says_no_goodbye_has_still_taken_the_login() {
    for security in BOTH {
        stalled(security, Stage::Quit).await.unwrap();
    }
}

#[tokio::test]
async fn a_login_is_answered_before_leave_is_taken() {
    for security in BOTH {
        let scene = Scene::new();
        scene.sandbox.smtp_fault(SmtpFault::new(Stage::Quit, SmtpEffect::Stall));
        let login = scene.server(security).log_in(USER, &scene.password).await;
        assert_eq!((&login.answer, scene.sandbox.pending_smtp_faults()), (&Ok(()), 1), "nobody has said QUIT");
        // A client that runs out of time now cuts this off, and has the answer.
        drop(login.leave());
        assert_eq!(scene.connection().commands.last().map(String::as_str), Some("AUTH PLAIN"));
    }
}

/// Logs in, and turns the clock on once the server has stalled.
async fn stalled(security: Security, stage: Stage) -> Result<(), terraform_provider_smtp::smtp::Failure> {
    let scene = Arc::new(Scene::new());
    scene.sandbox.smtp_fault(SmtpFault::new(stage, SmtpEffect::Stall));
    let (client, watch) = (Arc::clone(&scene), Arc::clone(&scene));
    let login = tokio::spawn(async move { client.login(security).await });
    assert!(tokio::task::spawn_blocking(move || watch.sandbox.wait_for_stalled(1)).await.unwrap());
    // From here on there is nothing to wait for but the clock, which then needs no time.
    tokio::time::pause();
    let logged_in = login.await.unwrap();
    tokio::time::resume();
    scene.kept_auth_to_tls();
    logged_in
}
