//! `terraform query` (Terraform 1.14): what there is, by its identity, and the configuration that imports it.

use sandbox::{Fault, HostUp, KirimEmail, Operation, Role};
use serde_json::{Value, json};

use crate::support::{HUBSPOT, KIRIM_USER, MAILBOX, Run, USER, Workspace, credential, provider};

const SECOND: &str = "alerts@example.com";
const NOT_CHANGED: &str = "The password was not changed.";

/// A query for a scope, with further arguments of the block.
fn query(workspace: &Workspace, scope: &str, arguments: &str) {
    let block = format!(
        "list \"smtp_credential_password\" \"all\" {{\n  provider = smtp\n  {arguments}\n  config {{\n    {scope}\n  }}\n}}\n"
    );
    workspace.file("all.tfquery.hcl", &block);
}

/// A workspace with a provider block, which a query needs, and with a scope to list.
fn listing(scope: &str, arguments: &str) -> Option<Workspace> {
    let workspace = Workspace::with_query()?;
    workspace.write("provider \"smtp\" {}\n");
    query(&workspace, scope, arguments);
    Some(workspace)
}

fn run(workspace: &Workspace) -> Run {
    workspace.run(&["query", "-json"])
}

/// What was found, each by its identity and its display name.
fn found(run: &Run) -> Vec<(Value, Value)> {
    let found = results(run).into_iter();
    found.map(|found| (found["identity"]["id"].clone(), found["display_name"].clone())).collect()
}

fn results(run: &Run) -> Vec<Value> {
    let lines = run.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.map(|line| line["list_resource_found"].clone()).filter(|found| !found.is_null()).collect()
}

#[test]
fn every_vendor_lists_what_can_be_imported() {
    for (scope, id, name) in [
        ("hubspot = {}", format!("hubspot/{USER}"), USER),
        (
            r#"hostup = { account_id = "acct_01hxa3b4c5d6e7f8g9h0j1k2m3" }"#,
            format!("hostup/{}/{MAILBOX}", HostUp::ACCOUNT_ID),
            MAILBOX,
        ),
        (
            r#"kirim_email = { domain = "example.com" }"#,
            format!("kirim_email/{}/{}", KirimEmail::DOMAIN, KirimEmail::GUID),
            KIRIM_USER,
        ),
    ] {
        let Some(workspace) = listing(scope, "") else { return };
        let run = run(&workspace).quiet();
        assert_eq!(found(&run), [(json!(id), json!(name))], "{run}");
        assert_eq!(results(&run)[0].get("resource_object"), None, "nobody has asked for it");
    }
}

#[test]
fn the_key_that_the_provider_logs_in_with_is_left_out() {
    let Some(workspace) = listing("smtpd = {}", "") else { return };
    let key = workspace.sandbox.smtpd().add_key("newsletter", Role::SendOnly);
    let run = run(&workspace).quiet();
    assert_eq!(found(&run), [(json!(format!("smtpd/{}", key.id)), json!("newsletter"))], "{run}");
}

#[test]
fn each_result_has_the_resource_as_an_import_makes_it() {
    let Some(workspace) = listing("hubspot = {}", "include_resource = true") else { return };
    let results = results(&run(&workspace).quiet());
    workspace.remove("all.tfquery.hcl");
    workspace.write(&credential(""));
    workspace.import(&format!("hubspot/{USER}")).succeeded();
    let mut object = results[0]["resource_object"].clone();
    let attributes = object.as_object_mut().expect("the resource");
    let imported = workspace.state();
    let imported = imported.as_object().expect("attributes");
    for (name, value) in imported {
        assert_eq!(attributes.remove(name).unwrap_or_default(), *value, "{name}");
    }
    assert!(attributes.values().all(Value::is_null), "{attributes:?}");
    assert_eq!(workspace.resets_everywhere(), 0);
}

#[test]
fn a_limit_takes_from_the_beginning_and_says_so() {
    let Some(workspace) = listing("hubspot = {}", "limit = 1") else { return };
    workspace.add_credential(SECOND);
    let cut = run(&workspace);
    assert_eq!(found(&cut), [(json!(format!("hubspot/{SECOND}")), json!(SECOND))], "{cut}");
    cut.warning().is("The list is not complete").says(&[
        "has 2 credentials that can be imported, and the first 1 are listed",
        NOT_CHANGED,
        "at least 2",
    ]);
    query(&workspace, "hubspot = {}", "limit = 2");
    assert_eq!(found(&run(&workspace).quiet()).len(), 2);

    let before = workspace.requests().len();
    query(&workspace, "hubspot = {}", "limit = 0");
    let run = run(&workspace).succeeded();
    assert_eq!(found(&run), []);
    assert_eq!(workspace.requests().len(), before, "nothing is wanted, so no vendor is asked");
}

