//! The vendors that the sandbox has.

use std::sync::Arc;

use super::{
    Sandbox,
    accounts::Accounts,
    example_mail::ExampleMail,
    hostup::HostUp,
    hubspot::HubSpot,
    kirim_email::KirimEmail,
    model::{Model, UnderTest},
    smtpd::Smtpd,
    vendor::{Api, Vendor},
};

macro_rules! vendors {
    ($($name:ident: $vendor:ident,)*) => {
        /// The vendors under test.
        pub const VENDORS: &[&Model] = &[$($vendor::MODEL),*];

        /// The imitated vendors.
        pub struct Vendors {
            $(#[doc = concat!("The imitated [`", stringify!($vendor), "`].")]
            pub $name: $vendor,)*
            /// The vendor that does not exist.
            pub example_mail: ExampleMail,
        }

        impl Vendors {
            pub(super) fn new(accounts: &Arc<Accounts>) -> Self {
                Self {
                    $($name: $vendor::new(Arc::clone(accounts)),)*
                    example_mail: ExampleMail::new(Arc::clone(accounts)),
                }
            }

            pub(super) fn all(&self) -> [&dyn Vendor; VENDORS.len()] {
                [$(&self.$name),*]
            }
        }

        impl Sandbox {
            $(#[doc = concat!("The imitated [`", stringify!($vendor), "`].")]
            pub fn $name(&self) -> &$vendor {
                &self.vendors().$name
            })*
        }
    };
}

vendors! {
    hostup: HostUp,
    hubspot: HubSpot,
    kirim_email: KirimEmail,
    smtpd: Smtpd,
}

impl Vendors {
    /// The APIs of all of them, and of the vendor that does not exist.
    pub(super) fn apis(&self) -> impl Iterator<Item = &dyn Api> {
        self.all().into_iter().map(|vendor| vendor as &dyn Api).chain([&self.example_mail as &dyn Api])
    }

    /// One of them.
    ///
    /// # Panics
    ///
    /// Where the model is not one of [`VENDORS`].
    #[expect(clippy::expect_used, reason = "a model without its vendor is a mistake in the sandbox")]
    pub fn get(&self, model: &Model) -> &dyn UnderTest {
        let found = self.all().into_iter().find(|vendor| vendor.model() == model);
        found.expect("every vendor under test is imitated")
    }
}
