//! Disables core dumps, because the memory of this process contains passwords and tokens.

use super::start::Start;

/// Disables core dumps. On Linux this also prevents other processes of the same user from reading the memory.
///
/// The limit alone has no effect if dumps go through a pipe. A process that is being debugged stays accessible to the
/// debugger.
#[cfg(unix)]
pub(super) fn forbid(start: Start) {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // Lowering a limit needs no privilege; if it fails anyway, serve regardless.
    let _ = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    if start == Start::ByCore {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};

        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = start;
}

/// On other systems crash dumps stay as configured.
#[cfg(not(unix))]
pub(super) fn forbid(_: Start) {}
