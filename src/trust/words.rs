//! Explains why a certificate is not trusted.

use std::{error, fmt};

use rustls::CertificateError;

use crate::secret::Name;

/// Explains what is wrong with a server's certificate, as the end of a sentence.
pub(crate) fn fault(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet, or the clock of this machine is wrong"
        }
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            "its certificate has no subject alternative name, and its common name (CN) is not used"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another host"
        }
        CertificateError::UnknownIssuer => "its certificate was issued by an authority that is not trusted",
        error if is_of_another_size(error) => {
            "its certificate has an RSA key of fewer than 2048 or more than 8192 bits, which is not supported"
        }
        error if is_of_another_kind(error) => {
            "its certificate, or that of an authority above it, has a signature algorithm that is not supported"
        }
        // A CA with a short key ends up here too: the TLS library reports all of its signatures as bad.
        CertificateError::BadSignature => {
            "its certificate is not signed with the key of the trusted authority of this name, or is signed with an \
             RSA key of fewer than 2048 bits"
        }
        _ => "its certificate is not valid",
    }
}

/// Returns whether only the key type or signature algorithm is unsupported.
pub(crate) fn is_of_another_kind(error: &CertificateError) -> bool {
    is_of_another_size(error)
        || matches!(
            error,
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
                | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. }
        )
}

fn is_of_another_size(error: &CertificateError) -> bool {
    matches!(error, CertificateError::Other(other) if other.0.is::<AnotherSize>())
}

/// The error for an RSA key of a size that ring does not support.
#[derive(Debug)]
pub(super) struct AnotherSize;

impl AnotherSize {
    /// Returns whether ring does not support keys of `bits` bits (see `ring::signature::RSA_PSS_2048_8192_SHA256`).
    pub(super) fn is_of(bits: usize) -> bool {
        !(2048..=8192).contains(&bits)
    }
}

impl fmt::Display for AnotherSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an RSA key of an unsupported size")
    }
}

impl error::Error for AnotherSize {}

/// Lists the hosts that a certificate is valid for; `None` if the host name is not the problem.
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

/// Extracts the name from `DnsName("…")` or `IpAddress(…)`, if it looks like a host name. The certificate's owner chose
/// it, so it may be anything.
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
        assert!(fault(&for_another(&[])).contains("common name (CN) is not used"));
        assert_eq!(names(&for_another(&[])), None);
    }
}
