//! Logins at `smtp-server`, which offers AUTH in clear and would accept it.

use serde_json::{Value, json};
use terraform_provider_smtp::{
    secret::Secret,
    smtp::{CertificateFile, FailureKind, Roots, Security, Server},
};

use crate::{
    peers::{Peer, Program, Setup},
    tap::Tap,
};

const PASSWORD: &str = "\"pässwörd\" with 密码 and spaces";
const USERNAME: &str = "Zoë O'Neil <zoë@example.com>";

fn server(port: u16, peer: &Peer, security: Security) -> Server {
    Server::new(
        "localhost",
        port,
        security,
        Roots::new(Some(CertificateFile::read(&peer.ca_certificate_file()).unwrap())),
    )
}

fn command(verb: &str, secure: bool) -> Value {
    json!({ "event": "command", "verb": verb, "secure": secure })
}

fn auth(mechanism: &str) -> Value {
    json!({ "event": "auth", "mechanism": mechanism, "username": USERNAME, "secure": true })
}

#[tokio::test]
async fn no_byte_of_auth_goes_out_before_tls_though_it_is_offered() {
    let setup = Setup::new(Program::SmtpServer);
    for (setup, mechanism) in [(setup.clone(), "PLAIN"), (setup.with_auth_login_only(), "LOGIN")] {
        let Some(peer) = setup.only_for(USERNAME, PASSWORD).start() else { return };
        let tap = Tap::on(peer.port());
        let server = server(tap.port(), &peer, Security::StartTls);
        server.login(USERNAME, &Secret::new(PASSWORD)).await.unwrap();
        let events = peer.events_until("auth");
        assert_eq!(events[..3], [command("EHLO", false), command("STARTTLS", false), command("EHLO", true)]);
        assert!(events[3..].iter().all(|event| event["secure"] == true), "{events:?}");
        assert_eq!(events.last(), Some(&auth(mechanism)));
        // On the wire too: two commands, and then records of TLS.
        let bytes = tap.sent_by_client();
        let hello = bytes.strip_prefix(b"EHLO [127.0.0.1]\r\nSTARTTLS\r\n").expect("two commands");
        assert_eq!(hello[..2], [0x16, 0x03]);
        let failure = server.login(USERNAME, &Secret::new("wrong")).await.unwrap_err();
        assert_eq!((failure.kind, failure.code), (FailureKind::Refused, Some(535)));
    }
}

#[tokio::test]
async fn smtp_server_takes_a_login_over_tls_from_the_first_byte() {
    let Some(peer) = Setup::new(Program::SmtpServer).with_implicit_tls().only_for(USERNAME, PASSWORD).start() else {
        return;
    };
    let tap = Tap::on(peer.port());
    let server = server(tap.port(), &peer, Security::Tls);
    server.check().await.unwrap();
    server.login(USERNAME, &Secret::new(PASSWORD)).await.unwrap();
    assert_eq!(peer.events_until("auth").last(), Some(&auth("PLAIN")));
    assert_eq!(tap.sent_by_client()[..2], [0x16, 0x03]);
}

#[tokio::test]
async fn smtp_server_takes_a_login_that_is_longer_than_a_command_may_be() {
    let Some(peer) = Setup::new(Program::SmtpServer).start() else { return };
    let server = server(peer.port(), &peer, Security::StartTls);
    server.login(&"u".repeat(320), &Secret::new("p".repeat(128))).await.unwrap();
}
