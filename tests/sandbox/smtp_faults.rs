//! What can be made to go wrong with the submission server, in code and over HTTP, and what is recorded of it.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rustls::{CertificateError, ClientConnection, StreamOwned};
use sandbox::{HubSpot, Meanwhile, Sandbox, Showing, SmtpConnection, SmtpEffect, SmtpFault, Stage, Tls};
use serde_json::json;

use crate::{
    client::send,
    hubspot::{RESET, USER, authorized, with_credential},
    smtp::{client_of, logs_in, mail_server, secure_mail_server, try_reply},
};

/// In the order in which a login reaches them.
const STAGES: [Stage; 9] = [
    Stage::Banner,
    Stage::Ehlo,
    Stage::StartTls,
    Stage::Handshake,
    Stage::EhloOverTls,
    Stage::Auth,
    Stage::Challenge,
    Stage::Login,
    Stage::Quit,
];

#[test]
fn a_connection_can_be_closed_at_each_stage() {
    let sandbox = with_credential();
    assert_eq!(walk(&sandbox), ["220", "250", "220", "TLS", "250", "334", "334", "235", "221"]);
    for (stage, replies) in STAGES.into_iter().zip([0, 1, 2, 3, 4, 5, 5, 7, 8]) {
        sandbox.smtp_fault(SmtpFault::new(stage, SmtpEffect::Close));
        assert_eq!(walk(&sandbox).len(), replies, "{stage:?}");
    }
    assert_eq!(sandbox.pending_smtp_faults(), 0);
}

#[test]
fn each_stage_can_be_answered_otherwise_and_421_ends_the_connection() {
    let sandbox = with_credential();
    for (stage, at) in STAGES.into_iter().zip([0, 1, 2, 3, 4, 5, 5, 7, 8]) {
        if stage == Stage::Handshake {
            continue;
        }
        sandbox.smtp_fault(SmtpFault::reply(stage, "454 4.7.0 Not now"));
        assert_eq!(walk(&sandbox).get(at).map(String::as_str), Some("454"), "{stage:?}");
        sandbox.smtp_fault(SmtpFault::reply(stage, "421 4.3.2 Closing"));
        let replies = walk(&sandbox);
        assert_eq!((replies.len(), replies[at].as_str()), (at + 1, "421"), "{stage:?}");
    }
}

#[test]
fn a_good_password_can_be_refused_so_often_as_one_likes_and_whose_one_likes() {
    let sandbox = Sandbox::start();
    let password = sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, USER);
    let others = sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, "second");
    let refusal = "535 5.7.8 Authentication credentials invalid";
    sandbox.smtp_fault(SmtpFault::reply(Stage::Login, refusal).of(USER).times(2));
    assert!(logs_in(&sandbox, "second", &others));
    assert_eq!([(); 3].map(|()| logs_in(&sandbox, USER, &password)), [false, false, true]);
    assert!(sandbox.logins().iter().all(|login| login.accepted));
    sandbox.smtp_fault(SmtpFault::reply(Stage::Login, refusal).always());
    assert_eq!([(); 3].map(|()| logs_in(&sandbox, USER, &password)), [false; 3]);
    assert_eq!(sandbox.pending_smtp_faults(), 1);
    sandbox.clear_smtp_faults();
    assert!(logs_in(&sandbox, USER, &password));
}

#[test]
fn a_certificate_can_be_bad_in_each_way() {
    let sandbox = with_credential();
    let shown = |showing| {
        sandbox.smtp_fault(SmtpFault::certificate(showing));
        match handshake(&sandbox) {
            Ok(()) => None,
            Err(rustls::Error::InvalidCertificate(error)) => Some(error),
            Err(error) => panic!("{error}"),
        }
    };
    assert!(matches!(shown(Showing::Expired), Some(CertificateError::ExpiredContext { .. })));
    assert!(matches!(shown(Showing::OtherHost), Some(CertificateError::NotValidForNameContext { .. })));
    assert_eq!(shown(Showing::UnknownAuthority), Some(CertificateError::UnknownIssuer));
    assert_eq!(shown(Showing::Usual), None);
}

