//! The proxy in the environment, by the rules of Go's `net/http`, which core and most providers follow.
//!
//! `HTTP_PROXY` is not read: it is for `http://`, which is used only for loopback addresses, and those are called
//! directly. Source: <https://pkg.go.dev/golang.org/x/net/http/httpproxy>.

use std::{borrow::Cow, env::VarError, fmt};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use percent_encoding::percent_decode_str;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::no_proxy;
use crate::secret::Secret;

/// An HTTP proxy that opens tunnels.
#[derive(Clone, PartialEq)]
pub(super) struct Proxy {
    pub(super) host: Host<String>,
    pub(super) port: u16,
    pub(super) is_tls: bool,
    /// What follows `Basic` in `Proxy-Authorization` (RFC 7617).
    pub(super) credentials: Option<Secret>,
}

/// Reads an environment variable.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Result<String, VarError>;

impl Proxy {
    /// Returns the proxy for `https` to this host; `None` if it is called directly. The error names the variable that
    /// is not usable, but not its value, which may contain a password.
    pub(super) fn of(
        environment: Environment,
        host: &Host<&str>,
        port: u16,
    ) -> Result<Option<Self>, Cow<'static, str>> {
        let Some((name, value)) = first(environment, &PROXY) else { return Ok(None) };
        if first(environment, &NO_PROXY).is_some_and(|(_, list)| no_proxy::lists(&list.unwrap_or_default(), host, port))
        {
            return Ok(None);
        }
        let proxy = value.ok_or("is not valid Unicode").and_then(|value| Self::parse(&Zeroizing::new(value)));
        proxy.map(Some).map_err(|rule| {
            format!("the environment variable `{name}` {rule}; it must be a URL such as http://proxy.example.com:3128")
                .into()
        })
    }

    /// Parses a URL; the default scheme is `http`. The error follows the variable's name.
    fn parse(text: &str) -> Result<Self, &'static str> {
        // The parser would repair some of these, possibly into another host.
        if text.contains(|c: char| c == '\\' || c.is_whitespace() || c.is_control()) {
            return Err("contains a space, a backslash or a control character, which must be percent-encoded");
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let is_tls = match &*scheme.to_ascii_lowercase() {
            "http" => false,
            "https" => true,
            socks if socks.starts_with("socks") => return Err("is a SOCKS proxy, which is not supported"),
            _ => return Err("is neither an `http` nor an `https` proxy"),
        };
        // The parser would end the authority at a `/`, `?` or `#` in a password, before the host.
        if rest.trim_end_matches('/').contains(['/', '?', '#']) || rest.starts_with('/') {
            return Err("has something after the proxy's host and port, or a character in its password that must be \
                 percent-encoded");
        }
        let url = Zeroizing::new(format!("{}://{rest}", if is_tls { "https" } else { "http" }));
        let url = Url::parse(&url).map_err(|_| "is not a URL")?;
        let port = url.port_or_known_default().unwrap_or_default();
        // Port 0 cannot be connected to, and the system's error would not explain that.
        let host = url.host().filter(|_| port != 0).ok_or("has no host")?.to_owned();
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (username, password) => {
                let mut pair = Zeroizing::new(Vec::with_capacity(text.len() + 1));
                pair.extend(decoded(username)?);
                pair.push(b':');
                pair.extend(decoded(password.unwrap_or_default())?);
                Some(Secret::known(BASE64_STANDARD.encode(&*pair)))
            }
        };
        Ok(Self { host, port, is_tls, credentials })
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").finish_non_exhaustive()
    }
}

/// Returns the first of these variables that is not empty; without a value if it is not valid Unicode.
fn first(environment: Environment, names: &[&'static str]) -> Option<(&'static str, Option<String>)> {
    names.iter().find_map(|name| match environment(name) {
        Ok(value) => (!value.is_empty()).then_some((*name, Some(value))),
        Err(VarError::NotPresent) => None,
        Err(VarError::NotUnicode(_)) => Some((*name, None)),
    })
}

fn decoded(text: &str) -> Result<impl Iterator<Item = u8>, &'static str> {
    let is_escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    if !text.split('%').skip(1).all(is_escape) {
        return Err("has a `%` in its user name or password that must be written as `%25`");
    }
    Ok(percent_decode_str(text))
}

