//! One credential at a vendor, whichever that is.

use sandbox::{Model, Sandbox, UnderTest};

use crate::support::{self, Workspace};

/// A credential, and the resource that holds it.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// The vendor that has it.
    pub(crate) vendor: &'static Model,
    name: String,
}

impl Account {
    /// Opens an account at the vendor.
    pub(crate) fn open(vendor: &'static Model, name: &str, workspace: &Workspace) -> Self {
        let account = Self { vendor, name: name.to_owned() };
        workspace.add(vendor, &account.user());
        account
    }

    /// The address of its resource.
    pub(crate) fn address(&self) -> String {
        format!("smtp_credential_password.{}", self.name)
    }

    /// Who logs in; at SMTPD the name of the API key. Faults go by it.
    pub(crate) fn user(&self) -> String {
        self.vendor.name_of(&self.name)
    }

    /// Its resource, with further arguments.
    pub(crate) fn resource(&self, arguments: &str) -> String {
        support::block(&self.name, &self.vendor.argument(&self.user()), arguments)
    }

    /// How many resets the vendor has carried out.
    pub(crate) fn resets(&self, sandbox: &Sandbox) -> usize {
        self.at(sandbox).resets(&self.user())
    }

    /// The password that the vendor accepts now; at SMTPD that of the newest key.
    pub(crate) fn password(&self, sandbox: &Sandbox) -> Option<String> {
        self.at(sandbox).password(&self.user())
    }

    /// Its vendor in the sandbox.
    pub(crate) fn at<'sandbox>(&self, sandbox: &'sandbox Sandbox) -> &'sandbox dyn UnderTest {
        self.vendor.at(sandbox)
    }
}
