//! Runs a property over cases that come again: the seed is fixed, unless the environment chooses another.

use std::{env, fmt::Debug};

use proptest::{
    strategy::Strategy,
    test_runner::{Config, RngSeed, TestRunner},
};

const SEED: u64 = 4;

/// Runs `holds` over `cases` values. A failure prints the smallest value that fails, and the seed.
///
/// `PROPTEST_CASES` and `PROPTEST_RNG_SEED` choose more cases, and others.
pub fn explore<S: Strategy>(cases: u32, strategy: &S, holds: impl Fn(S::Value))
where
    S::Value: Debug,
{
    let chosen = Config::default();
    let config = Config {
        cases: if env::var_os("PROPTEST_CASES").is_some() { chosen.cases } else { cases },
        failure_persistence: None,
        max_shrink_iters: 200,
        rng_seed: match chosen.rng_seed {
            RngSeed::Random => RngSeed::Fixed(SEED),
            fixed @ RngSeed::Fixed(_) => fixed,
        },
        ..chosen
    };
    let seed = config.rng_seed;
    let explored = TestRunner::new(config).run(strategy, |value| {
        holds(value);
        Ok(())
    });
    if let Err(failure) = explored {
        panic!("PROPTEST_RNG_SEED={seed}: {failure}");
    }
}
