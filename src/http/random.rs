//! Random numbers for jitter. They need not be unpredictable.

use std::hash::{BuildHasher, RandomState};

/// A sequence of numbers from 0 to 1 (xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift
/// generators").
#[derive(Debug)]
pub(super) struct Jitter(u64);

impl Jitter {
    pub(super) fn new() -> Self {
        // The hasher's keys are random.
        Self::seeded(RandomState::new().hash_one(()))
    }

    pub(super) fn seeded(seed: u64) -> Self {
        // A state of 0 would never change.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d);
        f64::from(u32::try_from(number >> 32).unwrap_or_default()) / f64::from(u32::MAX)
    }
}
