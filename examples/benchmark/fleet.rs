//! Provider processes that share a vendor's rate limit and do not know of each other, as pipelines that run at the same
//! time.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use sandbox::{Counts, Limit, Sandbox, Says};
use tokio::task::JoinSet;

use crate::{
    Result,
    figure::{Figure, Section, Unit, count, milliseconds},
    resets::{self, Planned, Vendor},
};

/// How many processes there are, and how many credentials each resets.
#[derive(Clone, Copy)]
pub(crate) struct Fleet {
    pub(crate) processes: usize,
    pub(crate) credentials: usize,
}

/// As many calls at a time as core makes to each process by default.
const AT_ONCE: usize = 10;

/// Measures them under each kind of limit.
pub(crate) fn measure(provider: &Path, fleet: Fleet, limit: resets::Limit) -> Result<Section> {
    let resets::Limit { requests, per } = limit;
    let mut figures = Vec::new();
    for (named, counts, says, most) in [
        ("with `Retry-After`", Counts::Windows, Says::RetryAfter, Some(1.1)),
        ("with no hint", Counts::Windows, Says::Nothing, Some(1.1)),
        ("with `X-HubSpot-RateLimit-*`", Counts::Windows, Says::HubspotHeaders, Some(1.1)),
        ("where refused requests count", Counts::Rolling, Says::Nothing, None),
    ] {
        let limit = Limit { requests, per, counts, says };
        let took = resets::block_on(run(provider, fleet, limit))?;
        let over =
            Figure::new(format!("Wall time over what the limit allows, {named}"), Unit::Times, [took.over(limit)]);
        figures.extend([
            Figure::new(format!("Wall time, {named}"), Unit::Milliseconds, [milliseconds(took.wall)]),
            match most {
                Some(most) => over.at_most(most),
                None => over,
            },
            Figure::new(format!("Failed resets, {named}"), Unit::Count, [count(took.failed)]).at_most(0.0),
            Figure::new(format!("Requests refused with 429, {named}"), Unit::Count, [count(took.refused)]),
        ]);
    }
    let Fleet { processes, credentials } = fleet;
    let title = format!(
        "{processes} processes with {credentials} resets each under a limit of {requests} requests per {per:?}"
    );
    Ok(Section { title, figures })
}

struct Took {
    wall: Duration,
    taken: usize,
    refused: usize,
    failed: usize,
}

impl Took {
    /// How many times as long it took as a client that knows the limit needs: the last requests may leave as soon as
    /// the window opens that they fall into.
    fn over(&self, limit: Limit) -> f64 {
        let windows = count(self.taken.saturating_sub(1) / limit.requests);
        self.wall.as_secs_f64() / (windows * limit.per.as_secs_f64())
    }
}

async fn run(provider: &Path, fleet: Fleet, limit: Limit) -> Result<Took> {
    let sandbox = Sandbox::start();
    let mut planned = Vec::new();
    for process in 0..fleet.processes {
        let command = resets::command_at(&sandbox, provider, fleet.credentials * fleet.processes);
        let first = process * fleet.credentials;
        planned.push(Planned::start(command, Vendor::Sandbox, first..first + fleet.credentials).await?);
    }

    sandbox.forget_requests();
    sandbox.limit(limit);
    let (start, mut running) = (Instant::now(), JoinSet::new());
    for planned in &mut planned {
        let (client, requests) = (planned.core.provider.clone(), std::mem::take(&mut planned.resets));
        running.spawn(
            async move { resets::carry_out(&client, requests, AT_ONCE).await.map_err(|error| error.to_string()) },
        );
    }
    let mut failed = 0;
    while let Some(ended) = running.join_next().await {
        failed += ended??;
    }
    let wall = start.elapsed();
    for planned in planned {
        resets::end(planned.plugin, planned.core).await?;
    }
    let requests = sandbox.requests();
    let refused = requests.iter().filter(|request| request.status == Some(429)).count();
    Ok(Took { wall, taken: requests.len() - refused, refused, failed })
}
