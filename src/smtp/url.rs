//! Builds the URLs with which mail libraries are configured.

use std::{fmt, net::Ipv6Addr};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Host;
use zeroize::Zeroizing;

use super::Security;
use crate::secret::Secret;

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A library or program that is configured by such a URL. Each has its own syntax for TLS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Library {
    /// <https://curl.se/docs/manpage.html>
    Curl,
    /// <https://github.com/migonzalvar/dj-email-url>, of which version 1.0.6 was read.
    DjEmailUrl,
    /// <https://github.com/joke2k/django-environ>, of which version 0.14.0 was read.
    DjangoEnviron,
    /// <https://docs.rs/lettre/0.11/lettre/transport/smtp/struct.SmtpTransport.html#method.from_url>
    Lettre,
    /// <https://nodemailer.com/smtp>, of which version 10.6.1 was read.
    Nodemailer,
    /// <https://symfony.com/doc/current/mailer.html>; `require_tls` since version 7.3.
    Symfony,
}

/// The scheme and the query of a URL.
type Syntax = (&'static str, &'static str);

impl Library {
    /// Every library.
    pub const ALL: [Self; 6] =
        [Self::Curl, Self::DjEmailUrl, Self::DjangoEnviron, Self::Lettre, Self::Nodemailer, Self::Symfony];

    /// Returns the name, as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::DjEmailUrl => "dj-email-url",
            Self::DjangoEnviron => "django-environ",
            Self::Lettre => "lettre",
            Self::Nodemailer => "nodemailer",
            Self::Symfony => "symfony",
        }
    }

    /// Returns the syntax that makes the library require TLS; `None` if no URL can do that.
    fn syntax(self, security: Security) -> Option<Syntax> {
        match (self, security) {
            // With `smtp` it continues in plaintext unless the option `--ssl-reqd` is set.
            (Self::Curl, Security::StartTls) => None,
            (Self::Curl | Self::Lettre | Self::Nodemailer | Self::Symfony, Security::Tls) => Some(("smtps", "")),
            // Its `smtps` means STARTTLS.
            (Self::DjEmailUrl, Security::Tls) => Some(("smtp", "?ssl=True")),
            (Self::DjEmailUrl, Security::StartTls) => Some(("submission", "")),
            // Its `smtps` means STARTTLS, too.
            (Self::DjangoEnviron, Security::Tls) => Some(("smtp+ssl", "")),
            (Self::DjangoEnviron, Security::StartTls) => Some(("smtp+tls", "")),
            (Self::Lettre, Security::StartTls) => Some(("smtp", "?tls=required")),
            (Self::Nodemailer, Security::StartTls) => Some(("smtp", "?requireTLS=true")),
            (Self::Symfony, Security::StartTls) => Some(("smtp", "?require_tls=true")),
        }
    }
}

impl fmt::Display for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Builds the URL for a library, such as `smtps://user:password@host:port`. Without a library, `smtp` means STARTTLS
/// and `smtps` means TLS from the first byte. `None` if no URL makes the library require TLS in this way.
///
/// Every part is percent-encoded. An IPv6 address is put in brackets, and an international name is converted to ASCII
/// (RFC 5891).
pub fn url(
    security: Security,
    library: Option<Library>,
    username: &str,
    password: &Secret,
    host: &str,
    port: u16,
) -> Option<Secret> {
    let (scheme, query) = match library {
        Some(library) => library.syntax(security)?,
        None if security == Security::StartTls => ("smtp", ""),
        None => ("smtps", ""),
    };
    let username = utf8_percent_encode(username, RESERVED).to_string();
    let password = encoded(password);
    let parts = [scheme, "://", &username, ":", &password, "@", &authority(host), ":", &port.to_string(), query];
    // Allocate everything at once: a growing buffer, such as that of `format!`, would leave copies behind.
    Some(Secret::new(parts.concat()))
}

fn authority(host: &str) -> String {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    match (bare.parse::<Ipv6Addr>(), host.is_ascii()) {
        (Ok(address), _) => format!("[{address}]"),
        (Err(_), false) => match Host::parse(host) {
            Ok(host) => host.to_string(),
            Err(_) => utf8_percent_encode(host, RESERVED).to_string(),
        },
        (Err(_), true) => utf8_percent_encode(host, RESERVED).to_string(),
    }
}

