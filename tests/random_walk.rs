//! Random walks: a model of the vendors and of the state, and whatever may happen to either, in any order.
//!
//! A walk is a list of operations that are carried out one after the other on three resources: configurations are
//! applied, now or later; passwords are reset, credentials deleted and tokens revoked by somebody else; answers are
//! late, wrong or lost; and the provider is stopped or killed in the middle. After each of them the walk ([`walk`])
//! compares what the vendors have seen with what the user was shown and what is stored.
//!
//! Other walks are those of one resource whose credentials take turns ([`turn`], [`turn_walk`]): a pair, or an overlap.
//!
//! `cargo test` walks from fixed seeds. `WALK_SECONDS=600 cargo test --test random_walk -- --nocapture` walks from
//! fresh ones for as long as that, and prints each; `WALK_SEED` and `TURNS_SEED` repeat one. A failure prints its seed
//! and the shortest walk that still fails.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "random_walk/faults.rs"]
mod faults;
#[path = "random_walk/interrupted.rs"]
mod interrupted;
#[path = "random_walk/meanwhile.rs"]
mod meanwhile;
#[path = "random_walk/operation.rs"]
mod operation;
#[path = "random_walk/process.rs"]
mod process;
#[path = "random_walk/tally.rs"]
mod tally;
#[path = "random_walk/turn.rs"]
mod turn;
#[path = "random_walk/turn_walk.rs"]
mod turn_walk;
#[path = "random_walk/verdict.rs"]
mod verdict;
#[path = "random_walk/walk.rs"]
mod walk;
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
use sandbox::{
    HostUp, HubSpot, KirimEmail, Smtpd, VENDORS,
    core::{
        arguments::{Arguments, Given, MailServer, Verify},
        vendors::{Known, Target},
    },
};

use crate::{
    faults::Fault,
    meanwhile::{Deed, Meanwhile, When},
    operation::{Operation, Run, Wanted},
    tally::Tally,
};

/// How many operations a walk has.
const OPERATIONS: usize = 200;

/// The totals of all walks of this program.
static TALLY: LazyLock<Tally> = LazyLock::new(Tally::default);

macro_rules! fixed {
    ($($name:ident: $walk:ident($seed:literal),)*) => {
        $(#[test]
        fn $name() {
            $walk($seed);
        })*
    };
}

fixed! {
    the_first_fixed_walk_holds: walk_from(1),
    the_second_fixed_walk_holds: walk_from(2),
    the_third_fixed_walk_holds: walk_from(3),
    the_fourth_fixed_walk_holds: walk_from(4),
    the_first_fixed_turns_hold: take_turns_from(1),
    the_second_fixed_turns_hold: take_turns_from(2),
    the_third_fixed_turns_hold: take_turns_from(3),
    the_fourth_fixed_turns_hold: take_turns_from(4),
}

