//! Signals and kills in the middle of a rotation: the password in the state works after each.

use std::fs;

use sandbox::{Effect, Fault, Operation};

use super::scene::{A, B, HUBSPOT, PAIR, hubspot, rotated_twice, trigger, turn, works_as};
use crate::process::{Running, assert_gone};

/// Sends a signal to some of the processes of a run.
type Signal = fn(&Running);

const SIGNALS: [(&str, Signal); 4] = [
    ("kill -9 of the provider", |run| run.signal_providers("KILL")),
    ("kill -9 of core", |run| run.signal_core("KILL")),
    ("kill -9 of both", |run| run.signal_group("KILL")),
    ("SIGTERM to the provider", |run| run.signal_providers_left("TERM")),
];

#[test]
fn whatever_is_killed_the_password_in_the_state_works() {
    let moments = [
        Fault::new(Effect::Stall).on(Operation::List).before(),
        Fault::new(Effect::Stall).on(Operation::Reset).before(),
        Fault::new(Effect::Stall).on(Operation::Reset),
        Fault::new(Effect::HeadThenStall).on(Operation::Reset),
    ];
    for moment in moments {
        let Some(workspace) = rotated_twice("") else { return };
        for (number, (name, signal)) in SIGNALS.into_iter().enumerate() {
            let (state, password) = (workspace.state_of(PAIR), workspace.working_password_of(PAIR));
            let user = state["username"].as_str().expect("a user name").to_owned();
            workspace.write(&hubspot([A, B], &trigger(&format!("killed {number}"))));
            workspace.sandbox.fault(moment.clone());
            let run =
                Running::start(&workspace, &["apply", "-json", "-auto-approve", "-input=false", "-refresh=false"]);
            assert!(workspace.sandbox.wait_for_stalled(1), "{name}");
            signal(&run);
            workspace.sandbox.release();
            let ended = run.wait();
            assert_gone(ended.group);
            // What is killed leaves its socket.
            let folder = workspace.path("tmp");
            fs::remove_dir_all(&folder).and_then(|()| fs::create_dir(&folder)).expect("an empty folder");
            let arguments: Vec<_> = ended.arguments.iter().map(String::as_str).collect();
            workspace.judge(&arguments, &ended.output);
            workspace.sandbox.clear_faults();
            workspace.working_password_of(PAIR);
            if workspace.state_of(PAIR) == state {
                assert!(workspace.logs_in_as(&user, &password), "{name}");
                workspace.apply().quiet();
            }
            // Whether at once or with the next apply: the other one has taken over, and this one still works.
            let other = if user == A { B } else { A };
            works_as(&workspace, other);
            assert!(workspace.logs_in_as(&user, &password), "{name}: the current credential is never touched");
            assert_eq!(turn(&workspace), (HUBSPOT.id(other).into(), HUBSPOT.id(&user).into()));
            workspace.plan().nothing_to_do();
        }
    }
}