/// Percent-encodes the password in a buffer for the worst case, which never grows.
fn encoded(password: &Secret) -> Zeroizing<String> {
    let password = password.for_state();
    let mut encoded = Zeroizing::new(String::with_capacity(password.len() * 3));
    encoded.extend(utf8_percent_encode(password, RESERVED));
    encoded
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Write},
        net::TcpListener,
        thread,
    };

    use base64::{Engine, engine::general_purpose::STANDARD};
    use lettre::SmtpTransport;

    use super::*;

    fn text(security: Security, library: Option<Library>, host: &str, port: u16) -> Option<String> {
        url(security, library, "u", &Secret::new("p"), host, port).map(|url| url.for_state().to_owned())
    }

    #[test]
    fn every_part_is_percent_encoded() {
        let (user, password) = ("zh48@62515.smtp.hubspot.net", Secret::new("p/a:s@s w%d+\u{fc}"));
        assert_eq!(
            url(Security::StartTls, None, user, &password, "smtp.hubapi.com", 587).unwrap().for_state(),
            "smtp://zh48%4062515.smtp.hubspot.net:p%2Fa%3As%40s%20w%25d%2B%C3%BC@smtp.hubapi.com:587"
        );
    }

    #[test]
    fn each_library_gets_its_own_syntax_for_required_tls() {
        use Library::{Curl, DjEmailUrl, DjangoEnviron, Lettre, Nodemailer, Symfony};
        for (library, starttls, tls) in [
            (None, Some("smtp://u:p@h:587"), "smtps://u:p@h:465"),
            (Some(Curl), None, "smtps://u:p@h:465"),
            (Some(DjEmailUrl), Some("submission://u:p@h:587"), "smtp://u:p@h:465?ssl=True"),
            (Some(DjangoEnviron), Some("smtp+tls://u:p@h:587"), "smtp+ssl://u:p@h:465"),
            (Some(Lettre), Some("smtp://u:p@h:587?tls=required"), "smtps://u:p@h:465"),
            (Some(Nodemailer), Some("smtp://u:p@h:587?requireTLS=true"), "smtps://u:p@h:465"),
            (Some(Symfony), Some("smtp://u:p@h:587?require_tls=true"), "smtps://u:p@h:465"),
        ] {
            assert_eq!(text(Security::StartTls, library, "h", 587).as_deref(), starttls, "{library:?}");
            assert_eq!(text(Security::Tls, library, "h", 465).as_deref(), Some(tls), "{library:?}");
        }
    }

    #[test]
    fn a_host_is_written_so_that_every_parser_reads_it() {
        for (host, expected) in [
            ("::1", "[::1]"),
            ("[2001:DB8::0]", "[2001:db8::]"),
            ("127.0.0.1", "127.0.0.1"),
            ("SMTP.example.com", "SMTP.example.com"),
            ("m\u{fc}nchen.example", "xn--mnchen-3ya.example"),
            ("\u{ff33}mtp\u{3002}example\u{3002}jp", "smtp.example.jp"),
        ] {
            let url = text(Security::Tls, None, host, 465).unwrap();
            assert_eq!(url, format!("smtps://u:p@{expected}:465"));
        }
    }

    /// A server that offers no STARTTLS and takes logins in clear, as one does whose STARTTLS somebody on the way
    /// removes. Answers with what it was sent.
    fn sent(url: impl Fn(u16) -> Secret) -> Vec<String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"220 mail.example.com\r\n").unwrap();
            let mut lines = Vec::new();
            for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok) {
                let reply: &[u8] = match line.split(' ').next() {
                    Some("EHLO") => b"250-mail.example.com\r\n250 AUTH PLAIN LOGIN\r\n",
                    Some("AUTH") => b"235 2.7.0 Accepted\r\n",
                    _ => b"221 2.0.0 Bye\r\n",
                };
                lines.push(line);
                if stream.write_all(reply).is_err() {
                    break;
                }
            }
            lines
        });
        // Whether it fails is the library's business; what it has sent is ours.
        let transport = SmtpTransport::from_url(url(port).for_state()).unwrap().build();
        let _ = transport.test_connection();
        drop(transport);
        server.join().unwrap()
    }

    #[test]
    fn lettre_reads_every_part_and_sends_no_password_without_tls_when_it_is_named() {
        let (user, password) = ("u@b/\u{fc}+%41", Secret::new("p/a:s@s w%d+?#[]&=~_-.\u{20ac}"));
        let url = |library: Option<Library>| {
            let password = password.clone();
            move |port| url(Security::StartTls, library, user, &password, "127.0.0.1", port).unwrap()
        };
        let login = format!("\0{user}\0{}", password.for_state());
        let bare = sent(url(None));
        let shown = bare.iter().find_map(|line| line.strip_prefix("AUTH PLAIN ")).expect("a login in clear");
        assert_eq!(STANDARD.decode(shown).unwrap(), login.as_bytes());
        let named = sent(url(Some(Library::Lettre)));
        assert!(named.iter().any(|line| line.starts_with("EHLO")), "{named:?}");
        assert!(!named.iter().any(|line| line.starts_with("AUTH")), "{named:?}");
    }
}