#[test]
fn a_reset_that_failed_is_not_taken_for_another_of_the_same_run() {
    let verify = Verify { at: MailServer::Sandbox, on_refresh: false, timeout: "20s" };
    for (target, verify) in
        [(KirimEmail::MODEL.first(), None), (Smtpd::MODEL.first(), None), (HubSpot::MODEL.first(), Some(verify))]
    {
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
            ..Arguments::bare(HostUp::MODEL.first())
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

/// Deleting a credential ends its logins too.
#[test]
fn a_refused_login_of_a_deleted_credential_is_no_changed_password() {
    for target in [HubSpot::MODEL.first(), KirimEmail::MODEL.first()] {
        for when in [When::BeforeReset, When::BeforeLogin] {
            let wanted = |trigger| Wanted {
                resource: 0,
                arguments: Arguments {
                    trigger: Given::now(trigger),
                    mode: Given { value: Some("in_place"), late: false },
                    verify: Given {
                        value: Some(Verify { at: MailServer::Sandbox, on_refresh: true, timeout: "1s" }),
                        late: false,
                    },
                    ..Arguments::bare(target)
                },
                replace: false,
                create_first: false,
            };
            let meanwhile = Some(Meanwhile { during: 0, of: 0, when, deed: Deed::Delete });
            let run = Run { at_apply: Some(Fault::loses_response(false)), meanwhile, ..calm() };
            let made = Operation::Apply(vec![wanted("one")], calm());
            attempt(&[made, Operation::Apply(vec![wanted("two")], run), Operation::Refresh(calm())]).unwrap();
        }
    }
}

/// The second resource is replaced as well, and core sends its deletion no target. It is not the other's second half.
#[test]
fn a_replacement_whose_target_is_not_known_hides_no_key() {
    let wanted = |resource, target, target_known| Wanted {
        resource,
        arguments: Arguments { target_known, ..Arguments::bare(target) },
        replace: false,
        create_first: false,
    };
    let old = |resource, target| wanted(resource, target, Known::Wholly);
    let [first, second] = KirimEmail::MODEL.targets();
    let before = vec![old(0, Smtpd::MODEL.first()), old(1, second)];
    // Which of the deletions comes first is not ours to say.
    for after in
        [vec![old(0, second), wanted(1, first, Known::Not)], vec![wanted(1, first, Known::Not), old(0, second)]]
    {
        for _ in 0..3 {
            attempt(&[Operation::Apply(before.clone(), calm()), Operation::Apply(after.clone(), calm())]).unwrap();
        }
    }
}

#[test]
fn someone_else_may_act_at_any_moment_of_a_reset() {
    let scenarios = scenarios();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let work = || {
            while let Some((scenario, walk)) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                let tally: &Tally = Box::leak(Box::default());
                let ended = attempt_with(walk, tally);
                assert!(ended.is_ok(), "{scenario}: {ended:?}");
                assert_eq!(tally.intrusions.load(Ordering::Relaxed), 1, "{scenario}: nobody has done anything");
            }
        };
        let workers: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().unwrap();
        }
    });
}

/// Every deed of somebody else at every moment of a reset, whatever becomes of its response; in place, deleted first
/// and created first by turns.
fn scenarios() -> Vec<(String, Vec<Operation>)> {
    let targets = VENDORS.iter().map(|vendor| vendor.first());
    let moments = [When::BeforeReset, When::BeforeResponse, When::BeforeLookBack, When::BeforeLogin, When::AfterLogin];
    let moments = moments.into_iter().chain([When::BeforeRevocation]);
    let deeds = [Deed::Reset, Deed::Delete, Deed::Make, Deed::Revoke];
    let responses = [None, Some(true), Some(false)];
    let mut scenarios = Vec::new();
    let all = targets.flat_map(|target| moments.clone().flat_map(move |when| deeds.map(|deed| (target, when, deed))));
    for (number, (target, when, deed)) in all.enumerate() {
        for acts in responses.into_iter().filter(|acts| happens(target, when, *acts)) {
            // With `create_before_destroy` nobody knows a previous password that could be asked about.
            let orders = if when.is_of_login() && acts.is_some() { 2 } else { 3 };
            let order = (number + usize::from(acts == Some(true))) % orders;
            let wanted = |trigger| Wanted {
                resource: 0,
                arguments: Arguments {
                    trigger: Given::now(trigger),
                    mode: Given { value: (order == 0).then_some("in_place"), late: false },
                    verify: Given {
                        value: when.is_of_login().then_some(Verify {
                            at: MailServer::Sandbox,
                            on_refresh: true,
                            timeout: "1s",
                        }),
                        late: false,
                    },
                    ..Arguments::bare(target)
                },
                replace: false,
                create_first: order == 2,
            };
            let meanwhile = Some(Meanwhile { during: 0, of: 0, when, deed });
            let run = Run { at_apply: acts.map(Fault::loses_response), meanwhile, ..calm() };
            let walk = vec![
                Operation::ShowPasswordChanges,
                Operation::Apply(vec![wanted("one")], calm()),
                Operation::Apply(vec![wanted("two")], run),
                Operation::Refresh(calm()),
                Operation::GiveBack(target.vendor),
                Operation::MakeAgain(target),
                Operation::Apply(vec![wanted("three")], calm()),
            ];
            scenarios.push((format!("{target:?}, {when:?}, {deed:?}, lost {acts:?}, order {order}"), walk));
        }
    }
    scenarios
}

