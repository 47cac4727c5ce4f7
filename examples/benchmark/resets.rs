//! How many resets one provider process carries out, called as core calls it: over gRPC with mutual TLS.

use std::{
    env, fs,
    ops::Range,
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use sandbox::{
    HttpConnections, HubSpot, Sandbox,
    core::{
        self, Plugin,
        wire::{
            plugin::Empty,
            tfplugin6::{apply_resource_change, configure_provider, provider_client::ProviderClient},
        },
    },
};
use terraform_provider_smtp::{
    framework::{Provider, value::Value},
    protocol::{self, Start},
    provider::Smtp,
};
use tokio::{process::Command, runtime, task::JoinSet};
use tonic::{Response, Status, transport::Channel};

use crate::{
    Result, credential,
    figure::{Figure, Section, Unit, count, megabytes, milliseconds},
    instant, usage,
};

/// As many calls at a time as `-parallelism=100` makes.
const AT_ONCE: usize = 100;

/// Resets at a sandbox that answers at once.
pub(crate) fn at_sandbox(provider: &Path, resets: usize, runs: usize) -> Result<Section> {
    let (mut over_tls, mut clear) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        over_tls.push(Resets::at_sandbox(provider, resets, Over::Tls, None)?);
        clear.push(Resets::at_sandbox(provider, resets, Over::Clear, None)?);
    }
    let mut figures = Vec::new();
    for (took, without) in [(over_tls, ""), (clear, ", without TLS")] {
        let rate = took.iter().map(|took| count(resets) / took.wall.as_secs_f64());
        let cpu = took.iter().filter_map(|took| took.cpu).map(|cpu| milliseconds(cpu) / count(resets));
        let sandbox =
            took.iter().filter_map(|took| Some(100.0 * took.sandbox?.as_secs_f64() / took.wall.as_secs_f64()));
        let memory = took.iter().filter_map(|took| took.resident).map(megabytes);
        figures.extend([
            Figure::new(format!("Resets{without}"), Unit::PerSecond, rate),
            Figure::new(format!("CPU a reset, the start included{without}"), Unit::Milliseconds, cpu),
            Figure::new(format!("The sandbox's part of one core{without}"), Unit::Percent, sandbox),
            Figure::new(format!("Resident memory after {resets} applies{without}"), Unit::Megabytes, memory)
                .at_most(24.0),
        ]);
        if without.is_empty() {
            let full = took.iter().map(|took| count(took.connections.full));
            let resumed = took.iter().map(|took| count(took.connections.resumed));
            figures.push(Figure::new("Connections with a whole handshake", Unit::Count, full));
            figures.push(Figure::new("Connections that resumed a session", Unit::Count, resumed));
        }
    }
    Ok(Section { title: format!("{resets} resets, {AT_ONCE} at a time, at an instant sandbox"), figures })
}

/// How the sandbox is called.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Over {
    Clear,
    Tls,
}

/// What a vendor allows.
#[derive(Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) requests: usize,
    pub(crate) per: Duration,
}

/// Resets at a sandbox that refuses what goes beyond a limit.
pub(crate) fn under_a_limit(provider: &Path, resets: usize, limit: Limit) -> Result<Section> {
    let took = Resets::at_sandbox(provider, resets, Over::Clear, Some(limit))?;
    // One request lists the credentials. The first window opens with it, and the last request may come as soon as its
    // own opens.
    let allowed = limit.per * u32::try_from(resets / limit.requests)?;
    let figures = vec![
        Figure::new("Wall time", Unit::Milliseconds, [milliseconds(took.wall)]),
        Figure::new("Time that the limit allows", Unit::Milliseconds, [milliseconds(allowed)]),
        Figure::new("Wall time over that", Unit::Times, [took.wall.as_secs_f64() / allowed.as_secs_f64()])
            .at_most(1.05),
        Figure::new("Failed resets", Unit::Count, [count(took.failed)]).at_most(0.0),
        Figure::new("Requests refused with 429", Unit::Count, [count(took.refused)]),
    ];
    let Limit { requests, per } = limit;
    Ok(Section { title: format!("{resets} resets under a limit of {requests} requests per {per:?}"), figures })
}

/// Resets with a vendor inside the provider's process: what is left is the provider's own work and gRPC.
pub(crate) fn at_instant_vendor(resets: usize, runs: usize) -> Result<Section> {
    let took = (0..runs).map(|_| Resets::at_instant_vendor(resets)).collect::<Result<Vec<_>>>()?;
    let cpu = took.iter().filter_map(|took| took.cpu).map(|cpu| milliseconds(cpu) / count(resets));
    let figures = vec![
        Figure::new("Resets", Unit::PerSecond, took.iter().map(|took| count(resets) / took.wall.as_secs_f64()))
            .at_least(5_000.0),
        Figure::new("CPU a reset, the start included", Unit::Milliseconds, cpu),
    ];
    Ok(Section { title: format!("{resets} resets, {AT_ONCE} at a time, at a vendor in the process itself"), figures })
}

/// Serves the provider whose vendor answers at once, where [`Resets::at_instant_vendor`] started this program.
pub(crate) fn serve_instant_vendor() -> Option<ExitCode> {
    let asked = env::args().nth(1).is_some_and(|argument| argument == SERVE);
    asked.then(|| protocol::serve(Arc::new(instant::provider()), Start::ByCore))
}

const SERVE: &str = "serve-instant-vendor";

/// What some resets took.
struct Resets {
    wall: Duration,
    /// Of the provider's process, from its start to its end.
    cpu: Option<Duration>,
    sandbox: Option<Duration>,
    resident: Option<u64>,
    failed: usize,
    refused: usize,
    connections: HttpConnections,
}

