//! `smtp_credential_pair`: two credentials that take turns.

mod age;
mod bad_input;
mod documented;
mod encrypted;
mod failures;
mod gap;
mod gone;
mod import;
#[cfg(unix)]
mod kills;
mod list;
mod moved;
mod plain;
mod replacement;
mod scene;
#[cfg(unix)]
mod shared;
#[cfg(unix)]
mod verify;
