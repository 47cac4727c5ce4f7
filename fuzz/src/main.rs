//! One fuzzer for all targets of `tests/parsers/targets.rs`; `FUZZ_TARGET` names the one. `fuzz/run` builds it and runs
//! them all.

#![no_main]
#![expect(clippy::unwrap_used, reason = "a fuzzer that cannot go on stops")]

#[path = "../../tests/parsers/mail_server.rs"]
mod mail_server;
#[path = "../../tests/parsers/seeds.rs"]
mod seeds;
#[path = "../../tests/parsers/targets.rs"]
mod targets;
#[path = "../../tests/parsers/vendors.rs"]
#[expect(dead_code, reason = "this program asks one vendor at a time")]
mod vendors;

use std::{env, fs, path::Path, sync::LazyLock};

use libfuzzer_sys::fuzz_target;

use crate::targets::{TARGETS, Target};

/// What nobody may read in an answer or a log.
const NEEDLE: &str = "needle-c0ffee-9e1f";

fuzz_target!(
    init: plant_seeds(),
    |bytes: &[u8]| {
        let (_, takes) = *TARGET;
        takes(bytes);
    }
);

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = env::var("FUZZ_TARGET").unwrap();
    *TARGETS.iter().find(|(known, _)| *known == name).unwrap()
});

/// Gives the fuzzer something right to begin with.
fn plant_seeds() {
    let Some(directory) = env::var_os("FUZZ_SEEDS") else { return };
    for (number, seed) in seeds::of(TARGET.0).into_iter().enumerate() {
        fs::write(Path::new(&directory).join(format!("seed-{number}")), seed).unwrap();
    }
}
