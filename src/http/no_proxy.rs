//! `NO_PROXY`: the hosts to call without a proxy, by the rules of Go's `net/http`.

use std::net::IpAddr;

use url::Host;

/// Returns whether the list contains the host. Its entries are separated by commas or spaces:
///
/// - `*`: every host;
/// - `example.com`: this host and its subdomains; `.example.com` and `*.example.com`: only the subdomains;
/// - `192.0.2.7`, `2001:db8::1`: this address;
/// - `192.0.2.0/24`, `2001:db8::/32`: these addresses (RFC 4632).
///
/// Entries other than `*` and address ranges may end with a port, as in `example.com:443` and `[2001:db8::1]:443`, and
/// then apply to that port only.
pub(super) fn lists(list: &str, host: &Host<&str>, port: u16) -> bool {
    let mut entries = list.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
    entries.any(|entry| entry == "*" || matches(entry, host, port))
}

fn matches(entry: &str, host: &Host<&str>, port: u16) -> bool {
    let address = match host {
        Host::Domain(name) => return matches_name(entry, name, port),
        Host::Ipv4(address) => IpAddr::V4(*address),
        Host::Ipv6(address) => IpAddr::V6(*address),
    };
    if let Some((prefix, length)) = entry.split_once('/') {
        return prefix
            .parse()
            .ok()
            .zip(length.parse().ok())
            .is_some_and(|(prefix, length)| within(address, prefix, length));
    }
    if let Ok(one) = entry.trim_matches(['[', ']']).parse::<IpAddr>() {
        return one == address;
    }
    let (one, one_port) = entry.rsplit_once(':').unwrap_or((entry, ""));
    one.trim_matches(['[', ']']).parse() == Ok(address) && one_port.parse() == Ok(port)
}

fn matches_name(entry: &str, name: &str, port: u16) -> bool {
    let (domain, only_port) = match entry.rsplit_once(':') {
        Some((domain, text)) => (domain, Some(text)),
        None => (entry, None),
    };
    if only_port.is_some_and(|text| text.parse() != Ok(port)) {
        return false;
    }
    let domain = domain.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(domain);
    let (domain, is_below_only) = domain.strip_prefix('.').map_or((domain, false), |domain| (domain, true));
    // Normalized like the host's name: lower case, punycode, and without a trailing dot.
    let Ok(Host::Domain(domain)) = Host::parse(domain.trim_end_matches('.')) else { return false };
    match name.trim_end_matches('.').strip_suffix(&*domain) {
        Some("") => !is_below_only,
        Some(below) => below.ends_with('.'),
        None => false,
    }
}

fn within(address: IpAddr, prefix: IpAddr, length: u32) -> bool {
    let (address, prefix, bits) = match (address, prefix) {
        (IpAddr::V4(address), IpAddr::V4(prefix)) => (u128::from(address.to_bits()), u128::from(prefix.to_bits()), 32),
        (IpAddr::V6(address), IpAddr::V6(prefix)) => (address.to_bits(), prefix.to_bits(), 128),
        _ => return false,
    };
    length <= bits && (address ^ prefix).checked_shr(bits - length).unwrap_or_default() == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_listed_as_gos_programs_read_the_list() {
        for (list, host, is_listed) in [
            ("*", "api.example.test", true),
            ("other.test,*", "api.example.test", true),
            ("example.test", "example.test", true),
            ("example.test", "api.example.test", true),
            ("example.test", "myexample.test", false),
            ("EXAMPLE.test.", "api.example.test", true),
            (".example.test", "api.example.test", true),
            (".example.test", "example.test", false),
            ("*.example.test", "api.example.test", true),
            ("*.example.test", "a.b.example.test", true),
            ("*.example.test", "example.test", false),
            ("*example.test", "api.example.test", false),
            ("api.example.test:443", "api.example.test", true),
            ("*.example.test:443", "api.example.test", true),
            ("api.example.test:8443", "api.example.test", false),
            ("api.example.test:https", "api.example.test", false),
            (" a.test , example.test ", "example.test", true),
            ("a.test example.test", "example.test", true),
            ("bücher.test", "xn--bcher-kva.test", true),
            ("", "example.test", false),
            (",,", "example.test", false),
            (".", "example.test", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7:443", "192.0.2.7", true),
            ("192.0.2.7:80", "192.0.2.7", false),
            ("192.0.2.0/24", "192.0.2.7", true),
            ("192.0.2.0/30", "192.0.2.7", false),
            ("0.0.0.0/0", "192.0.2.7", true),
            ("192.0.2.7/32", "192.0.2.7", true),
            ("192.0.2.7/33", "192.0.2.7", false),
            ("192.0.2", "192.0.2.7", false),
            ("2001:db8::1", "[2001:db8::1]", true),
            ("[2001:db8::1]", "[2001:db8::1]", true),
            ("[2001:db8::1]:443", "[2001:db8::1]", true),
            ("[2001:db8::1]:80", "[2001:db8::1]", false),
            ("2001:db8::/32", "[2001:db8::1]", true),
            ("::/0", "[2001:db8::1]", true),
            ("::/0", "192.0.2.7", false),
            ("2001:db9::/32", "[2001:db8::1]", false),
        ] {
            let parsed = Host::parse(host).unwrap();
            let host = match &parsed {
                Host::Domain(name) => Host::Domain(&**name),
                Host::Ipv4(address) => Host::Ipv4(*address),
                Host::Ipv6(address) => Host::Ipv6(*address),
            };
            assert_eq!(lists(list, &host, 443), is_listed, "{list:?} {host:?}");
        }
    }
}
