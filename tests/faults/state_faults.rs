//! States that cannot be written, and states of which there are two.

use std::{fs, os::unix::fs::symlink, path::Path};

use sandbox::{Effect, Fault, HubSpot, Operation};

use crate::{
    account::Account,
    process::{Running, assert_gone},
    process_faults::{clear, printed, wait_until},
    scene::{Accident, DEAD, Exit, OLD, Scene},
    state_server::StateServer,
    support::{Workspace, credential},
    table,
};

const SECTION: &str = "## States";

const FAULTS: [&str; 7] = [
    "the backend refuses the state; `errored.tfstate` is pushed",
    "the backend refuses the state; `errored.tfstate` is lost",
    "a saved plan is applied again",
    "a saved plan is applied again, after other changes",
    "no file can be written; what core prints is pushed",
    "another state resets the same credential",
    "kill -9 of core with a remote backend, seconds after an apply of the resource, while another is still applied",
];

#[test]
fn the_table_has_every_fault_of_a_state() {
    assert_eq!(table::faults(SECTION), FAULTS);
}

#[test]
fn a_state_that_a_backend_refuses_is_pushed_later() {
    let remedies: [fn(&Workspace); 2] = [
        |workspace| {
            workspace.run(&["state", "push", "errored.tfstate"]).succeeded();
        },
        |_| (),
    ];
    for (fault, remedy) in FAULTS.into_iter().zip(remedies) {
        let server = StateServer::start();
        let Some(scene) = scene(&server.backend(), installed) else { return };
        server.refuse();
        let ended = scene.start().wait();
        let printed = String::from_utf8_lossy(&ended.output.stdout).into_owned();
        assert!(printed.contains("Failed to save state"), "{printed}");
        server.relent();
        seen(fault, &scene, Accident { remedy, ..Accident::of(ended, Exit::Failure) });
    }
}

/// Core's last resort is not ours to forbid: where it can write no file at all, it prints the state, with the password.
#[test]
fn a_state_that_fits_on_no_disk_is_printed_by_core() {
    let Some(mut scene) = scene("", |_, _| ()) else { return };
    let trace = ["TF_LOG", "TF_LOG_PATH"].map(|name| (name, scene.workspace.environment()[name].clone()));
    scene.workspace.unset("TF_LOG");
    let arguments = ["apply", "-no-color", "-auto-approve", "-input=false"];
    let inner = scene.workspace.command(&arguments);
    let mut command = std::process::Command::new("sh");
    // No file may have more than one block; what is printed goes through a pipe.
    command.args(["-c", "{ ulimit -f 1; exec \"$@\"; } 2>&1 | cat", "sh"]);
    command.arg(inner.get_program()).args(inner.get_args());
    command.env_clear().envs(scene.workspace.environment()).current_dir(scene.workspace.path(""));
    let mut ended = Running::with(command, &scene.workspace, &arguments).wait();
    for (name, value) in trace {
        scene.workspace.set(name, &value);
    }
    let printed = String::from_utf8_lossy(&std::mem::take(&mut ended.output.stdout)).into_owned();
    let password = scene.accounts[0].password(&scene.workspace.sandbox).expect("the vendor has a password");
    assert!(printed.contains(&password), "core prints the state that it can write nowhere");
    let state = printed.find("\n{\n").zip(printed.find("\n}\n")).map(|(start, end)| &printed[start + 1..end + 2]);
    scene.workspace.file("printed.tfstate", state.expect("it prints JSON"));
    // Core has not counted up the serial of a state that it could not write.
    let remedy: fn(&Workspace) = |workspace| {
        workspace.run(&["state", "push", "-force", "printed.tfstate"]).succeeded();
    };
    // The exit status is that of the pipe.
    seen(FAULTS[4], &scene, Accident { remedy, ..Accident::of(ended, Exit::Success) });
}

#[test]
fn a_saved_plan_is_applied_once() {
    let Some(scene) = scene("", |_, _| ()) else { return };
    scene.workspace.plan_with(&["-out=plan"]).succeeded();
    let apply = || scene.start_with(&["plan"]).wait();
    let first = apply();
    let again = scene.judge(&apply()).error();
    assert_eq!(again.summary, "Saved plan is stale");
    seen(FAULTS[2], &scene, Accident::of(first, Exit::Success));
}