#[test]
fn a_handshake_can_fail_as_with_servers_of_old() {
    let sandbox = with_credential();
    sandbox.smtp_fault(SmtpFault::new(Stage::Handshake, SmtpEffect::Alert));
    assert!(matches!(handshake(&sandbox), Err(rustls::Error::AlertReceived(_))));
    sandbox.smtp_fault(SmtpFault::new(Stage::Handshake, SmtpEffect::OldTls));
    assert!(matches!(handshake(&sandbox), Err(rustls::Error::PeerIncompatible(_))));
}

#[test]
fn ehlo_names_the_extensions_that_a_fault_has() {
    let sandbox = with_credential();
    let mut stream = mail_server(&sandbox);
    for (extensions, reply) in [
        (&[][..], "250 localhost"),
        (&["STARTTLS", "AUTH PLAIN LOGIN"], "250-localhost 250-STARTTLS 250 AUTH PLAIN LOGIN"),
    ] {
        sandbox.smtp_fault(SmtpFault::extensions(Stage::Ehlo, extensions));
        assert_eq!(ask(&mut stream, "EHLO me").unwrap(), reply);
    }
    sandbox.smtp_fault(SmtpFault::extensions(Stage::EhloOverTls, &["AUTH CRAM-MD5 XOAUTH2"]));
    let mut stream = secure_mail_server(&sandbox);
    assert_eq!(ask(&mut stream, "EHLO me").unwrap(), "250-localhost 250 AUTH CRAM-MD5 XOAUTH2");
    assert!(ask(&mut stream, "AUTH CRAM-MD5").unwrap().starts_with("504"));
}

#[test]
fn what_is_injected_comes_in_one_piece_with_the_reply() {
    let sandbox = with_credential();
    let mut stream = mail_server(&sandbox);
    sandbox.smtp_fault(SmtpFault::new(Stage::StartTls, SmtpEffect::Inject("250 AUTH PLAIN\r\n".to_owned())));
    stream.write_all(b"STARTTLS\r\n").unwrap();
    let mut bytes = [0; 512];
    let length = stream.read(&mut bytes).unwrap();
    assert_eq!(&bytes[..length], b"220 2.0.0 Ready to start TLS\r\n250 AUTH PLAIN\r\n");
}

#[test]
fn a_reply_can_be_huge_and_still_come_to_its_end() {
    let sandbox = with_credential();
    sandbox.smtp_fault(SmtpFault::new(Stage::Ehlo, SmtpEffect::HugeReply(1_000_000)));
    let reply = ask(&mut mail_server(&sandbox), "EHLO me").unwrap();
    assert!(reply.len() > 990_000 && reply.ends_with(" 250 STARTTLS"));
}

#[test]
fn a_reply_without_an_end_goes_on_for_as_long_as_it_is_read() {
    for (effect, start) in [(SmtpEffect::EndlessLine, "250 xxx"), (SmtpEffect::EndlessReply, "250-xxx")] {
        let sandbox = with_credential();
        sandbox.smtp_fault(SmtpFault::new(Stage::Ehlo, effect));
        let mut stream = mail_server(&sandbox);
        stream.write_all(b"EHLO me\r\n").unwrap();
        let mut bytes = vec![0; 1 << 20];
        stream.read_exact(&mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with(start) && !text.contains("\n250 ") && (start == "250-xxx") == text.contains("\r\n"));
        drop(stream);
        assert!(sandbox.wait_for_ended(1));
    }
}

#[test]
fn a_stalled_stage_waits_for_its_release() {
    for stage in STAGES {
        let sandbox = with_credential();
        sandbox.smtp_fault(SmtpFault::new(stage, SmtpEffect::Stall));
        thread::scope(|scope| {
            let client = scope.spawn(|| walk(&sandbox).len());
            assert!(sandbox.wait_for_stalled(1), "{stage:?}");
            sandbox.release();
            assert_eq!(client.join().unwrap(), 9, "{stage:?}");
        });
    }
}

