//! What the system says about the use of processor and memory.

use std::{fs, path::Path, time::Duration};

/// What processes have used.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    /// Processor time, in user mode and in the system.
    pub(crate) cpu: Duration,
    /// The most memory that any of them had at a time, in bytes.
    pub(crate) peak: Option<u64>,
}

/// Of all children that were waited for, and of theirs; nothing where the system does not report it.
#[cfg(unix)]
pub(crate) fn of_children() -> Option<Usage> {
    usage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN)
}

/// Of this process.
#[cfg(unix)]
pub(crate) fn own() -> Option<Usage> {
    usage(nix::sys::resource::UsageWho::RUSAGE_SELF)
}

#[cfg(unix)]
fn usage(who: nix::sys::resource::UsageWho) -> Option<Usage> {
    let usage = nix::sys::resource::getrusage(who).ok()?;
    let microseconds = [usage.user_time(), usage.system_time()].map(|time| time.tv_sec() * 1_000_000 + time.tv_usec());
    // Linux counts in KiB, others in bytes.
    let factor = if cfg!(target_os = "linux") { 1024 } else { 1 };
    Some(Usage {
        cpu: Duration::from_micros(u64::try_from(microseconds.iter().sum::<i64>()).ok()?),
        peak: u64::try_from(usage.max_rss()).ok().map(|size| size * factor),
    })
}

/// Of all children that were waited for, and of theirs; nothing where the system does not report it.
#[cfg(not(unix))]
pub(crate) fn of_children() -> Option<Usage> {
    None
}

/// Of this process.
#[cfg(not(unix))]
pub(crate) fn own() -> Option<Usage> {
    None
}

/// Processor time of the children that were waited for since the usage was `before`.
pub(crate) fn of_children_since(before: Option<Usage>) -> Option<Duration> {
    Some(of_children()?.cpu.saturating_sub(before?.cpu))
}

/// Processor time of the threads of that name in this process; nothing where there is no `/proc`.
pub(crate) fn of_threads(name: &str) -> Option<Duration> {
    let named = |task: &Path| fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim_end() == name);
    of_tasks("/proc/self/task", named)
}

/// Processor time that a running process has used so far; nothing where there is no `/proc`.
pub(crate) fn of_process(process: u32) -> Option<Duration> {
    of_tasks(&format!("/proc/{process}/task"), |_| true)
}

/// Processor time of some of the tasks in a folder (proc(5), `schedstat`).
fn of_tasks(folder: &str, counts: impl Fn(&Path) -> bool) -> Option<Duration> {
    let tasks = fs::read_dir(folder).ok()?.flatten().map(|task| task.path()).filter(|task| counts(task));
    let times = tasks.filter_map(|task| {
        let text = fs::read_to_string(task.join("schedstat")).ok()?;
        text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    });
    Some(times.sum())
}

/// The memory that a process has now (proc(5), `VmRSS`), in bytes; nothing where there is no `/proc`.
pub(crate) fn resident_bytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes * 1024)
}
