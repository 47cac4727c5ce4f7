//! A pair after what costs a single credential its password: the one in the state works, because it is not the one that
//! was reset.

use std::fs;

use sandbox::{Effect, Fault, Operation, SmtpEffect, SmtpFault, Stage};
use serde_json::Value;

use crate::{
    process::{Running, assert_gone},
    process_faults::wait_until,
    scene::{APPLY, reported},
    state_faults::installed,
    state_server::StateServer,
    support::Workspace,
    table,
};

const SECTION: &str = "## Pairs";

const FAULTS: [&str; 20] = [
    "Ctrl-C twice with the reset in flight",
    "kill -9 of the provider with the reset in flight",
    "kill -9 of core with the reset in flight",
    "kill -9 of both when the response has begun",
    "the response is lost",
    "the vendor has reset it and responds with 502",
    "the backend refuses the state; `errored.tfstate` is lost",
    "no file can be written; what core prints is lost",
    "Ctrl-C before the reset is sent",
    "SIGTERM to the provider before the reset is sent",
    "kill -9 of the provider before the reset is sent",
    "kill -9 of core before the reset is sent",
    "kill -9 of both with the reset in flight",
    "the reset is refused",
    "Ctrl-C with the reset in flight",
    "SIGTERM to the provider with the reset in flight",
    "any other signal that can be caught, to the provider with the reset in flight",
    "kill -9 of the provider while the new password logs in",
    "kill -9 of core while the new password logs in",
    "the mail server refuses the new password",
];

/// The signals of the last row. Linux has all of them.
#[cfg(target_os = "linux")]
const CAUGHT: [&str; 17] = [
    "HUP", "PIPE", "ALRM", "IO", "PROF", "PWR", "QUIT", "STKFLT", "TRAP", "USR1", "USR2", "VTALRM", "XCPU", "XFSZ",
    "RTMIN", "64", "INT",
];

const PAIR: &str = "smtp_credential_pair.this";
const A: &str = "a@example.com";
const B: &str = "b@example.com";

#[test]
fn the_table_has_every_fault_of_a_pair() {
    assert_eq!(table::faults(SECTION), FAULTS);
}

#[test]
fn whatever_ends_a_rotation_the_password_in_the_state_works() {
    let stall = || Fault::new(Effect::Stall).on(Operation::Reset);
    let head = Fault::new(Effect::HeadThenStall).on(Operation::Reset);
    let before = || Fault::new(Effect::Stall).on(Operation::List).before().times(2);
    let ends: [(usize, Fault, End); 9] = [
        (0, stall(), |workspace, run| {
            // Core treats a second one as impatience only after it has noticed the first.
            interrupted(workspace, run);
            run.signal_core("INT");
        }),
        (1, stall(), |_, run| run.signal_providers("KILL")),
        (2, stall(), |_, run| run.signal_core("KILL")),
        (3, head, |_, run| run.signal_group("KILL")),
        (8, before(), |_, run| run.signal_group("INT")),
        (9, before(), |_, run| run.signal_providers("TERM")),
        (10, before(), |_, run| run.signal_providers("KILL")),
        (11, before(), |_, run| run.signal_core("KILL")),
        (12, stall(), |_, run| run.signal_group("KILL")),
    ];
    for (number, stalled, end) in ends {
        let fault = FAULTS[number];
        let Some(workspace) = rotating("", |_| ()) else { return };
        workspace.sandbox.fault(stalled);
        let run = Running::start(&workspace, &APPLY);
        assert!(workspace.sandbox.wait_for_stalled(1), "{fault}");
        end(&workspace, &run);
        let ended = run.wait();
        workspace.sandbox.release();
        assert_gone(ended.group);
        emptied(&workspace);
        let run = workspace.judge(&APPLY, &ended.output);
        survives(
            fault,
            &workspace,
            reported(run.diagnostics.iter()).trim_start_matches("The password ").trim_end_matches('.'),
        );
    }
}

#[test]
fn whatever_becomes_of_the_response_the_password_in_the_state_works() {
    let faults = [Fault::new(Effect::Close), Fault::page(502)];
    for (fault, lost) in FAULTS.into_iter().skip(4).zip(faults) {
        let Some(workspace) = rotating("", |_| ()) else { return };
        workspace.sandbox.fault(lost.on(Operation::Reset));
        let error = workspace.apply().error();
        assert!(error.detail.contains("The password may have been changed."), "{error:?}");
        survives(fault, &workspace, "may have been changed");
    }
}

