//! What a call costs the provider when calls come one upon another, and when they come as slowly as in a large apply.
//!
//! Core writes the whole state after every resource, so that a provider waits between two calls for longer than the
//! processor keeps its code and data at hand.

use std::{path::Path, time::Duration};

use tokio::time::{self, MissedTickBehavior};

use crate::{
    Result,
    figure::{Figure, Section, Unit, count, milliseconds},
    resets::{self, Planned, Vendor},
    sandbox::Sandbox,
    usage,
    wire::tfplugin6::stop_provider,
};

/// Measures a call that carries nothing and a reset, each at both paces and in turn.
pub(crate) fn measure(provider: &Path, calls: usize, runs: usize) -> Result<Section> {
    let mut samples = [const { Vec::new() }; 4];
    for _ in 0..runs {
        for (samples, cpu) in samples.iter_mut().zip(resets::block_on(run(provider, calls))?) {
            samples.extend(cpu.map(|cpu| milliseconds(cpu) / count(calls)));
        }
    }
    let measures = [
        format!("CPU of a call that carries nothing, {AT_ONCE} at a time"),
        format!("CPU of a call that carries nothing, one every {PAUSE:?}"),
        format!("CPU of a reset, {AT_ONCE} at a time"),
        format!("CPU of a reset, one every {PAUSE:?}"),
    ];
    let figures = measures.into_iter().zip(samples);
    let figures = figures.map(|(measure, samples)| Figure::new(measure, Unit::Milliseconds, samples)).collect();
    Ok(Section { title: format!("Pace, {calls} calls"), figures })
}

/// The processor time of the provider for so many calls of each kind.
async fn run(provider: &Path, calls: usize) -> Result<[Option<Duration>; 4]> {
    let sandbox = Sandbox::start();
    let command = resets::command_at(&sandbox, provider, 2 * calls);
    let Planned { plugin, core, mut resets } = Planned::start(command, Vendor::Sandbox, 2 * calls).await?;
    let process = plugin.child.id().ok_or("the provider has ended")?;
    let used = || usage::of_process(process);
    let slow = resets.split_off(calls);
    let mut client = core.provider.clone();

    let mut marks = vec![used()];
    let empty = std::iter::repeat_with(|| {
        let mut client = client.clone();
        async move { client.stop_provider(stop_provider::Request {}).await }
    });
    resets::at_once(empty.take(calls), AT_ONCE, drop).await?;
    marks.push(used());
    let mut pace = pace();
    for _ in 0..calls {
        pace.tick().await;
        client.stop_provider(stop_provider::Request {}).await?;
    }
    marks.push(used());
    let mut failed = resets::carry_out(&client, resets, AT_ONCE).await?;
    marks.push(used());
    for request in slow {
        pace.tick().await;
        failed += usize::from(!client.apply_resource_change(request).await?.into_inner().diagnostics.is_empty());
    }
    marks.push(used());
    drop(client);
    resets::end(plugin, core).await?;
    if failed > 0 {
        return Err(format!("{failed} resets failed").into());
    }
    let mut steps = marks.windows(2).map(|pair| Some(pair[1]?.saturating_sub(pair[0]?)));
    Ok(std::array::from_fn(|_| steps.next().flatten()))
}

fn pace() -> time::Interval {
    let mut pace = time::interval(PAUSE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

/// As many calls at a time as core makes unless it is told otherwise.
const AT_ONCE: usize = 10;

const PAUSE: Duration = Duration::from_millis(20);
