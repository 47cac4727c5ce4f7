//! Replacements, where core lets go of the old object before the new one is there, or makes the new one beside it.

use crate::{
    account::{Account, Vendor},
    process::{Running, assert_gone},
    process_faults::{clear, interrupt, stalled, wait_until},
    sandbox::{Effect, Fault, Operation},
    scene::{Accident, Exit, Keeps, Scene},
    support::Workspace,
    table,
};

const SECTION: &str = "## Replacements";

const ORDERS: [(&str, &str); 2] =
    [("delete first", ""), ("create first", "lifecycle { create_before_destroy = true }")];

const VENDORS: [(&str, Vendor); 2] = [("HubSpot", Vendor::HubSpot), ("SMTPD", Vendor::Smtpd)];

/// Every fault, each in both orders and at both vendors.
const FAULTS: [(&str, Act); 7] = [
    ("Ctrl-C before the reset is sent", |scene| {
        let preflight = Fault::new(Effect::Stall).on(Operation::List).before().times(2);
        Accident::of(stalled(scene, preflight, |run| run.signal_group("INT")), Exit::Failure)
    }),
    ("Ctrl-C with the reset in flight", |scene| {
        let ended = stalled(scene, stall(), |run| {
            interrupt(scene, run);
            scene.workspace.sandbox.release();
        });
        Accident::of(ended, Exit::Failure)
    }),
    ("Ctrl-C while a 429 is waited out", |scene| {
        let sandbox = &scene.workspace.sandbox;
        sandbox.fault(Fault::status_with_header(429, "Retry-After", "200").on(Operation::Reset).before());
        let run = scene.start_with(&["-refresh=false"]);
        wait_until(|| sandbox.pending_faults() == 0);
        run.signal_group("INT");
        Accident::of(run.wait(), Exit::Failure)
    }),
    ("the reset is refused", |scene| {
        scene.workspace.sandbox.fault(Fault::status(403).on(Operation::Reset).before());
        Accident::of(scene.start().wait(), Exit::Failure)
    }),
    ("the answer is lost", |scene| {
        scene.workspace.sandbox.fault(Fault::new(Effect::Close).on(Operation::Reset));
        Accident::of(scene.start().wait(), Exit::Failure)
    }),
    ("kill -9 of the provider with the reset in flight", |scene| {
        let ended = stalled(scene, stall(), |run| run.signal_providers("KILL"));
        clear(scene);
        Accident::of(ended, Exit::Failure)
    }),
    ("kill -9 of core with the reset in flight", |scene| {
        let ended = stalled(scene, stall(), |run: &Running| run.signal_core("KILL"));
        scene.workspace.sandbox.release();
        assert_gone(ended.group);
        clear(scene);
        Accident::of(ended, Exit::Killed)
    }),
];

type Act = fn(&Scene) -> Accident;

#[test]
fn a_replacement_loses_no_password_that_can_be_kept() {
    if Workspace::new().is_none() {
        return;
    }
    let mut rows = Vec::new();
    for (fault, act) in FAULTS {
        for (order, arguments) in ORDERS {
            let cells = VENDORS.map(|(_, vendor)| {
                let workspace = Workspace::new().expect("there was a program a moment ago");
                let accounts = vec![Account::open(vendor, "newsletter", &workspace)];
                let scene = Scene::rotating(workspace, accounts, "", arguments);
                let keeps = if arguments.is_empty() { Keeps::Backup } else { Keeps::State };
                let [after] = &*scene.survives(Accident { keeps, ..act(&scene) }) else { panic!("one credential") };
                after.cell()
            });
            rows.push([fault.to_owned(), order.to_owned()].into_iter().chain(cells).collect());
        }
    }
    table::rows(SECTION, &rows);
}

#[test]
fn a_revocation_that_fails_costs_no_password() {
    let effects = [
        ("the connection is closed", Effect::Close),
        ("403", Effect::Status { status: 403, headers: <_>::default(), body: None }),
        ("500", Effect::Status { status: 500, headers: <_>::default(), body: None }),
    ];
    let mut rows = Vec::new();
    for (fault, effect) in effects {
        for (order, arguments) in [("in place", "rotation_mode = \"in_place\""), ORDERS[0]] {
            let Some(workspace) = Workspace::new() else { return };
            let accounts = vec![Account::open(Vendor::Smtpd, "newsletter", &workspace)];
            let scene = Scene::rotating(workspace, accounts, "", arguments);
            scene.workspace.sandbox.fault(Fault::new(effect.clone()).on(Operation::Revoke).before().times(4));
            let [after] = &*scene.survives(Accident::of(scene.start().wait(), Exit::Success)) else { panic!("one") };
            rows.push(vec![fault.to_owned(), order.to_owned(), after.cell()]);
        }
    }
    table::rows("## Revocations", &rows);
}

fn stall() -> Fault {
    Fault::new(Effect::Stall).on(Operation::Reset)
}
