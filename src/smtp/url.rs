//! The URL that mail libraries take.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// The port of implicit TLS (RFC 8314, section 3.3).
const SUBMISSIONS: u16 = 465;

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How a URL says when TLS begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    /// `smtp`: with STARTTLS.
    Smtp,
    /// `smtps`: with the connection.
    Smtps,
}

impl Scheme {
    /// The scheme that a port is for.
    pub fn of(port: u16) -> Self {
        if port == SUBMISSIONS { Self::Smtps } else { Self::Smtp }
    }
}

/// Builds the URL that mail libraries take: `smtp://user:password@host:port`, or `smtps://`.
///
/// Every part is percent-encoded; an IPv6 address stands in brackets.
pub fn url(scheme: Scheme, username: &str, password: &Secret, host: &str, port: u16) -> Secret {
    let scheme = match scheme {
        Scheme::Smtp => "smtp",
        Scheme::Smtps => "smtps",
    };
    let username = utf8_percent_encode(username, RESERVED).to_string();
    let password = encoded(password);
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let host = match bare.parse::<std::net::Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => utf8_percent_encode(host, RESERVED).to_string(),
    };
    let parts = [scheme, "://", &username, ":", &password, "@", &host, ":", &port.to_string()];
    // Room for all of it at once: a buffer that grows leaves copies behind, as `format!` does.
    Secret::new(parts.concat())
}

/// Makes room for the worst case before it begins.
fn encoded(password: &Secret) -> Zeroizing<String> {
    let password = password.for_state();
    let mut encoded = Zeroizing::new(String::with_capacity(password.len() * 3));
    encoded.extend(utf8_percent_encode(password, RESERVED));
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(username: &str, password: &str, host: &str, port: u16) -> String {
        url(Scheme::of(port), username, &Secret::new(password), host, port).for_state().to_owned()
    }

    #[test]
    fn every_part_is_percent_encoded() {
        assert_eq!(
            text("zh48@62515.smtp.hubspot.net", "p/a:s@s w%d", "smtp.hubapi.com", 587),
            "smtp://zh48%4062515.smtp.hubspot.net:p%2Fa%3As%40s%20w%25d@smtp.hubapi.com:587"
        );
    }

    #[test]
    fn port_465_is_implicit_tls() {
        assert_eq!(text("u", "p", "h", 465), "smtps://u:p@h:465");
    }

    #[test]
    fn an_ipv6_address_stands_in_brackets() {
        assert_eq!(text("u", "p", "::1", 2525), "smtp://u:p@[::1]:2525");
        assert_eq!(text("u", "p", "[::1]", 2525), "smtp://u:p@[::1]:2525");
    }
}
