//! A reset that the vendor carries out late: no response within `request_timeout`, another reset after "Apply again",
//! and then the first.
//!
//! The sandbox holds the first reset back until it is released. The vendor's last reset counts, so where all of
//! them concern one password, the one in the state is dead; what a refresh sees of it differs from vendor to vendor.

use std::collections::BTreeMap;

use sandbox::{ApiKey, Effect, Fault, HostUp, HubSpot, KeyState, Model, Operation, VENDORS};

use crate::support::{Diagnostic, Run, Workspace, block};

const MAY_HAVE: &str = "The password may have been changed.";
const LATE: &str = "may still be processing the reset, and if it takes effect late, it invalidates the password of the next one: wait a few minutes first.";
const STALE: &str = "The stored password is stale";
const REFUSED: &str = "The stored password is refused";
const PLANNED: &str = "A rotation is planned for a stale password";
const AT_ONCE: &str = "-parallelism=60";
const WARN: &str = "";
const ROTATE: &str = "on_external_change = \"rotate\"";
const IGNORE: &str = "on_external_change = \"ignore\"";

/// What asks for the reset that comes late.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Cause {
    Create,
    CreateFirst,
    DeleteFirst,
    InPlace,
}

const CAUSES: [Cause; 4] = [Cause::Create, Cause::CreateFirst, Cause::DeleteFirst, Cause::InPlace];

/// One resource with a credential of its own.
#[derive(Clone, Debug)]
struct Cell {
    vendor: &'static Model,
    cause: Cause,
    /// `on_external_change`, or nothing.
    setting: &'static str,
    /// `verify`, or nothing.
    verify: String,
}

impl Cell {
    fn new(vendor: &'static Model, cause: Cause, setting: &'static str) -> Self {
        Self { vendor, cause, setting, verify: String::new() }
    }

    fn name(&self) -> String {
        let setting = self.setting.rsplit(' ').next().unwrap_or_default().trim_matches('"');
        format!("{:?}-{:?}-{setting}", self.vendor, self.cause).to_lowercase()
    }

    fn address(&self) -> String {
        format!("smtp_credential_password.{}", self.name())
    }

    fn user(&self) -> String {
        self.vendor.name_of(&self.name())
    }

    fn open(&self, workspace: &Workspace) {
        if !self.vendor.makes_successors {
            workspace.add(self.vendor, &self.user());
        }
    }

    fn resource(&self, trigger: &str) -> String {
        if (self.cause, trigger) == (Cause::Create, "one") {
            return String::new();
        }
        let order = match self.cause {
            Cause::Create | Cause::DeleteFirst => "",
            Cause::CreateFirst => "lifecycle { create_before_destroy = true }",
            Cause::InPlace => "rotation_mode = \"in_place\"",
        };
        let arguments = [&format!("rotation_trigger = \"{trigger}\""), self.setting, &self.verify, order].join("\n  ");
        block(&self.name(), &self.vendor.argument(&self.user()), &arguments)
    }

    fn resets(&self, workspace: &Workspace) -> usize {
        self.vendor.at(&workspace.sandbox).resets(&self.user())
    }

    /// How often the request is sent that nobody answers: a password of the caller's own is asked for again.
    fn tries(&self) -> usize {
        self.vendor.most_requests()
    }

    /// Whether a late reset ends the password of the next.
    fn has_one_password(&self) -> bool {
        !self.vendor.makes_successors
    }

    fn logs_in(&self, workspace: &Workspace) -> bool {
        let state = workspace.state_of(&self.address());
        let [username, password] =
            ["username", "password"].map(|name| state[name].as_str().expect("a text").to_owned());
        workspace.logs_in_as(&username, &password)
    }

    /// What a run says of it.
    fn said(&self, run: &Run) -> Vec<Diagnostic> {
        let address = self.address();
        run.diagnostics.iter().filter(|said| said.address.as_ref() == Some(&address)).cloned().collect()
    }

    #[track_caller]
    fn says(&self, run: &Run, summaries: &[&str]) {
        let said = self.said(run);
        // Core plans an update once more when it applies it, and passes the warning on twice.
        let mut found: Vec<_> = said.iter().map(|said| &*said.summary).collect();
        found.dedup();
        assert_eq!(found, summaries, "{}: {run}", self.name());
    }
}

fn of_each_cause(vendor: &'static Model, setting: &'static str) -> [Cell; 4] {
    CAUSES.map(|cause| Cell::new(vendor, cause, setting))
}

fn configuration(cells: &[Cell], trigger: &str) -> String {
    let head = "provider \"smtp\" {\n  request_timeout = \"2s\"\n}\n".to_owned();
    head + &cells.iter().map(|cell| cell.resource(trigger)).collect::<String>()
}

