//! A run of core that is interrupted in the middle.

use std::time::Duration;

use sandbox::core::caller::Applied;
use tokio::{task::JoinSet, time};

use crate::{
    faults::{Act, Interruption},
    process::Process,
    tally::{Tally, count},
    world::World,
};

/// Waits for all of a run, interrupting it where that is wanted; returns whether the provider has ended by that.
pub(crate) async fn finish(
    world: &World,
    process: &mut Process,
    mut chains: JoinSet<(usize, Applied)>,
    interruption: Option<&Interruption>,
    tally: &Tally,
) -> (Vec<Option<Applied>>, bool) {
    let mut ended: Vec<Option<Applied>> = (0..chains.len()).map(|_| None).collect();
    let mut pending = interruption.cloned();
    if let Some(interruption) = &pending {
        let stall = sandbox::Fault::new(sandbox::Effect::Stall).on(interruption.during);
        world.sandbox.fault(stall);
    }
    let (mut tick, mut was_cut) = (time::interval(Duration::from_millis(2)), false);
    while !chains.is_empty() {
        tokio::select! {
            Some(one) = chains.join_next() => {
                let (number, applied) = one.unwrap();
                ended[number] = Some(applied);
            }
            _ = tick.tick() => {
                let is_stalled = pending.is_some() && world.sandbox.pending_faults() == 0;
                if let Some(Interruption { by, .. }) = is_stalled.then(|| pending.take()).flatten() {
                    match by {
                        Act::Stop => {
                            process.stop().await;
                            count(&tally.stops, 1);
                        }
                        Act::Kill => {
                            count(&tally.kills, 1);
                            process.kill_now().await;
                            was_cut = true;
                        }
                        Act::HangUp => {
                            count(&tally.hang_ups, 1);
                            process.hang_up();
                            process.terminate();
                            was_cut = true;
                        }
                        Act::Terminate => {
                            count(&tally.terminations, 1);
                            process.terminate();
                            was_cut = true;
                        }
                    }
                }
                if pending.is_none() && interruption.is_some() {
                    world.sandbox.release();
                }
            }
        }
    }
    if was_cut {
        world.sandbox.release();
        process.ended().await;
    }
    (ended, was_cut)
}
