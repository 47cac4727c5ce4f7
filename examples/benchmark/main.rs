//! Measures the provider as core runs it, and core's own work for comparison, and prints the tables in
//! `docs/benchmarks.md`.
//!
//! `cargo run --release --example benchmark [-- --short] [-- --fleet] [-- --connections] [-- --gap] [-- --json]
//! [-- --write-docs]`. With `--fleet` it measures only the processes that share a rate limit, with `--connections` only
//! what connections cost, with `--gap` only what a sender notices of rotations. A missed bound fails nothing, since
//! machines differ; what cannot be run does.
#![expect(clippy::print_stderr, clippy::print_stdout, reason = "what it prints is what it is for")]

mod chart;
mod connections;
mod credential;
mod figure;
mod fleet;
mod gap;
mod installed;
mod instant;
mod meter;
mod pace;
mod refresh;
mod report;
mod resets;
mod scale;
mod start;
mod usage;
mod wide;
mod workspace;

#[path = "../core/mod.rs"]
mod core;

use std::{env, error::Error, process::ExitCode, time::Duration};

use crate::{
    core::{Core, build_provider},
    figure::Section,
    fleet::Fleet,
    installed::Installed,
    meter::Meter,
    report::Report,
    resets::Limit,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    if let Some(served) = resets::serve_instant_vendor() {
        return served;
    }
    let ended = match meter::wrapper() {
        Some(ended) => ended,
        None => wide::serve().map_or_else(|| run().map(|()| ExitCode::SUCCESS), Ok),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("benchmark: {error}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<()> {
    let options = Options::parse(env::args().skip(1))?;
    let core = Core::find()?;
    let report = Report { core: core.version().to_owned(), sections: measure(&core, &options)? };
    match options.print {
        Print::Json => println!("{}", report.json()?),
        Print::Table => print!("{}", report.markdown()),
    }
    if options.write_docs {
        report.write_docs()?;
    }
    Ok(())
}

fn measure(core: &Core, Options { plan, only, .. }: &Options) -> Result<Vec<Section>> {
    if *only == Some(Part::Connections) {
        return Ok(vec![connections::measure(plan.many, plan.runs)?]);
    }
    let installed = Installed::copy(&build_provider(plan.profile)?)?;
    let provider = installed.provider();
    if *only == Some(Part::Fleet) {
        return Ok(vec![fleet::measure(&provider, plan.fleet, plan.limit)?]);
    }
    if *only == Some(Part::Gap) {
        return Ok(vec![gap::measure(core, &provider, plan.rotations)?]);
    }
    let meter = Meter::new(&provider)?;
    let mut sections = vec![start::measure(&provider, plan.starts)?];
    for &(resources, runs) in plan.scales {
        eprintln!("plan and apply of {resources}, {runs} times");
        sections.extend(scale::measure(core, &meter, resources, runs)?);
    }
    eprintln!("plan of one from a mirror, {} times", plan.installed);
    sections.push(installed::measure(core, &installed, plan.installed)?);
    let (resources, runs) = plan.width;
    eprintln!("width of the schema at {resources}, {runs} times");
    sections.push(wide::measure(core, resources, runs)?);
    eprintln!("refresh of {}", plan.many);
    sections.push(refresh::measure(core, &meter, plan.many, plan.runs)?);
    eprintln!("resets");
    sections.push(resets::at_sandbox(&provider, plan.many, plan.runs)?);
    sections.push(resets::at_instant_vendor(plan.resets, plan.runs)?);
    eprintln!("connections");
    sections.push(connections::measure(plan.many, plan.runs)?);
    eprintln!("pace");
    sections.push(pace::measure(&provider, plan.paced, plan.runs)?);
    eprintln!("resets under a limit");
    sections.push(resets::under_a_limit(&provider, plan.many, plan.limit)?);
    eprintln!("processes under one limit");
    sections.push(fleet::measure(&provider, plan.fleet, plan.limit)?);
    eprintln!("rotations while mail is sent");
    sections.push(gap::measure(core, &provider, plan.rotations)?);
    Ok(sections)
}

/// What is measured, and how often.
struct Plan {
    /// The profile in which the provider is built.
    profile: &'static str,
    starts: usize,
    /// How many resources are planned and applied, and how often.
    scales: &'static [(usize, usize)],
    /// How often one is planned from a mirror.
    installed: usize,
    /// How many are planned to see what the width of the schema costs, and how often.
    width: (usize, usize),
    /// How many are refreshed, and how many are reset at the sandbox.
    many: usize,
    /// How many are reset with no vendor in the way.
    resets: usize,
    /// How many calls of each kind are made at each pace.
    paced: usize,
    runs: usize,
    limit: Limit,
    fleet: Fleet,
    /// How often a password is rotated while it is used.
    rotations: usize,
}

impl Plan {
    const FULL: Self = Self {
        profile: "release",
        starts: 30,
        scales: &[(1, 20), (100, 7), (1_000, 3)],
        installed: 20,
        width: (300, 7),
        many: 1_000,
        resets: 10_000,
        paced: 200,
        runs: 5,
        limit: Limit { requests: 100, per: Duration::from_secs(10) },
        fleet: Fleet { processes: 8, credentials: 60 },
        rotations: 100,
    };

    /// Enough to see that everything still runs, with the provider built as this program is.
    const SHORT: Self = Self {
        profile: if cfg!(debug_assertions) { "dev" } else { "release" },
        starts: 2,
        scales: &[(1, 1), (10, 1)],
        installed: 1,
        width: (3, 1),
        many: 20,
        resets: 200,
        paced: 5,
        runs: 1,
        limit: Limit { requests: 10, per: Duration::from_secs(1) },
        fleet: Fleet { processes: 2, credentials: 10 },
        rotations: 2,
    };
}

struct Options {
    plan: Plan,
    print: Print,
    write_docs: bool,
    /// What alone is measured; everything where there is nothing.
    only: Option<Part>,
}

/// A part that can be measured by itself.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Part {
    Connections,
    Fleet,
    Gap,
}

enum Print {
    Json,
    Table,
}

impl Options {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self { plan: Plan::FULL, print: Print::Table, write_docs: false, only: None };
        for argument in arguments {
            match argument.as_str() {
                "--json" => options.print = Print::Json,
                "--short" => options.plan = Plan::SHORT,
                "--write-docs" => options.write_docs = true,
                "--connections" => options.only = Some(Part::Connections),
                "--fleet" => options.only = Some(Part::Fleet),
                "--gap" => options.only = Some(Part::Gap),
                _ => {
                    return Err(
                        "the options are --connections, --fleet, --gap, --json, --short and --write-docs".into()
                    );
                }
            }
        }
        if options.only.is_some() && options.write_docs {
            return Err("the tables in the docs need all parts".into());
        }
        Ok(options)
    }
}
