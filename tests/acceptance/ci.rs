//! The guide for CI: what its jobs run does what the guide says.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use sandbox::{Effect, Fault, Meanwhile, Operation};
use serde_json::{Value, json};

use crate::support::{KIRIM_USER, Run, Workspace};

const ADDRESS: &str = "smtp_credential_password.newsletter";
const NOT_CHANGED: &str = "The password was not changed.";

const APPLY_PLAN: &str = "terraform apply -input=false -lock-timeout=5m rotation.tfplan";
const DRIFT: &str = "terraform plan -input=false -lock-timeout=5m -detailed-exitcode";
const FEW: &str = "terraform apply -input=false -lock-timeout=5m -auto-approve -parallelism=2";
const OUTPUT: &str = "terraform output -json newsletter_password";
const PLAN: &str = "terraform plan -input=false -lock-timeout=5m -out=rotation.tfplan";
const REFRESH: &str = "terraform plan -input=false -lock-timeout=5m -refresh-only -json";
const STORE: &str = "terraform apply -input=false -lock-timeout=5m -auto-approve -refresh-only";
const VALIDATE: &str = "terraform validate";

/// The trigger of the guide's resource.
const QUARTER: &str = "${local.year}-Q${local.quarter}";

#[test]
fn every_command_of_the_guide_is_tried() {
    let commands = blocks("shell");
    let commands: BTreeSet<_> = commands.iter().flat_map(|block| block.lines()).collect();
    assert_eq!(commands, [APPLY_PLAN, DRIFT, FEW, OUTPUT, PLAN, REFRESH, STORE, VALIDATE].into());
}

#[test]
fn a_configuration_is_judged_without_a_login() {
    let Some(mut workspace) = set_up() else { return };
    workspace.unset("KIRIM_EMAIL_API_KEY");
    workspace.write(&configuration(&workspace));
    follow(&workspace, VALIDATE).succeeded();
    assert_eq!(workspace.requests(), [""; 0]);
    workspace.write(&configuration(&workspace).replace("smtp_port  ", "smtp_ports "));
    follow(&workspace, VALIDATE).failed();
}

#[test]
fn a_quarter_rotates_once() {
    let Some(workspace) = applied("2020-Q1") else { return };
    let old = workspace.working_password_of(ADDRESS);
    workspace.write(&configuration(&workspace));
    assert_eq!(follow(&workspace, DRIFT).status, Some(2));
    follow(&workspace, PLAN).succeeded();
    follow(&workspace, APPLY_PLAN).succeeded();
    assert_ne!(workspace.working_password_of(ADDRESS), old);
    let trigger = workspace.state_of(ADDRESS)["rotation_trigger"].clone();
    let (year, quarter) = trigger.as_str().and_then(|text| text.split_once("-Q")).expect("a year and a quarter");
    assert!(year.parse::<u16>().is_ok_and(|year| year > 2025), "{trigger}");
    assert!(quarter.parse::<u8>().is_ok_and(|quarter| (1..=4).contains(&quarter)), "{trigger}");

    assert_eq!(follow(&workspace, DRIFT).status, Some(0));
    follow(&workspace, FEW).succeeded();
    assert_eq!(resets(&workspace), 2);
    assert_eq!(outputs(&workspace), json!({ "stale": false, "verified": true }));
}

#[test]
fn a_plan_that_waited_is_checked_again_and_applied_once() {
    let Some(workspace) = applied("one") else { return };
    let old = workspace.working_password_of(ADDRESS);
    workspace.write(&triggered(&workspace, "two"));
    let printed = follow(&workspace, PLAN).succeeded();
    assert!(!printed.stdout.contains(&old), "what is printed shows no password");
    let plan = workspace.json(&["show", "-json", "rotation.tfplan"]).to_string();
    assert!(plan.contains(&old), "and what is saved does");

    workspace.sandbox.fault(Fault::status(401).times(99));
    follow(&workspace, APPLY_PLAN).error().says(&[NOT_CHANGED]);
    assert_eq!(follow(&workspace, DRIFT).status, Some(1), "a refused login is an error, and no drift");
    workspace.sandbox.clear_faults();
    assert_eq!((workspace.working_password_of(ADDRESS), resets(&workspace)), (old.clone(), 1));

    follow(&workspace, PLAN).succeeded();
    follow(&workspace, APPLY_PLAN).succeeded();
    assert_ne!(workspace.working_password_of(ADDRESS), old);
    follow(&workspace, APPLY_PLAN).error().is("Saved plan is stale");
    assert_eq!(resets(&workspace), 2);
}

