//! One credential at a vendor, whichever that is.

use sandbox::{HostUp, KirimEmail, Role, Sandbox};

use crate::support::Workspace;

/// A credential, and the resource that holds it.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// At whom.
    pub(crate) vendor: Vendor,
    name: String,
}

/// The vendors, for the classes that they stand for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Vendor {
    /// The caller makes the password.
    HostUp,
    /// The vendor makes the password.
    HubSpot,
    /// The vendor makes the password, and tells its age.
    KirimEmail,
    /// A reset makes a successor.
    Smtpd,
}

impl Account {
    /// Opens an account at the vendor.
    pub(crate) fn open(vendor: Vendor, name: &str, workspace: &Workspace) -> Self {
        let account = Self { vendor, name: name.to_owned() };
        let (user, sandbox) = (account.user(), &workspace.sandbox);
        match vendor {
            Vendor::HostUp => {
                sandbox.hostup().add_mailbox(HostUp::ACCOUNT_ID, &user);
            }
            Vendor::HubSpot => workspace.add_credential(&user),
            Vendor::KirimEmail => {
                sandbox.kirim_email().add_credential(KirimEmail::DOMAIN, &account.guid(), &user);
            }
            Vendor::Smtpd => {
                sandbox.smtpd().add_key(&user, Role::SendOnly);
            }
        }
        account
    }

    /// The address of its resource.
    pub(crate) fn address(&self) -> String {
        format!("smtp_credential_password.{}", self.name)
    }

    /// Who logs in; at SMTPD the name of the API key. Faults go by it.
    pub(crate) fn user(&self) -> String {
        match self.vendor {
            Vendor::Smtpd => self.name.clone(),
            _ => format!("{}@example.com", self.name),
        }
    }

    /// Its resource, with further arguments.
    pub(crate) fn resource(&self, arguments: &str) -> String {
        let user = self.user();
        let target = match self.vendor {
            Vendor::HostUp => {
                format!("hostup = {{ account_id = \"{}\", address = \"{user}\" }}", HostUp::ACCOUNT_ID)
            }
            Vendor::HubSpot => format!("hubspot = {{ user_name = \"{user}\" }}"),
            Vendor::KirimEmail => {
                let (domain, guid) = (KirimEmail::DOMAIN, self.guid());
                format!("kirim_email = {{ domain = \"{domain}\", credential_guid = \"{guid}\" }}")
            }
            Vendor::Smtpd => format!("smtpd = {{ name = \"{user}\", role = \"send_only\" }}"),
        };
        format!("resource \"smtp_credential_password\" \"{}\" {{\n  {target}\n  {arguments}\n}}\n", self.name)
    }

    /// How many resets the vendor has carried out.
    pub(crate) fn resets(&self, sandbox: &Sandbox) -> usize {
        let user = self.user();
        match self.vendor {
            Vendor::HostUp => sandbox.hostup().resets(&user),
            Vendor::HubSpot => sandbox.hubspot().resets(&user),
            Vendor::KirimEmail => sandbox.kirim_email().resets(&user),
            Vendor::Smtpd => sandbox.smtpd().resets(&user),
        }
    }

    /// The password that the vendor takes now; at SMTPD that of the newest key.
    pub(crate) fn password(&self, sandbox: &Sandbox) -> Option<String> {
        let user = self.user();
        match self.vendor {
            Vendor::HostUp => sandbox.hostup().password(&user),
            Vendor::HubSpot => sandbox.hubspot().password(&user),
            Vendor::KirimEmail => sandbox.kirim_email().password(&user),
            Vendor::Smtpd => sandbox.smtpd().key_named(&user).map(|key| key.secret),
        }
    }

    /// The most resets that the vendor may see of one apply: a password of the caller's own is the same, however often it is sent.
    pub(crate) fn most_resets(&self) -> usize {
        match self.vendor {
            Vendor::HostUp => 4,
            Vendor::HubSpot | Vendor::KirimEmail | Vendor::Smtpd => 1,
        }
    }

    fn guid(&self) -> String {
        format!("guid-{}", self.name)
    }
}
