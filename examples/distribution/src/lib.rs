//! Packages the provider as registries expect it, and fetches Terraform or `OpenTofu` for tests and examples where none
//! is installed.
//!
//! - [`core`] fetches a pinned core, once;
//! - [`package`] makes the files of a release;
//! - [`sbom`] lists the crates in the binary;
//! - [`zip`] reads and writes archives, and `download` downloads them.

pub mod core;
mod download;
pub mod package;
pub mod sbom;
pub mod zip;
