//! `retire_previous` at every vendor whose resets make new credentials. `overlap.rs` looks closer, at one of them.
//!
//! A vendor that the sandbox imitates is asked there, any other one as its fixtures document it.

use std::collections::BTreeSet;

use sandbox::{Fault, Model, Operation, SmtpFault, Stage};
use serde_json::Value;
use terraform_provider_smtp::vendors::{ResetKind, VENDORS};

use crate::{
    case::{Case, cases_of},
    ledger::{Ledger, Trouble},
    replay::{argument, provider},
    support::{ADDRESS, Workspace, block},
};

const OVERLAP: &str = "retire_previous = \"at_next_rotation\"\n  rotation_mode = \"in_place\"";
const AT_ONCE: &str = "retire_previous = \"at_once\"\n  rotation_mode = \"in_place\"";
const ORDERS: [&str; 3] = ["", "lifecycle { create_before_destroy = true }", AT_ONCE];
const MAY_HAVE: &str = "The password may have been changed.";
const NOT_CHANGED: &str = "The password was not changed.";

#[test]
fn the_previous_one_works_until_the_next_rotation_and_a_destroy_revokes_both() {
    for scene in every_scene() {
        let mut previous = None;
        for trigger in ["one", "two", "three"] {
            scene.write(trigger, OVERLAP);
            scene.workspace.apply().quiet();
            let current = scene.works();
            let expected = previous.iter().chain([&current]).cloned().collect::<BTreeSet<_>>();
            assert_eq!(scene.live(), expected, "{}: {trigger}", scene.name());
            assert_eq!(scene.previous(), previous, "{}: {trigger}", scene.name());
            scene.workspace.plan().nothing_to_do();
            previous = Some(current);
        }
        scene.workspace.destroy().quiet();
        assert_eq!(scene.live(), BTreeSet::new(), "{}", scene.name());
    }
}

#[test]
fn without_an_overlap_one_works_at_a_time() {
    for scene in scenes() {
        // A vendor whose new credentials need some time is waited for, and once is enough to see that.
        let orders = if scene.is_slow() { 1 } else { ORDERS.len() };
        for (number, order) in ORDERS.into_iter().enumerate().take(orders) {
            for trigger in ["one", "two"] {
                scene.write(&format!("{trigger} {number}"), order);
                scene.workspace.apply().quiet();
                let current = scene.works();
                assert_eq!((scene.live(), scene.previous()), ([current].into(), None), "{}: {order}", scene.name());
                scene.workspace.plan().nothing_to_do();
            }
        }
        scene.workspace.destroy().quiet();
        assert_eq!(scene.live(), BTreeSet::new(), "{}", scene.name());
    }
}

/// The user name says nothing where all credentials of a vendor have the same one.
#[test]
fn two_resources_of_one_run_each_revoke_their_own() {
    for scene in scenes().filter(|scene| !scene.is_slow()) {
        for (number, order) in ORDERS.into_iter().enumerate() {
            for trigger in ["one", "two"] {
                let arguments = format!("{order}\n  count = 2");
                scene.write(&format!("{trigger} {number}"), &arguments);
                scene.workspace.apply().quiet();
                let ids: BTreeSet<_> = [0, 1].map(|index| scene.works_at(&format!("{ADDRESS}[{index}]"))).into();
                assert_eq!(scene.live(), ids, "{}: {order} {trigger}", scene.name());
            }
        }
        scene.workspace.destroy().quiet();
        assert_eq!(scene.live(), BTreeSet::new(), "{}", scene.name());
    }
}