#[test]
fn an_external_reset_is_found_in_every_way_of_the_guide() {
    let Some(workspace) = applied("one") else { return };
    let [drifts, fails] = [r#""type":"resource_drift""#, "Check block assertion failed"];
    let night = follow(&workspace, REFRESH).quiet();
    assert!(!night.stdout.contains(drifts) && !night.stdout.contains(fails), "{night}");
    assert_eq!(follow(&workspace, DRIFT).status, Some(0));

    let password = workspace.sandbox.kirim_email().reset_elsewhere(KIRIM_USER).expect("the credential is there");
    workspace.keep_secret(&password);
    let night = follow(&workspace, REFRESH).succeeded();
    assert!(night.stdout.contains(drifts) && night.stdout.contains(fails), "{night}");
    assert_eq!(follow(&workspace, DRIFT).status, Some(2), "an output changes");

    follow(&workspace, STORE).succeeded();
    assert_eq!(outputs(&workspace), json!({ "stale": true, "verified": true }));
    let night = follow(&workspace, REFRESH).succeeded();
    assert!(!night.stdout.contains(drifts) && night.stdout.contains(fails), "{night}");
    assert_eq!(follow(&workspace, DRIFT).status, Some(0), "what is stored is no change");
    let sent = workspace.requests().iter().filter(|line| line.starts_with("PUT ")).count();
    assert_eq!(sent, 1, "nothing was reset but at the beginning");

    workspace.write(&triggered(&workspace, "one").replace("verify  ", "on_external_change = \"rotate\"\n  verify  "));
    assert_eq!(follow(&workspace, DRIFT).status, Some(2), "a rotation is planned");
    follow(&workspace, FEW).succeeded();
    workspace.working_password_of(ADDRESS);
    assert_eq!(outputs(&workspace), json!({ "stale": false, "verified": true }));
}

#[test]
fn a_password_that_does_not_log_in_fails_the_check_and_not_the_apply() {
    let Some(workspace) = set_up() else { return };
    workspace.sandbox.propagate_after(Duration::MAX, Meanwhile::NoPassword);
    let briefly = triggered(&workspace, "one").replace("= {}", "= { timeout = \"2s\" }");
    workspace.write(&briefly);
    for _ in 0..2 {
        let run = follow(&workspace, FEW).succeeded();
        assert!(run.diagnostics.iter().any(|diagnostic| diagnostic.summary == "Check block assertion failed"), "{run}");
        assert_eq!(outputs(&workspace), json!({ "stale": false, "verified": false }));
        assert_eq!(follow(&workspace, DRIFT).status, Some(0), "it is not reset again by itself");
    }
    assert_eq!(resets(&workspace), 1);
}

#[cfg(unix)]
#[test]
fn a_terminated_job_stores_what_it_has_reset() {
    for signal in ["TERM", "INT"] {
        let Some(workspace) = applied("one") else { return };
        let old = workspace.working_password_of(ADDRESS);
        workspace.write(&triggered(&workspace, "two"));
        workspace.sandbox.fault(Fault::new(Effect::Stall).on(Operation::Reset));
        let job = Job::start(&workspace, FEW, "job.log");
        assert!(workspace.sandbox.wait_for_stalled(1));
        job.signal(signal);
        job.wait_for("Stopping operation");
        workspace.sandbox.release();
        assert_eq!(job.ended(), Some(1), "{signal}: it was not all done");
        assert_ne!(workspace.working_password_of(ADDRESS), old, "{signal}");
        follow(&workspace, FEW).succeeded();
        assert_eq!(resets(&workspace), 2, "{signal}");
    }
}

#[cfg(unix)]
#[test]
fn a_second_signal_of_another_kind_ends_core_at_once() {
    let Some(workspace) = applied("one") else { return };
    workspace.write(&triggered(&workspace, "two"));
    workspace.sandbox.fault(Fault::new(Effect::Stall).on(Operation::Reset));
    let job = Job::start(&workspace, FEW, "job.log");
    assert!(workspace.sandbox.wait_for_stalled(1));
    job.signal("INT");
    job.wait_for("Stopping operation");
    job.signal("TERM");
    // It ends before there is an answer.
    assert_eq!(job.ended(), Some(1));
    workspace.sandbox.release();
}

#[cfg(unix)]
#[test]
fn a_run_waits_for_the_one_before_it() {
    let Some(workspace) = applied("one") else { return };
    workspace.write(&triggered(&workspace, "two"));
    workspace.sandbox.fault(Fault::new(Effect::Stall).on(Operation::Reset));
    let first = Job::start(&workspace, FEW, "first.log");
    assert!(workspace.sandbox.wait_for_stalled(1));
    let hasty = Job::start(&workspace, &DRIFT.replace("-lock-timeout=5m ", ""), "hasty.log");
    hasty.wait_for("Error acquiring the state lock");
    assert_eq!(hasty.ended(), Some(1));
    let second = Job::start(&workspace, PLAN, "second.log");
    second.wait_for("Acquiring state lock");
    workspace.sandbox.release();
    assert_eq!((first.ended(), second.ended()), (Some(0), Some(0)));
    assert_eq!(resets(&workspace), 2);
    workspace.working_password_of(ADDRESS);
}

/// A workspace that trusts its mail server.
fn set_up() -> Option<Workspace> {
    let mut workspace = Workspace::new()?;
    workspace.trust_mail_server();
    Some(workspace)
}

/// A workspace in which the guide's configuration was applied with a trigger of one's own.
fn applied(trigger: &str) -> Option<Workspace> {
    let workspace = set_up()?;
    workspace.write(&triggered(&workspace, trigger));
    follow(&workspace, FEW).quiet();
    Some(workspace)
}

fn triggered(workspace: &Workspace, trigger: &str) -> String {
    configuration(workspace).replace(QUARTER, trigger)
}

/// All that the guide configures, at the sandbox's mail server.
fn configuration(workspace: &Workspace) -> String {
    let text = blocks("terraform").concat();
    for part in [QUARTER, "\"smtp.example.com\"", "= 587"] {
        assert!(text.contains(part), "the guide has {part}");
    }
    let port = format!("= {}", workspace.sandbox.smtp_port());
    text.replace("\"smtp.example.com\"", "\"127.0.0.1\"").replace("= 587", &port)
}

/// What the guide shows in a language.
fn blocks(language: &str) -> Vec<String> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides/ci.md");
    let guide = fs::read_to_string(guide).expect("the guide");
    let fence = format!("```{language}\n");
    guide.split(&fence).skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
}

