//! What is known of a vendor without calling it.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{
    api::VendorApi,
    fields::{Field, Fields},
};
use crate::http::{Api, BaseUrl, Client, ErrorFormat};

/// What is known of a vendor without calling it.
pub struct Vendor {
    /// The attribute in HCL, the file here, the folder of fixtures and the docs page.
    pub name: &'static str,
    /// Where this is from.
    pub origin: VendorOrigin,
    /// The name that people use.
    pub title: &'static str,
    /// Where the vendor documents the reset.
    pub api_docs: &'static str,
    /// Where the API is, unless [`Self::base_url_variable`] or the provider block says otherwise.
    pub base_url: &'static str,
    /// Where the API is for checked settings, if that is not [`Self::base_url`], such as in another region.
    pub base_url_of: fn(&Fields) -> Option<&'static str>,
    /// How the API says what went wrong.
    pub error_format: &'static ErrorFormat,
    /// The time over which the API counts requests, where it documents that.
    pub rate_window: Option<Duration>,
    /// What the provider block accepts, in addition to `base_url`.
    pub settings: &'static [&'static Field],
    /// The settings that log in, as alternatives: each list is complete by itself.
    pub logins: &'static [&'static [&'static Field]],
    /// What a token needs to be allowed, in words that end a sentence.
    pub rights: &'static str,
    /// What to do about a refusal with one of the vendor's own codes, where the general advice is not enough.
    pub advice: &'static [(&'static str, &'static str)],
    /// What names one credential.
    pub target: &'static [&'static Field],
    /// The part of the target that the resource's id is made of, joined by `/`.
    pub identity: &'static [&'static Field],
    /// The part of the target that says which credentials a list holds, where the login does not.
    pub scope: &'static [&'static Field],
    /// What an import id holds after the vendor's name.
    pub import: ImportId,
    /// Who makes the password.
    pub password_source: PasswordSource,
    /// The length in characters of the longest password that the vendor accepts, where it documents one.
    pub longest_password: Option<usize>,
    /// What a reset does to the credential.
    pub reset_kind: ResetKind,
    /// What the vendor documents about the delay until its mail server picks up a reset, as a sentence.
    pub reset_delay: Option<&'static str>,
    /// How long a new credential may not be known everywhere, where that is more than a moment.
    pub lag: Option<Lag>,
    /// Whether the vendor reports a credential's version.
    pub reports_version: bool,
    /// The user name for SMTP, if it follows from the target.
    pub username: &'static UsernameOf,
    /// The submission server.
    pub smtp: SmtpDefaults,
    /// Makes the API from checked settings. Sends nothing.
    pub connect: Connect,
}

/// Finds the user name that follows from a target.
pub type UsernameOf = dyn for<'a> Fn(&'a Fields) -> Option<Cow<'a, str>> + Sync;

/// Makes an API.
pub type Connect = &'static (dyn Fn(&Fields, Api) -> Arc<dyn VendorApi> + Sync);

/// Where what is known of a vendor is from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum VendorOrigin {
    /// This program.
    BuiltIn,
    /// The provider block, which is not at hand. Only `name`, `target` and `identity` are true.
    NotConfigured,
    /// The provider block.
    Configured {
        /// The parts of a credential's name, joined by `/`.
        name_form: &'static str,
        /// Whether a reset in place may change the user name.
        renames: bool,
    },
}

impl Vendor {
    /// Connects with checked settings. Sends nothing.
    pub fn api(&self, settings: &Fields, base_url: BaseUrl, client: &Client) -> Arc<dyn VendorApi> {
        (self.connect)(settings, client.api(base_url, self.error_format, self.rate_window))
    }

    /// Returns the vendor, unless nothing is known of it before the provider is configured.
    pub fn if_known(&self) -> Option<&Self> {
        (self.origin != VendorOrigin::NotConfigured).then_some(self)
    }

    /// Whether a reset may change the user name.
    pub fn renames(&self) -> bool {
        let may_change = matches!(self.origin, VendorOrigin::Configured { renames: true, .. });
        may_change || self.reset_kind == ResetKind::NewCredential
    }

    /// Returns whether a credential was made so recently that the vendor may not know it everywhere yet, so that its
    /// absence proves nothing.
    ///
    /// A time in the future is that of a clock that was set back. Only near the present does it mean a recent reset:
    /// otherwise a credential that is gone would stay in the state for long.
    pub fn may_be_unseen(&self, made_at: Option<Timestamp>, now: Timestamp) -> bool {
        let unseen = self.lag.and_then(|lag| SignedDuration::try_from(lag.unseen).ok());
        made_at.zip(unseen).is_some_and(|(made_at, unseen)| now.duration_since(made_at).abs() < unseen)
    }

