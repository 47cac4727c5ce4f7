//! One credential at a vendor, whichever that is.

use sandbox::{Sandbox, UnderTest};

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
        match vendor {
            // The workspace counts the resets of what it adds.
            Vendor::HubSpot => workspace.add_credential(&account.user()),
            _ => account.model(&workspace.sandbox).add(&account.user()),
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
    pub(crate) fn resource(&self, sandbox: &Sandbox, arguments: &str) -> String {
        let fields = self.model(sandbox).fields(&self.user()).into_iter();
        let fields: Vec<_> = fields.map(|(name, value)| format!("{name} = \"{value}\"")).collect();
        let target = format!("{} = {{ {} }}", self.vendor.name(), fields.join(", "));
        format!("resource \"smtp_credential_password\" \"{}\" {{\n  {target}\n  {arguments}\n}}\n", self.name)
    }

    /// How many resets the vendor has carried out.
    pub(crate) fn resets(&self, sandbox: &Sandbox) -> usize {
        self.model(sandbox).resets(&self.user())
    }

    /// The password that the vendor accepts now; at SMTPD that of the newest key.
    pub(crate) fn password(&self, sandbox: &Sandbox) -> Option<String> {
        self.model(sandbox).password(&self.user())
    }

    fn model<'sandbox>(&self, sandbox: &'sandbox Sandbox) -> &'sandbox dyn UnderTest {
        sandbox.vendors().named(self.vendor.name())
    }

    /// The most resets that the vendor may see of one apply: a password of the caller's own is the same, however often it is sent.
    pub(crate) fn most_resets(&self) -> usize {
        match self.vendor {
            Vendor::HostUp => 4,
            Vendor::HubSpot | Vendor::KirimEmail | Vendor::Smtpd => 1,
        }
    }
}

impl Vendor {
    fn name(self) -> &'static str {
        match self {
            Self::HostUp => "hostup",
            Self::HubSpot => "hubspot",
            Self::KirimEmail => "kirim_email",
            Self::Smtpd => "smtpd",
        }
    }
}
