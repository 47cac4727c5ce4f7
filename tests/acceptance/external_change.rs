//! A reset by somebody else: what a refresh sees of it, and what is done about it.

use std::cell::RefCell;

use sandbox::{Effect, Fault, Operation};
use serde_json::{Value, json};

use crate::{
    several,
    support::{ADDRESS, KIRIM_EMAIL, KIRIM_USER, Run, Workspace, block, credential},
};

const MAY_HAVE: &str = "The password may have been changed.";
const CHANGED: &str = "The password was changed.";
const STALE: &str = "The stored password is stale";
const PLANNED: &str = "A rotation is planned for a stale password";
const BRAKE: &str = "Somebody else keeps resetting the password";
const ROTATE: &str = "on_external_change = \"rotate\"";
const ORDERS: [(&str, &str); 3] = [
    ("", "replace"),
    ("lifecycle { create_before_destroy = true }", "replace"),
    ("rotation_mode = \"in_place\"", "update"),
];

#[test]
fn an_external_reset_is_a_warning_at_every_refresh() {
    let Some(workspace) = applied("") else { return };
    let before = workspace.state();
    assert_eq!((&before["stale"], &before["on_external_change"]), (&json!(false), &json!(null)));
    reset_elsewhere(&workspace);
    for _ in 0..2 {
        let plan = workspace.plan();
        assert_eq!(plan.status, Some(0), "it changes nothing: {plan}");
        plan.warning().is(STALE).says(&["`kirim_email/example.com/", "no longer works", "-replace"]);
        workspace.refresh().warning().is(STALE);
        assert_eq!(workspace.state(), with(&before, "stale", true), "the version stays that of the reset in state");
    }
    workspace.apply().warning().is(STALE);
    assert_eq!(sent(&workspace), 0);

    workspace.write(&kirim("rotation_trigger = \"two\""));
    assert_eq!(workspace.plan().action(ADDRESS).as_deref(), Some("replace"));
    workspace.apply().warning().is(STALE);
    healed(&workspace);
}

#[test]
fn a_stale_password_is_rotated_once_in_every_order() {
    let Some(rows) = Rows::applied(&ORDERS.map(|(order, _)| format!("{ROTATE}\n  {order}"))) else { return };
    let workspace = &rows.workspace;
    let before = rows.states();
    rows.reset_elsewhere();
    let plan = workspace.plan_with(&["-out=plan"]).succeeded();
    assert_eq!((plan.status, plan.diagnostics.len()), (Some(2), ORDERS.len()), "{plan}");
    let changes = workspace.json(&["show", "-json", "plan"])["resource_changes"].clone();
    let shown = workspace.run(&["show", "-no-color", "plan"]).stdout;
    for (row, (_, action)) in ORDERS.into_iter().enumerate() {
        let address = several::address(row);
        assert_eq!(plan.action(&address).as_deref(), Some(action), "{plan}");
        let warning = several::said(&plan, row).is(PLANNED).points_at(ROTATE);
        assert_eq!(warning.severity, "warning");
        warning.says(&["`kirim_email/example.com/", "it is reset again"]);

        let mut changes = changes.as_array().expect("a list").iter();
        let change = &changes.find(|change| change["address"] == address).expect("a change of each")["change"];
        assert_eq!((&change["before"]["stale"], &change["after"]["stale"]), (&json!(true), &json!(false)));
        assert_eq!((&change["after"]["password"], &change["after"]["rotated_at"]), (&Value::Null, &Value::Null));
        let mut parts = shown.split("\n  # ");
        let part = parts.find(|part| part.starts_with(&format!("{address} "))).expect("the plan shows each");
        let reason = part.lines().find(|line| line.contains(" stale ")).expect("the plan shows why");
        assert_eq!(reason.contains("true -> false # forces replacement"), action == "replace", "{shown}");
    }

    workspace.apply_with(&["plan"]).succeeded();
    rows.healed();
    for (state, before) in rows.states().iter().zip(&before) {
        assert_ne!(state["remote_version"], before["remote_version"]);
    }
}

