//! An overlap after an accident: the key in the state works, because a rotation revokes only the one before it.

use std::{collections::BTreeSet, fs};

use sandbox::{Effect, Fault, KeyState, Meanwhile, Operation};
use serde_json::Value;

use crate::{
    process::{Running, assert_gone},
    scene::{APPLY, reported},
    state_faults::installed,
    state_server::StateServer,
    support::{ADDRESS, Run, SMTPD, Workspace, block},
    table,
};

const SECTION: &str = "## Overlaps";
const NAME: &str = "newsletter";

const FAULTS: [&str; 11] = [
    "Ctrl-C before the reset is sent",
    "SIGTERM to the provider with the reset in flight",
    "kill -9 of the provider with the reset in flight",
    "kill -9 of core with the reset in flight",
    "kill -9 of both with the reset in flight",
    "kill -9 of the provider while the key before is revoked",
    "kill -9 of core while the key before is revoked",
    "the response to the reset is lost",
    "the reset is refused",
    "the mail server refuses the new key",
    "the backend refuses the state; `errored.tfstate` is lost",
];

#[test]
fn the_table_has_every_fault_of_an_overlap() {
    assert_eq!(table::faults(SECTION), FAULTS);
}

#[test]
fn whatever_ends_a_rotation_the_key_in_the_state_works() {
    let stall = |operation| Fault::new(Effect::Stall).on(operation);
    let ends: [(Fault, End); 7] = [
        (stall(Operation::List).before().times(3), |run| run.signal_group("INT")),
        (stall(Operation::Reset), |run| run.signal_providers("TERM")),
        (stall(Operation::Reset), |run| run.signal_providers("KILL")),
        (stall(Operation::Reset), |run| run.signal_core("KILL")),
        (stall(Operation::Reset), |run| run.signal_group("KILL")),
        (stall(Operation::Revoke), |run| run.signal_providers("KILL")),
        (stall(Operation::Revoke), |run| run.signal_core("KILL")),
    ];
    for (fault, (stalled, end)) in FAULTS.into_iter().zip(ends) {
        let Some(overlap) = Overlap::rotating("", "", |_| ()) else { return };
        let workspace = &overlap.workspace;
        workspace.sandbox.fault(stalled);
        let run = Running::start(workspace, &APPLY);
        assert!(workspace.sandbox.wait_for_stalled(1), "{fault}");
        end(&run);
        // A refresh that is answered has nothing to say of an interrupt.
        if fault != FAULTS[0] {
            workspace.sandbox.release();
        }
        let ended = run.wait();
        workspace.sandbox.release();
        assert_gone(ended.group);
        // What is killed leaves its socket.
        let folder = workspace.path("tmp");
        fs::remove_dir_all(&folder).and_then(|()| fs::create_dir(&folder)).expect("an empty folder");
        let run = workspace.judge(&APPLY, &ended.output);
        overlap.survives(fault, &run, fault.starts_with("kill"));
    }
}

#[test]
fn whatever_becomes_of_the_response_the_key_in_the_state_works() {
    for (fault, effect) in [(FAULTS[7], Fault::new(Effect::Close)), (FAULTS[8], Fault::status(400).before())] {
        let Some(overlap) = Overlap::rotating("", "", |_| ()) else { return };
        overlap.workspace.sandbox.fault(effect.on(Operation::Reset));
        let run = overlap.workspace.apply().failed();
        overlap.survives(fault, &run, false);
    }
}

#[test]
fn a_new_key_that_is_refused_is_taken_back() {
    let verify = "verify = { host = \"127.0.0.1\", port = PORT, timeout = \"10s\" }";
    let Some(overlap) = Overlap::rotating("", verify, |_| ()) else { return };
    overlap.workspace.sandbox.propagate_after(std::time::Duration::MAX, Meanwhile::NoPassword);
    let run = overlap.workspace.apply().failed();
    overlap.workspace.sandbox.propagate_at_once();
    overlap.survives(FAULTS[9], &run, false);
}

