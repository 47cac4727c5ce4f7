//! No core dump of this process: passwords and tokens stand in its memory.

use super::start::Start;

/// Forbids core dumps, and on Linux also that another process of the same user reads this one's memory.
///
/// The limit alone does not bind where dumps go through a pipe. A process that is debugged stays open to the debugger.
#[cfg(unix)]
pub(super) fn forbid(start: Start) {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // To lower a limit is anybody's right; a system that refuses it all the same is no reason to serve nobody.
    let _ = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    if start == Start::ByCore {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};

        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = start;
}

/// Elsewhere a crash leaves what the user has asked the system for.
#[cfg(not(unix))]
pub(super) fn forbid(_: Start) {}
