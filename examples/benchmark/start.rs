//! What a start costs: the time to the handshake line, and the memory of a provider that then waits for calls.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Result,
    binary::Binary,
    figure::{Figure, Unit, megabytes},
    identity::Identity,
};

/// Starts the provider again and again, after one start that does not count.
pub(crate) fn measure(binary: &Binary, runs: usize) -> Result<Vec<Figure>> {
    let (certificate, temporary) = (Identity::new().pem(), tempfile::tempdir()?);
    let (mut times, mut sizes) = (Vec::new(), Vec::new());
    Plugin::start(binary, &certificate, temporary.path())?;
    for _ in 0..runs {
        let plugin = Plugin::start(binary, &certificate, temporary.path())?;
        times.push(plugin.started_in.as_secs_f64() * 1e3);
        thread::sleep(UNTIL_IT_WAITS);
        sizes.extend(plugin.resident_bytes()?.map(megabytes));
    }
    Ok(vec![
        Figure::spread("Start to handshake line", Unit::Milliseconds, times).at_most(5.0),
        Figure::spread("Resident memory after the handshake", Unit::Megabytes, sizes).at_most(8.0),
    ])
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
    fn start(binary: &Binary, certificate: &str, temporary: &Path) -> Result<Self> {
        let mut command = Command::new(binary.path());
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

    /// Its resident set (proc(5), `VmRSS`); nothing where there is no `/proc`.
    fn resident_bytes(&self) -> Result<Option<u64>> {
        if !cfg!(target_os = "linux") {
            return Ok(None);
        }
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the provider has ended")?;
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(Some(kibibytes * 1024))
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        // Where it has ended by itself there is nothing to kill, and its directory is ours to remove.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