/// Has the vendor carry a reset of every cell out after the next one. Returns how many resets each has seen then.
fn carried_out_late(workspace: &Workspace, cells: &[Cell]) -> BTreeMap<String, usize> {
    for cell in cells {
        cell.open(workspace);
    }
    workspace.write(&configuration(cells, "one"));
    workspace.apply_with(&[AT_ONCE]).quiet();
    let resets = |cell: &Cell| (cell.name(), cell.resets(workspace));
    let before: BTreeMap<_, _> = cells.iter().map(resets).collect();
    let is_named = |cell: &&Cell| !cell.has_one_password() && cell.cause == Cause::DeleteFirst;
    let named: Vec<_> = cells
        .iter()
        .filter(is_named)
        .map(|cell| (cell, workspace.state_of(&cell.address())["remote_version"].as_str().expect("an id").to_owned()))
        .collect();

    for cell in cells {
        let held = Fault::new(Effect::Stall).on(Operation::Reset).of(&cell.user()).before();
        workspace.sandbox.fault(held.times(cell.tries()));
    }
    workspace.write(&configuration(cells, "two"));
    let failed = workspace.apply_with(&[AT_ONCE]).failed();
    assert!(workspace.sandbox.wait_for_stalled(cells.iter().map(Cell::tries).sum()));
    assert_eq!(workspace.sandbox.pending_faults(), 0);
    for cell in cells {
        let said = cell.said(&failed);
        let [error] = &*said else { panic!("{}: {failed}", cell.name()) };
        let error = error.clone().is("The outcome of the reset is unknown").says(&[MAY_HAVE, "Apply again"]);
        assert_eq!(error.detail.contains(LATE), cell.has_one_password(), "{error:?}");
        let looked_for = ", or later, and whose id is not the `remote_version` of a resource";
        assert_eq!(error.detail.contains(looked_for), !cell.has_one_password(), "{error:?}");
        assert_eq!(cell.resets(workspace), before[&cell.name()], "nothing has happened yet");
        if cell.cause == Cause::InPlace {
            assert!(cell.logs_in(workspace), "{}: the previous password is kept, and works still", cell.name());
        }
    }
    for (cell, id) in named {
        let previous = format!("The previous credential, `{id}`, still works: revoke it by hand");
        assert!(cell.said(&failed)[0].detail.contains(&previous), "{failed}");
    }

    workspace.apply_with(&[AT_ONCE]).quiet();
    for cell in cells {
        assert_eq!(cell.resets(workspace), before[&cell.name()] + 1, "{}", cell.name());
        assert!(cell.logs_in(workspace), "{}", cell.name());
    }
    workspace.sandbox.release();
    assert!(workspace.sandbox.wait_for_answers());
    for cell in cells {
        assert_eq!(cell.resets(workspace), before[&cell.name()] + 1 + cell.tries(), "{}", cell.name());
        assert_eq!(cell.logs_in(workspace), !cell.has_one_password(), "{}: the last reset wins", cell.name());
    }
    cells.iter().map(resets).collect()
}

/// Resets once more what no refresh has rotated, as the guide says, and checks that all is well then.
fn reset_by_hand(workspace: &Workspace, cells: &[&Cell], resets: &BTreeMap<String, usize>) {
    let replaced: Vec<_> = cells.iter().map(|cell| format!("-replace={}", cell.address())).collect();
    let options: Vec<_> = [AT_ONCE].into_iter().chain(replaced.iter().map(String::as_str)).collect();
    workspace.apply_with(&options).succeeded();
    for cell in cells {
        assert_eq!(cell.resets(workspace), resets[&cell.name()] + 1, "{}", cell.name());
    }
}

fn all_is_well(workspace: &Workspace, cells: &[Cell]) {
    workspace.plan().nothing_to_do();
    for cell in cells {
        assert!(cell.logs_in(workspace), "{}", cell.name());
        assert_eq!(workspace.state_of(&cell.address())["stale"], false, "{}", cell.name());
    }
}

