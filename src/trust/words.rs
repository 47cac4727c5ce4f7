//! Why a certificate is not trusted, in words.

use rustls::CertificateError;

use crate::secret::Name;

/// Says what is wrong with a server's certificate, in words that end a sentence.
pub(crate) fn fault(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet, or the clock of this machine is wrong"
        }
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            "its certificate names no host as a subject alternative name, and its common name (CN) does not count"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another host"
        }
        CertificateError::UnknownIssuer => "its certificate is from an authority that is not trusted here",
        _ => "its certificate is not valid",
    }
}

/// The hosts that a certificate is for instead, as a list; `None` where that is not what is wrong with it.
pub(crate) fn names(error: &CertificateError) -> Option<String> {
    let CertificateError::NotValidForNameContext { presented, .. } = error else { return None };
    let names: Vec<_> = presented.iter().filter_map(|name| host(name)).collect();
    let (shown, rest) = names.split_at(names.len().min(MOST_NAMES));
    let shown: Vec<_> = shown.iter().map(|name| &**name).collect();
    match rest.len() {
        _ if shown.is_empty() => None,
        0 => Some(shown.join(", ")),
        more => Some(format!("{} and {more} more", shown.join(", "))),
    }
}

/// The name in `DnsName("…")` or `IpAddress(…)`, if it is made of what host names are made of: whoever made the certificate chose it.
fn host(name: &str) -> Option<Name> {
    let inside = name.strip_prefix("DnsName(\"").and_then(|name| name.strip_suffix("\")"));
    let inside = inside.or_else(|| name.strip_prefix("IpAddress(")?.strip_suffix(')'))?;
    let is_host = |c: char| c.is_ascii_alphanumeric() || "_.*:-".contains(c);
    if inside.len() <= LONGEST_NAME && inside.chars().all(is_host) { Name::new(inside) } else { None }
}

const MOST_NAMES: usize = 5;

/// RFC 1035, section 2.3.4.
const LONGEST_NAME: usize = 253;

#[cfg(test)]
mod tests {
    use rustls::pki_types::ServerName;

    use super::*;

    fn for_another(presented: &[&str]) -> CertificateError {
        CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("api.example.com").unwrap(),
            presented: presented.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn the_names_of_a_certificate_are_listed_without_what_is_no_name() {
        let names = |presented: &[&str]| names(&for_another(presented));
        assert_eq!(names(&[r#"DnsName("*.example.com")"#, "IpAddress(::1)"]).as_deref(), Some("*.example.com, ::1"));
        let many = [r#"DnsName("a")"#; 7];
        assert_eq!(names(&many).as_deref(), Some("a, a, a, a, a and 2 more"));
        let long = format!("DnsName(\"{}\")", "x".repeat(300));
        for odd in ["DnsName(\"\u{1b}[31m\")", "DnsName(\"a b\")", "DnsName(\"\")", "DirectoryName", &long] {
            assert_eq!(names(&[odd]), None, "{odd:?}");
        }
    }

    #[test]
    fn a_common_name_alone_is_said_not_to_count() {
        assert!(fault(&for_another(&[])).contains("common name (CN) does not count"));
        assert_eq!(names(&for_another(&[])), None);
    }
}
