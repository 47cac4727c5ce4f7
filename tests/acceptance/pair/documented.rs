//! Pairs at the vendors that the sandbox does not imitate: two credentials of the documented list take turns.

use serde_json::json;
use terraform_provider_smtp::vendors::{ResetKind, VENDORS};

use super::{
    moved::moved,
    scene::{PAIR, block, trigger},
};
use crate::{
    case::{Case, Exchange, cases_of},
    replay::{Replay, argument, provider},
    support::{self, ADDRESS, Workspace},
};

#[test]
fn the_credentials_of_a_documented_list_take_turns() {
    for scene in scenes() {
        for (count, index) in [0, 1, 0, 1].into_iter().enumerate() {
            scene.write([0, 1], &trigger(&count.to_string()));
            scene.workspace.apply().quiet();
            scene.holds(index, if count == 0 { None } else { Some(1 - index) });
            assert_eq!(scene.resets(), [count / 2 + 1, count.div_ceil(2)], "{:?}", scene.ids);
            scene.workspace.plan().nothing_to_do();
        }
        // Another order resets nothing, and neither does a destroy.
        scene.write([1, 0], &trigger("3"));
        scene.workspace.apply().quiet();
        scene.workspace.destroy().quiet();
        assert_eq!(scene.resets(), [2, 2], "{:?}", scene.ids);
    }
}

#[test]
fn two_credentials_of_a_documented_list_are_taken_over_untouched() {
    for scene in scenes() {
        scene.write([0, 1], "");
        let id = scene.ids.join(",");
        scene.workspace.run(&["import", "-no-color", "-input=false", PAIR, &id]).succeeded();
        scene.write([0, 1], &trigger("one"));
        scene.workspace.plan().warning().is("No reset after the import");
        scene.workspace.apply().succeeded();
        assert_eq!(scene.resets(), [0, 0]);
        scene.write([0, 1], &trigger("two"));
        scene.workspace.apply().quiet();
        scene.holds(1, Some(0));
        assert_eq!(scene.resets(), [0, 1]);
        scene.workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_single_credential_of_a_documented_list_becomes_the_current_one_of_a_pair() {
    for scene in scenes() {
        if !scene.workspace.knows_moved_between_types() {
            return;
        }
        let target = format!("{} = {}", scene.case.vendor.name, scene.element(0));
        scene.workspace.write(&(provider(scene.case) + &support::block("this", &target, "")));
        scene.workspace.apply().quiet();
        let password = scene.workspace.state_of(ADDRESS)["password"].clone();
        scene.write_with([0, 1], "", &moved());
        scene.workspace.apply().quiet();
        assert_eq!(scene.workspace.state_of(PAIR)["password"], password);
        scene.holds(0, None);
        scene.write_with([0, 1], &trigger("two"), &moved());
        scene.workspace.apply().quiet();
        scene.holds(1, Some(0));
        assert_eq!(scene.resets(), [1, 1]);
    }
}

#[test]
fn a_vendor_whose_resets_make_new_credentials_has_no_pairs() {
    let Some(workspace) = Workspace::new() else { return };
    for vendor in VENDORS.iter().filter(|vendor| vendor.reset_kind == ResetKind::NewCredential) {
        let case = &cases_of(vendor.name)[0];
        let one = argument(case).split_once(" = ").expect("an argument").1.to_owned();
        workspace.write(&block(&format!("{} = [{one}, {}]", vendor.name, one.replace(case.target[0], "b")), ""));
        let error = workspace.validate().error().is("A reset there makes a new credential");
        error.says(&["Use `smtp_credential_password` with `retire_previous`"]);
    }
    assert_eq!(workspace.requests(), [""; 0]);
}

struct Scene {
    workspace: Workspace,
    replay: Replay,
    case: &'static Case,
    ids: [String; 2],
}

/// One for each vendor that resets in place and is not imitated.
fn scenes() -> impl Iterator<Item = Scene> {
    let is_imitated = |name: &str| sandbox::VENDORS.iter().any(|model| model.name == name);
    let vendors = VENDORS.iter().filter(|vendor| vendor.reset_kind == ResetKind::InPlace);
    vendors.filter(move |vendor| !is_imitated(vendor.name)).filter_map(|vendor| Scene::new(&cases_of(vendor.name)[0]))
}

impl Scene {
    fn new(case: &'static Case) -> Option<Self> {
        let mut workspace = Workspace::new()?;
        let name = case.vendor.name;
        let [first, second] = case.listed else { panic!("{name} documents a list of two") };
        assert_eq!(first.target, case.target, "{name} lists the case's credential first");
        let replay = Replay::start_with(vec![case, other(case, second.target)], &mut workspace);
        let ids = [first, second].map(|listed| format!("{name}/{}", listed.target.join("/")));
        Some(Self { workspace, replay, case, ids })
    }

    fn element(&self, index: usize) -> String {
        let fields = self.case.vendor.target.iter().zip(self.case.listed[index].target);
        let fields: Vec<_> = fields.map(|(field, value)| format!("{} = {value:?}", field.name)).collect();
        format!("{{ {} }}", fields.join(", "))
    }

    fn write(&self, order: [usize; 2], arguments: &str) {
        self.write_with(order, arguments, "");
    }

    /// Writes the pair, and another block.
    fn write_with(&self, order: [usize; 2], arguments: &str, other: &str) {
        let [first, second] = order.map(|index| self.element(index));
        let list = format!("{} = [{first}, {second}]", self.case.vendor.name);
        self.workspace.write(&[&provider(self.case), &*block(&list, arguments), other].concat());
    }

    fn resets(&self) -> [usize; 2] {
        [0, 1].map(|index| self.replay.passwords_of(index).len())
    }

    /// Insists that the state has this credential with the password of its last reset.
    #[track_caller]
    fn holds(&self, current: usize, previous: Option<usize>) {
        let state = self.workspace.state_of(PAIR);
        assert_eq!(state["current"], self.ids[current]);
        assert_eq!(state["previous"], json!(previous.map(|index| &self.ids[index])));
        assert_eq!(state["username"], self.case.listed[current].username);
        assert!(state["password"] == json!(self.replay.passwords_of(current).last()), "{}", self.ids[current]);
    }
}

/// The case of another credential: its reset differs by the fields that name it.
fn other(case: &'static Case, target: &'static [&'static str]) -> &'static Case {
    let put = |text: &str| {
        let fields = case.target.iter().zip(target);
        fields.fold(text.to_owned(), |text, (from, to)| text.replace(from, to)).leak() as &'static str
    };
    let reset = Exchange { path: put(case.reset.path), ..case.reset };
    Box::leak(Box::new(Case { target, reset, reset_body: put(case.reset_body), ..*case }))
}
