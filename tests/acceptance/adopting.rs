//! The guide on adopting credentials: what it imports plans empty, and nothing is reset before the end.

use std::collections::BTreeSet;

use crate::support::{HUBSPOT, Run, USER, Workspace, block};

const GUIDE: &str = include_str!("../../docs/guides/adopting.md");

const NEWSLETTER: &str = "smtp_credential_password.newsletter";

/// The users of an account; the last one needs its name quoted.
const USERS: [&str; 3] = [USER, "alerts@62515.smtp.hubspot.net", "it's \"büro\"+1@62515.smtp.hubspot.net"];

#[test]
fn the_commands_of_the_guide_are_those_that_are_tried() {
    let commands: BTreeSet<_> = blocks("shell").into_iter().flat_map(str::lines).collect();
    let import = format!("terraform import {NEWSLETTER} hubspot/{USER}");
    let tried = [
        "terraform apply",
        "terraform apply -replace=smtp_credential_password.newsletter",
        "terraform output -raw imports > imports.tf",
        "terraform plan",
        "terraform plan -generate-config-out=generated.tf",
        "terraform query",
        "terraform query -generate-config-out=generated.tf",
        &import,
    ];
    assert_eq!(commands, tried.into_iter().collect());
}

#[test]
fn what_a_query_finds_is_imported_and_plans_empty() {
    let Some(workspace) = with_users(Workspace::with_query()) else { return };
    workspace.write("");
    workspace.file("all.tfquery.hcl", blocks("terraform")[0]);
    let shown = workspace.run(&["query", "-no-color"]).succeeded().stdout;
    for user in USERS {
        assert!(shown.contains(user), "{shown}");
    }
    workspace.run(&["query", "-generate-config-out=generated.tf"]).succeeded();
    assert_eq!(changes(&workspace.plan().quiet()), [3, 0, 0, 0]);
    workspace.apply().quiet();
    assert_eq!(workspace.addresses().len(), USERS.len());
    workspace.plan().nothing_to_do();

    let generated = workspace.path("generated.tf");
    let text = std::fs::read_to_string(generated).expect("the configuration");
    let mut without = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line == "import {" {
            lines.find(|line| *line == "}").expect("the end of the block");
        } else if !["smtp_host", "smtp_port"].iter().any(|name| line.trim().starts_with(name)) {
            without = without + line + "\n";
        }
    }
    workspace.file("generated.tf", &without);
    assert_eq!(changes(&workspace.plan().quiet()), [0; 4]);
    assert_eq!(resets(&workspace), [0; 3]);
}

#[test]
fn all_credentials_of_an_account_are_imported_and_plan_empty() {
    let Some(workspace) = with_users(Workspace::with_import_for_each()) else { return };
    let configuration = blocks("terraform")[1];
    workspace.write(configuration);
    assert_eq!(changes(&workspace.plan().quiet()), [3, 0, 3, 0], "`rotation_mode` changes, and nothing is reset");
    workspace.apply().quiet();
    assert_eq!(workspace.addresses().len(), USERS.len());
    workspace.plan().nothing_to_do();

    let (before, import) = configuration.split_once("import {").expect("an import block");
    let (_, after) = import.split_once("\n}\n").expect("its end");
    workspace.write(&format!("{before}{after}"));
    workspace.plan().nothing_to_do();
    assert_eq!(resets(&workspace), [0; 3]);
}

#[test]
fn generated_blocks_plan_empty_after_the_import() {
    let Some(workspace) = with_users(Workspace::new()) else { return };
    workspace.write(blocks("terraform")[2]);
    workspace.apply().quiet();
    let imports = workspace.run(&["output", "-raw", "imports"]).succeeded().stdout;
    workspace.file("imports.tf", &imports);
    let plan = workspace.plan_with(&["-generate-config-out=generated.tf"]);
    assert_eq!(changes(&plan), [3, 0, 0, 0], "{plan}");
    workspace.apply().succeeded();
    assert_eq!(workspace.addresses().len(), USERS.len());
    workspace.plan().nothing_to_do();
    assert_eq!(resets(&workspace), [0; 3]);
}

#[test]
fn a_single_credential_is_imported_and_rotated() {
    let Some(workspace) = with_users(Workspace::new()) else { return };
    workspace.write(&block("newsletter", HUBSPOT, ""));
    workspace.run(&["import", NEWSLETTER, &format!("hubspot/{USER}")]).succeeded();
    workspace.plan().nothing_to_do();
    assert_eq!(resets(&workspace), [0; 3]);
    workspace.apply_with(&[&format!("-replace={NEWSLETTER}")]).quiet();
    assert_eq!(resets(&workspace), [1, 0, 0]);
    workspace.working_password_of(NEWSLETTER);
}

/// How many resources a plan imports, adds, changes and destroys.
fn changes(plan: &Run) -> [u64; 4] {
    let mut lines = plan.stdout.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let summary = lines.find(|line| line["type"] == "change_summary").expect("a summary");
    ["import", "add", "change", "remove"].map(|kind| summary["changes"][kind].as_u64().unwrap_or_default())
}

fn with_users(workspace: Option<Workspace>) -> Option<Workspace> {
    let workspace = workspace?;
    for user in &USERS[1..] {
        workspace.add_credential(user);
    }
    Some(workspace)
}

fn resets(workspace: &Workspace) -> [usize; 3] {
    USERS.map(|user| workspace.sandbox.hubspot().resets(user))
}

/// The blocks of the guide in a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    GUIDE.split(&*fence).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}
