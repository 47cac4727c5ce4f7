//! What older versions of Terraform and OpenTofu do not know. By this list tests are skipped, and `docs/guides/versions.md` is made.

#![allow(dead_code, unreachable_pub, reason = "a library to those that include it, and each of them uses a part")]

/// A feature of newer versions.
#[derive(Clone, Copy, Debug)]
pub struct Feature {
    /// What it is, in words that end a sentence.
    pub name: &'static str,
    /// The first minor version of Terraform 1 that has it.
    pub terraform: u32,
    /// The first minor version of OpenTofu 1 that has it; `None` where none has.
    pub opentofu: Option<u32>,
}

impl Feature {
    /// Provider functions.
    pub const FUNCTIONS: Self = Self { name: "provider functions", terraform: 8, opentofu: Some(7) };
    /// Resource identities.
    pub const IDENTITY: Self = Self { name: "resource identities", terraform: 12, opentofu: None };
    /// `for_each` in import blocks.
    pub const IMPORT_FOR_EACH: Self = Self { name: "`for_each` in import blocks", terraform: 7, opentofu: Some(7) };
    /// Mocked providers in tests, with functions.
    pub const MOCKS: Self = Self { name: "mocks in tests", terraform: 8, opentofu: Some(8) };
    /// `moved` blocks between two types of resources.
    pub const MOVED_BETWEEN_TYPES: Self =
        Self { name: "`moved` between two types of resources", terraform: 8, opentofu: Some(10) };
    /// `query`.
    pub const QUERY: Self = Self { name: "`query`", terraform: 14, opentofu: None };
    /// Write-only arguments and ephemeral values.
    pub const WRITE_ONLY: Self = Self { name: "write-only arguments", terraform: 11, opentofu: Some(11) };

    /// All of them.
    pub const ALL: &[Self] = &[
        Self::IMPORT_FOR_EACH,
        Self::FUNCTIONS,
        Self::MOCKS,
        Self::MOVED_BETWEEN_TYPES,
        Self::WRITE_ONLY,
        Self::IDENTITY,
        Self::QUERY,
    ];

    /// Returns whether a minor version of Terraform 1, or else of OpenTofu 1, has it.
    pub fn is_in(&self, is_opentofu: bool, minor: u32) -> bool {
        let first = if is_opentofu { self.opentofu } else { Some(self.terraform) };
        first.is_some_and(|first| minor >= first)
    }
}