#[test]
fn a_state_that_is_lost_leaves_the_one_before_whose_key_works() {
    let server = StateServer::start();
    let prepare = |workspace: &Workspace| installed(workspace, &[]);
    let Some(overlap) = Overlap::rotating(&server.backend(), "", prepare) else { return };
    server.refuse();
    let run = overlap.workspace.apply().failed();
    server.relent();
    overlap.workspace.remove("errored.tfstate");
    overlap.survives(FAULTS[10], &run, true);
}

/// What ends a run.
type End = fn(&Running);

/// A key that follows another, and a rotation before them.
struct Overlap {
    workspace: Workspace,
    before: Value,
    resets: usize,
}

impl Overlap {
    fn rotating(head: &str, arguments: &str, prepare: fn(&Workspace)) -> Option<Self> {
        let mut workspace = Workspace::new()?;
        workspace.trust_mail_server();
        let arguments = arguments.replace("PORT", &workspace.sandbox.smtp_port().to_string());
        let write = |trigger: &str| {
            let overlap = "retire_previous = \"at_next_rotation\"\n  rotation_mode = \"in_place\"";
            let arguments = format!("rotation_trigger = \"{trigger}\"\n  {overlap}\n  {arguments}");
            workspace.write(&(head.to_owned() + &block("this", SMTPD, &arguments)));
        };
        write("one");
        prepare(&workspace);
        workspace.apply().succeeded();
        write("two");
        workspace.apply().succeeded();
        write("three");
        let (before, resets) = (workspace.stored().0[ADDRESS].clone(), workspace.sandbox.smtpd().resets(NAME));
        assert_ne!(before["previous"], Value::Null, "the key before works");
        Some(Self { workspace, before, resets })
    }

    /// Insists that a key in the state works, and the one before the run too; that no other key works without a text
    /// that names it, except where nobody could know its id; and that a plain apply rotates then.
    #[track_caller]
    fn survives(&self, fault: &str, run: &Run, is_unknown: bool) {
        let workspace = &self.workspace;
        workspace.sandbox.clear_faults();
        let resets = workspace.sandbox.smtpd().resets(NAME) - self.resets;
        let after = workspace.stored().0[ADDRESS].clone();
        assert!(self.works(&self.before), "{fault}: the key that was in use works: {run}");
        assert!(self.works(&after), "{fault}: {run}");
        let said: Vec<_> = run.diagnostics.iter().map(|said| said.detail.as_str()).collect();
        let is_lost = said.iter().any(|said| said.contains("The password may have been changed."));
        let known = |id: &str| after.to_string().contains(id) || said.iter().any(|said| said.contains(id));
        let unknown: BTreeSet<_> = self.active().into_iter().filter(|id| !known(id)).collect();
        assert!(unknown.is_empty() || is_unknown || is_lost, "{fault}: no text names {unknown:?}: {run}");
        let is_new = after["remote_version"] != self.before["remote_version"];
        let state = if is_new { "new, and the old one works" } else { "old" };
        let reported = reported(run.diagnostics.iter());

        let rotated = workspace.apply().succeeded();
        let healed = workspace.stored().0[ADDRESS].clone();
        assert!(self.works(&healed), "{fault}: {rotated}");
        if !is_new {
            let previous = format!("smtpd/{}", self.before["remote_version"].as_str().expect("an id"));
            assert_eq!(healed["previous"], previous, "{fault}: {rotated}");
            assert!(self.works(&self.before), "{fault}: it is now the previous one");
        }
        workspace.plan().nothing_to_do();
        table::row(SECTION, &[fault, &resets.to_string(), reported, state]);
    }

    fn works(&self, state: &Value) -> bool {
        let [user, password] = ["username", "password"].map(|name| state[name].as_str().unwrap_or_default());
        self.workspace.logs_in_as(user, password)
    }

    /// The ids of the keys that resets have made and that work.
    fn active(&self) -> Vec<String> {
        let smtpd = self.workspace.sandbox.smtpd();
        let own = &smtpd.login_key().id;
        let keys = smtpd.keys().into_iter();
        keys.filter(|key| key.state == KeyState::Active && key.id != *own).map(|key| key.id).collect()
    }
}
