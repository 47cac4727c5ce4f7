//! What a call costs the provider when calls come one upon another, and when they come as slowly as core makes them.
//!
//! Core works on its own between two calls, and in a large apply it writes the whole state. The provider's process
//! sleeps meanwhile, and what the processor had at hand for it is gone when it wakes.

use std::{path::Path, time::Duration};

use sandbox::{Sandbox, core::wire::tfplugin6::stop_provider};
use tokio::time::{self, MissedTickBehavior};
use tonic::{Response, Status};

use crate::{
    Result,
    figure::{Figure, Section, Unit, count, milliseconds},
    resets::{self, Planned, Vendor},
    usage,
};

/// Measures a call that carries nothing and a reset, each at every pace, in turn.
pub(crate) fn measure(provider: &Path, calls: usize, runs: usize) -> Result<Section> {
    let runs = (0..runs).map(|_| resets::block_on(run(provider, calls))).collect::<Result<Vec<_>>>()?;
    let measures = ["a call that carries nothing", "a reset"].into_iter().flat_map(|call| {
        PACES.map(|pace| match pace {
            Pace::AtOnce(most) => format!("CPU of {call}, {most} at a time"),
            Pace::Every(pause) => format!("CPU of {call}, one every {pause:?}"),
        })
    });
    let figures = measures.enumerate().map(|(step, measure)| {
        let samples = runs.iter().filter_map(|run| *run.get(step)?).map(|cpu| milliseconds(cpu) / count(calls));
        Figure::new(measure, Unit::Milliseconds, samples)
    });
    Ok(Section { title: format!("Pace, {calls} calls"), figures: figures.collect() })
}

/// The processor time of the provider for so many calls of each kind, at every pace.
async fn run(provider: &Path, calls: usize) -> Result<Vec<Option<Duration>>> {
    let sandbox = Sandbox::start();
    let credentials = calls * PACES.len();
    let command = resets::command_at(&sandbox, provider, credentials);
    let Planned { plugin, core, mut resets } = Planned::start(command, Vendor::Sandbox, 0..credentials).await?;
    let process = plugin.child.id().ok_or("the provider has ended")?;

    let mut used = vec![usage::of_process(process)];
    for pace in PACES {
        let empty = std::iter::repeat_with(|| {
            let mut client = core.provider.clone();
            async move { client.stop_provider(stop_provider::Request {}).await }
        });
        pace.make(empty.take(calls), drop).await?;
        used.push(usage::of_process(process));
    }
    let mut failed = 0;
    for pace in PACES {
        let requests = resets.drain(..calls).map(|request| {
            let mut client = core.provider.clone();
            async move { client.apply_resource_change(request).await }
        });
        let requests: Vec<_> = requests.collect();
        pace.make(requests, |answer| failed += usize::from(!answer.diagnostics.is_empty())).await?;
        used.push(usage::of_process(process));
    }
    resets::end(plugin, core).await?;
    if failed > 0 {
        return Err(format!("{failed} resets failed").into());
    }
    Ok(used.windows(2).map(|step| Some(step[1]?.saturating_sub(step[0]?))).collect())
}

/// How fast calls come.
#[derive(Clone, Copy)]
enum Pace {
    /// So many at a time.
    AtOnce(usize),
    /// One at a time, and the next no sooner than this after the one before.
    Every(Duration),
}

impl Pace {
    async fn make<T: Send + 'static>(
        self,
        calls: impl IntoIterator<Item: Future<Output = std::result::Result<Response<T>, Status>> + Send + 'static>,
        mut answered: impl FnMut(T),
    ) -> Result<()> {
        let pause = match self {
            Self::AtOnce(most) => return resets::at_once(calls, most, answered).await,
            Self::Every(pause) => pause,
        };
        let mut pace = time::interval(pause);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for call in calls {
            pace.tick().await;
            answered(call.await?.into_inner());
        }
        Ok(())
    }
}

/// As many at a time as core makes by default; about as in a plan of 1,000 resources, four calls for
/// each; and about as in their apply, two calls for each.
const PACES: [Pace; 3] =
    [Pace::AtOnce(10), Pace::Every(Duration::from_millis(1)), Pace::Every(Duration::from_millis(20))];
