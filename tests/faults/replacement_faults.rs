//! Replacements, where core deletes the old object before the new one is there, or creates the new one first.

use std::thread;

use sandbox::{Effect, Fault, HubSpot, Model, Operation, Smtpd};

use crate::{
    account::Account,
    process::{Running, assert_gone},
    process_faults::{clear, interrupt, stalled, wait_until},
    scene::{Accident, Exit, Keeps, Outcome, Scene},
    support::Workspace,
    table,
};

const SECTION: &str = "## Replacements";

const ORDERS: [(&str, &str); 2] =
    [("delete first", ""), ("create first", "lifecycle { create_before_destroy = true }")];

const VENDORS: [&Model; 2] = [HubSpot::MODEL, Smtpd::MODEL];

/// Every fault, each in both orders and at both vendors.
const FAULTS: [(&str, Act); 10] = [
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
    ("Ctrl-C during the wait after a 429", |scene| {
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
    ("the response is lost", |scene| {
        scene.workspace.sandbox.fault(Fault::new(Effect::Close).on(Operation::Reset));
        Accident::of(scene.start().wait(), Exit::Failure)
    }),
    ("kill -9 of the provider with the reset in flight", |scene| {
        let ended = stalled(scene, stall(), |run| run.signal_providers("KILL"));
        clear(scene);
        Accident::of(ended, Exit::Failure)
    }),
    ("SIGTERM to the provider with the reset in flight", |scene| {
        let ended = stalled(scene, stall(), |run| {
            run.signal_providers("TERM");
            scene.workspace.sandbox.release();
        });
        // The provider ends when it has answered, and core finds none to delete the old object with where that comes
        // last.
        let exit = if ended.output.status.success() { Exit::Success } else { Exit::Failure };
        Accident::of(ended, exit)
    }),
    ("kill -9 of the provider before the reset is sent", |scene| {
        let preflight = Fault::new(Effect::Stall).on(Operation::List).before().times(2);
        let ended = stalled(scene, preflight, |run| run.signal_providers("KILL"));
        clear(scene);
        Accident::of(ended, Exit::Failure)
    }),
    ("kill -9 of core before the reset is sent", |scene| {
        let preflight = Fault::new(Effect::Stall).on(Operation::List).before().times(2);
        let ended = stalled(scene, preflight, |run: &Running| run.signal_core("KILL"));
        scene.workspace.sandbox.release();
        assert_gone(ended.group);
        clear(scene);
        Accident::of(ended, Exit::Killed)
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
            let cells = thread::scope(|scope| {
                let runs = VENDORS.map(|vendor| scope.spawn(move || replaced(vendor, arguments, act).cell()));
                runs.map(|run| run.join().expect("the fault is survived"))
            });
            // Whether the revocation is begun depends on what the provider hears of first, the signal or the answer.
            let is_open = fault.starts_with("SIGTERM");
            let cells =
                cells.map(|cell| if is_open { cell.replace("applied, with a warning", "applied") } else { cell });
            rows.push([fault.to_owned(), order.to_owned()].into_iter().chain(cells).collect());
        }
    }
    table::rows(SECTION, &rows);
}

/// What becomes of a credential, whose old password may be in the backup alone where core deletes first.
fn replaced(vendor: &'static Model, arguments: &str, act: Act) -> Outcome {
    let workspace = Workspace::new().expect("there was a program a moment ago");
    let accounts = vec![Account::open(vendor, "newsletter", &workspace)];
    let scene = Scene::rotating(workspace, accounts, "", arguments);
    let keeps = if arguments.is_empty() { Keeps::Backup } else { Keeps::State };
    scene.survives(Accident { keeps, ..act(&scene) }).pop().expect("one credential")
}

/// What can happen to a revocation.
const REVOCATIONS: [(&str, Act); 6] = [
    ("the connection is closed", |scene| fails(scene, Effect::Close)),
    ("403", |scene| fails(scene, Effect::Status { status: 403, headers: <_>::default(), body: None })),
    ("500", |scene| fails(scene, Effect::Status { status: 500, headers: <_>::default(), body: None })),
    ("Ctrl-C with the revocation in flight", |scene| {
        // The wait for it ends by itself: an answer could come before the provider hears of the interrupt.
        let ended = stalled(scene, revocation().before(), |run| interrupt(scene, run));
        Accident::of(ended, Exit::Failure)
    }),
    ("kill -9 of the provider with the revocation in flight, the vendor has not acted", |scene| {
        let ended = stalled(scene, revocation().before(), |run| run.signal_providers("KILL"));
        scene.workspace.sandbox.clear_faults();
        clear(scene);
        Accident::of(ended, Exit::Failure)
    }),
    ("kill -9 of the provider with the revocation in flight, the vendor has acted", |scene| {
        let ended = stalled(scene, revocation(), |run| run.signal_providers("KILL"));
        clear(scene);
        Accident::of(ended, Exit::Failure)
    }),
];

#[test]
fn a_revocation_that_fails_costs_no_password() {
    if Workspace::new().is_none() {
        return;
    }
    let mut rows = Vec::new();
    for (fault, act) in REVOCATIONS {
        for (order, arguments) in [("in place", "rotation_mode = \"in_place\""), ORDERS[0]] {
            rows.push(vec![fault.to_owned(), order.to_owned(), replaced(Smtpd::MODEL, arguments, act).cell()]);
        }
    }
    table::rows("## Revocations", &rows);
}

fn fails(scene: &Scene, effect: Effect) -> Accident {
    scene.workspace.sandbox.fault(Fault::new(effect).on(Operation::Revoke).before().times(4));
    Accident::of(scene.start().wait(), Exit::Success)
}

fn revocation() -> Fault {
    Fault::new(Effect::Stall).on(Operation::Revoke)
}

fn stall() -> Fault {
    Fault::new(Effect::Stall).on(Operation::Reset)
}