#[test]
fn a_change_to_at_once_revokes_the_previous_one_and_resets_nothing() {
    for scene in scenes() {
        let [_, current] = scene.overlap();
        let password = scene.workspace.state()["password"].clone();
        scene.write("two", AT_ONCE);
        scene.workspace.apply().quiet();
        assert_eq!((scene.works(), scene.previous()), (current.clone(), None), "{}", scene.name());
        assert_eq!(scene.workspace.state()["password"], password);
        assert_eq!(scene.live(), [current].into(), "{}", scene.name());
        scene.workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_replacement_revokes_both() {
    for scene in scenes() {
        let before = scene.overlap();
        scene.workspace.apply_with(&[&format!("-replace={ADDRESS}")]).quiet();
        let current = scene.works();
        assert!(!before.contains(&current));
        assert_eq!((scene.live(), scene.previous()), ([current].into(), None), "{}", scene.name());
        scene.workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_refused_new_one_is_taken_back() {
    for mut scene in scenes() {
        scene.workspace.trust_mail_server();
        let [_, current] = scene.overlap();
        let stored = scene.workspace.state();
        let port = scene.workspace.sandbox.smtp_port();
        let verified = format!("{OVERLAP}\n  verify = {{ host = \"127.0.0.1\", port = {port}, timeout = \"10s\" }}");
        scene.workspace.sandbox.smtp_fault(SmtpFault::reply(Stage::Login, "535 5.7.8 No").always());
        scene.write("three", &verified);
        let error = scene.workspace.apply().error().is("The rotation was undone");
        error.says(&["replied 535 5.7.8", "The state has the old credential again.", "is revoked.", NOT_CHANGED]);
        scene.workspace.sandbox.clear_smtp_faults();
        let state = scene.workspace.state();
        for name in ["password", "username", "remote_version", "rotated_at", "rotation_version", "rotation_trigger"] {
            assert_eq!(state[name], stored[name], "{}: {name}", scene.name());
        }
        // The one before was revoked first.
        assert_eq!((scene.works(), scene.previous()), (current.clone(), None), "{}", scene.name());
        assert_eq!(scene.live(), [current.clone()].into(), "{}", scene.name());

        scene.workspace.sandbox.smtp_fault(SmtpFault::reply(Stage::Login, "235 2.7.0 Welcome").always());
        scene.workspace.apply().quiet();
        scene.workspace.sandbox.clear_smtp_faults();
        assert_eq!(scene.workspace.state()["verified"], true);
        assert_eq!(scene.previous(), Some(current.clone()));
        assert_eq!(scene.live(), [current, scene.works()].into(), "{}", scene.name());
    }
}

#[test]
fn a_rotation_that_cannot_revoke_the_one_before_resets_nothing() {
    for scene in scenes() {
        let [previous, current] = scene.overlap();
        scene.trouble(Trouble::RefusedRevocation);
        scene.write("three", OVERLAP);
        scene.workspace.apply().error().says(&[&previous, NOT_CHANGED]);
        assert_eq!((scene.works(), scene.previous()), (current.clone(), Some(previous.clone())), "{}", scene.name());
        assert_eq!(scene.live(), [previous, current.clone()].into(), "{}", scene.name());
        scene.workspace.apply().quiet();
        assert_eq!(scene.previous(), Some(current.clone()));
        assert_eq!(scene.live(), [current, scene.works()].into(), "{}", scene.name());
    }
}

#[test]
fn after_any_reset_everything_that_works_is_in_the_state_or_named() {
    for (trouble, outcome) in [(Trouble::RefusedReset, NOT_CHANGED), (Trouble::LostReset, MAY_HAVE)] {
        for scene in scenes() {
            let [previous, current] = scene.overlap();
            scene.trouble(trouble);
            scene.write("three", OVERLAP);
            let error = scene.workspace.apply().error();
            let error = error.says(&[outcome, &format!("{previous}`, the credential before it, was revoked first.")]);
            assert_eq!((scene.works(), scene.previous()), (current.clone(), None), "{}", scene.name());
            let live = scene.live();
            assert_eq!(live.len(), if trouble == Trouble::LostReset { 2 } else { 1 }, "{}", scene.name());
            for id in live {
                assert!(id == current || error.detail.contains(&id), "{}: {error:?}", scene.name());
            }
        }
    }
}

#[test]
fn a_destroy_that_cannot_revoke_keeps_what_works_in_the_state() {
    for scene in scenes() {
        let [previous, current] = scene.overlap();
        scene.trouble(Trouble::RefusedRevocation);
        scene.workspace.destroy().error().says(&[NOT_CHANGED]);
        assert_eq!((scene.works(), scene.previous()), (current.clone(), Some(previous.clone())), "{}", scene.name());
        assert_eq!(scene.live(), [previous, current].into(), "{}", scene.name());
        scene.workspace.destroy().quiet();
        assert_eq!(scene.live(), BTreeSet::new(), "{}", scene.name());
    }
}

#[test]
fn a_previous_one_is_named_where_the_current_one_was_revoked_externally() {
    for scene in scenes() {
        let [previous, current] = scene.overlap();
        scene.revoke_newest();
        assert_eq!(scene.live(), [previous.clone()].into(), "{}: {current}", scene.name());
        // A vendor that shows new credentials late may not show this one yet.
        scene.workspace.age_resets();
        let run = scene.workspace.refresh().succeeded();
        let by_hand = format!("{previous}` by hand");
        assert!(run.diagnostics.iter().any(|said| said.detail.contains(&by_hand)), "{}: {run}", scene.name());
        assert_eq!(scene.workspace.addresses(), [""; 0]);
        // What follows has nothing to do with the one that was named.
        scene.workspace.apply().quiet();
        assert_eq!((scene.previous(), scene.live()), (None, [previous, scene.works()].into()), "{}", scene.name());
    }
}

/// A workspace at a vendor whose resets make new credentials.
struct Scene {
    workspace: Workspace,
    maker: Maker,
}

enum Maker {
    Documented(Ledger),
    Imitated(&'static Model),
}

/// One for each vendor.
fn scenes() -> impl Iterator<Item = Scene> {
    makers().filter_map(|(name, cases)| Scene::new(name, &cases[0]))
}

/// One for each form of each vendor's API.
fn every_scene() -> impl Iterator<Item = Scene> {
    let forms = |(name, cases): (_, &'static [Case])| cases.iter().filter_map(move |case| Scene::new(name, case));
    makers().flat_map(forms)
}

/// Without a vendor of few places, whose tests have an imitation of their own.
fn makers() -> impl Iterator<Item = (&'static str, &'static [Case])> {
    let makers = VENDORS.iter().filter(|vendor| vendor.reset_kind == ResetKind::NewCredential);
    makers.map(|vendor| (vendor.name, cases_of(vendor.name))).filter(|(_, cases)| cases[0].can_be_kept_in_a_ledger())
}

impl Scene {
    fn new(name: &str, case: &'static Case) -> Option<Self> {
        let mut workspace = Workspace::new()?;
        let maker = match sandbox::VENDORS.iter().find(|model| model.name == name) {
            Some(model) => Maker::Imitated(model),
            None => Maker::Documented(Ledger::start(case, &mut workspace)),
        };
        Some(Self { workspace, maker })
    }

    fn name(&self) -> &'static str {
        match &self.maker {
            Maker::Documented(ledger) => ledger.case.vendor.name,
            Maker::Imitated(model) => model.name,
        }
    }

    /// Whether a new credential needs some time until it works.
    fn is_slow(&self) -> bool {
        VENDORS.iter().any(|vendor| vendor.name == self.name() && vendor.lag.is_some())
    }

    fn write(&self, trigger: &str, arguments: &str) {
        let (provider, target) = match &self.maker {
            Maker::Documented(ledger) => (provider(ledger.case), argument(ledger.case)),
            Maker::Imitated(model) => (String::new(), model.argument(model.examples[0].name)),
        };
        let arguments = format!("rotation_trigger = \"{trigger}\"\n  {arguments}");
        self.workspace.write(&(provider + &block("this", &target, &arguments)));
    }

    /// Rotates once with an overlap. Returns the ids of both that work then, the older first.
    fn overlap(&self) -> [String; 2] {
        let ids = ["one", "two"].map(|trigger| {
            self.write(trigger, OVERLAP);
            self.workspace.apply().quiet();
            self.works()
        });
        assert_eq!(self.previous(), Some(ids[0].clone()));
        assert_eq!(self.live(), ids.clone().into(), "{}", self.name());
        ids
    }

    /// The ids of the credentials that resets have made and that work.
    fn live(&self) -> BTreeSet<String> {
        match &self.maker {
            Maker::Documented(ledger) => ledger.live().into_iter().map(|key| key.id).collect(),
            Maker::Imitated(model) => model.at(&self.workspace.sandbox).successors().into_iter().collect(),
        }
    }

    /// Insists that the state holds a password that works, and returns the id of its credential.
    #[track_caller]
    fn works(&self) -> String {
        self.works_at(ADDRESS)
    }

    #[track_caller]
    fn works_at(&self, address: &str) -> String {
        let state = self.workspace.state_of(address);
        let id = state["remote_version"].as_str().expect("an id").to_owned();
        match &self.maker {
            Maker::Documented(ledger) => {
                let key = ledger.live().into_iter().find(|key| key.id == id);
                let key = key.unwrap_or_else(|| panic!("{}: {id} was revoked", self.name()));
                assert!(state["password"] == key.password, "{}: {id} has another password", self.name());
            }
            Maker::Imitated(_) => drop(self.workspace.working_password_of(address)),
        }
        id
    }

    /// The id in `previous`, which is the last part of an import id.
    fn previous(&self) -> Option<String> {
        match &self.workspace.state()["previous"] {
            Value::String(import) => import.rsplit('/').next().map(str::to_owned),
            _ => None,
        }
    }

    /// Revokes the newest credential as somebody else.
    fn revoke_newest(&self) {
        match &self.maker {
            Maker::Documented(ledger) => ledger.revoke_newest(),
            Maker::Imitated(model) => model.at(&self.workspace.sandbox).reset_elsewhere(model.examples[0].name),
        }
    }

    fn trouble(&self, trouble: Trouble) {
        match &self.maker {
            Maker::Documented(ledger) => ledger.trouble(trouble),
            Maker::Imitated(_) => self.workspace.sandbox.fault(match trouble {
                Trouble::LostReset => Fault::status(500).on(Operation::Reset),
                Trouble::RefusedReset => Fault::status(403).on(Operation::Reset).before(),
                Trouble::RefusedRevocation => Fault::status(403).on(Operation::Revoke).before(),
            }),
        }
    }
}
