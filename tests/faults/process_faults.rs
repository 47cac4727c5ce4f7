//! Signals, deaths and states: what can happen around a reset, whatever the vendor does.

use std::{fs, process::Command, thread};

use sandbox::{ClosedPort, Effect, Fault, HubSpot, Operation};

use crate::{
    account::Account,
    process::{Ended, Running, assert_gone},
    scene::{APPLY, Accident, Exit, Outcome, Scene},
    state_faults,
    state_server::StateServer,
    support::Workspace,
    table,
};

const SECTION: &str = "## Signals and deaths";

/// Every row of the section.
const FAULTS: [&str; 45] = [
    "Ctrl-C before the reset is sent",
    "Ctrl-C with the reset in flight, the vendor has not acted",
    "Ctrl-C with the reset in flight, the vendor has acted",
    "Ctrl-C within the response body",
    "Ctrl-C during the wait after a 429",
    "Ctrl-C during a wait for `max_requests_per_second`",
    "two Ctrl-C with the reset in flight",
    "SIGTERM to the provider before the reset is sent",
    "SIGTERM to the provider with the reset in flight",
    "SIGHUP to the provider with the reset in flight",
    "SIGPIPE to the provider with the reset in flight",
    "SIGSTOP for 30 s, three times `request_timeout`; the response arrives meanwhile",
    "kill -9 of the provider before the reset is sent",
    "kill -9 of the provider with the reset in flight, the vendor has not acted",
    "kill -9 of the provider with the reset in flight, the vendor has acted",
    "kill -9 of core before the reset is sent",
    "kill -9 of core with the reset in flight",
    "kill -9 of the provider and of core with the reset in flight",
    "standard error is closed",
    "the connection to the vendor is refused",
    "Ctrl-C in the back-off of refused connections",
    "SIGTERM to the provider within the response body",
    "SIGTERM to the provider during the wait after a 429",
    "SIGTERM to the provider during a wait for `max_requests_per_second`",
    "kill -9 of the provider within the response body",
    "kill -9 of the provider during the wait after a 429",
    "kill -9 of the provider during a wait for `max_requests_per_second`",
    "kill -9 of the provider while core stores the state",
    "kill -9 of core while it stores the state",
    "SIGHUP before the reset is sent, everything started with `nohup`",
    "the clock is set beyond the year 9999",
    "SIGALRM to the provider with the reset in flight",
    "SIGIO to the provider with the reset in flight",
    "SIGPROF to the provider with the reset in flight",
    "SIGPWR to the provider with the reset in flight",
    "SIGQUIT to the provider with the reset in flight",
    "SIGSTKFLT to the provider with the reset in flight",
    "SIGTRAP to the provider with the reset in flight",
    "SIGUSR1 to the provider with the reset in flight",
    "SIGUSR2 to the provider with the reset in flight",
    "SIGVTALRM to the provider with the reset in flight",
    "SIGXCPU to the provider with the reset in flight",
    "SIGXFSZ to the provider with the reset in flight",
    "SIGRTMIN to the provider with the reset in flight",
    "SIGRTMAX to the provider with the reset in flight",
];

/// The rows whose first word is the signal. Linux has all of them.
#[cfg(target_os = "linux")]
const UNUSUAL_SIGNALS: std::ops::Range<usize> = 31..45;

#[test]
fn the_table_has_every_fault_and_no_other() {
    assert_eq!(table::faults(SECTION), FAULTS);
}

#[test]
fn an_interrupt_before_the_reset_is_sent_takes_it_back() {
    let Some(scene) = scene() else { return };
    let ended =
        stalled(&scene, Fault::new(Effect::Stall).on(Operation::List).before().times(2), |run| run.signal_group("INT"));
    seen(0, &scene, Accident::of(ended, Exit::Failure));
}

#[test]
fn an_interrupt_in_flight_stores_what_the_vendor_answers() {
    for (number, fault) in
        [(1, stall().before()), (2, stall()), (3, Fault::new(Effect::HeadThenStall).on(Operation::Reset))]
    {
        let Some(scene) = scene() else { return };
        let ended = stalled(&scene, fault, |run| {
            interrupt(&scene, run);
            scene.workspace.sandbox.release();
        });
        // The state is stored, and then core says that it was halted.
        seen(number, &scene, Accident::of(ended, Exit::Failure));
    }
}

