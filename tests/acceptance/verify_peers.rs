//! `verify` at mail servers that nobody here wrote, and how often it waits.

use serde_json::json;

use crate::{
    peers::{Peer, Program, Setup},
    support::{USER, Workspace, credential},
};

#[test]
fn a_server_of_others_making_takes_the_new_password() {
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
            let told = peer.told_until("auth");
            let auth = told.last().expect("it told of that");
            assert_eq!((&auth["username"], &auth["secure"]), (&json!(USER), &json!(true)));
            workspace.plan().nothing_to_do();
        }
    }
}

#[test]
fn a_server_of_others_making_that_refuses_the_new_password_is_a_warning() {
    for program in [Program::Aiosmtpd, Program::SmtpServer] {
        let setup = Setup::new(program).only_for(USER, "another password");
        let (Some(mut workspace), Some(peer)) = (Workspace::new(), setup.start()) else { return };
        verify_at(&mut workspace, &peer, "timeout = \"2s\"");
        let warning = workspace.apply().warning().is("The new password did not log in");
        warning.says(&["answered 535", ": it refuses the user name or the password.", "The password was changed."]);
        assert_eq!((workspace.resets(), &workspace.state()["verified"]), (1, &json!(false)), "{program:?}");
        workspace.working_password();
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
