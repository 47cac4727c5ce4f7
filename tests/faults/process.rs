//! The program in a process group of its own, with what it starts, so that each of them can be sent a signal.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Output},
    thread,
    time::{Duration, Instant},
};

use crate::support::Workspace;

/// A run of the program that goes on while the test does.
pub(crate) struct Running {
    child: Child,
    /// What it was asked to do.
    pub(crate) arguments: Vec<String>,
    printed: [PathBuf; 2],
}

/// A run that has ended.
pub(crate) struct Ended {
    /// What it was asked to do.
    pub(crate) arguments: Vec<String>,
    /// How it ended and what it printed.
    pub(crate) output: Output,
    /// The process group that it was in.
    pub(crate) group: u32,
}

impl Running {
    /// Starts the program. What it prints goes into files, which outlive it.
    pub(crate) fn start(workspace: &Workspace, arguments: &[&str]) -> Self {
        Self::with(workspace.command(arguments), workspace, arguments)
    }

    /// Starts a command that runs the program.
    pub(crate) fn with(mut command: Command, workspace: &Workspace, arguments: &[&str]) -> Self {
        let printed = ["stdout.log", "stderr.log"].map(|name| workspace.path(name));
        let [stdout, stderr] = printed.each_ref().map(|path| File::create(path).expect("a file can be made"));
        let child = command.process_group(0).stdout(stdout).stderr(stderr).spawn().expect("the program starts");
        Self { child, arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(), printed }
    }

    /// Sends a signal to core and to every provider, as a terminal does.
    pub(crate) fn signal_group(&self, signal: &str) {
        kill(signal, &format!("-{}", self.child.id()));
        self.assert_killed(signal, |_| true);
    }

    /// Sends a signal to core.
    pub(crate) fn signal_core(&self, signal: &str) {
        kill(signal, &self.child.id().to_string());
        self.assert_killed(signal, |process| process == self.child.id());
    }

    /// Sends a signal to the providers.
    pub(crate) fn signal_providers(&self, signal: &str) {
        let group = self.child.id();
        let providers: Vec<_> = members(group).into_iter().filter(|process| *process != group).collect();
        assert!(!providers.is_empty(), "a provider is running");
        for process in providers {
            kill(signal, &process.to_string());
        }
        self.assert_killed(signal, |process| process != group);
    }

    /// Sends a signal to the providers that are still there.
    pub(crate) fn signal_providers_left(&self, signal: &str) {
        let group = self.child.id();
        for process in members(group).into_iter().filter(|process| *process != group) {
            // It may end at this very moment.
            let _ = Command::new("kill").args([&format!("-{signal}"), "--", &process.to_string()]).status();
        }
        self.assert_killed(signal, |process| process != group);
    }

    /// Waits until nothing is left of what was killed: a test that releases a response next must know that core's
    /// connection is closed by then, or a provider may read the response first.
    #[track_caller]
    fn assert_killed(&self, signal: &str, is_target: impl Fn(u32) -> bool) {
        if signal == "KILL" {
            wait_until_none(|| members(self.child.id()).into_iter().filter(|process| is_target(*process)).collect());
        }
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Ended {
        let status = self.child.wait().expect("it is a child of this process");
        let [stdout, stderr] = self.printed.each_ref().map(|path| fs::read(path).expect("what it printed"));
        Ended { arguments: self.arguments, output: Output { status, stdout, stderr }, group: self.child.id() }
    }
}

/// Insists that nothing of a process group is left; what finishes a call may take some seconds.
#[track_caller]
pub(crate) fn assert_gone(group: u32) {
    wait_until_none(|| members(group));
}

#[track_caller]
fn wait_until_none(listed: impl Fn() -> Vec<u32>) {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let left = listed();
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < end, "processes are left behind: {left:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The processes in a group that have not ended.
fn members(group: u32) -> Vec<u32> {
    let listed = Command::new("ps").args(["-A", "-o", "pgid=", "-o", "pid=", "-o", "stat="]).output().expect("ps runs");
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let of_group = |line: &str| {
        let mut words = line.split_whitespace();
        let (its, process, state) = (words.next()?, words.next()?, words.next()?);
        (its.parse() == Ok(group) && !state.starts_with('Z')).then(|| process.parse().ok())?
    };
    text.lines().filter_map(of_group).collect()
}

fn kill(signal: &str, target: &str) {
    let sent = Command::new("kill").args([&format!("-{signal}"), "--", target]).status();
    assert!(sent.expect("kill runs").success(), "{signal} reaches {target}");
}