#[test]
fn a_refused_reset_changes_nothing() {
    let Some(workspace) = rotating("", |_| ()) else { return };
    workspace.sandbox.fault(Fault::status(400).before().on(Operation::Reset));
    let error = workspace.apply().error();
    assert!(error.detail.contains("The password was not changed."), "{error:?}");
    survives(FAULTS[13], &workspace, "was not changed");
}

/// Between the reset and the moment at which the other credential takes over, `verify` logs in.
#[test]
fn whatever_ends_the_login_the_password_in_the_state_works() {
    let ends: [(usize, End); 2] = [(17, |_, run| run.signal_providers("KILL")), (18, |_, run| run.signal_core("KILL"))];
    for (number, end) in ends {
        let Some(workspace) = verified() else { return };
        workspace.sandbox.smtp_fault(SmtpFault::new(Stage::Login, SmtpEffect::Stall).of(B));
        let run = Running::start(&workspace, &APPLY);
        assert!(workspace.sandbox.wait_for_stalled(1), "{}", FAULTS[number]);
        assert_eq!(workspace.sandbox.hubspot().resets(B), 1, "it is after the reset");
        end(&workspace, &run);
        let ended = run.wait();
        workspace.sandbox.release();
        assert_gone(ended.group);
        emptied(&workspace);
        workspace.judge(&APPLY, &ended.output);
        survives(FAULTS[number], &workspace, "nothing");
    }
    let Some(workspace) = verified() else { return };
    workspace.sandbox.smtp_fault(SmtpFault::reply(Stage::Login, "535 5.7.8 no").of(B).always());
    let error = workspace.apply().error();
    assert!(error.detail.contains("The password was changed."), "{error:?}");
    survives(FAULTS[19], &workspace, "was changed");
}

