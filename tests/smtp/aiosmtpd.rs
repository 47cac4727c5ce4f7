//! Logins at `aiosmtpd`.

use serde_json::{Value, json};
use terraform_provider_smtp::{
    secret::Secret,
    smtp::{CertificateFile, FailureKind, Roots, Security, Server},
};

use crate::peers::{Peer, Program, Setup};

const PASSWORD: &str = "\"pässwörd\" with 密码 and spaces";
const USERNAME: &str = "Zoë O'Neil <zoë@example.com>";

fn setups() -> [(Security, Setup); 2] {
    let setup = Setup::new(Program::Aiosmtpd);
    [(Security::StartTls, setup.clone()), (Security::Tls, setup.with_implicit_tls())]
}

fn server(peer: &Peer, security: Security) -> Server {
    Server::new(
        "localhost",
        peer.port(),
        security,
        Roots::new(Some(CertificateFile::read(&peer.ca_certificate_file()).unwrap())),
    )
}

fn auth(mechanism: &str) -> Value {
    json!({ "event": "auth", "mechanism": mechanism, "username": USERNAME, "secure": true })
}

#[tokio::test]
async fn aiosmtpd_takes_plain_and_login() {
    for (security, setup) in setups() {
        for (setup, mechanism) in [(setup.clone(), "PLAIN"), (setup.with_auth_login_only(), "LOGIN")] {
            let Some(peer) = setup.only_for(USERNAME, PASSWORD).start() else { return };
            let server = server(&peer, security);
            server.login(USERNAME, &Secret::new(PASSWORD)).await.unwrap();
            assert_eq!(peer.events_until("auth"), [auth(mechanism)]);
            let failure = server.login(USERNAME, &Secret::new("wrong")).await.unwrap_err();
            assert_eq!((failure.kind, failure.code), (FailureKind::Refused, Some(535)));
            assert_eq!(peer.events_until("auth"), [auth(mechanism)]);
        }
    }
}

#[tokio::test]
async fn aiosmtpd_is_checked_without_a_login() {
    for (security, setup) in setups() {
        let Some(peer) = setup.start() else { return };
        let server = server(&peer, security);
        server.check().await.unwrap();
        server.login(USERNAME, &Secret::new(PASSWORD)).await.unwrap();
        assert_eq!(peer.events_until("auth"), [auth("PLAIN")]);
    }
}

#[tokio::test]
async fn aiosmtpd_takes_a_login_that_is_longer_than_a_command_may_be() {
    let Some(peer) = Setup::new(Program::Aiosmtpd).start() else { return };
    let server = server(&peer, Security::StartTls);
    server.login(&"u".repeat(320), &Secret::new("p".repeat(128))).await.unwrap();
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_not_trusted() {
    for (security, setup) in setups() {
        let Some(peer) = setup.start() else { return };
        let server = Server::new("localhost", peer.port(), security, Roots::new(None));
        assert_eq!(server.check().await.unwrap_err().kind, FailureKind::Certificate);
    }
}