#[test]
fn an_interrupt_ends_the_wait_after_a_429() {
    let Some(scene) = scene() else { return };
    let run = limited(&scene);
    run.signal_group("INT");
    seen(4, &scene, Accident::of(run.wait(), Exit::Failure));
}

#[test]
fn an_interrupt_ends_the_wait_for_a_turn() {
    let Some(scene) = scene() else { return };
    let ended = in_turn(&scene, |run| run.signal_group("INT"));
    seen(5, &scene, Accident::of(ended, Exit::Failure));
}

#[test]
fn a_second_interrupt_gives_the_password_up() {
    let Some(scene) = scene() else { return };
    let ended = stalled(&scene, stall(), |run| {
        run.signal_core("INT");
        // Core treats a second one as impatience only after it has noticed the first.
        wait_until(|| printed(&scene, "Interrupt received"));
        run.signal_core("INT");
    });
    // The answer comes when core has gone, and has killed its provider: nobody is left who could store it.
    clear(&scene);
    seen(6, &scene, Accident::of(ended, Exit::Failure));
}

#[test]
fn a_provider_that_has_to_end_cancels_what_was_not_sent() {
    let Some(scene) = scene() else { return };
    let fault = Fault::new(Effect::Stall).on(Operation::List).before().times(2);
    scene.workspace.sandbox.fault(fault);
    let run = scene.start_with(&["-refresh=false"]);
    assert!(scene.workspace.sandbox.wait_for_stalled(1));
    run.signal_providers("TERM");
    seen(7, &scene, Accident::of(run.wait(), Exit::Failure));
}

