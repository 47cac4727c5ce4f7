//! The base URL of a vendor's API.

use url::{Host, Url};

/// The base URL of an API: `https`, or `http` for loopback addresses only. Its path is a prefix of every request's
/// path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BaseUrl {
    url: Url,
    channel: Channel,
}

/// How an API is reached: loopback connections use no proxy, and plain ones no TLS. A metadata service of this machine
/// is reached like loopback.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Channel {
    PlainLoopback,
    TlsLoopback,
    Network,
}

impl BaseUrl {
    /// Parses a base URL. The error is the rule that it breaks: `"must …"`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("must not be empty");
        }
        // The parser would repair these, possibly into another host.
        if text.contains(|c: char| c == '\\' || c.is_whitespace() || c.is_control()) {
            return Err("must not contain spaces, backslashes or control characters");
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err("must start with https://");
        };
        match rest.split(['/', '?', '#']).next() {
            // After a third slash the parser would take the path as the host.
            None | Some("") => return Err("must name a host"),
            Some(authority) if authority.contains('@') => return Err("must not contain a user name or password"),
            Some(_) => {}
        }
        let mut url = Url::parse(text).map_err(|_| "must be a URL such as https://api.example.com")?;
        if url.query().is_some() {
            return Err("must not contain a query");
        }
        if url.fragment().is_some() {
            return Err("must not contain a fragment");
        }
        let channel = match url.host() {
            Some(Host::Domain("localhost")) => Channel::TlsLoopback,
            Some(Host::Ipv4(address)) if address.is_loopback() => Channel::TlsLoopback,
            Some(Host::Ipv6(address)) if address.is_loopback() => Channel::TlsLoopback,
            Some(_) => Channel::Network,
            None => return Err("must name a host"),
        };
        let channel = match (scheme.to_ascii_lowercase().as_str(), channel) {
            ("https", channel) => channel,
            ("http", Channel::Network) => return Err("must use https; http is only allowed for loopback addresses"),
            ("http", _) => Channel::PlainLoopback,
            _ => return Err("must start with https://"),
        };

        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&prefix);
        Ok(Self { url, channel })
    }

    /// Parses the address of a service that gives credentials to this machine alone. Plain `http` is allowed for the
    /// addresses that AWS has for it, which no network routes: nothing between here and there could read along.
    pub fn of_metadata(text: &str) -> Result<Self, &'static str> {
        let refused = match Self::parse(text) {
            Ok(base) => return Ok(base),
            Err(rule) => rule,
        };
        let Some(authority) = text.strip_prefix("http://") else { return Err(refused) };
        let authority = authority.trim_end_matches('/');
        if !METADATA.contains(&authority) {
            return Err(refused);
        }
        let url = Url::parse(text).map_err(|_| refused)?;
        Ok(Self { url, channel: Channel::PlainLoopback })
    }

    /// The host, without the port.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The host and the port to connect to.
    pub(super) fn address(&self) -> (Host<&str>, u16) {
        let host = self.url.host().unwrap_or(Host::Domain(""));
        (host, self.url.port_or_known_default().unwrap_or_default())
    }

    /// Where it is reached.
    pub(super) fn channel(&self) -> Channel {
        self.channel
    }

    /// The URL of an encoded path below this one. The path starts with a slash.
    pub(super) fn join(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let prefix = self.url.path().trim_end_matches('/');
        url.set_path(&format!("{prefix}{path}"));
        url
    }

    /// The URL of a link in a response of this API: absolute, or relative to this URL. The error says why the link is
    /// not followed: it must not lead the login to another server.
    pub(super) fn follow(&self, link: &str) -> Result<Url, &'static str> {
        let mut base = self.url.clone();
        base.set_path(&format!("{}/", self.url.path().trim_end_matches('/')));
        let mut url = base.join(link).map_err(|_| "the link to the next page is not a URL")?;
        if (url.scheme(), url.host(), url.port_or_known_default())
            != (base.scheme(), base.host(), base.port_or_known_default())
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err("the link to the next page leads to another server");
        }
        url.set_fragment(None);
        Ok(url)
    }
}

