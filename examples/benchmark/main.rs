//! Measures whole processes as core runs them, and prints the table in `docs/benchmarks.md`.
//!
//! `cargo run --release --example benchmark [-- --short]`. A bound that is missed fails nothing, since machines differ;
//! what cannot be run does.
#![expect(clippy::print_stderr, clippy::print_stdout, reason = "what it prints is what it is for")]

mod binary;
mod figure;
mod plan;
mod program;
mod start;
mod table;
mod workspace;

#[path = "../../tests/provider/identity.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "the tests' own; here a certificate is all that is needed of it")]
mod identity;
#[path = "../sandbox/server/mod.rs"]
mod sandbox;

use std::{env, error::Error, process::ExitCode, thread};

use crate::{binary::Binary, program::Program};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("benchmark: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let runs = Runs::parse(env::args().skip(1))?;
    let program = Program::find()?;
    let binary = Binary::build()?;

    let mut figures = start::measure(&binary, runs.starts)?;
    figures.push(binary.size()?);
    figures.extend(plan::measure(&program, &binary, runs.plans)?);

    print!("{}", table::markdown(&figures));
    let cores = thread::available_parallelism()?;
    println!("\n{}, {} {}, {cores} cores.", program.version()?, env::consts::OS, env::consts::ARCH);
    Ok(())
}

/// How often each thing is measured.
struct Runs {
    starts: usize,
    plans: usize,
}

impl Runs {
    const FULL: Self = Self { starts: 30, plans: 30 };

    /// Enough to see that everything still runs.
    const SHORT: Self = Self { starts: 3, plans: 2 };

    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        match (arguments.next().as_deref(), arguments.next()) {
            (None, _) => Ok(Self::FULL),
            (Some("--short"), None) => Ok(Self::SHORT),
            _ => Err("the one option is --short".into()),
        }
    }
}