/// The provider stores what the vendor returns, and the other credential takes over.
#[test]
fn a_signal_that_can_be_caught_lets_the_other_credential_take_over() {
    let signals: [(usize, End); 2] =
        [(14, |workspace, run| interrupted(workspace, run)), (15, |_, run| run.signal_providers("TERM"))];
    for (number, signal) in signals {
        let Some(workspace) = rotating("", |_| ()) else { return };
        takes_over(FAULTS[number], &workspace, |run| signal(&workspace, run));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn every_signal_that_can_be_caught_lets_the_other_credential_take_over() {
    for signal in CAUGHT {
        let Some(workspace) = rotating("", |_| ()) else { return };
        takes_over(FAULTS[16], &workspace, |run| run.signal_providers(signal));
    }
}

fn interrupted(workspace: &Workspace, run: &Running) {
    run.signal_core("INT");
    let printed = || fs::read_to_string(workspace.path("stdout.log")).unwrap_or_default();
    wait_until(|| printed().contains("Interrupt received"));
}

/// Sends a signal while the reset is in flight. The other credential is the current one after that, and both work.
#[track_caller]
fn takes_over(fault: &str, workspace: &Workspace, signal: impl FnOnce(&Running)) {
    let before = workspace.stored().0[PAIR].clone();
    workspace.sandbox.fault(Fault::new(Effect::Stall).on(Operation::Reset));
    let run = Running::start(workspace, &APPLY);
    assert!(workspace.sandbox.wait_for_stalled(1), "{fault}");
    signal(&run);
    workspace.sandbox.release();
    let ended = run.wait();
    assert_gone(ended.group);
    let run = workspace.judge(&APPLY, &ended.output);
    let after = workspace.stored().0[PAIR].clone();
    assert_eq!((&after["username"], &after["previous"]), (&Value::from(B), &before["current"]), "{fault}: {run}");
    for state in [&before, &after] {
        let [user, password] = ["username", "password"].map(|name| state[name].as_str().expect("a text"));
        assert!(workspace.logs_in_as(user, password), "{fault}");
    }
    workspace.plan().nothing_to_do();
    let resets = workspace.sandbox.hubspot().resets(B).to_string();
    table::row(SECTION, &[fault, &resets, reported(run.diagnostics.iter()), "that of the other credential, works"]);
}

#[test]
fn a_state_that_cannot_be_written_is_the_one_before_whose_password_works() {
    let server = StateServer::start();
    let Some(workspace) = rotating(&server.backend(), |workspace| installed(workspace, &[])) else { return };
    server.refuse();
    let run = workspace.apply().failed();
    assert!(run.stdout.contains("Failed to save state"), "{run}");
    server.relent();
    workspace.remove("errored.tfstate");
    survives(FAULTS[6], &workspace, "nothing");

    let Some(mut workspace) = rotating("", |_| ()) else { return };
    let trace = ["TF_LOG", "TF_LOG_PATH"].map(|name| (name, workspace.environment()[name].clone()));
    workspace.unset("TF_LOG");
    let inner = workspace.command(&["apply", "-no-color", "-auto-approve", "-input=false"]);
    let mut command = std::process::Command::new("sh");
    // No file may have more than one block; what is printed goes through a pipe.
    command.args(["-c", "{ ulimit -f 1; exec \"$@\"; } 2>&1 | cat", "sh"]);
    command.arg(inner.get_program()).args(inner.get_args());
    command.env_clear().envs(workspace.environment()).current_dir(workspace.path(""));
    let output = command.output().expect("the program starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    let password = workspace.sandbox.hubspot().password(B).expect("the vendor has a password");
    assert!(printed.contains(&password), "core prints the state that it can write nowhere");
    for (name, value) in trace {
        workspace.set(name, &value);
    }
    survives(FAULTS[7], &workspace, "nothing");
}

/// Removes what a killed process leaves: its socket.
fn emptied(workspace: &Workspace) {
    let folder = workspace.path("tmp");
    fs::remove_dir_all(&folder).and_then(|()| fs::create_dir(&folder)).expect("an empty folder");
}

/// What ends a run.
type End = fn(&Workspace, &Running);

/// A pair whose first credential is the current one and whose second was never reset, with a rotation before it.
fn rotating(head: &str, prepare: fn(&Workspace)) -> Option<Workspace> {
    Some(rotating_with(Workspace::new()?, head, "", prepare))
}

/// The same with `verify`.
fn verified() -> Option<Workspace> {
    let mut workspace = Workspace::new()?;
    workspace.trust_mail_server();
    let port = workspace.sandbox.smtp_port();
    let verify = format!("verify = {{ host = \"localhost\", port = {port}, timeout = \"10s\" }}");
    Some(rotating_with(workspace, "", &verify, |_| ()))
}

fn rotating_with(workspace: Workspace, head: &str, verify: &str, prepare: fn(&Workspace)) -> Workspace {
    let configuration = |trigger: &str| {
        let list = [A, B].map(|user| format!("{{ user_name = \"{user}\" }}")).join(", ");
        let arguments = format!("hubspot = [{list}]\n  rotation_trigger = \"{trigger}\"\n  {verify}");
        format!("{head}resource \"smtp_credential_pair\" \"this\" {{\n  {arguments}\n}}\n")
    };
    for user in [A, B] {
        workspace.add_credential(user);
    }
    workspace.write(&configuration("one"));
    prepare(&workspace);
    workspace.apply().succeeded();
    workspace.write(&configuration("two"));
    workspace
}

/// Insists that the state has the credential that was current before, with a password that works, that a plain apply
/// rotates to the other one, and that the first still works then.
#[track_caller]
fn survives(fault: &str, workspace: &Workspace, reported: &str) {
    workspace.sandbox.clear_faults();
    workspace.sandbox.clear_smtp_faults();
    let resets = workspace.sandbox.hubspot().resets(B);
    let works = |user: &str, password: &Value| workspace.logs_in_as(user, password.as_str().expect("a password"));
    let before = workspace.stored().0[PAIR].clone();
    assert_eq!((&before["username"], &before["previous"]), (&Value::from(A), &Value::Null), "{fault}");
    assert!(works(A, &before["password"]), "{fault}");
    workspace.apply().succeeded();
    let after = workspace.stored().0[PAIR].clone();
    assert_eq!((&after["username"], &after["previous"]), (&Value::from(B), &before["current"]), "{fault}");
    assert!(works(B, &after["password"]) && works(A, &before["password"]), "{fault}");
    assert_eq!(workspace.sandbox.hubspot().resets(A), 1, "{fault}: it is never touched");
    workspace.plan().nothing_to_do();
    table::row(SECTION, &[fault, &resets.to_string(), reported, "that of the current credential, works"]);
}
