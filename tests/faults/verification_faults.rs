//! Verification: what goes wrong at the mail server before a reset, after it, and when the answer to it is lost.

use std::{fs, thread, time::Duration};

use sandbox::{
    ClosedPort, Effect, Fault, HubSpot, KirimEmail, Meanwhile, Model, Operation, Showing, SmtpEffect, SmtpFault, Smtpd,
    Stage,
};
use serde_json::Value;

use crate::{
    account::Account,
    process::{Ended, Running, assert_gone},
    process_faults::{clear, interrupt, wait_until},
    scene::{Accident, Exit, NEW, OLD, Outcome, Scene},
    state_faults::installed,
    state_server::StateServer,
    support::Workspace,
    table,
};

const IN_PLACE: &str = "rotation_mode = \"in_place\"";

/// What core does to the object, in each of three ways.
const ORDERS: [&str; 3] = [IN_PLACE, "", "lifecycle { create_before_destroy = true }"];

const NEVER: Duration = Duration::MAX;

/// Longer than any test waits.
const LONG: &str = "10m";

/// Long enough for a few logins.
const BRIEF: &str = "2s";

type Act = fn(&Scene) -> Accident;

type Prepare = fn(&Scene);

/// Every fault while a new password is tried, or just after it, and for how long `verify` tries.
const TRIED: [(&str, &str, Act); 13] = [
    ("Ctrl-C, the mail server refuses it so far", LONG, |scene| {
        Accident::of(refused_so_far(scene, |run| interrupt(scene, run)), Exit::Failure)
    }),
    ("Ctrl-C, the mail server has fallen silent", LONG, |scene| {
        Accident::of(silent(scene, |run| interrupt(scene, run)), Exit::Failure)
    }),
    ("SIGTERM to the provider, the mail server refuses it so far", LONG, |scene| {
        Accident::of(refused_so_far(scene, |run| run.signal_providers("TERM")), Exit::Success)
    }),
    ("SIGTERM to the provider, the mail server has fallen silent", LONG, |scene| {
        Accident::of(silent(scene, |run| run.signal_providers("TERM")), Exit::Success)
    }),
    ("kill -9 of the provider, the mail server refuses it so far", LONG, |scene| {
        let ended = refused_so_far(scene, |run| run.signal_providers("KILL"));
        clear(scene);
        Accident::of(ended, Exit::Failure)
    }),
    ("kill -9 of the provider, the mail server has fallen silent", LONG, |scene| {
        let ended = silent(scene, |run| run.signal_providers("KILL"));
        clear(scene);
        Accident::of(ended, Exit::Failure)
    }),
    ("kill -9 of core, the mail server refuses it so far", LONG, |scene| {
        let ended = refused_so_far(scene, |run| run.signal_core("KILL"));
        assert_gone(ended.group);
        clear(scene);
        Accident::of(ended, Exit::Killed)
    }),
    ("kill -9 of core, the mail server has fallen silent", LONG, |scene| {
        let ended = silent(scene, |run| run.signal_core("KILL"));
        assert_gone(ended.group);
        clear(scene);
        Accident::of(ended, Exit::Killed)
    }),
    ("the mail server refuses it for as long as it is tried", BRIEF, |scene| {
        scene.workspace.sandbox.propagate_after(NEVER, Meanwhile::NoPassword);
        Accident::of(scene.start().wait(), Exit::Success)
    }),
    ("the mail server falls silent for as long as it is tried", BRIEF, |scene| {
        scene.workspace.sandbox.smtp_fault(SmtpFault::new(Stage::Login, SmtpEffect::Stall).always());
        Accident::of(scene.start().wait(), Exit::Success)
    }),
    ("the mail server closes each connection at the login", BRIEF, |scene| {
        scene.workspace.sandbox.smtp_fault(SmtpFault::new(Stage::Auth, SmtpEffect::Close).always());
        Accident::of(scene.start().wait(), Exit::Success)
    }),
    // Leave is taken for two seconds.
    ("the mail server accepts it, and falls silent at QUIT until the time is up", "1s", |scene| {
        scene.workspace.sandbox.smtp_fault(SmtpFault::new(Stage::Quit, SmtpEffect::Stall).always());
        Accident::of(scene.start().wait(), Exit::Success)
    }),
    ("the mail server accepts it only shortly before the time is up", "20s", |scene| {
        scene.workspace.sandbox.propagate_after(Duration::from_secs(16), Meanwhile::NoPassword);
        Accident::of(scene.start().wait(), Exit::Success)
    }),
];