#[test]
fn a_saved_plan_is_not_applied_after_other_changes() {
    let Some(scene) = scene("", |_, _| ()) else { return };
    scene.workspace.plan_with(&["-out=plan"]).succeeded();
    let first = scene.start().wait();
    let written = fs::read_to_string(scene.workspace.path("main.tf")).expect("the configuration");
    scene.workspace.write(&written.replace("\n}\n", "\n  timeouts = { read = \"2m\" }\n}\n"));
    scene.workspace.apply().succeeded();
    let again = scene.judge(&scene.start_with(&["plan"]).wait()).error();
    assert_eq!(again.summary, "Saved plan is stale");
    seen(FAULTS[3], &scene, Accident::of(first, Exit::Success));
}

#[test]
fn the_last_of_two_states_has_the_password() {
    let Some(scene) = scene("", |_, _| ()) else { return };
    let other = scene.judge(&scene.start_with(&["-state=other.tfstate"]).wait()).succeeded();
    let (address, sandbox) = (scene.accounts[0].address(), &scene.workspace.sandbox);
    let state = if scene.works(&scene.attributes()[&address]) { OLD } else { DEAD };
    assert_eq!(scene.accounts[0].resets(sandbox), 2, "{other}");
    table::row(SECTION, &[FAULTS[5], "1", "nothing", state]);
    scene.judge(&scene.start().wait()).succeeded();
    assert_eq!(scene.accounts[0].resets(sandbox), 3);
    assert!(scene.works(&scene.attributes()[&address]), "the last state has it");

    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    workspace.apply().quiet();
    let first = workspace.working_password();
    workspace.apply_with(&["-state=other.tfstate"]).succeeded();
    assert_eq!(workspace.resets(), 2);
    assert!(!workspace.logs_in(&first), "the second state has it now");
    workspace.apply_with(&["-replace=smtp_credential_password.this"]).quiet();
    assert_eq!(workspace.resets(), 3);
    workspace.working_password();
}

/// Core keeps a remote state in memory and writes it every 20 seconds: what was applied since the last write dies with
/// core.
#[test]
fn a_remote_state_is_behind_when_core_is_killed() {
    let server = StateServer::start();
    let Some(workspace) = Workspace::new() else { return };
    let accounts = ["applied", "waiting"].map(|name| Account::open(HubSpot::MODEL, name, &workspace)).to_vec();
    let waiting = accounts[1].user();
    let scene = Scene::prepared(workspace, accounts, &server.backend(), "rotation_mode = \"in_place\"", installed);
    scene.workspace.sandbox.fault(Fault::new(Effect::Stall).on(Operation::Reset).of(&waiting).before());
    let run = scene.start();
    assert!(scene.workspace.sandbox.wait_for_stalled(1), "one reset is held back");
    wait_until(|| printed(&scene, "\"type\":\"apply_complete\""));
    run.signal_core("KILL");
    scene.workspace.sandbox.release();
    let ended = run.wait();
    assert_gone(ended.group);
    clear(&scene);
    let outcomes = scene.survives(Accident::of(ended, Exit::Killed));
    let [applied, _] = &*outcomes else { panic!("two credentials") };
    table::row(SECTION, &[FAULTS[6], &applied.resets.to_string(), applied.reported, applied.state]);
}

pub(crate) fn scene(head: &str, prepare: fn(&Workspace, &[Account])) -> Option<Scene> {
    let workspace = Workspace::new()?;
    let accounts = vec![Account::open(HubSpot::MODEL, "newsletter", &workspace)];
    Some(Scene::prepared(workspace, accounts, head, "rotation_mode = \"in_place\"", prepare))
}

/// A backend asks for `init`, and `init` for a provider that it can install.
pub(crate) fn installed(workspace: &Workspace, _: &[Account]) {
    let version = workspace.json(&["version", "-json"]);
    let platform = version["platform"].as_str().expect("the platform");
    for registry in ["registry.opentofu.org", "registry.terraform.io"] {
        let folder = workspace.path(&format!("mirror/{registry}/smtp-credentials/smtp/0.1.0/{platform}"));
        fs::create_dir_all(&folder).expect("a folder can be made");
        let binary = Path::new(env!("CARGO_BIN_EXE_terraform-provider-smtp"));
        symlink(binary, folder.join("terraform-provider-smtp_v0.1.0")).expect("a link can be made");
    }
    workspace.file(
        "cli.tfrc",
        &format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
            workspace.path("mirror").display()
        ),
    );
    workspace.run(&["init", "-no-color", "-input=false"]).succeeded();
}

#[track_caller]
fn seen(fault: &str, scene: &Scene, accident: Accident) {
    let [after] = &*scene.survives(accident) else { panic!("one credential") };
    table::row(SECTION, &[fault, &after.resets.to_string(), after.reported, after.state]);
}
