//! Terraform 1.15.5 treats the private data of a replacement as the provider expects, so a reset that cannot work
//! leaves the old password in the state; an encrypted password stays encrypted; and the credentials of a pair take
//! turns. It also knows identities, which change with resets, and `query`, which imports by them.
//! `tests/cores/terraform-1.15.5` fetches it; `OTHER_CORES=0` skips these tests.

#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

#[path = "acceptance/adopting.rs"]
mod adopting;
#[path = "acceptance/encrypted_lifecycle.rs"]
mod encrypted_lifecycle;
#[path = "acceptance/failed_reset.rs"]
mod failed_reset;
#[path = "acceptance/identity.rs"]
mod identity;
#[path = "acceptance/query.rs"]
mod query;
#[path = "acceptance/pair"]
mod pair {
    mod import;
    mod list;
    mod moved;
    mod plain;
    mod replacement;
    mod scene;
}

const CORE: Option<&str> = Some("terraform-1.15.5");
