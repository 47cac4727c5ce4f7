//! A server that does each thing wrong: what the client takes it for, and that it sends it nothing secret before TLS.

use sandbox::{ClosedPort, Showing, SmtpEffect, SmtpFault, Stage};
use terraform_provider_smtp::smtp::{Failure, FailureKind, Roots, Security, Server};

use crate::{
    scene::{BOTH, Scene, USER},
    tap::Tap,
};

/// Those that come up before a login is tried.
const BEFORE_LOGIN: [Stage; 5] = [Stage::Banner, Stage::Ehlo, Stage::StartTls, Stage::Handshake, Stage::EhloOverTls];

const AT_LOGIN: [Stage; 2] = [Stage::Auth, Stage::Login];

impl Scene {
    /// Meets the fault with a check and with a login, and checks that both end in the same way.
    async fn check_and_login(&self, security: Security, fault: &SmtpFault) -> Result<(), Failure> {
        let checked = self.checked(security, fault).await;
        assert_eq!(self.logged_in(security, fault).await, checked, "{fault:?} over {security:?}");
        checked
    }

    async fn checked(&self, security: Security, fault: &SmtpFault) -> Result<(), Failure> {
        self.sandbox.forget_smtp_connections();
        self.sandbox.smtp_fault(fault.clone());
        let checked = self.server(security).check().await;
        assert!(!self.connection().commands.iter().any(|command| command.starts_with("AUTH")));
        self.sandbox.clear_smtp_faults();
        checked
    }

    /// Meets the fault, and checks that nothing of it lasts.
    async fn logged_in(&self, security: Security, fault: &SmtpFault) -> Result<(), Failure> {
        self.sandbox.smtp_fault(fault.clone());
        let logged_in = self.login(security).await;
        self.sandbox.clear_smtp_faults();
        self.login(security).await.unwrap();
        self.kept_auth_to_tls();
        logged_in
    }
}

fn stages(security: Security, stages: &[Stage]) -> impl Iterator<Item = Stage> {
    let in_clear = |stage: &Stage| matches!(stage, Stage::Ehlo | Stage::StartTls);
    stages.iter().copied().filter(move |stage| security == Security::StartTls || !in_clear(stage))
}

