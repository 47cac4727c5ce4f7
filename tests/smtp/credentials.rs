//! Whatever a user name or a password holds reaches the server as it is.

use sandbox::{KirimEmail, SmtpFault, Stage};
use terraform_provider_smtp::{
    secret::Secret,
    smtp::{FailureKind, Security},
};

use crate::scene::{BOTH, Scene, USER};

/// What somebody might come up with, and what vendors let pass.
const TEXTS: [&str; 12] = [
    "a",
    " leading and trailing ",
    "\"quoted\\\" and \\backslashed",
    "ünï©ödé 密码 🔑",
    "e\u{301} is not é",
    "=",
    "*",
    "\u{1}\u{7f}",
    "tab\tand\r\nAUTH PLAIN AGEAYg==\r\n",
    "%00 %20 +",
    "'; DROP TABLE users; --",
    "\u{feff}\u{202e}",
];

#[tokio::test]
async fn any_user_name_and_any_password_log_in() {
    for offered in ["AUTH PLAIN LOGIN", "AUTH LOGIN", "AUTH PLAIN", "auth=login"] {
        let scene = Scene::new();
        scene.sandbox.smtp_fault(SmtpFault::extensions(Stage::EhloOverTls, &[offered]).always());
        for (at, text) in TEXTS.into_iter().enumerate() {
            let security = BOTH[at % 2];
            let username = format!("{text}{at}");
            credential(&scene, &username, text);
            scene.server(security).login(&username, &Secret::new(text)).await.unwrap();
            let wrong = scene.server(security).login(&username, &Secret::new(format!("{text}x"))).await.unwrap_err();
            assert_eq!((wrong.kind, wrong.code), (FailureKind::Refused, Some(535)), "{text:?} with {offered}");
        }
        let mechanism = if offered.contains("PLAIN") { "PLAIN" } else { "LOGIN" };
        assert!(scene.sandbox.logins().iter().all(|login| !login.accepted || login.mechanism == mechanism));
        scene.kept_auth_to_tls();
    }
}

#[tokio::test]
async fn a_login_that_is_longer_than_a_command_may_be_works() {
    let scene = Scene::new();
    // What a user name and a password may come to at most, and the lengths around the limit of a command (512 bytes).
    for (name_length, password_length) in [(320, 128), (180, 183), (180, 184), (180, 185), (180, 186), (180, 187)] {
        for offered in ["AUTH PLAIN", "AUTH LOGIN"] {
            let (username, password) = ("u".repeat(name_length), "p".repeat(password_length));
            credential(&scene, &username, &password);
            for security in BOTH {
                scene.sandbox.smtp_fault(SmtpFault::extensions(Stage::EhloOverTls, &[offered]));
                let login = scene.server(security).login(&username, &Secret::new(password.as_str())).await;
                assert_eq!(login, Ok(()), "{name_length} and {password_length} with {offered}");
            }
        }
    }
}

#[tokio::test]
async fn nul_divides_nothing_that_it_should_not() {
    let scene = Scene::new();
    credential(&scene, "user", "pass");
    for (username, password) in
        [("user\0pass", ""), ("user", "pass\0"), ("\0user", "pass"), ("user\0", "pass"), ("", "user\0pass")]
    {
        let refused = scene.server(Security::Tls).login(username, &Secret::new(password)).await.unwrap_err();
        assert_eq!(refused.kind, FailureKind::Refused, "{username:?} {password:?}");
    }
    assert!(scene.sandbox.logins().iter().all(|login| !login.accepted));
}

#[tokio::test]
async fn a_password_that_was_reset_is_refused_and_the_new_one_works() {
    let scene = Scene::new();
    scene.login(Security::StartTls).await.unwrap();
    let key = scene.sandbox.kirim_email().add_credential(KirimEmail::DOMAIN, KirimEmail::GUID, "myuser");
    let new = scene.sandbox.kirim_email().reset_elsewhere("myuser").unwrap();
    for security in BOTH {
        let server = scene.server(security);
        assert_eq!(server.login("myuser", &Secret::new(key.as_str())).await.unwrap_err().code, Some(535));
        server.login("myuser", &Secret::new(new.as_str())).await.unwrap();
        assert_eq!(server.login(USER, &Secret::new(new.as_str())).await.unwrap_err().code, Some(535));
    }
}

/// Opens an account with this password.
fn credential(scene: &Scene, username: &str, password: &str) {
    let vendor = scene.sandbox.kirim_email();
    vendor.remove(username);
    vendor.add_credential(KirimEmail::DOMAIN, username, username);
    vendor.next_password(username, password);
    assert_eq!(vendor.reset_elsewhere(username).as_deref(), Some(password));
}
