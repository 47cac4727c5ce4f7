//! Random walks: a model of the vendors and of the state, and whatever may happen to either, in any order.
//!
//! A walk is a list of operations that are carried out one after the other on three resources: configurations are applied, now or
//! later; passwords are reset, credentials deleted and tokens revoked by somebody else; answers are late, wrong or lost; and the
//! provider is stopped or killed in the middle. After each of them the walk ([`walk`]) compares what the vendors have seen with what
//! the user was told and what is stored.
//!
//! `cargo test` walks from fixed seeds. `WALK_SECONDS=600 cargo test --test random_walk -- --nocapture` walks from fresh ones for as
//! long as that, and prints each; `WALK_SEED` repeats one. A failure prints its seed and the shortest walk that still fails.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "core_double/arguments.rs"]
#[expect(dead_code, reason = "this program tells no walk by hand")]
mod arguments;
#[path = "random_walk/chain.rs"]
mod chain;
#[path = "core_double/contract.rs"]
#[expect(dead_code, reason = "what is said of adoptions is a matter of histories")]
mod contract;
#[path = "provider/core.rs"]
#[expect(dead_code, reason = "this program attaches to providers that run already")]
mod core;
#[path = "random_walk/faults.rs"]
mod faults;
#[path = "provider/identity.rs"]
#[expect(dead_code, reason = "this program attaches to providers that run already")]
mod identity;
#[path = "random_walk/operation.rs"]
mod operation;
#[path = "random_walk/process.rs"]
mod process;
#[path = "core_double/rules.rs"]
mod rules;
#[path = "../examples/sandbox/server/mod.rs"]
mod sandbox;
#[path = "core_double/vendors.rs"]
#[expect(dead_code, reason = "what only histories need")]
mod vendors;
#[path = "random_walk/verdict.rs"]
mod verdict;
#[path = "random_walk/walk.rs"]
mod walk;
#[path = "provider/wire.rs"]
mod wire;
#[path = "random_walk/world.rs"]
mod world;

use std::{
    env, panic,
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use crate::walk::Tally;
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// How many operations a walk has.
const OPERATIONS: usize = 200;

/// What all walks of this program have come to.
static TALLY: LazyLock<Tally> = LazyLock::new(Tally::default);

macro_rules! fixed {
    ($($name:ident: $seed:literal,)*) => {
        $(#[test]
        fn $name() {
            walk_from($seed);
        })*
    };
}

fixed! {
    the_first_fixed_walk_holds: 1,
    the_second_fixed_walk_holds: 2,
    the_third_fixed_walk_holds: 3,
    the_fourth_fixed_walk_holds: 4,
}

#[test]
#[expect(clippy::print_stdout, reason = "whoever asks for fresh walks wants to see them")]
fn fresh_walks_hold_for_as_long_as_they_are_asked_for() {
    if let Ok(seed) = env::var("WALK_SEED") {
        walk_from(seed.parse().unwrap());
    }
    let Ok(seconds) = env::var("WALK_SECONDS") else { return };
    let end = Instant::now() + Duration::from_secs(seconds.parse().unwrap());
    let first = jiff::Timestamp::now().as_microsecond().unsigned_abs();
    let mut walks = 0;
    while Instant::now() < end {
        let (seed, begun) = (first + walks, Instant::now());
        walk_from(seed);
        walks += 1;
        println!("WALK_SEED={seed}: {:.1?}; {walks} walks so far: {:?}", begun.elapsed(), *TALLY);
    }
}

/// Walks as the seed says; a failure is shrunk. A walk with all that it may be shrunk to needs more room than a test has.
fn walk_from(seed: u64) {
    let walk = thread::Builder::new().stack_size(256 << 20).spawn(move || explore(seed)).unwrap();
    if let Err(failure) = walk.join() {
        panic::resume_unwind(failure);
    }
}

fn explore(seed: u64) {
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: 400,
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    };
    let walked = TestRunner::new(config).run(&operation::walks(OPERATIONS), |steps| {
        walk::walk(&steps, &TALLY);
        Ok(())
    });
    if let Err(failure) = walked {
        panic!("WALK_SEED={seed}: {failure}");
    }
}