#[test]
fn a_late_reset_is_noticed_if_the_vendor_reports_changes() {
    let Some(workspace) = Workspace::new() else { return };
    let settings = |vendor: &Model| if vendor.shows_changes { &[WARN, ROTATE, IGNORE][..] } else { &[WARN] };
    let of = |vendor: &'static Model| settings(vendor).iter().flat_map(move |setting| of_each_cause(vendor, setting));
    let cells: Vec<_> = VENDORS.iter().flat_map(|vendor| of(vendor)).collect();
    let resets = carried_out_late(&workspace, &cells);

    let plan = workspace.plan().succeeded();
    for cell in &cells {
        let (summaries, action): (&[_], _) = match (cell.vendor.shows_changes, cell.setting) {
            (true, WARN) => (&[STALE], None),
            (true, ROTATE) if cell.cause == Cause::InPlace => (&[PLANNED], Some("update")),
            (true, ROTATE) => (&[PLANNED], Some("replace")),
            _ => (&[], None),
        };
        cell.says(&plan, summaries);
        assert_eq!(plan.action(&cell.address()).as_deref(), action, "{}", cell.name());
    }
    workspace.apply_with(&[AT_ONCE]).succeeded();
    for cell in &cells {
        let state = workspace.state_of(&cell.address());
        let is_rotated = cell.setting == ROTATE;
        let is_stale = cell.vendor.shows_changes && !is_rotated;
        assert_eq!(state["stale"], is_stale, "{}", cell.name());
        assert_eq!(cell.resets(&workspace), resets[&cell.name()] + usize::from(is_rotated), "{}", cell.name());
        assert_eq!(cell.logs_in(&workspace), is_rotated || !cell.has_one_password(), "{}", cell.name());
        if !cell.has_one_password() {
            // The late one is found by what the error said of it. The one that preceded a replacement that deletes
            // first is named there.
            let is_left = |key: &ApiKey| key.name == cell.user() && key.state == KeyState::Active;
            let left: Vec<_> = workspace.sandbox.smtpd().keys().into_iter().filter(is_left).collect();
            let others = left.iter().filter(|key| state["remote_version"] != *key.id).count();
            let named = usize::from(cell.cause == Cause::DeleteFirst);
            assert_eq!((left.len(), others), (2 + named, 1 + named), "{}", cell.name());
        }
    }
    let by_hand: Vec<_> = cells.iter().filter(|cell| cell.setting != ROTATE && cell.has_one_password()).collect();
    reset_by_hand(&workspace, &by_hand, &resets);
    all_is_well(&workspace, &cells);
}

/// Where the vendor shows no changes, a login at each refresh does.
#[test]
fn a_login_at_each_refresh_notices_a_late_reset() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.trust_mail_server();
    // After four refused logins at one port a refresh makes no more there, and each password costs one by PLAIN and one
    // by LOGIN.
    let [clear, tls] = [workspace.sandbox.smtp_port(), workspace.sandbox.smtps_port()].map(|port| {
        let security = if port == workspace.sandbox.smtp_port() { "starttls" } else { "tls" };
        let place = format!("host = \"localhost\", port = {port}, security = \"{security}\"");
        format!("verify = {{ {place}, on_refresh = true, timeout = \"2s\" }}")
    });
    let cells = [
        (HostUp::MODEL, Cause::InPlace, ROTATE, &clear),
        (HostUp::MODEL, Cause::CreateFirst, WARN, &tls),
        (HubSpot::MODEL, Cause::InPlace, WARN, &clear),
        (HubSpot::MODEL, Cause::DeleteFirst, ROTATE, &tls),
    ]
    .map(|(vendor, cause, setting, verify)| Cell { verify: verify.clone(), ..Cell::new(vendor, cause, setting) });
    let resets = carried_out_late(&workspace, &cells);

    let plan = workspace.plan().succeeded();
    for cell in &cells {
        cell.says(&plan, if cell.setting == ROTATE { &[PLANNED] } else { &[REFUSED] });
    }
    workspace.apply_with(&[AT_ONCE]).succeeded();
    let is_warned = |cell: &&Cell| cell.setting == WARN;
    for cell in &cells {
        let state = workspace.state_of(&cell.address());
        assert_eq!(state["stale"], is_warned(&cell), "{}", cell.name());
        assert_eq!(cell.resets(&workspace), resets[&cell.name()] + usize::from(!is_warned(&cell)), "{}", cell.name());
    }
    let by_hand: Vec<_> = cells.iter().filter(is_warned).collect();
    reset_by_hand(&workspace, &by_hand, &resets);
    all_is_well(&workspace, &cells);
}

/// A password of the caller's own is asked for again with the same request, so one that is carried out late changes
/// nothing.
#[test]
fn a_late_request_for_a_password_that_was_asked_for_again_does_no_harm() {
    let Some(workspace) = Workspace::new() else { return };
    let cells = of_each_cause(HostUp::MODEL, WARN);
    for cell in &cells {
        cell.open(&workspace);
    }
    workspace.write(&configuration(&cells, "one"));
    workspace.apply_with(&[AT_ONCE]).quiet();
    for cell in &cells {
        workspace.sandbox.fault(Fault::new(Effect::Stall).on(Operation::Reset).of(&cell.user()).before());
    }
    workspace.write(&configuration(&cells, "two"));
    workspace.apply_with(&[AT_ONCE]).quiet();
    assert!(workspace.sandbox.wait_for_stalled(cells.len()));
    workspace.sandbox.release();
    assert!(workspace.sandbox.wait_for_answers());
    all_is_well(&workspace, &cells);
}
