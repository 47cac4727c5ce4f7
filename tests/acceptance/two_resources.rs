//! Two resources of one configuration that name the same credential.

use std::time::Duration;

use sandbox::{Effect, Fault, Operation};

use crate::support::{Diagnostic, SMTPD, USER, Workspace, block, resource};

const ADDRESSES: [&str; 2] = ["smtp_credential_password.one", "smtp_credential_password.two"];
const AT_ONCE: &[&str] = &["-parallelism=10"];

#[test]
fn a_credential_in_two_resources_is_reset_one_after_the_other_with_a_warning() {
    let Some(workspace) = Workspace::new() else { return };
    for (count, (trigger, order)) in
        [("one", ""), ("two", ""), ("three", "rotation_mode = \"in_place\"")].into_iter().enumerate()
    {
        workspace.sandbox.forget_requests();
        let slow = Fault::new(Effect::Delay(Duration::from_secs(1))).on(Operation::Reset).before();
        workspace.sandbox.fault(slow.times(2));
        let arguments = format!("rotation_trigger = \"{trigger}\"\n  {order}");
        workspace.write(&["one", "two"].map(|name| resource(name, USER, &arguments)).concat());
        let warning = workspace.apply_with(AT_ONCE).warning().is("Two resources reset the same credential");
        let warning =
            warning.says(&["no longer works", "The password was changed.", "Manage each credential with one resource"]);

        assert_eq!(workspace.resets(), 2 * (count + 1));
        let requests = workspace.sandbox.requests();
        let resets: Vec<_> = requests.iter().filter(|request| request.method == "POST").collect();
        assert_eq!(
            resets.iter().map(|reset| reset.in_flight).collect::<Vec<_>>(),
            [0, 0],
            "nothing else was under way"
        );
        let last = warning.address.expect("a warning is about a resource");
        workspace.working_password_of(&last);
        let first = ADDRESSES.into_iter().find(|address| *address != last).expect("the other one");
        let dead = workspace.state_of(first)["password"].as_str().map(str::to_owned).expect("a password");
        assert!(!workspace.logs_in(&dead), "the last reset wins");
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_replacement_that_creates_first_is_one_reset_and_no_matter_for_a_warning() {
    let Some(workspace) = Workspace::new() else { return };
    for trigger in ["one", "two"] {
        let order = "lifecycle { create_before_destroy = true }";
        workspace.write(&resource("one", USER, &format!("rotation_trigger = \"{trigger}\"\n  {order}")));
        workspace.apply().quiet();
    }
    assert_eq!(workspace.resets(), 2);
}

#[test]
fn a_key_whose_secret_was_lost_is_not_taken_for_the_next_resources() {
    let Some(workspace) = Workspace::new() else { return };
    // The first makes a key, and loses its secret; the second makes none.
    let nothing = Fault::new(Effect::Delay(Duration::ZERO)).before();
    for fault in [nothing, Fault::new(Effect::Close), Fault::status(500).before()] {
        workspace.sandbox.fault(fault.on(Operation::Reset));
    }
    workspace.write(&["one", "two"].map(|name| block(name, SMTPD, "")).concat());
    let run = workspace.apply_with(AT_ONCE).failed();
    for (sentence, seen) in [
        ("The password may have been changed.", "which it did not list before the reset."),
        ("The password may have been changed.", "SMTPD shows no new credential of this name so far"),
    ] {
        let reported = |said: &&Diagnostic| said.detail.contains(sentence) && said.detail.contains(seen);
        assert_eq!(run.diagnostics.iter().filter(reported).count(), 1, "{sentence} {seen}: {run}");
    }
}

#[test]
fn two_resources_of_one_name_have_each_a_key_that_works() {
    let Some(workspace) = Workspace::new() else { return };
    for trigger in ["one", "two"] {
        let arguments = format!("rotation_trigger = \"{trigger}\"");
        workspace.write(&["one", "two"].map(|name| block(name, SMTPD, &arguments)).concat());
        workspace.apply_with(AT_ONCE).quiet();
        let passwords = ADDRESSES.map(|address| workspace.working_password_of(address));
        assert_ne!(passwords[0], passwords[1]);
        workspace.plan().nothing_to_do();
    }
    workspace.destroy_with(AT_ONCE).quiet();
    assert!(workspace.sandbox.smtpd().key_named("newsletter").is_none(), "no key is left");
}
