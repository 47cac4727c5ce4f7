//! The recipes of the guide, each against its vendor as documented.

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};

use super::recipe::{Ending, Fixture, Vendor};
use crate::support::Workspace;

macro_rules! recipes {
    ($($recipe:ident),+ $(,)?) => {
        const RECIPES: &[&str] = &[$(stringify!($recipe)),+];

        $(
            #[test]
            fn $recipe() {
                rotates_as_documented(stringify!($recipe));
            }
        )+
    };
}

recipes!(
    ahasend, cpanel, hostinger, improvmx, lettermint, mailcow, mailersend, mailtrap, mailu, migadu, mxroute, scaleway,
    smtp2go,
);

fn rotates_as_documented(recipe: &str) {
    let Some(mut workspace) = Workspace::new() else { return };
    let fixture = Fixture::of(recipe);
    let vendor = Vendor::start(&fixture, &mut workspace);

    // A request that the rate limit refused was not processed, so it is sent again, whichever side makes the password.
    vendor.configure(&workspace, "one");
    workspace.apply().quiet();
    assert_eq!((vendor.resets(), vendor.passwords().len()), (2, 1));
    let state = workspace.state();
    assert_eq!(state["id"], json!(format!("http/{}", fixture.name)));
    assert_eq!(state["password"], json!(vendor.passwords()[0]));
    assert_eq!(state["username"], json!(fixture.username));
    assert_eq!(state["remote_version"], json!(fixture.version));
    workspace.plan().nothing_to_do();

    // Whatever the vendor refuses, the old password stays, and the apply says so.
    let statuses = fixture.errors.keys().map(|status| Ending::Status(status.parse().expect("a status")));
    let refusals = fixture.refusal.iter().map(|_| Ending::Refusal);
    for ending in statuses.chain(refusals).filter(|ending| *ending != Ending::Status(429)) {
        vendor.end_with(ending);
        vendor.configure(&workspace, &format!("{ending:?}"));
        let before = vendor.resets();
        workspace.apply().error().says(&["The password was not changed."]);
        assert_eq!(vendor.resets(), before + 1, "{ending:?}");
        assert_eq!(workspace.state()["password"], state["password"], "{ending:?}");
    }

    vendor.end_with(Ending::Success);
    vendor.configure(&workspace, "two");
    workspace.apply().quiet();
    assert_eq!((vendor.passwords().len(), vendor.revoked()), (2, usize::from(vendor.makes_another())));
    assert_eq!(workspace.state()["password"], json!(vendor.passwords()[1]));
    workspace.destroy().quiet();
    assert_eq!(vendor.revoked(), if vendor.makes_another() { 2 } else { 0 });
    vendor.assert_documented();
}

const ADDRESS: &str = "smtp_credential_password.this";

/// Applies a recipe, and then forgets what it has made; returns its state and the import id.
fn made_and_forgotten(vendor: &Vendor, fixture: &Fixture, workspace: &Workspace) -> (Value, String) {
    vendor.end_with(Ending::Success);
    vendor.configure(workspace, "one");
    workspace.apply().quiet();
    let state = workspace.state();
    workspace.run(&["state", "rm", ADDRESS]).succeeded();
    let id = fixture.version.as_deref().expect("what is made has an id");
    (state, format!("http/{}/{id}", fixture.name))
}

#[test]
fn what_a_recipe_makes_can_be_imported() {
    for recipe in RECIPES {
        let Some(mut workspace) = Workspace::new() else { return };
        let fixture = Fixture::of(recipe);
        let vendor = Vendor::start(&fixture, &mut workspace);
        if !vendor.makes_another() {
            continue;
        }
        let (made, id) = made_and_forgotten(&vendor, &fixture, &workspace);
        workspace.import(&id).succeeded();
        let state = workspace.state();
        for attribute in ["id", "http", "remote_version", "username"] {
            assert_eq!(state[attribute], made[attribute], "{recipe}: {attribute}");
        }
        vendor.assert_documented();
    }
}

#[test]
fn a_key_of_another_application_of_scaleway_is_not_imported() {
    let Some(mut workspace) = Workspace::new() else { return };
    let fixture = Fixture::of("scaleway");
    let vendor = Vendor::start(&fixture, &mut workspace);
    let (_, id) = made_and_forgotten(&vendor, &fixture, &workspace);
    let parts: Vec<_> = id.split('/').collect();
    let [http, project, _, key] = parts[..] else { panic!("{id} has other parts") };
    let other = [http, project, "0a1b2c3d-4e5f-4a6b-8c7d-8e9f0a1b2c3d", key].join("/");
    let run = workspace.import(&other).failed().to_string().replace('\n', " ");
    assert!(run.contains("it is about another credential than the one requested"), "{run}");
    vendor.assert_documented();
}

#[test]
fn every_recipe_of_the_guide_is_tested() {
    let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guides/http.md")).expect("the guide");
    let (_, recipes) = guide.split_once("\n## Recipes\n").expect("the guide has recipes");
    let (table, recipes) = recipes.split_once("\n### ").expect("a recipe has a heading");
    let headings: BTreeSet<_> = format!("\n### {recipes}")
        .split("\n### ")
        .skip(1)
        .map(|text| text.lines().next().expect("a heading").to_owned())
        .collect();
    let tested: BTreeSet<_> = RECIPES.iter().map(|recipe| Fixture::of(recipe).heading).collect();
    assert_eq!(headings, tested);
    for heading in headings {
        assert!(table.contains(&format!("| [{heading}](#{}) |", heading.to_lowercase())), "the table has {heading}");
    }
}