#[test]
fn what_cannot_be_imported_is_left_out_with_a_warning() {
    let Some(workspace) = listing("hubspot = {}", "") else { return };
    workspace.add_credential("a/b@example.com");
    let run = run(&workspace);
    assert_eq!(found(&run), [(json!(format!("hubspot/{USER}")), json!(USER))], "{run}");
    run.warning().is("Some credentials are omitted").says(&["returned 1 credentials whose names", NOT_CHANGED]);
}

#[test]
fn a_vendor_that_is_down_fails_the_query() {
    let Some(workspace) = listing("hubspot = {}", "include_resource = true") else { return };
    workspace.sandbox.fault(Fault::status(403).on(Operation::List).times(1).before());
    let run = run(&workspace);
    assert_eq!(found(&run), []);
    run.error().is("HubSpot denied access").says(&["Listing the credentials of `hubspot`", NOT_CHANGED]);
}

#[test]
fn settings_that_are_missing_or_unknown_are_errors() {
    let Some(mut workspace) = listing("hubspot = {}", "") else { return };
    let unknown = "resource \"terraform_data\" \"token\" {}\n".to_owned();
    workspace.write(&(unknown + &provider("access_token = terraform_data.token.id")));
    run(&workspace).error().is("Provider settings are not known yet");
    workspace.write("provider \"smtp\" {}\n");
    workspace.unset("HUBSPOT_ACCESS_TOKEN");
    run(&workspace).error().is("No credentials for HubSpot").says(&["The API of HubSpot is needed"]);
}

#[test]
fn a_query_names_exactly_one_account() {
    for (scope, summary, words) in [
        ("", "No account is set", "Set exactly one of"),
        ("hubspot = {}\n    smtpd = {}", "More than one account is set", "`hubspot`, `smtpd` are set."),
        (r#"kirim_email = { domain = "a/b" }"#, "Invalid value for `kirim_email.domain`", "must not contain `/`"),
        ("hubspot = {}\n    timeouts = { read = \"soon\" }", "Invalid value for `timeouts.read`", "must"),
    ] {
        let Some(workspace) = listing(scope, "") else { return };
        run(&workspace).error().is(summary).says(&[words]);
        assert_eq!(workspace.requests(), [""; 0]);
    }
}

#[test]
fn generated_configurations_plan_empty_after_the_import() {
    for scope in [
        "hubspot = {}",
        r#"hostup = { account_id = "acct_01hxa3b4c5d6e7f8g9h0j1k2m3" }"#,
        r#"kirim_email = { domain = "example.com" }"#,
    ] {
        let Some(workspace) = listing(scope, "") else { return };
        workspace.run(&["query", "-generate-config-out=generated.tf"]).succeeded();
        let plan = workspace.plan_with(&["-out=plan"]).quiet();
        assert_eq!(plan.action("smtp_credential_password.all_0").as_deref(), Some("import"), "{plan}");
        workspace.apply_with(&["plan"]).quiet();
        assert_eq!(workspace.addresses(), ["smtp_credential_password.all_0"]);
        workspace.plan().nothing_to_do();
        assert_eq!(workspace.resets_everywhere(), 0);
    }
}

#[test]
fn a_generated_configuration_of_smtpd_lacks_only_its_role() {
    let Some(workspace) = listing("smtpd = {}", "") else { return };
    workspace.sandbox.smtpd().add_key("newsletter", Role::SendOnly);
    workspace.run(&["query", "-generate-config-out=generated.tf"]).succeeded();
    workspace
        .plan()
        .error()
        .is("Missing value for `smtpd.role`")
        .says(&["`iac`, `read_only`, `send_only` or `standard`", "does not show the role of a key"]);
    let path = workspace.path("generated.tf");
    let generated = std::fs::read_to_string(path).expect("a configuration");
    workspace.file("generated.tf", &generated.replace("role = null", "role = \"send_only\""));
    let resets = workspace.resets_everywhere();
    workspace.apply().succeeded();
    workspace.plan().nothing_to_do();
    assert_eq!(workspace.resets_everywhere(), resets);
}

#[test]
fn a_planned_import_can_generate_the_same() {
    let Some(workspace) = Workspace::with_query() else { return };
    workspace.write(&format!(
        "import {{\n  to       = smtp_credential_password.this\n  identity = {{ id = \"hubspot/{USER}\" }}\n}}\n"
    ));
    workspace.plan_with(&["-generate-config-out=generated.tf"]).succeeded();
    workspace.apply().succeeded();
    workspace.plan().nothing_to_do();
    let user_name = HUBSPOT.split('"').nth(1).expect("a user name");
    assert_eq!(workspace.state()["hubspot"], json!({ "user_name": user_name }));
}

/// The example of the page.
#[test]
fn the_example_of_a_query_lists() {
    let Some(workspace) = Workspace::with_query() else { return };
    workspace.write("provider \"smtp\" {}\n");
    let example = include_str!("../../examples/list-resources/smtp_credential_password/list-resource.tfquery.hcl");
    workspace.file("all.tfquery.hcl", example);
    assert_eq!(found(&run(&workspace).quiet()), [(json!(format!("hubspot/{USER}")), json!(USER))]);
}