#[test]
fn a_provider_that_has_to_end_finishes_what_was_sent() {
    for (number, signal) in [(8, "TERM"), (9, "HUP"), (10, "PIPE")] {
        let Some(scene) = scene() else { return };
        let ended = stalled(&scene, stall(), |run| {
            run.signal_providers(signal);
            scene.workspace.sandbox.release();
        });
        seen(number, &scene, Accident::of(ended, Exit::Success));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_provider_finishes_what_was_sent_whatever_signal_would_have_ended_it() {
    let Some(mut scene) = scene() else { return };
    for number in UNUSUAL_SIGNALS {
        let name = FAULTS[number].split(' ').next().unwrap_or_default();
        let signal = match name.trim_start_matches("SIG") {
            // Not every `kill` knows the last in real time by name.
            "RTMAX" => "64",
            name => name,
        };
        let ended = stalled(&scene, stall(), |run| {
            run.signal_providers(signal);
            scene.workspace.sandbox.release();
        });
        seen(number, &scene, Accident::of(ended, Exit::Success));
        rotate_once_more(&mut scene, number);
    }
}

/// A signal that is ignored from the start takes nothing back, even where it would.
#[test]
fn what_nohup_protects_goes_on() {
    let Some(scene) = scene() else { return };
    scene.workspace.sandbox.fault(Fault::new(Effect::Stall).on(Operation::List).before());
    let run = within(&scene, "trap '' HUP; exec \"$@\"", &["-refresh=false"]);
    assert!(scene.workspace.sandbox.wait_for_stalled(1), "the check before the reset is held back");
    run.signal_group("HUP");
    scene.workspace.sandbox.release();
    seen(29, &scene, Accident::of(run.wait(), Exit::Success));
}

/// Core, a program without a C library, sees the time as it is.
#[cfg(target_os = "linux")]
#[test]
fn a_clock_beyond_the_year_9999_loses_no_password() {
    let Some(mut workspace) = Workspace::new() else { return };
    let [source, library] = ["clock.c", "clock.so"].map(|name| workspace.path(name));
    workspace.file("clock.c", CLOCK);
    // Rust's own programs are linked with it.
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status();
    assert!(compiled.expect("a C compiler").success());
    workspace.set("LD_PRELOAD", library.to_str().expect("a path that is text"));
    let accounts = vec![Account::open(HubSpot::MODEL, "newsletter", &workspace)];
    let scene = Scene::rotating(workspace, accounts, "", "rotation_mode = \"in_place\"");
    let ended = scene.start().wait();
    seen(30, &scene, Accident::of(ended, Exit::Success));
    let attributes = scene.attributes();
    let rotated_at = attributes.values().next().and_then(|attributes| attributes["rotated_at"].as_str());
    assert!(rotated_at.is_some_and(|time| time.starts_with("9999-12-30T22:00:00.999999")), "{rotated_at:?}");
}

/// The system's time, ten thousand years from now; every other clock is left alone.
const CLOCK: &str = r"
#define _GNU_SOURCE
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += 315569520000;
    return result;
}
";

#[test]
fn a_provider_that_slept_goes_on() {
    let Some(workspace) = Workspace::new() else { return };
    let accounts = vec![Account::open(HubSpot::MODEL, "newsletter", &workspace)];
    let head = "provider \"smtp\" {\n  request_timeout = \"10s\"\n}\n";
    let scene = Scene::rotating(workspace, accounts, head, "rotation_mode = \"in_place\"");
    let ended = stalled(&scene, stall(), |run| {
        run.signal_providers("STOP");
        scene.workspace.sandbox.release();
        let answered = |path: &str| path.ends_with("password-reset");
        let requests = || scene.workspace.sandbox.requests();
        wait_until(|| requests().iter().any(|request| answered(&request.path) && request.status.is_some()));
        // It is the fault itself that lasts so long.
        thread::sleep(std::time::Duration::from_secs(30));
        run.signal_providers("CONT");
    });
    seen(11, &scene, Accident::of(ended, Exit::Success));
}

#[test]
fn a_provider_that_is_killed_loses_at_most_one_password() {
    let before = Fault::new(Effect::Stall).on(Operation::List).before().times(2);
    for (number, fault) in [(12, before), (13, stall().before()), (14, stall())] {
        let Some(scene) = scene() else { return };
        scene.workspace.sandbox.fault(fault);
        let run = scene.start_with(&["-refresh=false"]);
        assert!(scene.workspace.sandbox.wait_for_stalled(1));
        run.signal_providers("KILL");
        let ended = run.wait();
        clear(&scene);
        seen(number, &scene, Accident::of(ended, Exit::Failure));
    }
}

#[test]
fn a_core_that_is_killed_leaves_an_orphan_that_finishes_and_ends() {
    let signals: [fn(&Running, &str); 2] = [Running::signal_core, Running::signal_group];
    for (number, signal) in (16..).zip(signals) {
        let Some(scene) = scene() else { return };
        let ended = stalled(&scene, stall(), |run| signal(run, "KILL"));
        scene.workspace.sandbox.release();
        assert_gone(ended.group);
        clear(&scene);
        seen(number, &scene, Accident::of(ended, Exit::Killed));
    }
}

#[test]
fn an_orphan_takes_back_what_was_not_sent() {
    let Some(scene) = scene() else { return };
    let fault = Fault::new(Effect::Stall).on(Operation::List).before().times(2);
    let ended = stalled(&scene, fault, |run| run.signal_core("KILL"));
    // What the vendor answers now comes at once, long before the next look at the parent's id.
    scene.workspace.sandbox.release();
    assert_gone(ended.group);
    clear(&scene);
    seen(15, &scene, Accident::of(ended, Exit::Killed));
}

#[test]
fn a_closed_standard_error_does_no_harm() {
    let Some(scene) = scene() else { return };
    let ended = within(&scene, "exec \"$@\" 2>&-", &[]).wait();
    seen(18, &scene, Accident::of(ended, Exit::Success));
}

#[test]
fn a_refused_connection_changes_nothing() {
    let Some(scene) = Scene::maybe("timeouts = { update = \"3s\" }") else { return };
    let ended = refused(&scene, |_| ());
    seen(19, &scene, Accident::of(ended, Exit::Failure));
}

#[test]
fn an_interrupt_ends_the_back_off() {
    let Some(scene) = scene() else { return };
    let ended = refused(&scene, |run| {
        // The provider logs a try when it has failed.
        wait_until(|| logged(&scene, "the connection was refused"));
        run.signal_group("INT");
    });
    seen(20, &scene, Accident::of(ended, Exit::Failure));
}

#[test]
fn a_provider_that_has_to_end_only_waits_for_the_rest_of_a_response() {
    let Some(within) = scene() else { return };
    let ended = stalled(&within, half_an_answer(), |run| {
        run.signal_providers("TERM");
        within.workspace.sandbox.release();
    });
    seen(21, &within, Accident::of(ended, Exit::Success));

    let Some(waiting) = scene() else { return };
    let run = limited(&waiting);
    run.signal_providers("TERM");
    seen(22, &waiting, Accident::of(run.wait(), Exit::Failure));

    let Some(in_line) = scene() else { return };
    let ended = in_turn(&in_line, |run| run.signal_providers("TERM"));
    seen(23, &in_line, Accident::of(ended, Exit::Failure));
}

#[test]
fn a_provider_that_is_killed_while_it_waits_has_sent_nothing() {
    let Some(within) = scene() else { return };
    let ended = stalled(&within, half_an_answer(), |run| run.signal_providers("KILL"));
    clear(&within);
    seen(24, &within, Accident::of(ended, Exit::Failure));

    let Some(waiting) = scene() else { return };
    let run = limited(&waiting);
    run.signal_providers("KILL");
    let ended = run.wait();
    clear(&waiting);
    seen(25, &waiting, Accident::of(ended, Exit::Failure));

    let Some(in_line) = scene() else { return };
    let ended = in_turn(&in_line, |run| run.signal_providers("KILL"));
    clear(&in_line);
    seen(26, &in_line, Accident::of(ended, Exit::Failure));
}

#[test]
fn what_is_killed_while_the_state_is_stored_takes_at_most_the_state_with_it() {
    let server = StateServer::start();
    let Some(scene) = state_faults::scene(&server.backend(), state_faults::installed) else { return };
    let write = server.hold();
    let run = scene.start();
    wait_until(|| server.is_holding());
    // It has nothing left to do, and may have been asked to end already.
    run.signal_providers_left("KILL");
    write.let_go();
    let ended = run.wait();
    clear(&scene);
    seen(27, &scene, Accident::of(ended, Exit::Success));

    let server = StateServer::start();
    let Some(scene) = state_faults::scene(&server.backend(), state_faults::installed) else { return };
    let write = server.hold();
    let run = scene.start();
    wait_until(|| server.is_holding());
    run.signal_core("KILL");
    let ended = run.wait();
    drop(write);
    assert_gone(ended.group);
    clear(&scene);
    seen(28, &scene, Accident::of(ended, Exit::Killed));
}

impl Scene {
    fn maybe(arguments: &str) -> Option<Self> {
        let workspace = Workspace::new()?;
        let accounts = vec![Account::open(HubSpot::MODEL, "newsletter", &workspace)];
        Some(Self::rotating(workspace, accounts, "", &format!("rotation_mode = \"in_place\"\n  {arguments}")))
    }
}

fn scene() -> Option<Scene> {
    Scene::maybe("")
}

fn stall() -> Fault {
    Fault::new(Effect::Stall).on(Operation::Reset)
}

fn half_an_answer() -> Fault {
    Fault::new(Effect::HeadThenStall).on(Operation::Reset)
}

/// Applies until the reset is refused for two hundred seconds.
fn limited(scene: &Scene) -> Running {
    scene.workspace.sandbox.fault(Fault::status_with_header(429, "Retry-After", "200").on(Operation::Reset).before());
    let run = scene.start_with(&["-refresh=false"]);
    wait_until(|| scene.workspace.sandbox.pending_faults() == 0);
    run
}

/// Applies until the reset waits for its turn, and then goes on.
fn in_turn(scene: &Scene, then: impl FnOnce(&Running)) -> Ended {
    let written = fs::read_to_string(scene.workspace.path("main.tf")).expect("the configuration");
    // The first request of a process has its turn at once; the second, the reset, waits for a hundred seconds.
    scene.workspace.write(&format!("provider \"smtp\" {{ max_requests_per_second = 0.01 }}\n{written}"));
    scene.workspace.sandbox.forget_requests();
    let run = scene.start_with(&["-refresh=false"]);
    wait_until(|| scene.workspace.sandbox.requests().iter().any(|request| request.status.is_some()));
    then(&run);
    let ended = run.wait();
    scene.workspace.write(&written);
    ended
}

/// Applies within a shell that runs `script` with the command in `$@`.
fn within(scene: &Scene, script: &str, options: &[&str]) -> Running {
    let arguments = [&APPLY[..], options].concat();
    let inner = scene.workspace.command(&arguments);
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(inner.get_program()).args(inner.get_args());
    command.env_clear().envs(scene.workspace.environment()).current_dir(scene.workspace.path(""));
    Running::with(command, &scene.workspace, &arguments)
}

/// Changes the trigger again, where a rotation went well.
fn rotate_once_more(scene: &mut Scene, number: usize) {
    let written = fs::read_to_string(scene.workspace.path("main.tf")).expect("the configuration");
    let is_trigger = |line: &str| line.trim_start().starts_with("rotation_trigger");
    let lines = written
        .lines()
        .map(|line| if is_trigger(line) { format!("rotation_trigger = \"{number}\"\n") } else { format!("{line}\n") });
    scene.workspace.write(&lines.collect::<String>());
    scene.remember();
}

/// Applies where nobody listens.
fn refused(scene: &Scene, then: impl FnOnce(&Running)) -> Ended {
    let written = fs::read_to_string(scene.workspace.path("main.tf")).expect("the configuration");
    let closed = ClosedPort::bind();
    let head = format!("provider \"smtp\" {{\n  hubspot = {{ base_url = \"http://{}\" }}\n}}\n", closed.address());
    scene.workspace.write(&format!("{head}{written}"));
    let run = scene.start_with(&["-refresh=false"]);
    then(&run);
    let ended = run.wait();
    scene.workspace.write(&written);
    ended
}

/// Applies until the fault holds the answer back, and then goes on.
#[track_caller]
pub(crate) fn stalled(scene: &Scene, fault: Fault, then: impl FnOnce(&Running)) -> Ended {
    scene.workspace.sandbox.fault(fault);
    let run = scene.start_with(&["-refresh=false"]);
    assert!(scene.workspace.sandbox.wait_for_stalled(1), "the answer is held back");
    then(&run);
    run.wait()
}

/// Sends what Ctrl-C sends, and waits until core has noticed it and stops its providers.
pub(crate) fn interrupt(scene: &Scene, run: &Running) {
    run.signal_group("INT");
    wait_until(|| printed(scene, "Stopping operation") && logged(scene, "GRPCProvider.v6: Stop"));
}

/// Compares what has become of the one credential with its row in the table.
#[track_caller]
fn seen(number: usize, scene: &Scene, accident: Accident) {
    let [Outcome { resets, reported, state }] = &*scene.survives(accident) else { panic!("one credential") };
    table::row(SECTION, &[FAULTS[number], &resets.to_string(), reported, state]);
}

pub(crate) fn printed(scene: &Scene, words: &str) -> bool {
    fs::read_to_string(scene.workspace.path("stdout.log")).is_ok_and(|text| text.contains(words))
}

fn logged(scene: &Scene, words: &str) -> bool {
    fs::read_to_string(scene.workspace.path("trace.log")).is_ok_and(|text| text.contains(words))
}

/// Removes what a process that was killed had no time to remove: the folder of its socket.
pub(crate) fn clear(scene: &Scene) {
    let folder = scene.workspace.path("tmp");
    fs::remove_dir_all(&folder).and_then(|()| fs::create_dir(&folder)).expect("an empty folder");
}

/// Waits for what is bound to happen.
#[track_caller]
pub(crate) fn wait_until(mut holds: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !holds() {
        assert!(std::time::Instant::now() < end, "it should have come to pass");
        thread::sleep(std::time::Duration::from_millis(10));
    }
}
