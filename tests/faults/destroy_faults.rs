//! Destroys: what is left of a credential whose destroy goes wrong, and that the next one ends it.

use std::thread;

use sandbox::{Effect, Fault, HubSpot, Model, Operation, Smtpd};

use crate::{
    account::Account,
    process::{Ended, Running, assert_gone},
    process_faults::{clear, interrupt},
    scene::{Scene, reported},
    support::Workspace,
    table,
};

const SECTION: &str = "## Destroys";

const DESTROY: [&str; 4] = ["destroy", "-json", "-auto-approve", "-input=false"];

/// Every fault, the vendor where it can happen, and what stalls.
const FAULTS: [(&str, &Model, Stall, Act); 6] = [
    ("Ctrl-C in the refresh before it", HubSpot::MODEL, refresh, |_, run| run.signal_group("INT")),
    ("Ctrl-C in the refresh before it", Smtpd::MODEL, refresh, |_, run| run.signal_group("INT")),
    ("Ctrl-C with the revocation in flight, the vendor has not acted", Smtpd::MODEL, not_revoked, ctrl_c),
    ("Ctrl-C with the revocation in flight, the vendor has acted", Smtpd::MODEL, revoked, ctrl_c),
    (
        "kill -9 of the provider with the revocation in flight, the vendor has not acted",
        Smtpd::MODEL,
        not_revoked,
        kill,
    ),
    ("kill -9 of the provider with the revocation in flight, the vendor has acted", Smtpd::MODEL, revoked, kill),
];

type Act = fn(&Scene, &Running);

type Stall = fn() -> Fault;

#[test]
fn a_destroy_that_goes_wrong_is_ended_by_the_next() {
    if Workspace::new().is_none() {
        return;
    }
    let rows = thread::scope(|scope| {
        let runs =
            FAULTS.map(|(fault, vendor, stalls, act)| scope.spawn(move || destroyed(fault, vendor, &stalls(), act)));
        runs.map(|run| run.join().expect("the next destroy ends it"))
    });
    table::rows(SECTION, &rows);
}

fn destroyed(fault: &str, vendor: &'static Model, stalls: &Fault, act: Act) -> Vec<String> {
    let workspace = Workspace::new().expect("there was a program a moment ago");
    let accounts = vec![Account::open(vendor, "newsletter", &workspace)];
    let scene = Scene::rotating(workspace, accounts, "", "");
    let resets = scene.accounts[0].resets(&scene.workspace.sandbox);
    scene.workspace.sandbox.fault(stalls.clone());
    let run = Running::start(&scene.workspace, &DESTROY);
    assert!(scene.workspace.sandbox.wait_for_stalled(1), "the answer is held back");
    act(&scene, &run);
    let ended = run.wait();
    assert_gone(ended.group);
    assert!(!ended.output.status.success(), "{fault}");
    scene.workspace.sandbox.clear_faults();
    scene.workspace.sandbox.release();
    clear(&scene);

    let run = scene.judge(&ended);
    let said = reported(run.diagnostics.iter());
    let attributes = scene.attributes();
    let state = match attributes.get(&scene.accounts[0].address()) {
        Some(attributes) if scene.works(attributes) => "kept, works",
        Some(_) => "kept, dead",
        None => "gone",
    };
    end(&scene, &Running::start(&scene.workspace, &DESTROY).wait());
    assert_eq!(scene.accounts[0].resets(&scene.workspace.sandbox), resets, "a destroy resets nothing");
    [fault, vendor.title, said, state].map(str::to_owned).to_vec()
}

/// Insists that a destroy has ended all.
#[track_caller]
fn end(scene: &Scene, ended: &Ended) {
    scene.judge(ended).succeeded();
    assert!(scene.attributes().is_empty(), "nothing is left");
}

fn refresh() -> Fault {
    // Each vendor is asked something else, and in this moment nothing but that.
    Fault::new(Effect::Stall).before().times(2)
}

fn not_revoked() -> Fault {
    Fault::new(Effect::Stall).on(Operation::Revoke).before()
}

fn revoked() -> Fault {
    Fault::new(Effect::Stall).on(Operation::Revoke)
}

fn ctrl_c(scene: &Scene, run: &Running) {
    interrupt(scene, run);
    scene.workspace.sandbox.release();
}

fn kill(_: &Scene, run: &Running) {
    run.signal_providers("KILL");
}