/// The metadata services of EC2, ECS and EKS.
const METADATA: [&str; 5] = ["169.254.169.254", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "[fd00:ec2::254]"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn https_is_taken_anywhere_and_http_on_this_machine() {
        for text in [
            "https://api.hubapi.com",
            "https://api.hubapi.com/",
            "https://api.hubapi.com:8443/prefix/",
            "HTTPS://API.HUBAPI.COM",
            "http://localhost:8080",
            "http://127.0.0.1:8080",
            "http://127.8.9.10",
            "http://[::1]:8080",
        ] {
            assert!(BaseUrl::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_link_is_followed_on_the_same_server_only() {
        let base = BaseUrl::parse("https://api.example.com/v1").unwrap();
        for (link, expected) in [
            ("https://api.example.com/v1/users?page=2", Ok("https://api.example.com/v1/users?page=2")),
            ("https://api.example.com:443/users?page=2#top", Ok("https://api.example.com/users?page=2")),
            ("/v1/users?page=2", Ok("https://api.example.com/v1/users?page=2")),
            ("users?page=2", Ok("https://api.example.com/v1/users?page=2")),
            ("?page=2", Ok("https://api.example.com/v1/?page=2")),
            ("https://example.com/v1/users", Err(())),
            ("http://api.example.com/v1/users", Err(())),
            ("https://api.example.com:8443/v1/users", Err(())),
            ("//example.com/v1/users", Err(())),
            ("https://user@api.example.com/", Err(())),
            ("https://:secret@api.example.com/", Err(())),
            ("https://", Err(())),
        ] {
            let followed = base.follow(link);
            assert_eq!(followed.as_ref().map(url::Url::as_str).map_err(drop), expected, "{link}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_rule_that_it_breaks() {
        for (text, rule) in [
            ("", "must not be empty"),
            ("api.hubapi.com", "must start with https://"),
            ("https:api.hubapi.com", "must start with https://"),
            ("ftp://api.hubapi.com", "must start with https://"),
            ("http://api.hubapi.com", "must use https; http is only allowed for loopback addresses"),
            ("http://localhost.example.com", "must use https; http is only allowed for loopback addresses"),
            ("http://10.0.0.1", "must use https; http is only allowed for loopback addresses"),
            ("https://user@api.hubapi.com", "must not contain a user name or password"),
            ("https://:pass@api.hubapi.com", "must not contain a user name or password"),
            ("https://@api.hubapi.com", "must not contain a user name or password"),
            ("https://api.hubapi.com?a=b", "must not contain a query"),
            ("https://api.hubapi.com/?", "must not contain a query"),
            ("https://api.hubapi.com#top", "must not contain a fragment"),
            ("https://", "must name a host"),
            ("https://api.hubapi.com:99999", "must be a URL such as https://api.example.com"),
            ("https:\\\\api.hubapi.com", "must not contain spaces, backslashes or control characters"),
            ("https://api.hub\napi.com", "must not contain spaces, backslashes or control characters"),
            ("https:///user@example.com", "must name a host"),
            (" https://api.hubapi.com", "must not contain spaces, backslashes or control characters"),
        ] {
            assert_eq!(BaseUrl::parse(text).unwrap_err(), rule, "{text:?}");
        }
    }

    #[test]
    fn a_metadata_service_may_be_plain_at_its_own_addresses_only() {
        for text in [
            "http://169.254.169.254",
            "http://169.254.170.2/",
            "http://[fd00:ec2::23]",
            "http://127.0.0.1:81",
            "https://example.com",
        ] {
            assert!(BaseUrl::of_metadata(text).is_ok(), "{text}");
        }
        for text in [
            "http://169.254.169.254:81",
            "http://169.254.169.253",
            "http://169.254.169.254.example.com",
            "http://user@169.254.169.254",
            "http://169.254.169.254/?a",
            "http://example.com",
            "ftp://169.254.169.254",
        ] {
            assert!(BaseUrl::of_metadata(text).is_err(), "{text}");
        }
        assert!(BaseUrl::parse("http://169.254.169.254").is_err());
    }

    #[test]
    fn a_path_is_kept_as_a_prefix() {
        for (base, whole) in [
            ("https://example.com", "https://example.com/a/b"),
            ("https://example.com/", "https://example.com/a/b"),
            ("https://example.com/api//", "https://example.com/api/a/b"),
            ("http://[::1]:81/x/y", "http://[::1]:81/x/y/a/b"),
        ] {
            assert_eq!(BaseUrl::parse(base).unwrap().join("/a/b").as_str(), whole);
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_calls_the_host_that_was_written(text in "(http|https|HTTPS|ftp)://[a-z0-9@:.%\\[\\]/?#\\\\ -]{0,20}") {
            if let Ok(base) = BaseUrl::parse(&text) {
                let url = base.join("/a");
                prop_assert!(url.scheme() == "https" || base.channel() == Channel::TlsLoopback);
                prop_assert_eq!((url.username(), url.password(), url.query(), url.fragment()), ("", None, None, None));
                prop_assert_eq!(url.host_str(), Some(base.host()));
                prop_assert!(url.path().ends_with("/a"));
            }
        }
    }
}