#[test]
fn the_mail_server_can_hear_of_a_reset_later() {
    for (meanwhile, old_works) in [(Meanwhile::OldPassword, true), (Meanwhile::NoPassword, false)] {
        let sandbox = Sandbox::start();
        let old = sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, USER);
        let works = |password: &str| logs_in(&sandbox, USER, password);
        sandbox.propagate_after(Duration::MAX, meanwhile);
        let first = reset(&sandbox);
        let second = reset(&sandbox);
        assert_eq!([&old, &first, &second].map(|password| works(password)), [old_works, false, false]);
        sandbox.propagate_at_once();
        assert_eq!([&old, &first, &second].map(|password| works(password)), [false, false, true]);
        sandbox.propagate_after(Duration::from_millis(50), meanwhile);
        let third = reset(&sandbox);
        while !works(&third) {
            thread::yield_now();
        }
        assert!(!works(&second));
    }
}

#[test]
fn of_each_connection_the_commands_the_waits_and_the_tls_are_written_down() {
    let sandbox = with_credential();
    walk(&sandbox);
    assert!(sandbox.wait_for_ended(1));
    let connection = only(&sandbox);
    let commands = ["EHLO me", "STARTTLS", "EHLO me", "AUTH LOGIN", "QUIT"];
    assert_eq!(connection.commands, commands);
    // To connect, five commands, two challenges, and a handshake of TLS 1.3.
    assert_eq!((connection.tls, connection.round_trips), (Some(Tls::StartTls), 9));
    assert!(!connection.auth_before_tls);
    sandbox.forget_smtp_connections();
    assert!(logs_in(&sandbox, USER, &sandbox.hubspot().password(USER).unwrap()));
    assert!(sandbox.wait_for_ended(1));
    assert_eq!(only(&sandbox).tls, Some(Tls::Implicit));
}

#[test]
fn commands_that_come_in_one_piece_are_one_wait() {
    let sandbox = with_credential();
    let mut stream = mail_server(&sandbox);
    stream.write_all(b"EHLO me\r\nNOOP\r\nQUIT\r\n").unwrap();
    stream.read_to_string(&mut String::new()).unwrap();
    assert!(sandbox.wait_for_ended(1));
    assert_eq!(only(&sandbox).round_trips, 2);
}