    /// Whether the target is one name of several parts, joined by `/`.
    pub fn has_parts(&self) -> bool {
        self.origin != VendorOrigin::BuiltIn
    }

    /// Returns the settings that all logins have in common, and what each has in addition; of a single login all is its
    /// own.
    pub fn login_parts(&self) -> (Vec<&'static Field>, Vec<Vec<&'static Field>>) {
        let has = |login: &[&Field], field: &Field| login.iter().any(|other| other.name == field.name);
        let is_common =
            |field: &Field| self.logins.len() > 1 && self.logins.iter().copied().all(|login| has(login, field));
        let first = self.logins.first().copied().unwrap_or_default();
        let common = first.iter().copied().filter(|field| is_common(field)).collect();
        let own = |login: &&[&'static Field]| login.iter().copied().filter(|field| !is_common(field)).collect();
        (common, self.logins.iter().map(own).collect())
    }

    /// Returns the fields that an import id begins with, before the vendor's id of the credential.
    pub fn import_scope(&self) -> &'static [&'static Field] {
        match self.import {
            ImportId::ScopedCredential => self.scope,
            ImportId::Credential | ImportId::Identity => &[],
        }
    }

    /// The environment variable for the address of the API.
    pub fn base_url_variable(&self) -> String {
        format!("{}_BASE_URL", self.name.to_uppercase())
    }
}

impl fmt::Debug for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vendor").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What an import id holds after the vendor's name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ImportId {
    /// The vendor's id of the credential, which is its `remote_version`; a read then returns the target.
    Credential,
    /// The fields of the scope, and then that id, which is unique in the scope only.
    ScopedCredential,
    /// The fields of the identity.
    Identity,
}

/// Who makes the password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PasswordSource {
    /// The caller, who sends it to the vendor.
    Caller,
    /// The vendor, which returns it once.
    Vendor,
}

/// What a reset does to the credential.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ResetKind {
    /// It changes the credential's password.
    InPlace,
    /// It makes a new credential. The old one stays valid until it is revoked.
    NewCredential,
}

/// How long a new credential may not be known everywhere.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lag {
    /// How long a login with it is tried, unless the configuration says otherwise.
    pub verify: Duration,
    /// How long to wait before the previous credential is revoked, where no login has shown that the new one works.
    pub settle: Duration,
    /// How long the API may not show it.
    pub unseen: Duration,
}

/// Where mail is submitted.
#[derive(Clone, Copy, Debug)]
pub enum SmtpDefaults {
    /// At the same server for every credential.
    At {
        /// Its host name.
        host: &'static str,
        /// Its port.
        port: u16,
    },
    /// At a host that follows from the target.
    Of {
        /// Returns the host name of a complete target.
        host: fn(&Fields) -> Option<String>,
        /// The form of the host name, for the docs.
        form: &'static str,
        /// The port there.
        port: u16,
    },
    /// At a host that the login's region decides.
    ByRegion {
        /// The host names, the default region's first.
        hosts: &'static [&'static str],
        /// The port there.
        port: u16,
    },
    /// At a host that the vendor reports.
    Reported {
        /// The port there.
        port: u16,
    },
    /// The vendor documents none.
    Undocumented,
}

#[cfg(test)]
mod tests {
    use super::{super::VENDORS, *};
    use crate::clock;

    #[test]
    fn every_vendor_has_an_address_over_tls() {
        for vendor in VENDORS {
            assert!(vendor.base_url.starts_with("https://"), "{}", vendor.name);
            assert!(BaseUrl::parse(vendor.base_url).is_ok(), "{}", vendor.name);
            assert_eq!((vendor.base_url_of)(&Fields::default()), None, "{}", vendor.name);
        }
    }

    #[test]
    fn a_new_credential_may_be_unseen_as_long_as_its_vendor_lags_and_whichever_way_the_clock_was_set() {
        const LAG: i64 = 120;
        let now = clock::now();
        for vendor in VENDORS {
            let lags = ["amazon_ses", "azure_communication"].contains(&vendor.name);
            for (age, is_recent) in [
                (0, true),
                (LAG - 1, true),
                (LAG, false),
                (86_400, false),
                (1 - LAG, true),
                (-LAG, false),
                (-86_400, false),
            ] {
                let rotated_at = now - SignedDuration::from_secs(age);
                let expected = lags && is_recent;
                assert_eq!(vendor.may_be_unseen(Some(rotated_at), now), expected, "{} {age}", vendor.name);
            }
            assert!(!vendor.may_be_unseen(None, now), "{}: an import", vendor.name);
            // So the absence of a credential of a pair needs no such doubt.
            assert!(!lags || vendor.reset_kind == ResetKind::NewCredential, "{}", vendor.name);
        }
    }
}