/// Whether a reset at this vendor reaches a moment, where its response is lost and it has happened or not.
fn happens(target: Target, when: When, acts: Option<bool>) -> bool {
    let vendor = target.vendor;
    match when {
        When::BeforeReset => true,
        When::BeforeResponse => acts != Some(false) || vendor.takes_passwords,
        // A password of the caller's own is sent again, and then all is well.
        When::BeforeLookBack => acts.is_some() && vendor.finds_lost_resets(),
        // A vendor that shows the change of the password is believed, and no mail server is asked.
        When::BeforeLogin | When::AfterLogin if vendor.shows_changes => acts != Some(true),
        When::BeforeLogin | When::AfterLogin => acts.is_none() || !vendor.makes_successors,
        When::BeforeRevocation => acts.is_none() && vendor.makes_successors,
    }
}

fn calm() -> Run {
    Run { refreshes: true, at_plan: None, at_apply: None, interruption: None, late: None, meanwhile: None }
}

#[test]
fn fresh_walks_hold_for_as_long_as_they_are_asked_for() {
    walk_freshly("WALK_SEED", walk_from);
}

#[test]
fn fresh_turns_hold_for_as_long_as_they_are_asked_for() {
    walk_freshly("TURNS_SEED", take_turns_from);
}

#[expect(clippy::print_stdout, reason = "fresh walks are asked for to be seen")]
fn walk_freshly(variable: &str, walk: fn(u64)) {
    if let Ok(seed) = env::var(variable) {
        walk(seed.parse().unwrap());
    }
    let Ok(seconds) = env::var("WALK_SECONDS") else { return };
    let end = Instant::now() + Duration::from_secs(seconds.parse().unwrap());
    let first = jiff::Timestamp::now().as_microsecond().unsigned_abs();
    let mut walks = 0;
    while Instant::now() < end {
        let (seed, begun) = (first + walks, Instant::now());
        walk(seed);
        walks += 1;
        println!("{variable}={seed}: {:.1?}; {walks} walks so far: {:?}", begun.elapsed(), *TALLY);
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
        let shortest = shortened(operations[..=at].to_vec(), |walk| attempt(walk).is_err(), Operation::simpler);
        panic!("WALK_SEED={seed}: {failure}\nThe shortest walk that fails has {}: {shortest:#?}", shortest.len());
    }
}

/// Walks as the seed says, with one resource whose credentials take turns or follow each other.
fn take_turns_from(seed: u64) {
    let steps = roomy(move || {
        let config = Config { rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() };
        turn::walks(OPERATIONS / 2).new_tree(&mut TestRunner::new(config)).unwrap().current()
    });
    let (kind, steps) = steps.unwrap();
    let walk = |steps: &[turn::Step]| attempted(steps, move |steps, at| turn_walk::walk(kind, steps, &TALLY, at));
    if let Err((at, failure)) = walk(&steps) {
        let shortest = shortened(steps[..=at].to_vec(), |steps| walk(steps).is_err(), turn::Step::simpler);
        panic!("TURNS_SEED={seed}: {failure}\n{kind:?}; the shortest walk that fails: {shortest:#?}");
    }
}

/// Walks, and returns at which operation it failed and why.
fn attempt(operations: &[Operation]) -> Result<(), (usize, String)> {
    attempt_with(operations, &TALLY)
}

fn attempt_with(operations: &[Operation], tally: &'static Tally) -> Result<(), (usize, String)> {
    attempted(operations, move |operations, at| walk::walk(operations, tally, at))
}

fn attempted<T: Clone + Send + 'static>(
    operations: &[T],
    walk: impl FnOnce(&[T], &AtomicUsize) + Send + 'static,
) -> Result<(), (usize, String)> {
    let (operations, at) = (operations.to_vec(), Arc::new(AtomicUsize::new(0)));
    let reached = Arc::clone(&at);
    roomy(move || walk(&operations, &reached)).map_err(|panic| {
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
fn shortened<T: Clone>(mut walk: Vec<T>, fails: impl Fn(&[T]) -> bool, simpler: impl Fn(&T) -> Vec<T>) -> Vec<T> {
    let end = Instant::now() + LONGEST_SHORTENING;
    let fails = |walk: &[T]| Instant::now() < end && fails(walk);
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
        for simplified_step in simpler(&walk[index]) {
            let mut simplified = walk.clone();
            simplified[index] = simplified_step;
            if fails(&simplified) {
                walk = simplified;
            }
        }
    }
    walk
}

const LONGEST_SHORTENING: Duration = Duration::from_mins(5);