#[test]
fn rotations_against_external_resets_end() {
    // With `create_before_destroy` a create learns nothing about earlier rotations from core.
    let orders = ["", "rotation_mode = \"in_place\""];
    let Some(rows) = Rows::applied(&orders.map(|order| format!("{ROTATE}\n  {order}"))) else { return };
    let workspace = &rows.workspace;
    for _ in 0..2 {
        rows.reset_elsewhere();
        warns(workspace.apply(), PLANNED);
        assert_eq!(rows.sent(), [1; 2]);
    }
    rows.reset_elsewhere();
    let before = rows.states();
    let brakes = |run: Run| {
        let run = run.succeeded();
        assert_eq!((run.status, run.diagnostics.len()), (Some(0), 2), "{run}");
        [0, 1].map(|row| several::said(&run, row).is(BRAKE))
    };
    for _ in 0..2 {
        for warning in brakes(workspace.plan()) {
            warning.says(&["Somebody else keeps resetting it", "change `rotation_trigger`", "-replace"]);
        }
        brakes(workspace.apply());
        brakes(workspace.plan_with(&["-refresh=false"]));
    }
    let stale: Vec<_> = before.iter().map(|state| with(state, "stale", true)).collect();
    assert_eq!((rows.sent(), rows.states()), (vec![0; 2], stale));

    // A person who has found out resets it, for a reason of their own, and is answered again from then on.
    rows.write("two");
    workspace.apply().succeeded();
    rows.healed();
    rows.reset_elsewhere();
    warns(workspace.apply(), PLANNED);
    assert_eq!(rows.sent(), [1; 2]);
}

#[test]
fn what_asks_for_a_reset_otherwise_ends_the_brake() {
    for reason in ["replace", "live"] {
        let Some(workspace) = applied(ROTATE) else { return };
        for _ in 0..2 {
            reset_elsewhere(&workspace);
            warns(workspace.apply(), PLANNED);
        }
        if reason == "live" {
            workspace.refresh().quiet();
        } else {
            reset_elsewhere(&workspace);
            workspace.apply_with(&[&format!("-replace={ADDRESS}")]).succeeded();
            healed(&workspace);
        }
        for _ in 0..2 {
            reset_elsewhere(&workspace);
            warns(workspace.apply(), PLANNED);
            assert_eq!(sent(&workspace), 1, "{reason}");
        }
        reset_elsewhere(&workspace);
        workspace.apply().warning().is(BRAKE);
        assert_eq!(sent(&workspace), 0, "{reason}");
    }
}

#[test]
fn two_states_on_one_credential_come_to_rest() {
    let (Some(one), Some(mut other)) = (applied(ROTATE), Workspace::new()) else { return };
    for (variable, value) in one.sandbox.env() {
        other.set(variable, &value);
    }
    other.write(&kirim(&format!("rotation_trigger = \"one\"\n  {ROTATE}")));
    other.apply().quiet();
    for _ in 0..4 {
        one.apply().succeeded();
        other.apply().succeeded();
    }
    one.apply().succeeded();
    // One reset each to begin with, and two each for the other's.
    assert_eq!(one.sandbox.kirim_email().resets(KIRIM_USER), 6);
    let brakes = [&one, &other].map(|workspace| workspace.plan().diagnostics.iter().any(|said| said.summary == BRAKE));
    assert!(brakes.contains(&true), "one of them says why: {brakes:?}");
}

#[test]
fn what_a_refresh_has_stored_is_rotated_without_another_refresh() {
    let Some(rows) = Rows::applied(&ORDERS.map(|(order, _)| format!("{ROTATE}\n  {order}"))) else { return };
    rows.reset_elsewhere();
    rows.workspace.refresh().quiet();
    assert!(rows.states().iter().all(|state| state["stale"] == true));
    let plan = rows.workspace.plan_with(&["-refresh=false"]).succeeded();
    assert_eq!(plan.diagnostics.len(), ORDERS.len(), "{plan}");
    for (row, (_, action)) in ORDERS.into_iter().enumerate() {
        assert_eq!(plan.action(&several::address(row)).as_deref(), Some(action), "{plan}");
        assert_eq!(several::said(&plan, row).is(PLANNED).severity, "warning");
    }
    rows.workspace.apply_with(&["-refresh=false"]).succeeded();
    rows.healed();
}

