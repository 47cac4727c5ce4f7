//! How often the client waits, as the sandbox counts it.

use lettre::{
    SmtpTransport,
    transport::smtp::{
        authentication::Mechanism,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
    },
};
use sandbox::{SmtpFault, Stage};
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
        let parameters = TlsParameters::builder("localhost".to_owned())
            .certificate_store(CertificateStore::None)
            .add_root_certificate(Certificate::from_pem(scene.sandbox.ca_certificate_pem().as_bytes()).unwrap())
            .build()
            .unwrap();
        let (port, tls) = match security {
            Security::StartTls => (scene.sandbox.smtp_port(), Tls::Required(parameters)),
            Security::Tls => (scene.sandbox.smtps_port(), Tls::Wrapper(parameters)),
        };
        let transport = SmtpTransport::builder_dangerous("localhost")
            .port(port)
            .tls(tls)
            .credentials((USER.to_owned(), scene.password.for_wire().to_owned()).into())
            .authentication(vec![Mechanism::Plain])
            .build();
        assert!(transport.test_connection().unwrap());
        drop(transport);
        let theirs = scene.connection().round_trips;
        scene.sandbox.forget_smtp_connections();
        scene.login(security).await.unwrap();
        let ours = scene.connection().round_trips;
        assert!(ours <= theirs + 1, "{ours} to {theirs} over {security:?}");
    }
}
