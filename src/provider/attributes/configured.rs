//! The vendors as the provider block configures them.

use crate::vendors::Vendor;

/// The vendors as the provider block configures them. Before the provider is configured, nothing is known of the API
/// that the `http` block describes.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::provider) struct Configured(Option<&'static Vendor>);

impl Configured {
    /// With what the `http` block describes.
    pub(in crate::provider) fn with(described: Option<&'static Vendor>) -> Self {
        Self(described)
    }

    /// Returns what is known of a vendor.
    pub(in crate::provider) fn vendor(self, vendor: &'static Vendor) -> &'static Vendor {
        self.0.filter(|described| described.name == vendor.name).unwrap_or(vendor)
    }
}
