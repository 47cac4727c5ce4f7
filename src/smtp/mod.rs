//! How an SMTP password is used, as a part of a URL and for a login that shows whether it works, and how one is derived.
//!
//! A [`Server`] is called in two ways: [`Server::check`] looks whether a login can work at all, and [`Server::login`] logs in.
//! Neither sends mail, and no byte of AUTH goes out before TLS: only a session over TLS has a method for it.
//!
//! The client is our own, over `tokio-rustls`. `lettre` (0.11.23) was tried first, and it does not keep what is needed here:
//!
//! - What a server, or somebody on the way, sends in clear behind its 220 to STARTTLS stays in the buffer, and is believed
//!   as the answer to the EHLO that goes through TLS.
//! - A line of a reply is read to its end, however long it is, before its length is looked at.
//! - A stream of our own, in which both could be mended, is taken for STARTTLS only, not for implicit TLS.
//! - The password lies in strings that are not wiped, and an error does not say at which command it came.

mod failure;
mod login;
mod reply;
mod roots;
mod server;
pub mod ses;
mod session;
mod url;

pub use failure::{Failure, FailureKind};
pub use roots::Roots;
pub use server::{Login, Security, Server};
pub use url::{Library, url};

pub use crate::trust::CertificateFile;
