//! The module in `examples/module`, as its users copy it: its own tests pass, and it does what its page says.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::Value;

use crate::{
    documented::examples,
    support::{USER, Workspace},
};

const PAGE: &str = include_str!("../../examples/module/README.md");
const SECOND: &str = "newsletter-b@62515.smtp.hubspot.net";
const TEST: &str = "tests/credential.tftest.hcl";
const SINGLE: &str = "module.newsletter.smtp_credential_password.this[0]";
const PAIR: &str = "module.newsletter.smtp_credential_pair.this[0]";

/// The files of the module.
pub(crate) const FILES: [&str; 4] =
    ["module/main.tf", "module/outputs.tf", "module/variables.tf", "module/versions.tf"];

#[test]
fn the_modules_own_tests_pass_without_a_vendor() {
    let Some(mut workspace) = Workspace::with_mocks() else { return };
    workspace.unset("HUBSPOT_ACCESS_TOKEN");
    workspace.remove("versions.tf");
    copy(&workspace, "");
    let test = fs::read_to_string(examples().join("module").join(TEST)).expect("the module's test");
    workspace.file(TEST, &test);
    workspace.run(&["fmt", "-check", "-recursive"]).succeeded();
    let runs = test.matches("\nrun \"").count();
    let run = workspace.run(&["test", "-no-color"]).succeeded();
    assert!(run.stdout.contains(&format!("{runs} passed, 0 failed")), "{run}");
    assert_eq!(workspace.requests(), [""; 0]);
    assert_mocks_all(&workspace, &test);
}

#[test]
fn the_page_lists_every_input_and_output() {
    let names = |file: &str, kind: &str| -> BTreeSet<String> {
        let text = fs::read_to_string(examples().join("module").join(file)).expect("a file of the module");
        let start = format!("\n{kind} \"");
        format!("\n{text}").split(&start).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
    };
    for (heading, file, kind) in [("## Inputs", "variables.tf", "variable"), ("## Outputs", "outputs.tf", "output")] {
        let part = PAGE.split(heading).nth(1).and_then(|rest| rest.split("\n## ").next()).expect("a part of the page");
        let listed: BTreeSet<_> =
            part.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).map(str::to_owned).collect();
        assert_eq!(listed, names(file, kind), "{heading}");
        // What is said of each is what the module says.
        let text = fs::read_to_string(examples().join("module").join(file)).expect("a file of the module");
        let said = text.lines().filter_map(|line| line.trim().strip_prefix("description = \"")?.strip_suffix('"'));
        said.for_each(|description| assert!(part.contains(description), "{heading}: {description}"));
    }
}

#[test]
fn one_credential_becomes_two_that_take_turns_as_the_page_shows() {
    let Some(mut workspace) = Workspace::with_moved_between_types() else { return };
    workspace.trust_mail_server();
    workspace.add_credential(SECOND);
    copy(&workspace, "modules/smtp-login/");
    let [usage, moved] = &blocks()[..] else { panic!("the page shows how to use it, and how to move") };
    let verify =
        format!("verify = {{ host = \"127.0.0.1\", port = {} }}\n  user_names = [", workspace.sandbox.smtp_port());
    let usage = |trigger: &str, users: &[&str]| {
        let listed = users.iter().map(|user| format!("{user:?}")).collect::<Vec<_>>().join(", ");
        let (before, rest) = usage.split_once("user_names = [").expect("the user names");
        let (_, after) = rest.split_once(']').expect("their end");
        format!("{before}{verify}{listed}]{after}").replace("2026-Q4", trigger)
    };

    workspace.write(&usage("2026-Q4", &[USER]));
    workspace.run(&["get", "-no-color"]).succeeded();
    workspace.apply().quiet();
    assert_eq!(workspace.addresses(), [SINGLE]);
    let password = workspace.working_password_of(SINGLE);
    assert_eq!(workspace.state_of(SINGLE)["verified"], true);
    let url = workspace.output("smtp_url");
    assert!(url.as_str().is_some_and(|url| url.contains(&password)), "the output has the password");
    workspace.plan().nothing_to_do();

    workspace.write(&(usage("2026-Q4", &[USER, SECOND]) + moved));
    workspace.apply().quiet();
    assert_eq!(workspace.working_password_of(PAIR), password);
    assert_eq!(workspace.output("smtp_url"), url);
    workspace.plan().nothing_to_do();

    workspace.write(&(usage("2027-Q1", &[USER, SECOND]) + moved));
    workspace.apply().quiet();
    workspace.working_password_of(PAIR);
    assert_eq!(workspace.state_of(PAIR)["username"], SECOND);
    assert!(workspace.logs_in(&password), "the previous one still works");
    assert_ne!(workspace.output("smtp_url"), url);
    assert_eq!(workspace.resets_everywhere(), 2);
    workspace.plan().nothing_to_do();

    workspace.write(&usage("2027-Q1", &["typo@62515.smtp.hubspot.net"]));
    let error = workspace.plan().error().is("Resource precondition failed");
    error.says(&["HubSpot has no credential for: typo@62515.smtp.hubspot.net."]);
}

/// Insists that a test mocks each value that the provider computes, and that each can be mocked.
#[track_caller]
pub(crate) fn assert_mocks_all(workspace: &Workspace, test: &str) {
    let schema = workspace.json(&["providers", "schema", "-json"]);
    let schemas = schema["provider_schemas"].as_object().and_then(|all| all.values().next()).expect("a schema");
    for (kind, mock) in [("resource_schemas", "mock_resource"), ("data_source_schemas", "mock_data")] {
        for (r#type, schema) in schemas[kind].as_object().expect("schemas") {
            let part = test.split(&format!("{mock} \"{type}\" {{")).nth(1).expect("a mock of each type");
            let part = part.split("\n  }\n").next().expect("its end");
            for (name, attribute) in schema["block"]["attributes"].as_object().expect("attributes") {
                let is_computed = attribute["computed"] == Value::Bool(true);
                let is_nested = attribute.get("nested_type").is_some();
                assert!(!(is_nested && is_computed), "core leaves a mocked `{name}` of {type} empty");
                assert!(!is_computed || part.contains(&format!(" {name} ")), "`{name}` of {type} is not mocked");
            }
        }
    }
}

fn copy(workspace: &Workspace, folder: &str) {
    for file in FILES {
        let text = fs::read_to_string(examples().join(file)).expect("a file of the module");
        let name = PathBuf::from(file);
        let name = name.file_name().and_then(|name| name.to_str()).expect("a name");
        workspace.file(&format!("{folder}{name}"), &text);
    }
}

fn blocks() -> Vec<&'static str> {
    PAGE.split("```terraform\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}