const PROXY: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)], host: &str) -> Result<Option<Proxy>, Cow<'static, str>> {
        let environment = |name: &str| {
            let value = variables.iter().find(|(other, _)| *other == name);
            value.map(|(_, value)| (*value).to_owned()).ok_or(VarError::NotPresent)
        };
        Proxy::of(&environment, &Host::Domain(host), 443)
    }

    #[test]
    fn a_proxy_is_read_as_users_write_it() {
        for (text, host, port, is_tls, credentials) in [
            ("http://proxy.example.com:3128", "proxy.example.com", 3128, false, None),
            ("http://proxy.example.com:3128/", "proxy.example.com", 3128, false, None),
            ("proxy.example.com:3128", "proxy.example.com", 3128, false, None),
            ("localhost:3128", "localhost", 3128, false, None),
            ("proxy.example.com", "proxy.example.com", 80, false, None),
            ("HTTPS://proxy.example.com", "proxy.example.com", 443, true, None),
            ("http://[::1]:3128", "[::1]", 3128, false, None),
            ("http://user:pass@proxy:3128", "proxy", 3128, false, Some("user:pass")),
            ("user:p%40ss%3a%25@proxy:3128", "proxy", 3128, false, Some("user:p@ss:%")),
            ("http://user@proxy:3128", "proxy", 3128, false, Some("user:")),
        ] {
            let proxy = Proxy::parse(text).unwrap();
            assert_eq!((&*proxy.host.to_string(), proxy.port, proxy.is_tls), (host, port, is_tls), "{text}");
            assert_eq!(proxy.credentials, credentials.map(|pair| Secret::new(BASE64_STANDARD.encode(pair))), "{text}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_an_error_that_does_not_repeat_it() {
        for (text, word) in [
            ("http://user:pa ss@proxy:3128", "percent-encoded"),
            ("http://user:pa\\ss@proxy:3128", "percent-encoded"),
            ("http://user:pa\nss@proxy:3128", "percent-encoded"),
            (" http://proxy:3128", "percent-encoded"),
            ("http://user:pa/ss@proxy:3128", "percent-encoded"),
            ("http://user:12?ss@proxy:3128", "percent-encoded"),
            ("http://user:12#ss@proxy:3128", "percent-encoded"),
            ("http://user:pass%zz@proxy:3128", "`%25`"),
            ("http://user:pass%@proxy:3128", "`%25`"),
            ("http://proxy:3128/path", "after"),
            ("htp://user:pass@proxy", "neither an `http` nor an `https` proxy"),
            ("ht!tp://:::", "neither an `http` nor an `https` proxy"),
            ("socks5://proxy:1080", "SOCKS"),
            ("socks5h://user:pass@proxy:1080", "SOCKS"),
            ("http://:::", "is not a URL"),
            ("http://proxy:99999", "is not a URL"),
            ("http://proxy:0", "has no host"),
            ("http://", "is not a URL"),
            ("http:///proxy", "after"),
            ("//proxy:3128", "after"),
            ("http:proxy:3128", "is not a URL"),
            (":3128", "is not a URL"),
            ("://", "neither"),
        ] {
            for name in PROXY {
                let error = of(&[(name, text)], "api.example.com").unwrap_err();
                assert!(error.contains(word) && error.contains(&format!("`{name}`")), "{text}: {error}");
                assert!(!error.contains("user:") && !error.contains("ss@"), "{error}");
            }
        }
    }

    #[test]
    fn the_first_variable_that_is_set_counts() {
        let host =
            |variables: &[(&str, &str)]| of(variables, "api.example.com").unwrap().map(|proxy| proxy.host.to_string());
        let (two, all) = (("https_proxy", "http://b"), ("ALL_PROXY", "http://c"));
        assert_eq!(host(&[("HTTPS_PROXY", "http://a"), two, all]).as_deref(), Some("a"));
        assert_eq!(host(&[("HTTPS_PROXY", ""), two, all]).as_deref(), Some("b"));
        assert_eq!(host(&[all, ("all_proxy", "http://d")]).as_deref(), Some("c"));
        assert_eq!(host(&[("HTTP_PROXY", "htp://x"), ("http_proxy", "htp://x")]), None);
        assert_eq!(host(&[]), None);
    }

    #[test]
    fn a_host_that_needs_no_proxy_is_not_held_up_by_one_that_cannot_be_used() {
        let variables = [("HTTPS_PROXY", "htp://x"), ("no_proxy", "example.com")];
        assert!(of(&variables, "api.example.com").unwrap().is_none());
        assert!(of(&variables, "example.net").is_err());
    }

    #[test]
    fn a_proxy_that_is_no_text_is_an_error() {
        let environment = |name: &str| match name {
            "https_proxy" => Err(VarError::NotUnicode("x".into())),
            _ => Err(VarError::NotPresent),
        };
        let error = Proxy::of(&environment, &Host::Domain("api.example.com"), 443).unwrap_err();
        assert!(error.contains("`https_proxy` is not valid Unicode"), "{error}");
    }
}