#[tokio::test]
async fn a_server_that_is_closing_or_overloaded_is_busy() {
    let scene = Scene::new();
    for security in BOTH {
        for code in [421, 454] {
            let busy = |stage| SmtpFault::reply(stage, &format!("{code} 4.3.2 Not now"));
            for stage in stages(security, &BEFORE_LOGIN).filter(|stage| *stage != Stage::Handshake) {
                let failure = scene.check_and_login(security, &busy(stage)).await.unwrap_err();
                // Servers that demand a certificate of the client say 421 too, as the first thing over TLS.
                let is_first_over_tls = stage == Stage::EhloOverTls || security == Security::Tls;
                let ended = code == 421 && is_first_over_tls;
                let kind = if ended { FailureKind::EndedAfterTls } else { FailureKind::Busy };
                assert_eq!((failure.kind, failure.code, failure.is_busy()), (kind, Some(code), true), "{stage:?}");
            }
            for stage in AT_LOGIN {
                scene.checked(security, &busy(stage)).await.unwrap();
                let failure = scene.logged_in(security, &busy(stage)).await.unwrap_err();
                assert_eq!((failure.kind, failure.code), (FailureKind::Busy, Some(code)), "{stage:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_rejected_login_is_reported_with_its_code_and_ends_with_quit() {
    let scene = Scene::new();
    for security in BOTH {
        for (stage, code, kind) in [
            (Stage::Auth, 535, FailureKind::Refused),
            (Stage::Login, 535, FailureKind::Refused),
            (Stage::Login, 534, FailureKind::Mechanism),
            (Stage::Auth, 504, FailureKind::Mechanism),
            (Stage::Auth, 530, FailureKind::Denied),
        ] {
            scene.sandbox.forget_smtp_connections();
            scene.sandbox.smtp_fault(SmtpFault::reply(stage, &format!("{code} 5.7.8 No")).always());
            let failure = scene.login(security).await.unwrap_err();
            scene.sandbox.clear_smtp_faults();
            let enhanced = failure.enhanced.map(|code| code.to_string());
            assert_eq!((failure.kind, failure.code, enhanced.as_deref()), (kind, Some(code), Some("5.7.8")));
            assert_eq!(scene.connection().commands.last().map(String::as_str), Some("QUIT"));
        }
    }
}

#[tokio::test]
async fn a_rejected_connection_is_distinguished_from_a_rejected_login() {
    let scene = Scene::new();
    for security in BOTH {
        let fault = SmtpFault::reply(Stage::Banner, "554 5.7.1 No service here");
        let failure = scene.check_and_login(security, &fault).await.unwrap_err();
        assert_eq!((failure.kind, failure.code), (FailureKind::TurnedAway, Some(554)));
    }
}

#[tokio::test]
async fn a_server_that_refuses_ehlo_is_said_to() {
    let scene = Scene::new();
    for security in BOTH {
        for stage in stages(security, &[Stage::Ehlo, Stage::EhloOverTls]) {
            for code in [500, 501, 502, 504, 550] {
                let fault = SmtpFault::reply(stage, &format!("{code} 5.5.2 No"));
                let failure = scene.check_and_login(security, &fault).await.unwrap_err();
                assert_eq!((failure.kind, failure.code), (FailureKind::HelloRefused, Some(code)), "{stage:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_mechanism_that_is_refused_is_no_refused_password() {
    let scene = Scene::new();
    for security in BOTH {
        for reply in [
            "535 5.7.8 No",
            "535 No",
            "535 5.7.139 Disabled",
            "534 5.7.9 Too weak",
            "504 5.5.4 Unknown",
            "538 5.7.11 Encryption required",
            "530 5.7.0 Not now",
            "432 4.7.12 Transition",
            "550 5.7.1 No",
        ] {
            for stage in AT_LOGIN {
                for refused in ["PLAIN", "LOGIN"] {
                    scene.sandbox.smtp_fault(SmtpFault::reply(stage, reply).by(refused).always());
                    let logged_in = scene.login(security).await;
                    scene.sandbox.clear_smtp_faults();
                    assert_eq!(logged_in, Ok(()), "{refused} is refused with {reply:?} at {stage:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_closes_after_a_refusal_is_asked_by_the_next_mechanism() {
    let scene = Scene::new();
    for security in BOTH {
        scene.sandbox.smtp_fault(SmtpFault::reply(Stage::Login, "535 5.7.8 No\r\n421 4.7.0 Bye").by("PLAIN"));
        assert_eq!(scene.login(security).await, Ok(()));
        assert_eq!(scene.sandbox.pending_smtp_faults(), 0);
    }
}

#[tokio::test]
async fn what_is_sent_ahead_is_no_reply_to_what_comes_then() {
    let scene = Scene::new();
    for security in BOTH {
        for stage in stages(security, &[Stage::Banner, Stage::Ehlo, Stage::EhloOverTls]) {
            for ahead in ["235 2.7.0 Done\r\n", "250 AUTH PLAIN\r\n", "220 Go on\r\n", "\r\n"] {
                scene.sandbox.smtp_fault(SmtpFault::new(stage, SmtpEffect::Inject(ahead.to_owned())));
                scene.sandbox.smtp_fault(SmtpFault::reply(Stage::Auth, "535 5.7.8 No").always());
                let failure = scene.login(security).await.unwrap_err();
                scene.sandbox.clear_smtp_faults();
                assert_eq!(failure.kind, FailureKind::Malformed, "{ahead:?} behind the reply to {stage:?}");
            }
        }
        // It comes in one piece with the reply to AUTH, which is not read to its end: QUIT shows that it was ahead.
        scene.sandbox.smtp_fault(SmtpFault::reply(Stage::Auth, "235 2.7.0 Done\r\n535 5.7.8 No"));
        assert_eq!(scene.login(security).await.unwrap_err().kind, FailureKind::Malformed);
    }
}

#[tokio::test]
async fn a_bad_certificate_is_reported_with_its_problem() {
    let scene = Scene::new();
    for security in BOTH {
        for (showing, reason) in [
            (Showing::Expired, "its certificate has expired"),
            (Showing::NotYetValid, "its certificate is not valid yet, or the clock of this machine is wrong"),
            (Showing::OtherHost, "its certificate is for another host"),
            (Showing::UnknownAuthority, "its certificate was issued by an authority that is not trusted"),
        ] {
            let failure = scene.check_and_login(security, &SmtpFault::certificate(showing)).await.unwrap_err();
            assert_eq!((failure.kind, &*failure.reason), (FailureKind::Certificate, reason));
        }
    }
}

#[tokio::test]
async fn a_failed_handshake_is_reported_as_such() {
    let scene = Scene::new();
    for security in BOTH {
        for (effect, kind) in [
            (SmtpEffect::Alert, FailureKind::TlsMismatch),
            (SmtpEffect::OldTls, FailureKind::TlsMismatch),
            (SmtpEffect::ClientCertificate, FailureKind::ClientCertificate),
            (SmtpEffect::Close, FailureKind::Tls),
        ] {
            let fault = SmtpFault::new(Stage::Handshake, effect);
            let failure = scene.check_and_login(security, &fault).await.unwrap_err();
            assert_eq!(failure.kind, kind, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn nobody_logs_in_where_starttls_is_not_offered() {
    let scene = Scene::new();
    for extensions in [&[][..], &["AUTH PLAIN LOGIN"], &["STARTTLSX", "X-STARTTLS"]] {
        let fault = SmtpFault::extensions(Stage::Ehlo, extensions);
        let failure = scene.check_and_login(Security::StartTls, &fault).await.unwrap_err();
        assert_eq!((failure.kind, failure.code), (FailureKind::NoStartTls, None));
    }
    let refused = SmtpFault::reply(Stage::StartTls, "502 5.5.1 Not implemented");
    let failure = scene.check_and_login(Security::StartTls, &refused).await.unwrap_err();
    assert_eq!((failure.kind, failure.code), (FailureKind::NoStartTls, Some(502)));
}

#[tokio::test]
async fn a_server_that_says_yes_to_starttls_and_goes_on_in_clear_gets_no_login() {
    let fault = SmtpFault::reply(Stage::StartTls, "220 2.0.0 Go on then");
    let scene = Scene::new();
    scene.sandbox.smtp_fault(fault);
    let failure = scene.login(Security::StartTls).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Tls);
    scene.kept_auth_to_tls();
}

#[tokio::test]
async fn where_auth_is_offered_in_clear_the_client_asks_for_tls_first() {
    let scene = Scene::new();
    let fault = SmtpFault::extensions(Stage::Ehlo, &["AUTH PLAIN LOGIN", "STARTTLS"]);
    scene.check_and_login(Security::StartTls, &fault).await.unwrap();
}

#[tokio::test]
async fn a_server_with_no_mechanism_that_is_known_is_asked_for_none() {
    let scene = Scene::new();
    for security in BOTH {
        for extensions in [&[][..], &["AUTH"], &["AUTH CRAM-MD5 XOAUTH2"], &["XAUTH PLAIN"]] {
            let fault = SmtpFault::extensions(Stage::EhloOverTls, extensions);
            let failure = scene.check_and_login(security, &fault).await.unwrap_err();
            assert_eq!((failure.kind, failure.code), (FailureKind::NoAuth, None), "{extensions:?}");
        }
    }
}

#[tokio::test]
async fn what_is_injected_behind_the_220_is_not_believed() {
    let scene = Scene::new();
    for injected in ["250 AUTH PLAIN\r\n", "250-localhost\r\n250 AUTH PLAIN\r\n235 2.7.0 Done\r\n", "\r\n", "x"] {
        let fault = SmtpFault::new(Stage::StartTls, SmtpEffect::Inject(injected.to_owned()));
        let failure = scene.check_and_login(Security::StartTls, &fault).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Tls, "{injected:?}");
    }
}

#[tokio::test]
async fn a_closed_connection_is_reported_as_such_at_each_stage() {
    let scene = Scene::new();
    for security in BOTH {
        let close = |stage| SmtpFault::new(stage, SmtpEffect::Close);
        for stage in stages(security, &BEFORE_LOGIN).filter(|stage| *stage != Stage::Handshake) {
            let failure = scene.check_and_login(security, &close(stage)).await.unwrap_err();
            assert_eq!((failure.kind, failure.code), (FailureKind::Unreachable, None), "{stage:?}");
        }
        for stage in AT_LOGIN {
            let failure = scene.logged_in(security, &close(stage)).await.unwrap_err();
            assert_eq!((failure.kind, failure.code), (FailureKind::Unreachable, None), "{stage:?}");
        }
        // By then all is known.
        scene.check_and_login(security, &close(Stage::Quit)).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_not_smtp_is_reported_as_such() {
    let scene = Scene::new();
    for security in BOTH {
        for reply in ["hello", "25", "250-a\r\n251 b", "HTTP/1.1 400 Bad Request", "334 go on", "\u{0}\u{1}\u{2}"] {
            for stage in stages(security, &BEFORE_LOGIN).filter(|stage| *stage != Stage::Handshake) {
                let failure = scene.check_and_login(security, &SmtpFault::reply(stage, reply)).await.unwrap_err();
                assert_eq!(failure.kind, FailureKind::Malformed, "{reply:?} at {stage:?}");
            }
        }
        for reply in ["hello", "25", "250 2.0.0 Ok", "220 a"] {
            let failure = scene.logged_in(security, &SmtpFault::reply(Stage::Login, reply)).await.unwrap_err();
            assert_eq!(failure.kind, FailureKind::Malformed, "{reply:?}");
        }
    }
}

#[tokio::test]
async fn a_reply_of_a_megabyte_or_without_an_end_is_given_up_early() {
    let scene = Scene::new();
    for effect in [SmtpEffect::HugeReply(1_000_000), SmtpEffect::EndlessLine, SmtpEffect::EndlessReply] {
        for security in BOTH {
            let stages = stages(security, &BEFORE_LOGIN).chain(AT_LOGIN).filter(|stage| *stage != Stage::Handshake);
            for stage in stages {
                let tap = Tap::on(match security {
                    Security::StartTls => scene.sandbox.smtp_port(),
                    Security::Tls => scene.sandbox.smtps_port(),
                });
                scene.sandbox.smtp_fault(SmtpFault::new(stage, effect.clone()));
                let failure = scene.server_at(tap.port(), security).login(USER, &scene.password).await.unwrap_err();
                assert_eq!(
                    (failure.kind, &*failure.reason),
                    (FailureKind::Malformed, "its reply is too long"),
                    "{stage:?}"
                );
                // Most of it is what the system keeps for a reader that has gone.
                assert!(tap.sent_to_client() < 16 << 20, "{} at {stage:?}", tap.sent_to_client());
                scene.kept_auth_to_tls();
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_host_and_a_refused_connection_are_reported_as_such() {
    let scene = Scene::new();
    let closed = ClosedPort::bind();
    for security in BOTH {
        let failure = scene.server_at(closed.port(), security).check().await.unwrap_err();
        assert_eq!((failure.kind, &*failure.reason), (FailureKind::Unreachable, "the connection was refused"));
        // Too long for a name, which shows without a network.
        let nowhere = Server::new(&"mail.".repeat(60), 587, security, Roots::new(None));
        assert_eq!(nowhere.check().await.unwrap_err().kind, FailureKind::Unresolved);
    }
}

#[tokio::test]
async fn each_kind_of_tls_fails_at_the_others_port_and_reveals_nothing() {
    let scene = Scene::new();
    let sandbox = &scene.sandbox;
    let tls_where_clear = scene.server_at(sandbox.smtp_port(), Security::Tls).login(USER, &scene.password).await;
    assert_eq!(tls_where_clear.unwrap_err().kind, FailureKind::Tls);
    scene.kept_auth_to_tls();
}
