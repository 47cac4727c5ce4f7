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
    env,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngSeed, TestRunner},
};

use crate::{
    arguments::{Arguments, Given, MailServer, Verify},
    faults::Fault,
    operation::{Operation, Run, Wanted},
    vendors::{Target, Which},
    walk::Tally,
};

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
fn a_reset_that_failed_is_not_taken_for_another_of_the_same_run() {
    let verify = Verify { at: MailServer::Sandbox, on_refresh: false, timeout: "20s" };
    for (target, verify) in [
        (Target::KirimEmail(Which::First), None),
        (Target::Smtpd(Which::First), None),
        (Target::HubSpot(Which::First), Some(verify)),
    ] {
        let wanted = |resource, trigger| Wanted {
            resource,
            arguments: Arguments {
                trigger: Given::now(trigger),
                mode: Given { value: Some("in_place"), late: false },
                verify: Given { value: verify.clone(), late: false },
                ..Arguments::bare(target)
            },
            replace: false,
            create_first: false,
        };
        // Which of the two comes first is not ours to say.
        for (first, second) in [(0, 1), (1, 0), (0, 1), (1, 0)] {
            let made = Operation::Apply(vec![wanted(first, "one")], calm());
            let failing = Run { at_apply: Some(Fault::of_reset(500, 1)), ..calm() };
            let both = Operation::Apply(vec![wanted(first, "two"), wanted(second, "two")], failing);
            attempt(&[made, both]).unwrap();
        }
    }
}

#[test]
fn a_failed_update_forgets_nothing_of_what_was_configured() {
    let wanted = |trigger, host| Wanted {
        resource: 0,
        arguments: Arguments {
            trigger: Given::now(trigger),
            mode: Given { value: Some("in_place"), late: false },
            host: Given { value: host, late: false },
            ..Arguments::bare(Target::HostUp(Which::First))
        },
        replace: false,
        create_first: false,
    };
    let failing = Run { at_apply: Some(Fault::of_reset(400, 0)), ..calm() };
    let walk = [
        Operation::Apply(vec![wanted("one", Some("mail.example.com"))], calm()),
        Operation::Apply(vec![wanted("two", None)], failing),
        Operation::Apply(vec![wanted("two", None)], calm()),
    ];
    attempt(&walk).unwrap();
}

fn calm() -> Run {
    Run { refreshes: true, at_plan: None, at_apply: None, interruption: None, late: None }
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

/// Walks as the seed says; a walk that fails is shortened.
fn walk_from(seed: u64) {
    let operations = roomy(move || {
        let config = Config { rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() };
        operation::walks(OPERATIONS).new_tree(&mut TestRunner::new(config)).unwrap().current()
    });
    let operations = operations.unwrap();
    if let Err((at, failure)) = attempt(&operations) {
        let shortest = shortened(operations[..=at].to_vec());
        panic!("WALK_SEED={seed}: {failure}\nThe shortest walk that fails has {}: {shortest:#?}", shortest.len());
    }
}

/// Walks, and tells at which operation it failed and why.
fn attempt(operations: &[Operation]) -> Result<(), (usize, String)> {
    let (operations, at) = (operations.to_vec(), Arc::new(AtomicUsize::new(0)));
    let reached = Arc::clone(&at);
    roomy(move || walk::walk(&operations, &TALLY, &reached)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        (at.load(Ordering::Relaxed), text.unwrap_or_default())
    })
}

/// Does what needs more room than the thread of a test has.
fn roomy<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> thread::Result<T> {
    thread::Builder::new().stack_size(256 << 20).spawn(work).unwrap().join()
}

/// Leaves out whatever a walk fails without: first large parts, then operations, then parts of these.
fn shortened(mut walk: Vec<Operation>) -> Vec<Operation> {
    let end = Instant::now() + LONGEST_SHORTENING;
    let fails = |walk: &[Operation]| Instant::now() < end && attempt(walk).is_err();
    let mut part = walk.len() / 2;
    while part > 0 {
        let mut from = 0;
        while from < walk.len() {
            let mut shorter = walk.clone();
            shorter.drain(from..(from + part).min(walk.len()));
            if fails(&shorter) { walk = shorter } else { from += part }
        }
        part /= 2;
    }
    for index in 0..walk.len() {
        for simpler in walk[index].simpler() {
            let mut simplified = walk.clone();
            simplified[index] = simpler;
            if fails(&simplified) {
                walk = simplified;
            }
        }
    }
    walk
}

const LONGEST_SHORTENING: Duration = Duration::from_mins(5);
