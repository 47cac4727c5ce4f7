//! An encrypted password after an accident: what `encrypted_password` decrypts to is what a password in clear text
//! would be.

use std::fs;

use sandbox::{Effect, Fault, Operation};
use terraform_provider_smtp::{
    age::{Identities, open_armored},
    secret::Secret,
};

use crate::{
    process::{Running, assert_gone},
    scene::{APPLY, reported},
    state_faults::installed,
    state_server::StateServer,
    support::{ADDRESS, HUBSPOT, Run, USER, Workspace, block},
    table,
};

const SECTION: &str = "## Encrypted passwords";
const RECIPIENT: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

const FAULTS: [&str; 7] = [
    "Ctrl-C with the reset in flight",
    "SIGTERM to the provider with the reset in flight",
    "kill -9 of the provider with the reset in flight",
    "the response is lost",
    "the reset is refused",
    "`Content-Length` says too much",
    "the backend refuses the state; `errored.tfstate` is pushed",
];

#[test]
fn the_table_has_every_fault_of_an_encrypted_password() {
    assert_eq!(table::faults(SECTION), FAULTS);
}

#[test]
fn what_the_vendor_returns_is_encrypted_whatever_signal_arrives() {
    let ends: [fn(&Running); 3] =
        [|run| run.signal_core("INT"), |run| run.signal_providers("TERM"), |run| run.signal_providers("KILL")];
    for (fault, end) in FAULTS.into_iter().zip(ends) {
        let Some(workspace) = rotating("", |_| ()) else { return };
        let before = decrypted(&workspace);
        workspace.sandbox.fault(Fault::new(Effect::Stall).on(Operation::Reset));
        let run = Running::start(&workspace, &APPLY);
        assert!(workspace.sandbox.wait_for_stalled(1), "{fault}");
        end(&run);
        workspace.sandbox.release();
        let ended = run.wait();
        assert_gone(ended.group);
        // What is killed leaves its socket.
        let folder = workspace.path("tmp");
        fs::remove_dir_all(&folder).and_then(|()| fs::create_dir(&folder)).expect("an empty folder");
        let run = workspace.judge(&APPLY, &ended.output);
        survives(fault, &workspace, &before, &run);
    }
}

#[test]
fn what_has_arrived_is_encrypted_whatever_is_wrong_with_the_response() {
    let faults = [Fault::new(Effect::Close), Fault::status(400).before(), Fault::new(Effect::ContentLength(9999))];
    for (fault, effect) in FAULTS.into_iter().skip(3).zip(faults) {
        let Some(workspace) = rotating("", |_| ()) else { return };
        let before = decrypted(&workspace);
        workspace.sandbox.fault(effect.on(Operation::Reset));
        let run = workspace.apply();
        survives(fault, &workspace, &before, &run);
    }
}

#[test]
fn an_encrypted_password_is_in_the_state_that_a_backend_refuses() {
    let server = StateServer::start();
    let Some(workspace) = rotating(&server.backend(), |workspace| installed(workspace, &[])) else { return };
    let before = decrypted(&workspace);
    server.refuse();
    let run = workspace.apply().failed();
    server.relent();
    workspace.run(&["state", "push", "errored.tfstate"]).succeeded();
    workspace.remove("errored.tfstate");
    survives(FAULTS[6], &workspace, &before, &run);
}

/// An encrypted password, and a rotation before it.
fn rotating(head: &str, prepare: fn(&Workspace)) -> Option<Workspace> {
    let workspace = Workspace::new()?;
    let write = |trigger: &str| {
        let arguments = format!("age_recipients = [\"{RECIPIENT}\"]\n  rotation_mode = \"in_place\"");
        let arguments = format!("{arguments}\n  rotation_trigger = \"{trigger}\"");
        workspace.write(&(head.to_owned() + &block("this", HUBSPOT, &arguments)));
    };
    write("one");
    prepare(&workspace);
    workspace.apply().succeeded();
    write("two");
    Some(workspace)
}

/// Insists that a changed password is the vendor's, and that otherwise one apply makes another that works.
#[track_caller]
fn survives(fault: &str, workspace: &Workspace, before: &str, run: &Run) {
    workspace.sandbox.clear_faults();
    let resets = workspace.sandbox.hubspot().resets(USER) - 1;
    let after = decrypted(workspace);
    let state = match (after == before, workspace.logs_in(&after)) {
        (true, true) => "old",
        (true, false) => "old, dead",
        (false, works) => {
            assert!(works, "{fault}: {run}");
            "new"
        }
    };
    let reported = reported(run.diagnostics.iter());
    workspace.apply().succeeded();
    assert!(workspace.logs_in(&decrypted(workspace)), "{fault}");
    workspace.plan().nothing_to_do();
    table::row(SECTION, &[fault, &resets.to_string(), reported, state]);
}

/// The password that the identity decrypts; it is nowhere in clear text.
#[track_caller]
fn decrypted(workspace: &Workspace) -> String {
    let (stored, _) = workspace.stored();
    let file = stored[ADDRESS]["encrypted_password"].as_str().expect("it is encrypted");
    let identities = Identities::parse(&Secret::new(IDENTITY)).expect("an identity");
    let password = open_armored(file, &identities).expect("the identity decrypts").to_vec();
    let password = String::from_utf8(password).expect("a password is text");
    assert!(!stored[ADDRESS].to_string().contains(&password));
    password
}