impl Resets {
    fn at_sandbox(provider: &Path, resets: usize, over: Over, limit: Option<Limit>) -> Result<Self> {
        let sandbox = Sandbox::start();
        let mut command = command_at(&sandbox, provider, resets);
        let authority = tempfile::NamedTempFile::new()?;
        if over == Over::Tls {
            fs::write(&authority, sandbox.ca_certificate_pem())?;
            command.envs(sandbox.env_over_tls()).env("SMTP_CA_CERTIFICATE_FILE", authority.path());
            command.env_remove("SSL_CERT_DIR").env_remove("SSL_CERT_FILE");
        }
        let begin = || {
            if let Some(Limit { requests, per }) = limit {
                sandbox.rate_limit(requests, per);
            }
        };
        let mut took = block_on(Self::carry_out(command, Vendor::Sandbox, resets, begin))?;
        took.refused = sandbox.requests().iter().filter(|request| request.status == Some(429)).count();
        took.connections = sandbox.http_connections();
        Ok(took)
    }

    fn at_instant_vendor(resets: usize) -> Result<Self> {
        let mut command = core::command(env::current_exe()?);
        command.arg(SERVE);
        block_on(Self::carry_out(command, Vendor::Instant, resets, || {}))
    }

    /// Starts a provider, plans all resets, and then lets them be carried out. Only the latter is timed.
    async fn carry_out(command: Command, vendor: Vendor, resets: usize, begin: impl FnOnce()) -> Result<Self> {
        let before = usage::of_children();
        let planned = Planned::start(command, vendor, 0..resets).await?;
        begin();
        let (sandbox, start) = (usage::of_threads(SANDBOX_THREAD), Instant::now());
        let failed = carry_out(&planned.core.provider, planned.resets, AT_ONCE).await?;
        let wall = start.elapsed();
        let sandbox =
            usage::of_threads(SANDBOX_THREAD).zip(sandbox).map(|(after, before)| after.saturating_sub(before));
        let resident = planned.plugin.child.id().and_then(usage::resident_bytes);
        end(planned.plugin, planned.core).await?;
        Ok(Self {
            wall,
            cpu: usage::of_children_since(before),
            sandbox,
            resident,
            failed,
            refused: 0,
            connections: HttpConnections::default(),
        })
    }
}

/// The command that starts a provider for as many credentials at a sandbox.
pub(crate) fn command_at(sandbox: &Sandbox, provider: &Path, credentials: usize) -> Command {
    for number in 0..credentials {
        sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, &credential::user_name(number));
    }
    let mut command = core::command(provider);
    command.envs(sandbox.env());
    command
}

/// A running provider, and resets that only wait to be carried out.
pub(crate) struct Planned {
    pub(crate) plugin: Plugin,
    pub(crate) core: core::Core,
    pub(crate) resets: Vec<apply_resource_change::Request>,
}

impl Planned {
    /// Starts a provider and plans the resets of the credentials with these numbers.
    pub(crate) async fn start(command: Command, vendor: Vendor, credentials: Range<usize>) -> Result<Self> {
        let plugin = Plugin::start(command).await;
        let core = plugin.connect().await;
        let mut client = core.provider.clone();
        let smtp = Smtp::new();
        if vendor == Vendor::Sandbox {
            let config = Some(credential::encode(&Value::object::<&str>([]), &smtp.schema().attributes));
            client.configure_provider(configure_provider::Request { config, ..Default::default() }).await?;
        }
        let mut requests = Vec::new();
        for number in credentials {
            let plan = credential::plan(&credential::user_name(number), &smtp.resources()[0].schema().attributes);
            let planned = client.plan_resource_change(plan.clone()).await?.into_inner();
            requests.push(credential::apply(plan, planned));
        }
        Ok(Self { plugin, core, resets: requests })
    }
}

/// Ends a provider as core does.
pub(crate) async fn end(plugin: Plugin, core: core::Core) -> Result<()> {
    core.controller.clone().shutdown(Empty {}).await?;
    drop(core);
    plugin.ended().await;
    Ok(())
}

/// Who carries the resets out.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Vendor {
    /// Something inside the provider, which needs no configuration.
    Instant,
    Sandbox,
}

/// Carries all resets out, so many at a time, and returns how many failed.
pub(crate) async fn carry_out(
    client: &ProviderClient<Channel>,
    requests: Vec<apply_resource_change::Request>,
    most: usize,
) -> Result<usize> {
    let calls = requests.into_iter().map(|request| {
        let mut client = client.clone();
        async move { client.apply_resource_change(request).await }
    });
    let mut failed = 0;
    at_once(calls, most, |answer| failed += usize::from(!answer.diagnostics.is_empty())).await?;
    Ok(failed)
}

/// Makes all calls, so many at a time.
pub(crate) async fn at_once<T: Send + 'static>(
    calls: impl IntoIterator<Item: Future<Output = std::result::Result<Response<T>, Status>> + Send + 'static>,
    most: usize,
    mut answered: impl FnMut(T),
) -> Result<()> {
    let (mut calls, mut running) = (calls.into_iter(), JoinSet::new());
    loop {
        while running.len() < most
            && let Some(call) = calls.next()
        {
            running.spawn(call);
        }
        match running.join_next().await {
            Some(answer) => answered(answer??.into_inner()),
            None => return Ok(()),
        }
    }
}

pub(crate) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// The name that the sandbox gives its thread.
pub(crate) const SANDBOX_THREAD: &str = "sandbox";
