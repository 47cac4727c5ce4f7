//! The submission server, over a raw connection and by a third-party mail client.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use lettre::{
    SmtpTransport,
    transport::smtp::client::{CertificateStore, Tls as ClientTls, TlsParameters},
};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use sandbox::{
    HubSpot, Login, Sandbox, Tls,
    client::{Mechanism, logs_in_by},
};

use crate::hubspot::{RESET, USER, authorized, with_credential};

#[test]
fn exactly_the_current_password_logs_in() {
    let sandbox = Sandbox::start();
    let old = sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, USER);
    let new = authorized(&sandbox, "POST", RESET).json()["password"].as_str().unwrap().to_owned();
    for tls in [Tls::StartTls, Tls::Implicit] {
        for mechanism in [Mechanism::Plain, Mechanism::Login] {
            assert!(logs_in_by(&sandbox, tls, &[mechanism], USER, &new).unwrap(), "{tls:?} {mechanism}");
            assert!(!logs_in_by(&sandbox, tls, &[mechanism], USER, &old).unwrap(), "{tls:?} {mechanism}");
        }
    }
    let login = |accepted, mechanism, tls| Login { username: USER.to_owned(), accepted, mechanism, tls };
    assert_eq!(sandbox.logins()[..2], [login(true, "PLAIN", Tls::StartTls), login(false, "PLAIN", Tls::StartTls)]);
    assert_eq!(sandbox.logins()[6..], [login(true, "LOGIN", Tls::Implicit), login(false, "LOGIN", Tls::Implicit)]);
}

#[test]
fn nobody_logs_in_with_a_deleted_credential() {
    let sandbox = Sandbox::start();
    let password = sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, USER);
    assert!(logs_in(&sandbox, USER, &password));
    sandbox.hubspot().delete(USER);
    assert!(!logs_in(&sandbox, USER, &password));
}

#[test]
fn a_client_that_does_not_know_the_authority_does_not_connect() {
    let sandbox = with_credential();
    let tls = TlsParameters::builder("localhost".to_owned()).certificate_store(CertificateStore::None).build();
    let transport = SmtpTransport::builder_dangerous("127.0.0.1").port(sandbox.smtps_port());
    assert!(transport.tls(ClientTls::Wrapper(tls.unwrap())).build().test_connection().is_err());
}

#[test]
fn in_clear_only_starttls_leads_on() {
    let sandbox = with_credential();
    let script = [
        ("EHLO me", "250-localhost 250-8BITMIME 250-ENHANCEDSTATUSCODES 250 STARTTLS"),
        ("AUTH PLAIN AGEAYg==", "530"),
        ("MAIL FROM:<a@example.com>", "530"),
        ("STARTTLS now", "501"),
        ("STARTTLS", "220"),
    ];
    converse(&mut mail_server(&sandbox), &script);
    assert!(sandbox.logins().is_empty());
}

#[test]
fn what_follows_starttls_in_clear_is_never_read() {
    let sandbox = with_credential();
    let mut stream = mail_server(&sandbox);
    stream.write_all(b"STARTTLS\r\nEHLO me\r\n").unwrap();
    let mut rest = String::new();
    // Closed with bytes unread, which the system may report as a reset.
    let _ = stream.read_to_string(&mut rest);
    assert!(!rest.contains("250"), "{rest}");
}

#[test]
fn commands_are_answered_by_the_book() {
    let sandbox = Sandbox::start();
    let password = sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, USER);
    let plain = STANDARD.encode(format!("\0{USER}\0{password}"));
    let for_another = STANDARD.encode(format!("boss\0{USER}\0{password}"));
    let script = [
        ("AUTH PLAIN AGEAYg==", "503"),
        ("EHLO", "501"),
        ("EHLO me", "250-localhost 250-8BITMIME 250-ENHANCEDSTATUSCODES 250 AUTH PLAIN LOGIN"),
        ("STARTTLS", "503"),
        ("MAIL FROM:<a@example.com>", "530"),
        ("AUTH", "501"),
        ("AUTH CRAM-MD5", "504"),
        ("AUTH PLAIN !", "501"),
        ("AUTH PLAIN =", "501"),
        ("AUTH PLAIN AGEAYg==", "535 5.7.8"),
        (&format!("AUTH PLAIN {for_another}"), "535 5.7.8"),
        ("AUTH PLAIN", "334 "),
        ("*", "501"),
        ("AUTH LOGIN", "334 VXNlcm5hbWU6"),
        (&STANDARD.encode(USER), "334 UGFzc3dvcmQ6"),
        ("d3Jvbmc=", "535 5.7.8"),
        ("auth plain", "334 "),
        (&plain, "235 2.7.0"),
        (&format!("AUTH PLAIN {plain}"), "503"),
        ("RCPT TO:<b@example.com>", "503"),
        ("MAIL a@example.com", "501"),
        ("MAIL FROM:<a@example.com>", "250"),
        ("MAIL FROM:<a@example.com>", "503"),
        ("DATA", "503"),
        ("RCPT TO:<b@example.com>", "250"),
        ("DATA", "354"),
        ("Subject: a\r\n\r\n..\r\n.", "250"),
        ("DATA", "503"),
        ("NOOP", "250"),
        ("RSET", "250"),
        ("VRFY a", "502"),
        ("HELLO", "500"),
        (&format!("NOOP {}", "a".repeat(600)), "500"),
        ("QUIT", "221"),
    ];
    let mut stream = secure_mail_server(&sandbox);
    converse(&mut stream, &script);
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
}

/// Returns whether the submission server accepts this user with this password.
pub(crate) fn logs_in(sandbox: &Sandbox, user_name: &str, password: &str) -> bool {
    logs_in_by(sandbox, Tls::Implicit, &[Mechanism::Plain], user_name, password).unwrap()
}

pub(crate) fn mail_server(sandbox: &Sandbox) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", sandbox.smtp_port())).unwrap();
    assert!(reply(&mut stream).starts_with("220 "));
    stream
}

pub(crate) fn secure_mail_server(sandbox: &Sandbox) -> StreamOwned<ClientConnection, TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", sandbox.smtps_port())).unwrap();
    let mut stream = StreamOwned::new(client_of(sandbox), stream);
    assert!(reply(&mut stream).starts_with("220 "));
    stream
}

/// A TLS client that trusts the sandbox's authority and nobody else.
pub(crate) fn client_of(sandbox: &Sandbox) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(sandbox.ca_certificate_pem().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    ClientConnection::new(Arc::new(config), "127.0.0.1".try_into().unwrap()).unwrap()
}

fn converse(stream: &mut (impl Read + Write), script: &[(&str, &str)]) {
    for (command, expected) in script {
        stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
        let reply = reply(stream);
        assert!(reply.starts_with(expected), "{command:.40} was answered with {reply}");
    }
}

/// Reads a reply; its lines are joined with spaces.
fn reply(stream: &mut impl Read) -> String {
    try_reply(stream).unwrap()
}

/// Reads a reply; its lines are joined with spaces.
pub(crate) fn try_reply(stream: &mut impl Read) -> io::Result<String> {
    let mut lines = Vec::new();
    loop {
        let line = line(stream)?;
        let last = line.as_bytes().get(3) != Some(&b'-');
        lines.push(line);
        if last {
            return Ok(lines.join(" "));
        }
    }
}

fn line(stream: &mut impl Read) -> io::Result<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        line.extend(byte);
    }
    Ok(String::from_utf8(line).unwrap().trim_end_matches("\r\n").to_owned())
}
