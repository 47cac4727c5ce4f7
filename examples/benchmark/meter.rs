//! Whose processor time is whose.
//!
//! A provider's process is core's child, and the system adds a child's time to its parent's when the parent has waited
//! for it. So core gets, in the provider's place, this program under the provider's name. It starts the provider, which
//! inherits all that core gave it, waits for it, and notes what the system says of both. What is left of core's sum is
//! core's own. The sandbox is a thread of the benchmark, which is nobody's child here.

use std::{
    env,
    ffi::OsString,
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::{Result, usage};

/// What the provider processes of one command took.
#[derive(Default)]
pub(crate) struct Metered {
    /// Processor time of the providers.
    pub(crate) providers: Duration,
    /// Processor time of the processes that wrapped them.
    pub(crate) wrappers: Duration,
    /// The most memory that any of them had, in bytes.
    pub(crate) peak: Option<u64>,
    /// How many there were.
    pub(crate) processes: usize,
}

/// A folder with a wrapper of the provider, for core to find.
pub(crate) struct Meter {
    folder: TempDir,
    provider: PathBuf,
}

impl Meter {
    /// Makes this program the wrapper of `provider`.
    pub(crate) fn new(provider: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        // A link would do, but not every system has them for everyone.
        fs::copy(env::current_exe()?, folder.path().join(NAME).with_extension(env::consts::EXE_EXTENSION))?;
        Ok(Self { folder, provider: provider.to_owned() })
    }

    /// Where core is to look for the provider.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What core has to pass on to the wrapper.
    pub(crate) fn env(&self) -> [(&'static str, OsString); 2] {
        [(PROVIDER, self.provider.clone().into()), (NOTES, self.notes().into())]
    }

    /// Takes what was noted since the last time.
    pub(crate) fn take(&self) -> Result<Metered> {
        // There is no file where no provider was started.
        let Ok(notes) = fs::read_to_string(self.notes()) else { return Ok(Metered::default()) };
        fs::remove_file(self.notes())?;
        let mut metered = Metered::default();
        for line in notes.lines() {
            let note: Note = serde_json::from_str(line)?;
            metered.providers += note.provider;
            metered.wrappers += note.wrapper;
            metered.peak = metered.peak.max(note.peak);
            metered.processes += 1;
        }
        Ok(metered)
    }

    fn notes(&self) -> PathBuf {
        self.folder.path().join("notes")
    }
}

#[derive(Deserialize, Serialize)]
struct Note {
    provider: Duration,
    wrapper: Duration,
    peak: Option<u64>,
}

/// Runs the provider, where core has started this program in its place.
pub(crate) fn wrapper() -> Option<Result<ExitCode>> {
    let provider = env::var_os(PROVIDER)?;
    Some(run_and_note(&provider))
}

fn run_and_note(provider: &OsString) -> Result<ExitCode> {
    let status = Command::new(provider).args(env::args_os().skip(1)).env_remove(PROVIDER).status()?;
    if let Some((children, own)) = usage::of_children().zip(usage::own()) {
        let note = Note { provider: children.cpu, wrapper: own.cpu, peak: children.peak };
        let path = env::var_os(NOTES).ok_or("there is no place for notes")?;
        let line = format!("{}\n", serde_json::to_string(&note)?);
        // One write at the file's end, since two providers may end at once.
        OpenOptions::new().create(true).append(true).open(path)?.write_all(line.as_bytes())?;
    }
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

const NAME: &str = env!("CARGO_PKG_NAME");
const NOTES: &str = "BENCHMARK_NOTES";
const PROVIDER: &str = "BENCHMARK_PROVIDER";
