//! Catches the signals that would end the process.

use std::io;
#[cfg(unix)]
use std::{fs::File, future::poll_fn, io::Read, ops::Range, task::Poll};

#[cfg(unix)]
use rustix::process::Signal as Named;
#[cfg(unix)]
use tokio::signal::unix::{self, SignalKind};

/// The meaning of a signal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Signal {
    /// Ctrl-C, which reaches the whole process group. Core decides what to do, and calls `StopProvider`.
    Interrupt,
    /// Any other signal that ends a process.
    End,
}

/// The signals that would end this process, caught.
///
/// A signal that was ignored when the process started stays ignored, as `nohup` and shells intend.
#[cfg(unix)]
pub(super) struct Signals(Vec<(unix::Signal, Signal)>);

#[cfg(unix)]
impl Signals {
    /// Catches the signals that a terminal, an operator or a supervisor sends.
    pub(super) fn usual() -> io::Result<Self> {
        Self::catch(USUAL.iter().map(|(named, meaning)| (named.as_raw(), *meaning)))
    }

    /// Catches every other signal that can be caught, except those for a fault of the process itself (`ABRT`, `BUS`,
    /// `FPE`, `ILL`, `SEGV`, `SYS`), from which it cannot continue.
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
                // The C library reserves some of these.
                Err(_) if REAL_TIME.contains(&number) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self(caught))
    }

    /// Waits for the next signal.
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

/// The other named signals whose default action is to end the process.
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
    // On other systems it is ignored by default.
    #[cfg(target_os = "linux")]
    Named::IO,
    #[cfg(target_os = "linux")]
    Named::POWER,
    #[cfg(all(target_os = "linux", not(any(target_arch = "mips", target_arch = "mips64", target_arch = "sparc64"))))]
    Named::STKFLT,
];

/// The numbers of the signals without a name (`signal(7)`). On other systems tokio supports none.
#[cfg(unix)]
const REAL_TIME: Range<i32> = if cfg!(target_os = "linux") { 32..65 } else { 0..0 };

/// A bit set of ignored signals.
#[cfg(unix)]
#[derive(Clone, Copy, Debug)]
struct Ignored(u64);

#[cfg(unix)]
impl Ignored {
    /// Returns the signals that are ignored now. Only on Linux, since other systems need an unsafe call.
    fn now() -> Self {
        // The file has no known size. With enough capacity, one read is enough.
        let mut status = Vec::with_capacity(16 << 10);
        if cfg!(target_os = "linux") {
            let _ = File::open("/proc/self/status").and_then(|mut file| file.read_to_end(&mut status));
        }
        Self::parse(&String::from_utf8_lossy(&status))
    }

    /// Parses `/proc/<pid>/status` (`proc_pid_status(5)`).
    fn parse(status: &str) -> Self {
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
        let ignored = Ignored::parse(status);
        let numbers: Vec<_> = (-1..=70).filter(|number| ignored.contains(*number)).collect();
        assert_eq!(numbers, [1, 13, 64]);
    }

    #[test]
    fn without_a_mask_no_signal_is_ignored() {
        for status in ["", "SigIgn:", "SigIgn:\tmany\n", "SigCgt:\tffffffffffffffff\n"] {
            assert!((0..=64).all(|number| !Ignored::parse(status).contains(number)), "{status}");
        }
    }
}
