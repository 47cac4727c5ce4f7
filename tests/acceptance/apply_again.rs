//! "Apply again" is always true: every cause of a reset, every order and every lost response, and then a plain `apply`.
//!
//! One configuration has a resource for each cell of the table, and each resource a credential of its own, so that a
//! run of core fails all cells at once and the next one heals them.

use std::{collections::BTreeMap, fmt::Write, fs, thread};

use sandbox::{Effect, Fault, Model, Operation, VENDORS};
use serde_json::Value;

use crate::support::{Diagnostic, Workspace};

const CREATE_FIRST: &str = "create_before_destroy = true";

/// What asks for a reset.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Cause {
    Create,
    InPlace,
    Policy,
    /// `-replace`.
    Replace,
    /// `replace_triggered_by`.
    ReplacedBy,
    StaleAndRotate,
    StaleAndRotateInPlace,
    Taint,
    Target,
    Trigger,
    Version,
}

impl Cause {
    /// Whether the order of a replacement makes a difference.
    fn requires_replace(self) -> bool {
        use Cause::{Create, InPlace, Policy, StaleAndRotateInPlace, Version};
        !matches!(self, Create | InPlace | Policy | StaleAndRotateInPlace | Version)
    }
}

/// How the response to a reset is lost, which the vendor has carried out.
const LOST: [&str; 4] = ["closed", "500", "cut", "timeout"];

fn lost(how: &str) -> Fault {
    match how {
        "closed" => Fault::new(Effect::Close),
        "500" => Fault::status(500),
        "cut" => Fault::new(Effect::Truncate(5)),
        _ => Fault::new(Effect::Stall),
    }
}

/// One resource, with the cause of its second reset, or of its first.
#[derive(Clone, Copy, Debug)]
struct Cell {
    vendor: &'static Model,
    cause: Cause,
    creates_first: bool,
    lost: &'static str,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Phase {
    Before,
    After,
}

impl Cell {
    fn name(&self) -> String {
        let order = if self.creates_first { "first" } else { "last" };
        format!("{:?}-{}-{order}", self.cause, self.lost).to_lowercase()
    }

    fn address(&self) -> String {
        format!("smtp_credential_password.{}", self.name())
    }

    fn user(&self) -> String {
        self.vendor.name_of(&self.name())
    }

    /// The credential that the cell is about; the one before it is another where the target changes.
    fn open(&self, workspace: &Workspace) {
        for user in [self.user(), self.former_user()].iter().filter(|_| !self.vendor.makes_successors) {
            workspace.add(self.vendor, user);
        }
    }

    fn former_user(&self) -> String {
        if self.cause == Cause::Target { format!("former-{}", self.user()) } else { self.user() }
    }

    fn resets(&self, workspace: &Workspace) -> usize {
        self.vendor.at(&workspace.sandbox).resets(&self.user())
    }

    fn resource(&self, phase: Phase) -> String {
        if (self.cause, phase) == (Cause::Create, Phase::Before) {
            return String::new();
        }
        let user = if phase == Phase::Before { self.former_user() } else { self.user() };
        let target = self.vendor.argument(&user);
        let number = if phase == Phase::Before { "one" } else { "two" };
        let arguments = match self.cause {
            Cause::InPlace => format!("rotation_mode = \"in_place\"\n  rotation_trigger = \"{number}\""),
            Cause::Policy if phase == Phase::After => "password_policy = { length = 40 }".to_owned(),
            Cause::StaleAndRotate => "on_external_change = \"rotate\"".to_owned(),
            Cause::StaleAndRotateInPlace => {
                "on_external_change = \"rotate\"\n  rotation_mode = \"in_place\"".to_owned()
            }
            Cause::Trigger => format!("rotation_trigger = \"{number}\""),
            Cause::Version => {
                format!("password_wo = \"0f-my-Own-{number}-long-enough\"\n  password_wo_version = \"{number}\"")
            }
            _ => String::new(),
        };
        let order = if self.creates_first { CREATE_FIRST } else { "" };
        let replaced_by = match self.cause {
            Cause::ReplacedBy => "replace_triggered_by = [terraform_data.cause]",
            _ => "",
        };
        format!(
            "resource \"smtp_credential_password\" \"{}\" {{\n  {target}\n  {arguments}\n  lifecycle {{\n    {order}\n    {replaced_by}\n  \
             }}\n}}\n",
            self.name()
        )
    }
}

fn configuration(cells: &[Cell], phase: Phase) -> String {
    let number = if phase == Phase::Before { "one" } else { "two" };
    let mut text = "provider \"smtp\" {\n  request_timeout = \"3s\"\n}\n".to_owned();
    writeln!(text, "resource \"terraform_data\" \"cause\" {{\n  input = \"{number}\"\n}}").expect("text");
    for cell in cells {
        text.push_str(&cell.resource(phase));
    }
    text
}

/// Every cause that a vendor knows, in every order, with every lost response.
fn cells(vendor: &'static Model, causes: &[Cause]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for &cause in causes {
        for creates_first in
            [false, true].into_iter().filter(|creates_first| cause.requires_replace() || !creates_first)
        {
            cells.extend(LOST.map(|lost| Cell { vendor, cause, creates_first, lost }));
        }
    }
    cells
}