/// Does what the guide says, as a program that reads the output of plans and applies would.
#[track_caller]
fn follow(workspace: &Workspace, command: &str) -> Run {
    let words: Vec<_> = command.split(' ').skip(1).collect();
    let is_json = !matches!(words[0], "apply" | "plan") || words.contains(&"-json");
    let (action, options) = words.split_at(1);
    workspace.run(&[action, if is_json { &[] } else { &["-json"] }, options].concat())
}

/// The guide's output.
#[track_caller]
fn outputs(workspace: &Workspace) -> Value {
    serde_json::from_str(&follow(workspace, OUTPUT).succeeded().stdout).expect("JSON")
}

fn resets(workspace: &Workspace) -> usize {
    workspace.sandbox.kirim_email().resets(KIRIM_USER)
}

/// A command that goes on while the test does.
#[cfg(unix)]
struct Job {
    process: Child,
    log: PathBuf,
}

#[cfg(unix)]
impl Job {
    fn start(workspace: &Workspace, command: &str, log: &str) -> Self {
        use std::os::unix::process::CommandExt;

        let log = workspace.path(log);
        let words: Vec<_> = command.split(' ').skip(1).collect();
        let mut command = workspace.command(&words);
        let printed = fs::File::create(&log).expect("a file can be made");
        command.process_group(0).stderr(printed.try_clone().expect("a second handle")).stdout(printed);
        Self { process: command.spawn().expect("the program starts"), log }
    }

    /// Sends a signal to core and to its provider, as a runner does.
    fn signal(&self, signal: &str) {
        let group = format!("-{}", self.process.id());
        let sent = Command::new("kill").args([&format!("-{signal}"), "--", &group]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits until it has said so.
    fn wait_for(&self, words: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        while !fs::read_to_string(&self.log).is_ok_and(|text| text.contains(words)) {
            assert!(Instant::now() < end, "it should have said “{words}”");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn ended(mut self) -> Option<i32> {
        self.process.wait().expect("it is a child of this process").code()
    }
}