/// Every fault that shows before the reset.
const BEFORE: [(&str, Act); 8] = [
    ("the mail server falls silent", |scene| met(scene, SmtpFault::new(Stage::Banner, SmtpEffect::Stall).always())),
    ("Ctrl-C while the mail server is silent", |scene| {
        scene.workspace.sandbox.smtp_fault(SmtpFault::new(Stage::Banner, SmtpEffect::Stall).always());
        let run = scene.start();
        assert!(scene.workspace.sandbox.wait_for_stalled(1), "the mail server is asked");
        run.signal_group("INT");
        Accident::of(run.wait(), Exit::Failure)
    }),
    ("the connection to the mail server is refused", |scene| {
        let written = fs::read_to_string(scene.workspace.path("main.tf")).expect("the configuration");
        let closed = ClosedPort::bind();
        let [here, nowhere] = [scene.workspace.sandbox.smtp_port(), closed.port()].map(|port| format!("port = {port}"));
        scene.workspace.write(&written.replace(&here, &nowhere));
        let ended = scene.start().wait();
        scene.workspace.write(&written);
        Accident::of(ended, Exit::Failure)
    }),
    ("the mail server closes the connection", |scene| {
        met(scene, SmtpFault::new(Stage::Banner, SmtpEffect::Close).always())
    }),
    ("a certificate that has expired", |scene| met(scene, SmtpFault::certificate(Showing::Expired).always())),
    ("a certificate for another host", |scene| met(scene, SmtpFault::certificate(Showing::OtherHost).always())),
    ("a certificate of an unknown authority", |scene| {
        met(scene, SmtpFault::certificate(Showing::UnknownAuthority).always())
    }),
    ("no STARTTLS", |scene| met(scene, SmtpFault::extensions(Stage::Ehlo, &["AUTH PLAIN LOGIN"]).always())),
];

/// What the mail server says after an answer that was lost, or one that leaves it open.
const LOST: [(&str, Act); 7] = [
    ("the connection is closed, the vendor has acted", |scene| lost(scene, Fault::new(Effect::Close))),
    ("the connection is closed, the vendor has not acted", |scene| lost(scene, Fault::new(Effect::Close).before())),
    ("500, the vendor has acted", |scene| lost(scene, Fault::status(500))),
    ("500, the vendor has not acted", |scene| lost(scene, Fault::status(500).before())),
    ("500, the vendor has acted, and its mail server has not picked it up yet", |scene| {
        scene.workspace.sandbox.propagate_after(NEVER, Meanwhile::OldPassword);
        lost(scene, Fault::status(500))
    }),
    ("the connection is closed, the vendor has acted, and then no login is possible", |scene| {
        scene.workspace.sandbox.smtp_fault(SmtpFault::new(Stage::Auth, SmtpEffect::Close).always());
        lost(scene, Fault::new(Effect::Close))
    }),
    ("500, the vendor has not acted, and then the mail server is silent", |scene| {
        scene.workspace.sandbox.smtp_fault(SmtpFault::new(Stage::Auth, SmtpEffect::Stall).always());
        lost(scene, Fault::status(500).before())
    }),
];

#[test]
fn a_password_that_could_not_be_tried_out_is_stored_all_the_same() {
    if Workspace::new().is_none() {
        return;
    }
    let mut rows = together(&TRIED, |&(fault, timeout, act)| {
        let scene = scene(HubSpot::MODEL, "", IN_PLACE, timeout, |_, _| ());
        let accident = act(&scene);
        seen(&scene, fault, accident)
    });
    rows.extend(unstored());
    table::rows("### While it is tried", &rows);
}

#[test]
fn a_mail_server_that_is_of_no_use_costs_no_reset_and_no_password() {
    if Workspace::new().is_none() {
        return;
    }
    let rows = together(&BEFORE, |&(fault, act)| {
        let cells = ORDERS.map(|order| {
            // A greeting is waited for a minute, unless the operation ends before.
            let order = format!("{order}\n  timeouts = {{ create = \"8s\", update = \"8s\", delete = \"8s\" }}");
            let scene = scene(HubSpot::MODEL, "", &order, BRIEF, |_, _| ());
            let accident = act(&scene);
            calm(&scene);
            let [after] = &*scene.survives(accident) else { panic!("one credential") };
            // The deletion is what fails, so that core keeps the object.
            assert_eq!((after.resets, after.state), (0, OLD), "{fault}: {order}");
            after.cell()
        });
        [fault.to_owned()].into_iter().chain(cells).collect()
    });
    table::rows("### Before the reset", &rows);
}

#[test]
fn the_old_password_shows_what_happened_to_a_reset() {
    if Workspace::new().is_none() {
        return;
    }
    let rows = together(&LOST, |&(fault, act)| {
        let cells = [HubSpot::MODEL, KirimEmail::MODEL].map(|vendor| {
            let scene = scene(vendor, "", IN_PLACE, BRIEF, |_, _| ());
            let accident = act(&scene);
            calm(&scene);
            let [after] = &*scene.survives(accident) else { panic!("one credential") };
            after.cell()
        });
        [fault.to_owned()].into_iter().chain(cells).collect()
    });
    table::rows("### When the response is lost", &rows);
}