#[test]
fn a_refresh_only_run_reports_changes_and_rotates_nothing() {
    let Some(workspace) = applied(ROTATE) else { return };
    // The exit status says nothing: Terraform 1.11's `-detailed-exitcode` is 2 here even where nothing has changed.
    let drifts = || workspace.plan_with(&["-refresh-only"]).quiet().stdout.contains("resource_drift");
    assert!(!drifts());
    reset_elsewhere(&workspace);
    assert!(drifts());
    workspace.refresh().quiet();
    assert!(!drifts());
    assert_eq!(workspace.state()["stale"], true);
    assert_eq!(sent(&workspace), 0);
}

#[test]
fn an_ignored_change_only_sets_stale() {
    let Some(workspace) = applied("on_external_change = \"ignore\"") else { return };
    let before = workspace.state();
    reset_elsewhere(&workspace);
    workspace.plan().nothing_to_do();
    workspace.refresh().quiet();
    assert_eq!(workspace.state(), with(&before, "stale", true));
    workspace.plan().nothing_to_do();
    assert_eq!(sent(&workspace), 0);
}

#[test]
fn a_changed_setting_rotates_at_once_and_warns_from_the_next_refresh() {
    let Some(workspace) = applied("") else { return };
    reset_elsewhere(&workspace);
    let password = workspace.state()["password"].clone();
    workspace.write(&kirim("rotation_trigger = \"one\"\n  on_external_change = \"ignore\""));
    let plan = workspace.plan();
    assert_eq!(plan.action(ADDRESS).as_deref(), Some("update"));
    plan.warning().is(STALE);
    workspace.apply().warning().is(STALE);
    assert_eq!((workspace.state()["password"] == password, sent(&workspace)), (true, 0), "nothing was reset");
    workspace.plan().nothing_to_do();

    workspace.write(&kirim(&format!("rotation_trigger = \"one\"\n  {ROTATE}")));
    let plan = workspace.plan();
    assert_eq!(plan.action(ADDRESS).as_deref(), Some("replace"));
    plan.warning().is(PLANNED);
    workspace.apply().warning().is(PLANNED);
    healed(&workspace);
}

#[test]
fn a_rotation_that_was_planned_before_heals_what_came_after() {
    let Some(rows) = Rows::applied(&ORDERS.map(|(order, _)| order.to_owned())) else { return };
    rows.write("two");
    rows.workspace.plan_with(&["-out=plan"]).quiet();
    rows.reset_elsewhere();
    rows.workspace.apply_with(&["plan"]).quiet();
    rows.healed();
}

#[test]
fn a_replacement_for_another_reason_heals_too() {
    let Some(workspace) = applied("") else { return };
    reset_elsewhere(&workspace);
    workspace.run(&["taint", "-no-color", ADDRESS]).succeeded();
    workspace.apply().warning().is(STALE);
    healed(&workspace);
}

#[test]
fn a_state_of_an_earlier_version_plans_empty_and_then_notices() {
    let Some(workspace) = applied("") else { return };
    let path = workspace.path("terraform.tfstate");
    let text = std::fs::read_to_string(&path).expect("the state");
    let mut state: Value = serde_json::from_str(&text).expect("JSON");
    let attributes = state["resources"][0]["instances"][0]["attributes"].as_object_mut().expect("attributes");
    for name in ["on_external_change", "stale"] {
        attributes.remove(name).expect("an attribute that is new");
    }
    workspace.file("terraform.tfstate", &state.to_string());
    workspace.plan().nothing_to_do();
    workspace.plan_with(&["-refresh=false"]).nothing_to_do();
    reset_elsewhere(&workspace);
    workspace.refresh().warning().is(STALE);
    assert_eq!(workspace.state()["stale"], true);
}

