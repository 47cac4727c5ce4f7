//! How often the client waits, as the sandbox counts it.

use sandbox::{
    SmtpFault, Stage, Tls,
    client::{Mechanism, logs_in_by},
};
use terraform_provider_smtp::smtp::Security;

use crate::scene::{BOTH, Scene, USER};

#[tokio::test]
async fn a_login_waits_no_more_than_it_has_to() {
    // To connect, for EHLO, STARTTLS, TLS 1.3, EHLO again, AUTH PLAIN and QUIT; for AUTH LOGIN twice more.
    for (security, mechanism, round_trips) in [
        (Security::StartTls, "AUTH PLAIN", 7),
        (Security::Tls, "AUTH PLAIN", 5),
        (Security::StartTls, "AUTH LOGIN", 9),
        (Security::Tls, "AUTH LOGIN", 7),
    ] {
        let scene = Scene::new();
        scene.sandbox.smtp_fault(SmtpFault::extensions(Stage::EhloOverTls, &[mechanism]));
        scene.login(security).await.unwrap();
        assert_eq!(scene.connection().round_trips, round_trips, "{mechanism} over {security:?}");
    }
}

#[tokio::test]
async fn a_check_waits_for_one_reply_less() {
    for (security, round_trips) in [(Security::StartTls, 6), (Security::Tls, 4)] {
        let scene = Scene::new();
        scene.server(security).check().await.unwrap();
        assert_eq!(scene.connection().round_trips, round_trips);
    }
}

#[tokio::test]
async fn another_client_waits_about_as_often() {
    for security in BOTH {
        let scene = Scene::new();
        let tls = match security {
            Security::StartTls => Tls::StartTls,
            Security::Tls => Tls::Implicit,
        };
        let password = scene.password.for_wire();
        assert!(logs_in_by(&scene.sandbox, tls, &[Mechanism::Plain], USER, password).unwrap());
        let theirs = scene.connection().round_trips;
        scene.sandbox.forget_smtp_connections();
        scene.login(security).await.unwrap();
        let ours = scene.connection().round_trips;
        assert!(ours <= theirs + 1, "{ours} to {theirs} over {security:?}");
    }
}