#[test]
fn after_a_lost_response_a_plain_apply_resets_again_and_settles() {
    use Cause::{
        Create, InPlace, Policy, Replace, ReplacedBy, StaleAndRotate, StaleAndRotateInPlace, Taint, Target, Trigger,
        Version,
    };
    if Workspace::new().is_none() {
        return;
    }
    let everywhere = [Create, InPlace, Replace, ReplacedBy, Taint, Target, Trigger];
    let causes = |vendor: &Model| match vendor {
        Model { takes_passwords: true, .. } => vec![Create, Replace, Policy, Version],
        Model { shows_changes: true, .. } => [&everywhere[..], &[StaleAndRotate, StaleAndRotateInPlace]].concat(),
        _ => everywhere.to_vec(),
    };
    thread::scope(|scope| {
        let runs: Vec<_> = VENDORS
            .iter()
            .map(|vendor| (vendor, causes(vendor)))
            .map(|(vendor, causes)| scope.spawn(move || heals(&cells(vendor, &causes))))
            .collect();
        for run in runs {
            run.join().expect("every cell heals");
        }
    });
}

/// Fails all cells at once, and checks that a plain apply heals each of them with one reset.
fn heals(cells: &[Cell]) {
    let workspace = Workspace::new().expect("there was a program a moment ago");
    let vendor = cells[0].vendor;
    // The answer to a password of the caller's own need not be read whole, and is asked for again.
    let cells: Vec<_> = cells.iter().copied().filter(|cell| !vendor.takes_passwords || cell.lost != "cut").collect();
    for cell in &cells {
        cell.open(&workspace);
    }
    workspace.write(&configuration(&cells, Phase::Before));
    workspace.apply_with(&AT_ONCE).quiet();

    taint(&workspace, &cells);
    for cell in &cells {
        match cell.cause {
            Cause::StaleAndRotate | Cause::StaleAndRotateInPlace => {
                vendor.at(&workspace.sandbox).reset_elsewhere(&cell.user());
            }
            _ => {}
        }
        if cell.lost == "500" {
            // What the vendor shows of the reset, it shows late.
            workspace.sandbox.kirim_email().show_late(&cell.user(), 9);
        }
        let lost = lost(cell.lost).on(Operation::Reset).of(&cell.user());
        workspace.sandbox.fault(lost.times(vendor.most_requests()));
    }
    workspace.sandbox.smtpd().list_late(1);
    let before: BTreeMap<_, _> = cells.iter().map(|cell| (cell.name(), cell.resets(&workspace))).collect();
    workspace.write(&configuration(&cells, Phase::After));
    let replaced = cells.iter().filter(|cell| cell.cause == Cause::Replace);
    let replaced: Vec<_> = replaced.map(|cell| format!("-replace={}", cell.address())).collect();
    let options: Vec<_> = AT_ONCE.into_iter().chain(replaced.iter().map(String::as_str)).collect();
    let failed = workspace.apply_with(&options).failed();
    assert_eq!(workspace.sandbox.pending_faults(), 0, "each cell has lost a response");
    workspace.sandbox.release();
    let sent: BTreeMap<_, _> = cells.iter().map(|cell| (cell.name(), cell.resets(&workspace))).collect();
    for cell in &cells {
        let (name, address) = (cell.name(), cell.address());
        let about = |said: &&Diagnostic| said.severity == "error" && said.address.as_ref() == Some(&address);
        let errors: Vec<_> = failed.diagnostics.iter().filter(about).collect();
        let [error] = *errors else { panic!("{vendor:?} {name} has one error: {failed}") };
        let is_certain = cell.lost == "cut";
        let outcome = if is_certain { "The password was changed." } else { "The password may have been changed." };
        assert!(error.detail.contains(outcome) && error.detail.contains("Apply again"), "{vendor:?} {error:?}");
        let waits = error.detail.contains("wait a few minutes");
        let may_come_late = !is_certain && !vendor.makes_successors && matches!(cell.lost, "closed" | "timeout");
        assert_eq!(waits, may_come_late, "{vendor:?} {error:?}");
        assert!(sent[&name] > before[&name], "{vendor:?} {name} was reset");
    }

    workspace.sandbox.smtpd().list_late(0);
    let healed = workspace.apply_with(&AT_ONCE).succeeded();
    let is_expected = |said: &Diagnostic| {
        ["A rotation is planned for a stale password", "The stored password is stale"].contains(&&*said.summary)
    };
    assert!(healed.diagnostics.iter().all(is_expected), "there should be nothing else to say: {healed}");
    for cell in &cells {
        let (name, address) = (cell.name(), cell.address());
        assert_eq!(cell.resets(&workspace), sent[&name] + 1, "{vendor:?} {name} heals with one reset");
        if cell.cause != Cause::Version {
            workspace.working_password_of(&address);
        }
        assert_eq!(workspace.state_of(&address)["stale"], false, "{vendor:?} {name}");
    }
    workspace.plan().nothing_to_do();
    let deposed = workspace.addresses().len();
    assert_eq!(deposed, cells.len() + 1, "nothing else is left in the state");
}

/// Taints at once what `terraform taint` does one by one, by the same mark in the state.
fn taint(workspace: &Workspace, cells: &[Cell]) {
    let tainted: Vec<_> = cells.iter().filter(|cell| cell.cause == Cause::Taint).collect();
    let Some((first, others)) = tainted.split_first() else { return };
    workspace.run(&["taint", "-no-color", &first.address()]).succeeded();
    let text = fs::read_to_string(workspace.path("terraform.tfstate")).expect("a state");
    let mut state: Value = serde_json::from_str(&text).expect("JSON");
    let resources = state["resources"].as_array_mut().expect("resources");
    let mark = resources.iter().find(|resource| resource["name"] == first.name()).expect("the first")["instances"][0]
        ["status"]
        .clone();
    assert!(mark.is_string());
    for cell in others {
        let resource =
            resources.iter_mut().find(|resource| resource["name"] == cell.name()).expect("one for each cell");
        resource["instances"][0]["status"] = mark.clone();
    }
    workspace.file("terraform.tfstate", &state.to_string());
}

const AT_ONCE: [&str; 1] = ["-parallelism=60"];
