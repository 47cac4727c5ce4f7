//! What plan and apply cost, next to as many resources that need no provider process: core itself has `terraform_data`.

use std::time::Duration;

use sandbox::{HubSpot, Sandbox};

use crate::{
    Result,
    core::Core,
    credential::user_name,
    figure::{Figure, Section, Unit, count, megabytes, milliseconds},
    meter::Meter,
    workspace::{Took, Workspace, credentials, terraform_data},
};

/// The number of resources at which the bounds hold.
const BOUND: usize = 1_000;

/// Applies and plans so many credentials, at a vendor over TLS and at one without, and as many `terraform_data`, in
/// turn, after one turn that does not count.
///
/// An apply creates them all. A plan finds all in state, refreshes them and has nothing to do.
pub(crate) fn measure(core: &Core, meter: &Meter, resources: usize, runs: usize) -> Result<[Section; 2]> {
    let sandbox = Sandbox::start();
    for number in 0..resources {
        sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, &user_name(number));
    }
    let ours = credentials(resources, "");
    let workspaces = Workspaces {
        ours: Workspace::new(core, meter, &sandbox, &ours)?.over_tls()?,
        clear: Workspace::new(core, meter, &sandbox, &ours)?,
        cores: Workspace::new(core, meter, &sandbox, &terraform_data(resources))?,
    };
    if resources < BOUND {
        workspaces.run(Workspace::apply)?;
    }

    let (mut applies, mut plans) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        for workspace in [&workspaces.ours, &workspaces.clear, &workspaces.cores] {
            workspace.forget()?;
        }
        applies.push(workspaces.run(Workspace::apply)?);
        plans.push(workspaces.run(Workspace::plan)?);
    }
    let mut apply = section("apply", &applies, resources, &Bounds { wall: 3.0, per_resource: 0.4 });
    let [ours, cores] = [&workspaces.ours, &workspaces.cores].map(Workspace::bytes_of_resources);
    let each = |bytes: usize| [count(bytes) / count(resources)];
    let (ours, cores) = (each(ours?), each(cores?));
    let ours = Figure::new("Bytes of one resource in the state", Unit::Bytes, ours);
    let cores = Figure::new("Bytes of one `terraform_data` in the state", Unit::Bytes, cores);
    let instance = [count(workspaces.ours.bytes_of_an_instance()?)];
    let instance = Figure::new("Bytes of its instance, without the resource around it", Unit::Bytes, instance);
    let instance = if resources == BOUND { instance.at_most(1_900.0) } else { instance };
    apply.figures.extend([instance, ours, cores]);
    Ok([section("plan", &plans, resources, &Bounds { wall: 4.0, per_resource: 0.15 }), apply])
}

/// The configurations that are compared.
struct Workspaces<'a> {
    /// Our resources, as users have them.
    ours: Workspace<'a>,
    /// Our resources, at a vendor without TLS.
    clear: Workspace<'a>,
    /// Core's own.
    cores: Workspace<'a>,
}

impl<'a> Workspaces<'a> {
    fn run(&self, command: impl Fn(&Workspace<'a>) -> Result<Took>) -> Result<Turn> {
        Ok(Turn { ours: command(&self.ours)?, clear: command(&self.clear)?, cores: command(&self.cores)? })
    }
}

/// The same command with each.
struct Turn {
    ours: Took,
    clear: Took,
    cores: Took,
}

impl Turn {
    fn wall_ratio(&self) -> f64 {
        self.ours.wall.as_secs_f64() / self.cores.wall.as_secs_f64()
    }

    /// How many times core's own processor time with our resources is that with its own.
    fn core_ratio(&self) -> Option<f64> {
        Some(self.ours.core()?.as_secs_f64() / self.cores.core()?.as_secs_f64())
    }

    /// The part of core's own work with our resources that the providers add to it, in percent.
    fn share(&self) -> Option<f64> {
        Some(100.0 * self.ours.providers()?.as_secs_f64() / self.ours.core()?.as_secs_f64())
    }

    /// The same of core's own work with `terraform_data`, which a wide schema of ours does not make larger.
    fn share_of_bare(&self) -> Option<f64> {
        Some(100.0 * self.ours.providers()?.as_secs_f64() / self.cores.core()?.as_secs_f64())
    }
}

/// The upper bounds of the figures of one command, where there are enough resources to judge them.
struct Bounds {
    /// Times `terraform_data`'s wall time.
    wall: f64,
    /// Milliseconds of the providers' processor time.
    per_resource: f64,
}

fn section(command: &str, turns: &[Turn], resources: usize, bounds: &Bounds) -> Section {
    let time = |measure: &str, of: &dyn Fn(&Turn) -> Option<Duration>| {
        Figure::new(measure, Unit::Milliseconds, turns.iter().filter_map(of).map(milliseconds))
    };
    let ratio = |measure: &str, unit, of: &dyn Fn(&Turn) -> Option<f64>| {
        Figure::new(measure, unit, turns.iter().filter_map(of))
    };
    let per_resource = |took: &Took| took.providers().map(|cpu| milliseconds(cpu) / count(resources));
    let peak = |turn: &Turn| turn.ours.metered.peak.map(megabytes);
    let bounded = |figure: Figure, bound| if resources == BOUND { figure.at_most(bound) } else { figure };
    let figures = vec![
        time("Wall time", &|turn| Some(turn.ours.wall)),
        time("Wall time, vendor without TLS", &|turn| Some(turn.clear.wall)),
        time("Wall time of `terraform_data`", &|turn| Some(turn.cores.wall)),
        bounded(
            ratio("Wall time over that of `terraform_data`", Unit::Times, &|turn| Some(turn.wall_ratio())),
            bounds.wall,
        ),
        time("Core's own CPU", &|turn| turn.ours.core()),
        time("Core's own CPU with `terraform_data`", &|turn| turn.cores.core()),
        ratio("Core's own CPU over that with `terraform_data`", Unit::Times, &Turn::core_ratio),
        time("The providers' CPU", &|turn| turn.ours.providers()),
        time("The providers' CPU, vendor without TLS", &|turn| turn.clear.providers()),
        bounded(
            ratio("The providers' CPU a resource", Unit::Milliseconds, &|turn| per_resource(&turn.ours)),
            bounds.per_resource,
        ),
        ratio("The providers' CPU a resource, vendor without TLS", Unit::Milliseconds, &|turn| {
            per_resource(&turn.clear)
        }),
        bounded(ratio("The providers' CPU in relation to core's own", Unit::Percent, &Turn::share), 5.0),
        ratio(
            "The providers' CPU in relation to core's own with `terraform_data`",
            Unit::Percent,
            &Turn::share_of_bare,
        ),
        ratio("Provider processes", Unit::Count, &|turn| Some(count(turn.ours.metered.processes))),
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