#[test]
fn what_was_imported_has_nothing_that_could_be_stale() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&kirim(&format!("rotation_trigger = \"one\"\n  {ROTATE}")));
    let state = |name: &str| workspace.state()[name].clone();
    workspace.import(&format!("kirim_email/example.com/{}", sandbox::KirimEmail::GUID)).succeeded();
    assert_eq!((state("stale"), state("remote_version")), (json!(false), Value::Null));
    reset_elsewhere(&workspace);
    workspace.plan().warning().is("No reset after the import");
    workspace.apply().succeeded();
    assert_eq!((state("stale"), state("remote_version"), sent(&workspace)), (json!(false), Value::Null, 0));
    reset_elsewhere(&workspace);
    workspace.plan().nothing_to_do();

    workspace.apply_with(&[&format!("-replace={ADDRESS}")]).quiet();
    healed(&workspace);
    reset_elsewhere(&workspace);
    workspace.plan().warning().is(PLANNED);
}

#[test]
fn a_reset_whose_response_is_lost_is_certain_only_by_the_time_of_the_password() {
    const OF_PASSWORD: &str =
        "KIRIM.EMAIL now shows a later change of the password, by this reset or by somebody else's.";
    const OF_ANYTHING: &str =
        "KIRIM.EMAIL now shows a later change of the credential. It may be this reset, somebody else's";
    const NONE: &str = "KIRIM.EMAIL shows no later change so far, which proves nothing";
    const CAUTION: &str = "First make sure that nobody else has reset it";
    // Fault, how many reads are late, what is said; whether the old one is dead. In each half, whether the vendor shows
    // the time of the password.
    let shown = vec![
        (Fault::new(Effect::Close), 0, CHANGED, OF_PASSWORD, true),
        (Fault::new(Effect::Stall), 0, CHANGED, OF_PASSWORD, true),
        (Fault::status(500), 1, CHANGED, OF_PASSWORD, true),
        (Fault::status(500), 9, MAY_HAVE, NONE, true),
        (Fault::status(500).before(), 0, MAY_HAVE, NONE, false),
    ];
    let not_shown = vec![
        (Fault::new(Effect::Close), 0, MAY_HAVE, OF_ANYTHING, true),
        (Fault::status(500), 1, MAY_HAVE, OF_ANYTHING, true),
        (Fault::status(500), 9, MAY_HAVE, NONE, true),
        (Fault::page(500).before(), 0, MAY_HAVE, NONE, false),
        (Fault::new(Effect::Close).before(), 0, MAY_HAVE, NONE, false),
    ];
    for (shows_times, rows) in [(true, shown), (false, not_shown)] {
        let Some((workspace, users)) = opened(shows_times, rows.len()) else { return };
        let vendor = workspace.sandbox.kirim_email();
        let in_place = |triggers: &[&str]| {
            let row = |(row, trigger)| {
                let arguments = format!("rotation_trigger = \"{trigger}\"\n  rotation_mode = \"in_place\"\n  {ROTATE}");
                several::kirim_block(row, &arguments)
            };
            let rows: String = triggers.iter().enumerate().map(row).collect();
            workspace.write(&("provider \"smtp\" {\n  request_timeout = \"3s\"\n}\n".to_owned() + &rows));
        };
        in_place(&vec!["one"; rows.len()]);
        workspace.apply().quiet();
        let state = |row: usize| workspace.state_of(&several::address(row));
        let before: Vec<_> = (0..rows.len()).map(state).collect();
        let old: Vec<_> = (0..rows.len()).map(|row| workspace.working_password_of(&several::address(row))).collect();
        in_place(&vec!["two"; rows.len()]);
        for (user, (fault, late, ..)) in users.iter().zip(&rows) {
            vendor.show_late(user, *late);
            workspace.sandbox.fault(fault.clone().on(Operation::Reset).of(user));
        }
        let failed = workspace.apply().failed();
        assert_eq!(failed.diagnostics.len(), rows.len(), "{failed}");
        for (row, (_, _, outcome, seen, dead)) in rows.iter().enumerate() {
            let error = several::said(&failed, row).says(&[outcome, seen]);
            assert_eq!(error.severity, "error", "{error:?}");
            assert_eq!(error.detail.contains(CAUTION), *seen != NONE, "{error:?}");
            assert_eq!(state(row), with(&before[row], "stale", *outcome == CHANGED), "{error:?}");
            assert_eq!(workspace.logs_in_as(&users[row], &old[row]), !dead, "{error:?}");
            vendor.show_late(&users[row], 0);
        }
        let resets: Vec<_> = users.iter().map(|user| vendor.resets(user)).collect();

        // A configuration that takes the change back gets the warning all the same, without a refresh too.
        let back: Vec<_> =
            rows.iter().map(|(_, _, outcome, ..)| if *outcome == CHANGED { "one" } else { "two" }).collect();
        in_place(&back);
        let plan = workspace.plan_with(&["-refresh=false"]);
        workspace.apply().succeeded();
        for (row, user) in users.iter().enumerate() {
            assert_eq!(plan.action(&several::address(row)).as_deref(), Some("update"), "row {row}: {plan}");
            assert_eq!(vendor.resets(user), resets[row] + 1, "row {row}");
            workspace.working_password_of(&several::address(row));
        }
        workspace.plan().nothing_to_do();
    }
}

