//! The age file format, version 1 (<https://c2sp.org/age>), as far as this provider needs it: X25519 recipients and
//! ASCII armor.
//!
//! - `keys` parses recipients and identities;
//! - `seal` prepares a file before its content is known;
//! - `open` decrypts a file, with `header` and `stanza` for its first part;
//! - `payload` encrypts and decrypts the content, and `armor` makes it text;
//! - `derive` derives keys from keys.

mod armor;
mod derive;
mod error;
mod header;
mod keys;
mod open;
mod payload;
mod seal;
mod stanza;

pub use self::{
    error::OpenError,
    keys::{Identities, IdentityError, Recipient, RecipientError},
    open::{open, open_armored},
    seal::Seal,
};
