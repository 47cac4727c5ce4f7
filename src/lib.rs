//! `terraform-provider-smtp`: resets the passwords of SMTP credentials through their vendors' APIs, and keeps the new ones.
//!
//! The way of a call, from core to the vendor and back:
//!
//! - [`protocol`] speaks gRPC with core and knows [`framework`];
//! - [`framework`] says in plain Rust what Terraform expects of a provider;
//! - [`provider`] is the provider: its resource, and what users read when something fails;
//! - `rotation` rotates a password, whoever asks for it;
//! - [`vendors`] holds a file for each vendor;
//! - [`http`] is the one client that all of them share: what may be sent again, and what may not;
//! - [`smtp`] knows how a password is used, and logs in with it;
//! - [`secret`] keeps passwords and tokens out of every text;
//! - `trust` knows whose certificates count;
//! - `clock` returns the time, whatever the system's clock is set to;
//! - `text` brings text into the form in which core stores it.
//!
//! Imports go one way only, `protocol → framework ← provider → rotation → vendors → http`; `tests/architecture.rs` holds them to it.

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
