//! The secrets in the environment.

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::{
    secret::Secret,
    vendors::{VENDORS, Visibility},
};

/// Reads an environment variable. An empty one is treated as unset.
pub(super) type Environment<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

/// The variables in which programs expect a proxy.
const PROXIES: [&str; 6] = ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "https_proxy", "http_proxy"];

/// Remembers the secrets of all vendors, used or not, and the passwords of proxies. Any response may repeat them, and
/// remembered secrets are redacted.
pub(super) fn remember(environment: Environment) {
    let settings = VENDORS.iter().flat_map(|vendor| vendor.settings);
    let secret = settings.filter(|field| field.visibility == Visibility::Secret);
    for variable in secret.flat_map(|field| field.variables()) {
        environment(variable).map(Secret::known);
    }
    for proxy in PROXIES.into_iter().filter_map(environment).map(Zeroizing::new) {
        if let Some(password) = proxy_password(&proxy) {
            Secret::known(password);
            // The URL holds it percent-encoded, and it is sent decoded.
            Secret::known(percent_decode_str(password).decode_utf8_lossy());
        }
    }
}

/// Finds the password in the address of a proxy, even if the address is invalid.
fn proxy_password(address: &str) -> Option<&str> {
    let (_, after_scheme) = address.split_once("://").unwrap_or(("", address));
    let (user_info, _) = after_scheme.rsplit_once('@')?;
    user_info.split_once(':').map(|(_, password)| password)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Shown;

    #[test]
    fn the_password_of_a_proxy_is_found_in_any_address_that_has_one() {
        for (address, expected) in [
            ("http://user:needle@proxy.example.com:3128", Some("needle")),
            ("user:needle@proxy.example.com", Some("needle")),
            ("http://user:nee@d:le@proxy.example.com", Some("nee@d:le")),
            ("ht!tp://user:pa ss@:::", Some("pa ss")),
            ("http://user@proxy.example.com", None),
            ("http://proxy.example.com:3128", None),
            ("", None),
        ] {
            assert_eq!(proxy_password(address), expected, "{address}");
        }
    }

    #[test]
    fn nothing_secret_of_the_environment_is_shown() {
        remember(&|variable| match variable {
            "https_proxy" => Some("http://user:n%40edle-of-a-proxy@127.0.0.1".to_owned()),
            "SMTPD_API_SECRET" => Some("needle-of-a-vendor".to_owned()),
            "SMTPD_USERNAME" => Some("no-secret-at-all".to_owned()),
            _ => None,
        });
        let said = "n@edle-of-a-proxy n%40edle-of-a-proxy needle-of-a-vendor no-secret-at-all";
        assert_eq!(Shown::sentence(said).unwrap().to_string(), "[redacted] [redacted] [redacted] no-secret-at-all");
    }
}
