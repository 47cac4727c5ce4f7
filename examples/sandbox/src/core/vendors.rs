//! The credentials that the sandbox has, and what it tells of them.

use terraform_provider_smtp::framework::value::Value;

use crate::{HostUp, HubSpot, KeyState, KirimEmail, Role, Sandbox};

/// A credential as a configuration names it; two of each vendor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Target {
    HubSpot(Which),
    KirimEmail(Which),
    Smtpd(Which),
    HostUp(Which),
}

/// Which of two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Which {
    First,
    Second,
}

/// What names the two credentials of each vendor.
const HUBSPOT: [&str; 2] = ["zh48wgsfld@62515.smtp.hubspot.net", "ünï cødé+&?#=:;,!@62515.smtp.hubspot.net"];
const KIRIM_EMAIL: [(&str, &str); 2] =
    [(KirimEmail::GUID, "first@example.com"), ("0d8f2d0e-5f0c-4b39-8a3e-0e6d1f1f8a11", "zweites:ö@example.com")];
const SMTPD: [(&str, Role, &str); 2] =
    [("newsletter", Role::SendOnly, "send_only"), ("発送 \"2\"/%2e", Role::Standard, "standard")];
const HOSTUP: [&str; 2] = ["info@example.com", "o'neill+news@example.com"];

impl Target {
    /// The name of the vendor, which is also that of the argument.
    pub fn vendor(self) -> &'static str {
        match self {
            Self::HostUp(_) => "hostup",
            Self::HubSpot(_) => "hubspot",
            Self::KirimEmail(_) => "kirim_email",
            Self::Smtpd(_) => "smtpd",
        }
    }

    /// Whether it is the caller who makes the password.
    pub fn takes_passwords(self) -> bool {
        matches!(self, Self::HostUp(_))
    }

    /// The argument's fields.
    pub fn fields(self) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::HostUp(which) => vec![("account_id", HostUp::ACCOUNT_ID), ("address", HOSTUP[which as usize])],
            Self::HubSpot(which) => vec![("user_name", HUBSPOT[which as usize])],
            Self::KirimEmail(which) => {
                vec![("domain", KirimEmail::DOMAIN), ("credential_guid", KIRIM_EMAIL[which as usize].0)]
            }
            Self::Smtpd(which) => vec![("name", SMTPD[which as usize].0), ("role", SMTPD[which as usize].2)],
        }
    }

    /// The `id` that the contract gives it.
    pub fn id(self) -> String {
        let named_by = if matches!(self, Self::Smtpd(_)) { 1 } else { 2 };
        let fields = self.fields().into_iter().map(|(_, text)| text).take(named_by);
        std::iter::once(self.vendor()).chain(fields).collect::<Vec<_>>().join("/")
    }

    /// The id to import it by; at a vendor that makes a credential with every reset there has to be one first.
    pub fn import_id(self, sandbox: &Sandbox) -> String {
        match self {
            Self::Smtpd(which) => {
                let (name, role, _) = SMTPD[which as usize];
                format!("smtpd/{}", sandbox.smtpd().add_key(name, role).id)
            }
            _ => self.id(),
        }
    }

    /// What the sandbox counts its resets by: who logs in, or at SMTPD the name of its API keys.
    pub fn account(self) -> &'static str {
        match self {
            Self::HostUp(which) => HOSTUP[which as usize],
            Self::HubSpot(which) => HUBSPOT[which as usize],
            Self::KirimEmail(which) => KIRIM_EMAIL[which as usize].1,
            Self::Smtpd(which) => SMTPD[which as usize].0,
        }
    }

    /// Who logs in, and the current password.
    pub fn login(self, sandbox: &Sandbox) -> (String, String) {
        let account = self.account();
        if let Self::Smtpd(_) = self {
            let key = sandbox.smtpd().key_named(account).unwrap();
            return (key.key, key.secret);
        }
        // User names are unique over all vendors, and each knows the passwords of all.
        (account.to_owned(), sandbox.hubspot().password(account).unwrap())
    }

    /// Somebody else resets the password; at a vendor that makes another credential with every reset they revoke the newest.
    pub fn reset_elsewhere(self, sandbox: &Sandbox) {
        sandbox.vendors().named(self.vendor()).reset_elsewhere(self.account());
    }

    /// How many resets its vendor has seen.
    pub fn resets(self, sandbox: &Sandbox) -> usize {
        sandbox.vendors().named(self.vendor()).resets(self.account())
    }

    /// The submission server that the vendor documents.
    pub fn submission(self) -> Option<(&'static str, u16)> {
        match self {
            Self::HostUp(_) => Some(("localhost", 587)),
            Self::HubSpot(_) => Some(("smtp.hubapi.com", 587)),
            Self::KirimEmail(_) | Self::Smtpd(_) => None,
        }
    }
}

/// A sandbox with all these credentials.
pub fn sandbox() -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.hostup().refuse_passwords(|_| None);
    for name in HUBSPOT {
        sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, name);
    }
    for (guid, username) in KIRIM_EMAIL {
        sandbox.kirim_email().add_credential(KirimEmail::DOMAIN, guid, username);
    }
    for address in HOSTUP {
        sandbox.hostup().add_mailbox(HostUp::ACCOUNT_ID, address);
    }
    sandbox
}

/// Lets the vendors that make passwords make this one next.
pub fn next_password(sandbox: &Sandbox, password: &str) {
    for name in HUBSPOT {
        sandbox.hubspot().next_password(name, password);
    }
    for (_, name) in KIRIM_EMAIL {
        sandbox.kirim_email().next_password(name, password);
    }
}

/// Every credential there is.
pub fn targets() -> impl Iterator<Item = Target> {
    let vendors = [Target::HostUp as fn(Which) -> Target, Target::HubSpot, Target::KirimEmail, Target::Smtpd];
    vendors.into_iter().flat_map(|vendor| [Which::First, Which::Second].map(vendor))
}

/// How many resets all vendors together have seen.
pub fn resets(sandbox: &Sandbox) -> usize {
    targets().map(|target| target.resets(sandbox)).sum()
}

/// The ids of the API keys that may be used, the one to log in with left out.
pub fn live_keys(sandbox: &Sandbox) -> Vec<String> {
    let login = sandbox.smtpd().login_key().id.clone();
    let keys = sandbox.smtpd().keys().into_iter();
    keys.filter(|key| key.state == KeyState::Active && key.id != login).map(|key| key.id).collect()
}

/// The argument of a vendor that is not known yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Known {
    /// All of it is known.
    Wholly,
    /// One field of it is not.
    ButOneField,
    /// Nothing is.
    Not,
}

/// The value of the vendor's argument.
pub fn argument(target: Target, known: Known) -> Value {
    if known == Known::Not {
        return Value::Unknown;
    }
    let mut fields: Vec<(_, Value)> = target.fields().into_iter().map(|(name, text)| (name, text.into())).collect();
    if known == Known::ButOneField {
        fields[0].1 = Value::Unknown;
    }
    Value::object(fields)
}
