//! Which credential is meant: a vendor, and the fields that name the credential there.

use super::{fields::Fields, vendor::Vendor};

/// One credential of one vendor, or what the credentials of a list have in common. Its fields are checked.
#[derive(Clone, Debug)]
pub struct Target {
    /// The vendor.
    pub vendor: &'static Vendor,
    /// What names the credential there.
    pub fields: Fields,
}

impl Target {
    /// The `id` of the resource; of a scope, the part that the ids of its credentials have in common.
    pub fn id(&self) -> String {
        let fields = self.vendor.identity.iter().filter_map(|field| self.fields.text(field));
        std::iter::once(self.vendor.name).chain(fields).collect::<Vec<_>>().join("/")
    }

    /// The import id of a credential of the same scope, by the vendor's id of it, at a vendor with
    /// [`ImportId::Credential`](super::ImportId::Credential).
    pub fn import_id(&self, id: &str) -> String {
        let scope = self.vendor.import_scope().iter().filter_map(|field| self.fields.text(field));
        std::iter::once(self.vendor.name).chain(scope).chain([id]).collect::<Vec<_>>().join("/")
    }
}
