//! `verify` at mail servers that nobody here wrote, and how often it waits.

use std::fs;

use serde_json::json;

use crate::{
    peers::{OddTls, Peer, Program, Setup},
    support::{USER, Workspace, credential, resource},
};

#[test]
fn a_third_party_server_accepts_the_new_password() {
    for program in [Program::Aiosmtpd, Program::SmtpServer] {
        for (setup, security) in [
            (Setup::new(program), "starttls"),
            (Setup::new(program).with_implicit_tls(), "tls"),
            (Setup::new(program).with_auth_login_only(), "starttls"),
        ] {
            let (Some(mut workspace), Some(peer)) = (Workspace::new(), setup.start()) else { return };
            verify_at(&mut workspace, &peer, &format!("security = \"{security}\""));
            workspace.apply().quiet();
            assert_eq!(workspace.state()["verified"], true, "{program:?} {security}");
            assert_eq!(workspace.resets(), 1);
            let events = peer.events_until("auth");
            let auth = events.last().expect("it reported that");
            assert_eq!((&auth["username"], &auth["secure"]), (&json!(USER), &json!(true)));
            workspace.plan().nothing_to_do();
        }
    }
}

#[test]
fn a_third_party_server_that_refuses_the_new_password_is_a_warning() {
    for program in [Program::Aiosmtpd, Program::SmtpServer] {
        let setup = Setup::new(program).only_for(USER, "another password");
        let (Some(mut workspace), Some(peer)) = (Workspace::new(), setup.start()) else { return };
        verify_at(&mut workspace, &peer, "timeout = \"2s\"");
        let warning = workspace.apply().warning().is("The new password did not log in");
        warning.says(&["replied 535", ": it rejects the user name or the password.", "The password was changed."]);
        assert_eq!((workspace.resets(), &workspace.state()["verified"]), (1, &json!(false)), "{program:?}");
        workspace.working_password();
    }
}

/// Each server is as usual when it is looked at before the first reset, and has no TLS with this client from then on.
#[test]
fn a_server_without_tls_in_common_costs_one_reset_at_most_and_no_password() {
    const NEEDED: &str = "TLS 1.2 or later is needed, with ECDHE (X25519, P-256 or P-384), an AEAD cipher (AES-GCM or ChaCha20-Poly1305), \
                          and certificates whose keys are RSA of 2048 to 8192 bits, ECDSA with P-256 or P-384, or Ed25519.";
    let Some(mut workspace) = Workspace::new() else { return };
    let mut cells = Vec::new();
    for odd in OddTls::ALL {
        let setup = Setup::new(Program::SmtpServer).with_odd_tls(odd, 1);
        for (security, setup) in [("starttls", setup.clone()), ("tls", setup.with_implicit_tls())] {
            let Some(peer) = setup.start() else { return };
            cells.push((odd, security, format!("{odd:?}-{security}").to_lowercase(), peer));
        }
    }
    let authorities: String = cells
        .iter()
        .map(|(.., peer)| fs::read_to_string(peer.ca_certificate_file()).expect("a certificate in PEM"))
        .collect();
    workspace.file("authorities.pem", &authorities);
    let path = workspace.path("authorities.pem");
    workspace.set("SMTP_CA_CERTIFICATE_FILE", path.to_str().expect("a path that is text"));
    let configuration = |trigger: &str| -> String {
        let block = |(_, security, name, peer): &(OddTls, &str, String, Peer)| {
            let place = format!("host = \"localhost\", port = {}, security = \"{security}\"", peer.port());
            let arguments = format!(
                "rotation_trigger = \"{trigger}\"\n  rotation_mode = \"in_place\"\n  verify = {{ {place}, timeout = \"20s\" }}"
            );
            resource(name, &format!("{name}@example.com"), &arguments)
        };
        cells.iter().map(block).collect()
    };
    for (.., name, _) in &cells {
        workspace.add_credential(&format!("{name}@example.com"));
    }
    let stored = |name: &str| {
        let state = workspace.state_of(&format!("smtp_credential_password.{name}"));
        let user = format!("{name}@example.com");
        assert_eq!(workspace.sandbox.hubspot().resets(&user), 1, "{name}");
        assert_eq!(
            state["password"].as_str().map(str::to_owned),
            workspace.sandbox.hubspot().password(&user),
            "{name}"
        );
        assert_eq!(state["verified"], false, "{name}");
        state
    };

    for (trigger, severity, outcome) in
        [("one", "warning", "The password was changed."), ("two", "error", "The password was not changed.")]
    {
        workspace.write(&configuration(trigger));
        let run = workspace.apply_with(&["-parallelism=20"]);
        assert_eq!(run.status, Some(i32::from(severity == "error")), "{run}");
        assert_eq!(run.diagnostics.len(), cells.len(), "{run}");
        for (odd, security, name, peer) in &cells {
            let reason = match odd {
                OddTls::CbcOnly | OddTls::DheOnly | OddTls::P521 => {
                    "it aborted the TLS handshake, as servers do that have no cipher suite or key type in common with the client"
                }
                OddTls::Rsa1024 => "its certificate has an RSA key of fewer than 2048 or more than 8192 bits",
                OddTls::Tls11Only => "it does not support TLS 1.2 or later",
            };
            let address = format!("smtp_credential_password.{name}");
            let said = run.diagnostics.iter().find(|said| said.address.as_ref() == Some(&address));
            let said = said.unwrap_or_else(|| panic!("{odd:?} {security}: {run}")).clone();
            let summary = if severity == "error" {
                "No TLS connection to the mail server"
            } else {
                "The new password did not log in"
            };
            assert_eq!(said.severity, severity, "{odd:?} {security}: {said:?}");
            let place = format!("`localhost:{}` could not be used: {reason}", peer.port());
            said.is(summary).says(&[&place, outcome, NEEDED, "`verify.host`"]);
            stored(name);
        }
    }
}

#[test]
fn the_login_after_the_reset_waits_as_often_as_any() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.trust_mail_server();
    // To connect, for TLS, EHLO, AUTH and QUIT; with STARTTLS for that and another EHLO too.
    for (port, security, bare) in
        [(workspace.sandbox.smtps_port(), "tls", 5), (workspace.sandbox.smtp_port(), "starttls", 7)]
    {
        workspace.sandbox.forget_smtp_connections();
        let verify = format!("verify = {{ host = \"localhost\", port = {port}, security = \"{security}\" }}");
        workspace.write(&credential(&format!("rotation_trigger = \"{security}\"\n  {verify}")));
        workspace.apply().quiet();
        let made = workspace.sandbox.smtp_connections();
        let (login, checks) = made.split_last().expect("there were connections");
        assert!(login.commands.iter().any(|command| command == "AUTH PLAIN"), "{made:?}");
        assert!(login.round_trips <= bare + 1, "{made:?}");
        assert!(!checks.is_empty() && checks.iter().all(|check| check.round_trips < bare), "{made:?}");
    }
}

/// Writes a resource that is verified at this server, whose authority is trusted.
fn verify_at(workspace: &mut Workspace, peer: &Peer, settings: &str) {
    let authority = peer.ca_certificate_file();
    workspace.set("SMTP_CA_CERTIFICATE_FILE", authority.to_str().expect("a path that is text"));
    let port = peer.port();
    workspace.write(&credential(&format!("verify = {{ host = \"localhost\", port = {port}, {settings} }}")));
}