#[test]
fn an_auth_command_in_clear_is_written_down_without_its_credentials() {
    let secret = STANDARD.encode(format!("\0{USER}\0hunter2hunter2"));
    for sent in [
        format!("EHLO me\r\nAUTH PLAIN {secret}\r\n{secret}\r\nQUIT\r\n"),
        format!("auth {secret}\r\nQUIT\r\n"),
        format!("STARTTLS\r\nAUTH PLAIN {secret}\r\n"),
    ] {
        let sandbox = with_credential();
        let mut stream = mail_server(&sandbox);
        stream.write_all(sent.as_bytes()).unwrap();
        assert!(sandbox.wait_for_ended(1));
        let connection = only(&sandbox);
        assert!(connection.auth_before_tls, "{sent}");
        let connections = send(&sandbox, "GET", "/sandbox/smtp_connections", "", "").unwrap().text();
        assert!(!connections.contains(&secret) && connections.contains(r#""auth_before_tls":true"#), "{connections}");
    }
}

#[test]
fn every_effect_at_every_stage_can_be_scripted_over_http() {
    let sandbox = with_credential();
    let stages = ["banner", "ehlo", "starttls", "handshake", "ehlo_over_tls", "auth", "challenge", "login", "quit"];
    let effects = json!([
        "alert", {"certificate": "expired"}, {"certificate": "other_host"}, {"certificate": "unknown_authority"},
        "close", {"delay_ms": 0}, "endless_line", "endless_reply", {"extensions": ["AUTH CRAM-MD5"]},
        {"huge_reply": 1_000_000}, {"inject": "250 a\r\n"}, "old_tls", {"reply": "421 4.3.2 Closing"}, "stall",
    ]);
    let post = |fault: &serde_json::Value| {
        send(&sandbox, "POST", "/sandbox/smtp_faults", "", &fault.to_string()).unwrap().status
    };
    for stage in stages {
        for effect in effects.as_array().unwrap() {
            assert_eq!(post(&json!({"stage": stage, "effect": effect})), 204, "{stage} {effect}");
        }
    }
    let pending = send(&sandbox, "GET", "/sandbox/smtp_faults", "", "").unwrap().json();
    assert_eq!(pending, json!({ "pending": 9 * 14 }));
    assert_eq!(send(&sandbox, "DELETE", "/sandbox/smtp_faults", "", "").unwrap().status, 204);
    let always = json!({"stage": "banner", "user_name": null, "times": null, "effect": {"reply": "421 4.3.2 Closing"}});
    assert_eq!(post(&always), 204);
    assert_eq!([(); 3].map(|()| walk(&sandbox)), [(); 3].map(|()| vec!["421".to_owned()]));
    for nonsense in [json!({}), json!({"stage": "tea", "effect": "close"}), json!({"stage": "auth", "effect": "sulk"})]
    {
        assert_eq!((post(&nonsense), sandbox.pending_smtp_faults()), (400, 1), "{nonsense}");
    }
}

#[test]
fn propagation_is_scripted_over_http_too() {
    let sandbox = with_credential();
    let late = r#"{"delay_ms": 3600000, "meanwhile": "no_password"}"#;
    assert_eq!(send(&sandbox, "PUT", "/sandbox/propagation", "", late).unwrap().status, 204);
    let password = reset(&sandbox);
    assert!(!logs_in(&sandbox, USER, &password));
    assert_eq!(send(&sandbox, "DELETE", "/sandbox/propagation", "", "").unwrap().status, 204);
    assert!(logs_in(&sandbox, USER, &password));
    send(&sandbox, "DELETE", "/sandbox/smtp_connections", "", "").unwrap();
    assert!(sandbox.smtp_connections().is_empty());
}

/// Goes the whole way of a login and returns the code of each reply, up to where the connection ends.
fn walk(sandbox: &Sandbox) -> Vec<String> {
    let password = sandbox.hubspot().password(USER).unwrap();
    let mut codes = Vec::new();
    let _ = walk_on(sandbox, &password, &mut codes);
    codes
}

fn walk_on(sandbox: &Sandbox, password: &str, codes: &mut Vec<String>) -> io::Result<()> {
    let mut note = |reply: String| codes.push(reply[..3].to_owned());
    let mut stream = TcpStream::connect(("127.0.0.1", sandbox.smtp_port()))?;
    note(try_reply(&mut stream)?);
    note(ask(&mut stream, "EHLO me")?);
    note(ask(&mut stream, "STARTTLS")?);
    let mut client = client_of(sandbox);
    client.complete_io(&mut stream)?;
    note("TLS".to_owned());
    let mut stream = StreamOwned::new(client, stream);
    for command in ["EHLO me", "AUTH LOGIN", &STANDARD.encode(USER), &STANDARD.encode(password), "QUIT"] {
        note(ask(&mut stream, command)?);
    }
    Ok(())
}

/// Connects with TLS from the first byte, and returns why that does not work.
fn handshake(sandbox: &Sandbox) -> Result<(), rustls::Error> {
    let mut stream = TcpStream::connect(("127.0.0.1", sandbox.smtps_port())).unwrap();
    let mut client: ClientConnection = client_of(sandbox);
    match client.complete_io(&mut stream) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.downcast().unwrap()),
    }
}

fn ask(stream: &mut (impl Read + Write), command: &str) -> io::Result<String> {
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    try_reply(stream)
}

fn reset(sandbox: &Sandbox) -> String {
    authorized(sandbox, "POST", RESET).json()["password"].as_str().unwrap().to_owned()
}

fn only(sandbox: &Sandbox) -> SmtpConnection {
    let connections = sandbox.smtp_connections();
    assert_eq!(connections.len(), 1);
    connections[0].clone()
}
