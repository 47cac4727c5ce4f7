//! What is left after each fault of a vendor, a process or a state, through the real `terraform` or `tofu`.
//!
//! After every fault one function ([`scene::Scene::survives`]) checks the same invariants. What was seen is compared
//! with the tables in `docs/reset-safety.md`; `UPDATE_DOCS=1 cargo test --test faults` writes them again.

#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

#[path = "faults/account.rs"]
mod account;
#[path = "faults/destroy_faults.rs"]
mod destroy_faults;
#[path = "faults/encrypted_faults.rs"]
mod encrypted_faults;
#[path = "faults/flood_faults.rs"]
mod flood_faults;
#[path = "faults/network_faults.rs"]
mod network_faults;
#[path = "faults/overlap_faults.rs"]
mod overlap_faults;
#[path = "faults/pair_faults.rs"]
mod pair_faults;
#[path = "faults/process.rs"]
mod process;
#[path = "faults/process_faults.rs"]
mod process_faults;
#[path = "faults/proxy.rs"]
mod proxy;
#[path = "faults/replacement_faults.rs"]
mod replacement_faults;
#[path = "faults/scene.rs"]
mod scene;
#[path = "faults/state_faults.rs"]
mod state_faults;
#[path = "faults/state_server.rs"]
mod state_server;
#[path = "faults/table.rs"]
mod table;
#[path = "faults/vendor_faults.rs"]
mod vendor_faults;
#[path = "faults/verification_faults.rs"]
mod verification_faults;

/// These tests run with the program that the user has.
const CORE: Option<&str> = None;