/// A workspace with so many credentials at KIRIM.EMAIL, which shows when passwords were changed, or not; and their user
/// names.
fn opened(shows_times: bool, rows: usize) -> Option<(Workspace, Vec<String>)> {
    let workspace = Workspace::new()?;
    if shows_times {
        workspace.sandbox.kirim_email().show_password_changes();
    }
    let users = (0..rows).map(|row| several::open_kirim(&workspace, row)).collect();
    Some((workspace, users))
}

#[test]
fn an_outdated_version_in_the_response_is_not_stored() {
    let orders = ORDERS.map(|(order, _)| order);
    // What the vendor shows is the same in every order of a replacement: most cases see one of them.
    let shown = vec![(9, orders[0]), (9, orders[1]), (9, orders[2]), (0, orders[0])];
    let not_shown = vec![(0, orders[0]), (9, orders[0])];
    for (shows_times, rows) in [(true, shown), (false, not_shown)] {
        let Some((workspace, users)) = opened(shows_times, rows.len()) else { return };
        let vendor = workspace.sandbox.kirim_email();
        for (user, (late, _)) in users.iter().zip(&rows) {
            vendor.answer_late(user, true);
            vendor.show_late(user, *late);
        }
        for (count, trigger) in ["one", "two"].into_iter().enumerate() {
            let row = |(row, (_, order)): (usize, &(usize, &str))| {
                several::kirim_block(row, &format!("rotation_trigger = \"{trigger}\"\n  {ROTATE}\n  {order}"))
            };
            workspace.write(&rows.iter().enumerate().map(row).collect::<String>());
            workspace.apply().quiet();
            for (row, user) in users.iter().enumerate() {
                workspace.working_password_of(&several::address(row));
                vendor.show_late(user, 0);
            }
            for _ in 0..2 {
                workspace.apply().quiet();
            }
            for (row, (late, order)) in rows.iter().enumerate() {
                assert_eq!(
                    vendor.resets(&users[row]),
                    count + 1,
                    "no apply resets for the sake of the last one's version: {late} {order}"
                );
                let is_read = workspace.state_of(&several::address(row))["remote_version"].is_string();
                assert_eq!(
                    is_read,
                    *late == 0 || count == 1,
                    "the version of the reset is read, where it shows in time: {late} {order}"
                );
            }
        }
        for user in &users {
            workspace.keep_secret(&vendor.reset_elsewhere(user).expect("the credential is there"));
        }
        let resets: Vec<_> = users.iter().map(|user| vendor.resets(user)).collect();
        workspace.apply().succeeded();
        for (row, user) in users.iter().enumerate() {
            assert_eq!(vendor.resets(user), resets[row] + 1, "row {row}");
            workspace.working_password_of(&several::address(row));
            assert_eq!(workspace.state_of(&several::address(row))["stale"], false, "row {row}");
        }
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_certainly_lost_password_is_stale_even_if_no_vendor_reports_it() {
    let Some(workspace) = Workspace::new() else { return };
    let in_place = |trigger: &str| {
        workspace.write(&credential(&format!("rotation_trigger = \"{trigger}\"\n  rotation_mode = \"in_place\"")));
    };
    in_place("one");
    workspace.apply().quiet();
    in_place("two");
    workspace.sandbox.fault(Fault::body("{}").on(Operation::Reset));
    workspace.apply().error().says(&[CHANGED]);
    in_place("one");
    let plan = workspace.plan();
    assert_eq!(plan.status, Some(0));
    plan.warning().is(STALE);
    in_place("two");
    workspace.apply().warning().is(STALE);
    workspace.working_password();
    workspace.plan().nothing_to_do();
}

/// A workspace with several credentials, each in a resource with arguments of its own.
struct Rows {
    workspace: Workspace,
    arguments: Vec<String>,
    users: Vec<String>,
    /// How many resets each has seen when somebody else's came last.
    resets: RefCell<Vec<usize>>,
}

impl Rows {
    /// Each was reset once.
    fn applied(arguments: &[String]) -> Option<Self> {
        let workspace = Workspace::new()?;
        let users: Vec<_> = (0..arguments.len()).map(|row| several::open_kirim(&workspace, row)).collect();
        let rows = Self { workspace, arguments: arguments.to_vec(), users, resets: RefCell::default() };
        rows.write("one");
        rows.workspace.apply().quiet();
        Some(rows)
    }

    fn write(&self, trigger: &str) {
        let row =
            |(row, arguments)| several::kirim_block(row, &format!("rotation_trigger = \"{trigger}\"\n  {arguments}"));
        self.workspace.write(&self.arguments.iter().enumerate().map(row).collect::<String>());
    }

    fn reset_elsewhere(&self) {
        let vendor = self.workspace.sandbox.kirim_email();
        for user in &self.users {
            self.workspace.keep_secret(&vendor.reset_elsewhere(user).expect("the credential is there"));
        }
        self.resets.replace(self.users.iter().map(|user| vendor.resets(user)).collect());
    }

    /// How many resets of each there have been since somebody else's.
    fn sent(&self) -> Vec<usize> {
        let vendor = self.workspace.sandbox.kirim_email();
        let before = self.resets.borrow();
        self.users.iter().zip(&*before).map(|(user, before)| vendor.resets(user) - before).collect()
    }

    fn states(&self) -> Vec<Value> {
        (0..self.users.len()).map(|row| self.workspace.state_of(&several::address(row))).collect()
    }

    /// Insists that one reset of each was enough, and that all is well after it.
    #[track_caller]
    fn healed(&self) {
        assert_eq!(self.sent(), vec![1; self.users.len()]);
        for row in 0..self.users.len() {
            self.workspace.working_password_of(&several::address(row));
        }
        assert!(self.states().iter().all(|state| state["stale"] == false));
        self.workspace.plan().nothing_to_do();
    }
}

/// A workspace whose credential was reset once.
fn applied(arguments: &str) -> Option<Workspace> {
    let workspace = Workspace::new()?;
    workspace.write(&kirim(&format!("rotation_trigger = \"one\"\n  {arguments}")));
    workspace.apply().quiet();
    Some(workspace)
}

fn kirim(arguments: &str) -> String {
    block("this", KIRIM_EMAIL, arguments)
}

fn reset_elsewhere(workspace: &Workspace) {
    let password = workspace.sandbox.kirim_email().reset_elsewhere(KIRIM_USER).expect("the credential is there");
    workspace.keep_secret(&password);
    workspace.sandbox.forget_requests();
}

/// How many resets this provider has sent since somebody else's.
fn sent(workspace: &Workspace) -> usize {
    workspace.requests().iter().filter(|line| line.starts_with("PUT ")).count()
}

/// Insists that one reset was enough, and that all is well after it.
#[track_caller]
fn healed(workspace: &Workspace) {
    assert_eq!(sent(workspace), 1);
    workspace.working_password();
    assert_eq!(workspace.state()["stale"], false);
    workspace.plan().nothing_to_do();
}

/// Insists that this warning is the only one. Core plans an update once more when it applies it, and passes the warning
/// on twice.
#[track_caller]
fn warns(run: Run, summary: &str) {
    let run = run.succeeded();
    assert!(!run.diagnostics.is_empty() && run.diagnostics.iter().all(|warning| warning.summary == summary), "{run}");
}

fn with(state: &Value, name: &str, value: impl Into<Value>) -> Value {
    let mut state = state.clone();
    state[name] = value.into();
    state
}
