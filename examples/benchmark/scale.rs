//! What plan and apply cost beside as many resources that need no provider process: core itself has `terraform_data`.

use std::time::Duration;

use crate::{
    Result,
    core::Core,
    credential::user_name,
    figure::{Figure, Section, Unit, count, megabytes, milliseconds},
    meter::Meter,
    sandbox::{HubSpot, Sandbox},
    workspace::{Took, Workspace, credentials, terraform_data},
};

/// The number of resources at which the bounds hold.
const BOUND: usize = 1_000;

/// Applies and plans so many credentials and as many `terraform_data`, in turn, after one pair that does not count.
///
/// An apply creates them all. A plan finds all in state, refreshes them and has nothing to do.
pub(crate) fn measure(core: &Core, meter: &Meter, resources: usize, runs: usize) -> Result<[Section; 2]> {
    let sandbox = Sandbox::start();
    for number in 0..resources {
        sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, &user_name(number));
    }
    let ours = Workspace::new(core, meter, &sandbox, &credentials(resources, ""))?;
    let cores = Workspace::new(core, meter, &sandbox, &terraform_data(resources))?;
    if resources < BOUND {
        Pair::take(Workspace::apply, &ours, &cores)?;
    }

    let (mut applies, mut plans) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        ours.forget()?;
        cores.forget()?;
        applies.push(Pair::take(Workspace::apply, &ours, &cores)?);
        plans.push(Pair::take(Workspace::plan, &ours, &cores)?);
    }
    Ok([
        section("plan", &plans, resources, &Bounds { wall: 4.0, per_resource: 0.15 }),
        section("apply", &applies, resources, &Bounds { wall: 3.0, per_resource: 0.4 }),
    ])
}

/// The same command, with our resources and with core's own.
struct Pair {
    ours: Took,
    cores: Took,
}

impl Pair {
    fn take<'a>(
        run: impl Fn(&Workspace<'a>) -> Result<Took>,
        ours: &Workspace<'a>,
        cores: &Workspace<'a>,
    ) -> Result<Self> {
        Ok(Self { ours: run(ours)?, cores: run(cores)? })
    }

    /// The part of core's own work that the providers add to it, in percent.
    fn share(&self) -> Option<f64> {
        Some(100.0 * self.ours.metered.providers.as_secs_f64() / self.ours.core()?.as_secs_f64())
    }

    /// How many times core's own processor time with our resources is that with its own.
    fn core_ratio(&self) -> Option<f64> {
        Some(self.ours.core()?.as_secs_f64() / self.cores.core()?.as_secs_f64())
    }
}

/// The most that the figures of one command are to be, where there are enough resources to tell.
struct Bounds {
    /// Times `terraform_data`'s wall time.
    wall: f64,
    /// Milliseconds of the providers' processor time.
    per_resource: f64,
}

fn section(command: &str, pairs: &[Pair], resources: usize, bounds: &Bounds) -> Section {
    let time = |measure: &str, of: &dyn Fn(&Pair) -> Option<Duration>| {
        Figure::new(measure, Unit::Milliseconds, pairs.iter().filter_map(of).map(milliseconds))
    };
    let ratio = |measure: &str, unit, of: &dyn Fn(&Pair) -> Option<f64>| {
        Figure::new(measure, unit, pairs.iter().filter_map(of))
    };
    let providers = |pair: &Pair| pair.ours.cpu.map(|_| pair.ours.metered.providers);
    let wall = |pair: &Pair| Some(pair.ours.wall.as_secs_f64() / pair.cores.wall.as_secs_f64());
    let per_resource = |pair: &Pair| providers(pair).map(|cpu| milliseconds(cpu) / count(resources));
    let peak = |pair: &Pair| pair.ours.metered.peak.map(megabytes);
    let bounded = |figure: Figure, bound| if resources == BOUND { figure.at_most(bound) } else { figure };
    let figures = vec![
        time("Wall time", &|pair| Some(pair.ours.wall)),
        time("Wall time of `terraform_data`", &|pair| Some(pair.cores.wall)),
        bounded(ratio("Wall time over that of `terraform_data`", Unit::Times, &wall), bounds.wall),
        time("Core's own CPU", &|pair| pair.ours.core()),
        time("Core's own CPU with `terraform_data`", &|pair| pair.cores.core()),
        ratio("Core's own CPU over that with `terraform_data`", Unit::Times, &Pair::core_ratio),
        time("The providers' CPU", &providers),
        bounded(ratio("The providers' CPU a resource", Unit::Milliseconds, &per_resource), bounds.per_resource),
        bounded(ratio("The providers' CPU beside core's own", Unit::Percent, &Pair::share), 5.0),
        ratio("Provider processes", Unit::Count, &|pair| Some(count(pair.ours.metered.processes))),
        ratio("Most memory of a provider process", Unit::Megabytes, &peak),
    ];
    Section { title: format!("`{command}` of {}", thousands(resources)), figures }
}

fn thousands(resources: usize) -> String {
    match (resources / 1_000, resources % 1_000) {
        (0, 1) => "one resource".to_owned(),
        (0, rest) => format!("{rest} resources"),
        (thousands, rest) => format!("{thousands},{rest:03} resources"),
    }
}
