//! Uses of an SMTP password: a login that shows whether it works, a URL for mail libraries, and the derivation for
//! Amazon SES.
//!
//! [`Server::check`] checks that a login is possible, and [`Server::login`] logs in. Neither sends mail, and AUTH is
//! never sent without TLS: only a session over TLS has a method for it.
//!
//! The client is written for this crate, on top of `tokio-rustls`. `lettre` (0.11.23) was tried first and does not meet
//! the requirements:
//!
//! - Plaintext that arrives after the 220 to STARTTLS stays in the buffer and is treated as the reply to the encrypted
//!   EHLO (STARTTLS injection).
//! - A line of a reply is read to its end before its length is checked.
//! - A custom stream, which could fix both, is supported for STARTTLS but not for implicit TLS.
//! - The password is kept in strings that are not wiped, and an error does not say which command failed.

mod failure;
mod judge;
mod login;
mod reply;
mod roots;
mod server;
pub mod ses;
mod session;
mod tried;
mod url;
mod wire;

pub use failure::{Failure, FailureKind};
pub use login::Mechanism;
pub use reply::Enhanced;
pub use roots::Roots;
pub use server::{Login, Security, Server};
pub use tried::{Extent, Tried};
pub use url::{Library, url};

pub use crate::trust::CertificateFile;
