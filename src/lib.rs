//! `terraform-provider-smtp`: resets the passwords of SMTP credentials through their vendors' APIs, and keeps the new
//! ones.
//!
//! The modules, in the order in which a call passes through them:
//!
//! - [`protocol`] is the gRPC server for core;
//! - [`framework`] defines traits and types for what Terraform expects of a provider;
//! - [`provider`] is the provider: its resource, data source, functions and diagnostics;
//! - `rotation` rotates passwords and knows nothing of Terraform;
//! - [`vendors`] has one file per vendor;
//! - [`http`] is the HTTP client that all vendors share, and decides which requests may be repeated;
//! - [`smtp`] logs in to mail servers, and builds SMTP URLs;
//! - [`age`] encrypts passwords for the state;
//! - [`secret`] keeps passwords and tokens out of every output;
//! - `trust` verifies certificates;
//! - `clock` returns the time, even if the system's clock is wrong;
//! - `text` normalizes text as core does.
//!
//! Imports go one way only, `protocol → framework ← provider → rotation → vendors → http`; `tests/architecture`
//! enforces it.

pub mod age;
mod clock;
pub mod framework;
pub mod http;
pub mod protocol;
pub mod provider;
mod rotation;
pub mod secret;
pub mod smtp;
mod text;
mod trust;
pub mod vendors;
