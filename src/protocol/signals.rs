//! The signals that reach the process, and what it does about each.

use std::io;
#[cfg(unix)]
use std::{fs::File, future::poll_fn, io::Read, ops::Range, task::Poll};

#[cfg(unix)]
use rustix::process::Signal as Named;
#[cfg(unix)]
use tokio::signal::unix::{self, SignalKind};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Signal {
    /// Ctrl-C, which reaches the whole process group: core decides what follows, and says so over gRPC.
    Interrupt,
    /// Anything else by which a process ends.
    End,
}

/// The signals that would end this process, caught.
///
/// A signal that was ignored when the process started stays ignored: `nohup` and shells mean it so.
#[cfg(unix)]
pub(super) struct Signals(Vec<(unix::Signal, Signal)>);

#[cfg(unix)]
impl Signals {
    /// Catches those that a terminal, an operator or a supervisor sends.
    pub(super) fn usual() -> io::Result<Self> {
        Self::catch(USUAL.iter().map(|(named, meaning)| (named.as_raw(), *meaning)))
    }

    /// Catches every other one that can be caught, but those which say that the process itself has gone wrong (`ABRT`, `BUS`,
    /// `FPE`, `ILL`, `SEGV`, `SYS`): it cannot go on from there.
    pub(super) fn unusual() -> io::Result<Self> {
        let named = UNUSUAL.iter().map(|named| named.as_raw());
        Self::catch(named.chain(REAL_TIME).map(|number| (number, Signal::End)))
    }

    fn catch(signals: impl Iterator<Item = (i32, Signal)>) -> io::Result<Self> {
        let ignored = Ignored::now();
        let mut caught = Vec::new();
        for (number, meaning) in signals.filter(|(number, _)| !ignored.contains(*number)) {
            match unix::signal(SignalKind::from_raw(number)) {
                Ok(signal) => caught.push((signal, meaning)),
                // The C library keeps some of these to itself.
                Err(_) if REAL_TIME.contains(&number) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self(caught))
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Signal {
        poll_fn(|context| {
            let arrived = self.0.iter_mut().find_map(|(signal, meaning)| match signal.poll_recv(context) {
                Poll::Ready(_) => Some(*meaning),
                Poll::Pending => None,
            });
            arrived.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

#[cfg(unix)]
const USUAL: &[(Named, Signal)] =
    &[(Named::INT, Signal::Interrupt), (Named::HUP, Signal::End), (Named::TERM, Signal::End)];

/// The others with a name whose default action is to end the process.
#[cfg(unix)]
const UNUSUAL: &[Named] = &[
    Named::ALARM,
    Named::PROF,
    Named::QUIT,
    Named::TRAP,
    Named::USR1,
    Named::USR2,
    Named::VTALARM,
    Named::XCPU,
    Named::XFSZ,
    // Elsewhere it does nothing by default.
    #[cfg(target_os = "linux")]
    Named::IO,
    #[cfg(target_os = "linux")]
    Named::POWER,
    #[cfg(all(target_os = "linux", not(any(target_arch = "mips", target_arch = "mips64", target_arch = "sparc64"))))]
    Named::STKFLT,
];

/// The numbers of the signals without a name (`signal(7)`). Elsewhere tokio knows none.
#[cfg(unix)]
const REAL_TIME: Range<i32> = if cfg!(target_os = "linux") { 32..65 } else { 0..0 };

/// The signals that are ignored, one bit for each.
#[cfg(unix)]
#[derive(Clone, Copy, Debug)]
struct Ignored(u64);

#[cfg(unix)]
impl Ignored {
    /// Those that are ignored now. Only Linux tells without a call that no safe code makes.
    fn now() -> Self {
        // With room for all of it, which the file does not say beforehand, one read is enough.
        let mut told = Vec::with_capacity(16 << 10);
        if cfg!(target_os = "linux") {
            let _ = File::open("/proc/self/status").and_then(|mut status| status.read_to_end(&mut told));
        }
        Self::told(&String::from_utf8_lossy(&told))
    }

    /// Reads them from `/proc/<pid>/status` (`proc_pid_status(5)`).
    fn told(status: &str) -> Self {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        Self(mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0))
    }

    fn contains(self, number: i32) -> bool {
        u32::try_from(number - 1).ok().and_then(|bit| self.0.checked_shr(bit)).is_some_and(|bits| bits & 1 == 1)
    }
}

/// The events of a console.
#[cfg(windows)]
pub(super) struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    interrupted: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
    log_off: tokio::signal::windows::CtrlLogoff,
    shut_down: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    pub(super) fn usual() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};

        Ok(Self {
            interrupt: ctrl_c()?,
            interrupted: ctrl_break()?,
            close: ctrl_close()?,
            log_off: ctrl_logoff()?,
            shut_down: ctrl_shutdown()?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.interrupted.recv() => Signal::Interrupt,
            _ = self.close.recv() => Signal::End,
            _ = self.log_off.recv() => Signal::End,
            _ = self.shut_down.recv() => Signal::End,
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_ignored_signals_is_read_as_the_kernel_writes_it() {
        let status = "Name:\tsmtp\nSigBlk:\tffffffffffffffff\nSigIgn:\t8000000000001001\nSigCgt:\tffffffffffffffff\n";
        let ignored = Ignored::told(status);
        let numbers: Vec<_> = (-1..=70).filter(|number| ignored.contains(*number)).collect();
        assert_eq!(numbers, [1, 13, 64]);
    }

    #[test]
    fn what_tells_no_mask_tells_of_no_ignored_signal() {
        for status in ["", "SigIgn:", "SigIgn:\tmany\n", "SigCgt:\tffffffffffffffff\n"] {
            assert!((0..=64).all(|number| !Ignored::told(status).contains(number)), "{status}");
        }
    }
}
