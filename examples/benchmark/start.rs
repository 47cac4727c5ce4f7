//! What a start costs: the time to the handshake line, and the memory of a provider that then waits for calls.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use sandbox::core::identity::Identity;

use crate::{
    Result,
    figure::{Figure, Section, Unit, megabytes, milliseconds},
    usage,
};

/// Starts the provider again and again, after one start that does not count.
pub(crate) fn measure(provider: &Path, runs: usize) -> Result<Section> {
    let (certificate, temporary) = (Identity::new().pem(), tempfile::tempdir()?);
    let (mut times, mut cpu, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
    Plugin::start(provider, &certificate, temporary.path())?;
    for _ in 0..runs {
        let before = usage::of_children();
        let plugin = Plugin::start(provider, &certificate, temporary.path())?;
        times.push(milliseconds(plugin.started_in));
        thread::sleep(UNTIL_IT_WAITS);
        sizes.extend(usage::resident_bytes(plugin.process.id()).map(megabytes));
        drop(plugin);
        cpu.extend(usage::of_children_since(before).map(milliseconds));
    }
    let size = fs::metadata(provider)?.len();
    let figures = vec![
        Figure::new("Start to handshake line", Unit::Milliseconds, times).at_most(3.0),
        Figure::new("CPU of a start", Unit::Milliseconds, cpu),
        Figure::new("Resident memory after the handshake", Unit::Megabytes, sizes).at_most(8.0),
        // Eight, and two more for all that signs requests to Amazon SES.
        Figure::new("Stripped binary", Unit::Megabytes, [megabytes(size)]).at_most(10.0),
    ];
    Ok(Section { title: "One process".to_owned(), figures })
}

/// The line is written a moment before the services are up.
const UNTIL_IT_WAITS: Duration = Duration::from_millis(50);

/// A running provider, killed when this is dropped.
struct Plugin {
    process: Child,
    started_in: Duration,
    /// Open for as long as it runs, as core holds it.
    _stdout: BufReader<ChildStdout>,
}

impl Plugin {
    /// Starts a provider as core does, and waits for its handshake line.
    fn start(provider: &Path, certificate: &str, temporary: &Path) -> Result<Self> {
        let mut command = Command::new(provider);
        command
            .env_clear()
            .env("PLUGIN_CLIENT_CERT", certificate)
            .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
            .env("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
            .env("TMPDIR", temporary)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());

        let start = Instant::now();
        let mut process = command.spawn()?;
        let mut stdout = BufReader::new(process.stdout.take().ok_or("a piped stdout is there")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let plugin = Self { process, started_in: start.elapsed(), _stdout: stdout };
        if !line.starts_with("1|6|") {
            return Err("the provider does not shake hands".into());
        }
        Ok(plugin)
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        // Where it has ended by itself there is nothing to kill, and its directory is ours to remove.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