#[test]
fn an_old_key_outlives_a_new_one_that_did_not_log_in() {
    if Workspace::new().is_none() {
        return;
    }
    let faults: [(&str, Prepare); 2] = [
        ("the mail server refuses the new key", |scene| {
            scene.workspace.sandbox.propagate_after(NEVER, Meanwhile::NoPassword);
        }),
        ("the mail server falls silent", |scene| {
            scene.workspace.sandbox.smtp_fault(SmtpFault::new(Stage::Login, SmtpEffect::Stall).always());
        }),
    ];
    let rows = together(&faults, |&(fault, prepare)| {
        let cells = ORDERS.map(|order| {
            let scene = scene(Smtpd::MODEL, "", order, BRIEF, |_, _| ());
            let old = attributes(&scene);
            prepare(&scene);
            let ended = scene.start().wait();
            calm(&scene);
            let printed = String::from_utf8_lossy(&ended.output.stdout).into_owned();
            let id = old["remote_version"].as_str().expect("the id of the old key");
            assert!(printed.contains(&format!("revoke `{id}` by hand")), "{fault}: {order}: {printed}");
            assert!(scene.works(&old), "{fault}: {order}: the old key works");
            let [after] = &*scene.survives(Accident::of(ended, Exit::Success)) else { panic!("one credential") };
            after.cell()
        });
        [fault.to_owned()].into_iter().chain(cells).collect()
    });
    table::rows("### At SMTPD", &rows);
}

/// A state that cannot be written after a password that did not log in: the two problems do not add up.
fn unstored() -> Vec<Vec<String>> {
    let server = StateServer::start();
    let scene = scene(HubSpot::MODEL, &server.backend(), IN_PLACE, BRIEF, installed);
    scene.workspace.sandbox.propagate_after(NEVER, Meanwhile::NoPassword);
    server.refuse();
    let ended = scene.start().wait();
    server.relent();
    scene.workspace.run(&["state", "push", "errored.tfstate"]).succeeded();
    let fault = "the mail server refuses it, and the backend refuses the state; `errored.tfstate` is pushed";
    vec![seen(&scene, fault, Accident::of(ended, Exit::Failure))]
}

/// A rotation that the sandbox's mail server verifies.
fn scene(vendor: &'static Model, head: &str, order: &str, timeout: &str, prepare: fn(&Workspace, &[Account])) -> Scene {
    let mut workspace = Workspace::new().expect("there was a program a moment ago");
    workspace.trust_mail_server();
    let accounts = vec![Account::open(vendor, "newsletter", &workspace)];
    let port = workspace.sandbox.smtp_port();
    let verify = format!("verify = {{ host = \"127.0.0.1\", port = {port}, timeout = \"{timeout}\" }}");
    let scene = Scene::prepared(workspace, accounts, head, &format!("{verify}\n  {order}"), prepare);
    assert_eq!(attributes(&scene)["verified"], true, "the first password logs in");
    scene
}

/// Takes a row of what a run has left: what the state says of the login is read before the next apply heals it.
#[track_caller]
fn seen(scene: &Scene, fault: &str, accident: Accident) -> Vec<String> {
    calm(scene);
    let verified = attributes(scene)["verified"].to_string();
    let [Outcome { resets, reported, state }] = &*scene.survives(accident) else { panic!("one credential") };
    // What is known of the old password stays with it.
    let verified = if *state == NEW { format!("`{verified}`") } else { "–".to_owned() };
    vec![fault.to_owned(), resets.to_string(), (*reported).to_owned(), (*state).to_owned(), verified]
}

/// Applies until the mail server has refused the new password, and then goes on.
fn refused_so_far(scene: &Scene, then: impl FnOnce(&Running)) -> Ended {
    let sandbox = &scene.workspace.sandbox;
    sandbox.propagate_after(NEVER, Meanwhile::NoPassword);
    let run = scene.start();
    wait_until(|| sandbox.logins().iter().any(|login| !login.accepted));
    then(&run);
    run.wait()
}

/// Applies until the mail server owes a reply to the new password, and then goes on.
fn silent(scene: &Scene, then: impl FnOnce(&Running)) -> Ended {
    let sandbox = &scene.workspace.sandbox;
    sandbox.smtp_fault(SmtpFault::new(Stage::Login, SmtpEffect::Stall).always());
    let run = scene.start();
    assert!(sandbox.wait_for_stalled(1), "the new password is tried");
    then(&run);
    run.wait()
}

fn met(scene: &Scene, fault: SmtpFault) -> Accident {
    scene.workspace.sandbox.smtp_fault(fault);
    Accident::of(scene.start().wait(), Exit::Failure)
}

fn lost(scene: &Scene, fault: Fault) -> Accident {
    scene.workspace.sandbox.fault(fault.on(Operation::Reset));
    Accident::of(scene.start().wait(), Exit::Failure)
}

/// Lets the mail server do what mail servers do.
fn calm(scene: &Scene) {
    let sandbox = &scene.workspace.sandbox;
    sandbox.clear_smtp_faults();
    sandbox.propagate_at_once();
    sandbox.release();
}

fn attributes(scene: &Scene) -> Value {
    scene.attributes().remove(&scene.accounts[0].address()).unwrap_or_default()
}

/// Goes through faults at the same time: most of it is spent in waits.
fn together<T: Sync>(faults: &[T], row: impl Fn(&T) -> Vec<String> + Sync) -> Vec<Vec<String>> {
    let row = &row;
    thread::scope(|scope| {
        let runs: Vec<_> = faults.iter().map(|fault| scope.spawn(move || row(fault))).collect();
        runs.into_iter().map(|run| run.join().expect("the fault is survived")).collect()
    })
}
