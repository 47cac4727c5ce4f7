//! Taking over a credential that exists.

use sandbox::{Fault, Operation};
use serde_json::Value;

use crate::support::{ADDRESS, USER, Workspace, credential};

#[test]
fn an_import_knows_everything_but_the_password() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    workspace.import(&format!("hubspot/{USER}")).succeeded();
    let state = workspace.state();
    assert_eq!(state["id"], format!("hubspot/{USER}"));
    assert_eq!(state["username"], USER);
    assert_eq!(state["smtp_host"], "smtp.hubapi.com");
    for unknown in ["password", "rotated_at", "rotation_trigger"] {
        assert_eq!(state[unknown], Value::Null, "{unknown}");
    }
    assert_eq!(state["rotation_version"], 0);
    workspace.plan().nothing_to_do();
    assert_eq!(workspace.resets(), 0);
}

#[test]
fn an_import_block_adopts_and_the_next_change_rotates() {
    let Some(workspace) = Workspace::new() else { return };
    let before = workspace.sandbox.hubspot().password(USER).expect("the credential has a password");
    let import = format!("import {{\n  to = {ADDRESS}\n  id = \"hubspot/{USER}\"\n}}\n");

    workspace.write(&(import + &credential("rotation_trigger = \"one\"")));
    let plan = workspace.plan();
    assert_eq!(plan.action(ADDRESS).as_deref(), Some("update"));
    let adopted =
        "The imported credential was adopted without a reset. Its password is unknown until the next rotation.";
    plan.warning().is("No reset after the import").says(&[adopted]).points_at("rotation_trigger = \"one\"");
    workspace.apply().succeeded();
    assert_eq!(workspace.resets(), 0);
    assert_eq!(workspace.state()["password"], Value::Null);
    assert_eq!(workspace.state()["rotation_trigger"], "one");
    assert!(workspace.logs_in(&before));
    workspace.plan().nothing_to_do();

    workspace.write(&credential("rotation_trigger = \"two\""));
    assert_eq!(workspace.plan().quiet().action(ADDRESS).as_deref(), Some("replace"));
    workspace.apply().quiet();
    assert_eq!(workspace.resets(), 1);
    workspace.working_password();
    workspace.plan().nothing_to_do();
}

/// All that a configuration makes of a credential, and none of it fails on what an import cannot know.
fn consumers() -> String {
    let without = include_str!("../../examples/functions/url/without-functions.tf");
    let without = without.replace("smtp_credential_password.newsletter", ADDRESS);
    let user = format!("resource \"terraform_data\" \"user\" {{\n  input = {ADDRESS}.rotation_version\n}}\n");
    let output =
        |(name, value): (&str, String)| format!("output \"{name}\" {{\n  value = {value}\n  sensitive = true\n}}\n");
    let outputs = [
        ("url", format!("provider::smtp::url({ADDRESS})")),
        ("lettre", format!("provider::smtp::url({ADDRESS}, \"starttls\", \"lettre\")")),
        ("relay", format!("provider::smtp::url(merge({ADDRESS}, {{ smtp_port = 465 }}), \"curl\")")),
        ("password", format!("{ADDRESS}.password")),
        ("version", format!("{ADDRESS}.rotation_version")),
    ];
    outputs.map(output).concat() + &without + &user
}

#[test]
fn an_import_takes_place_whatever_is_made_of_the_password() {
    let id = format!("hubspot/{USER}");
    let block = format!("import {{\n  to = {ADDRESS}\n  id = \"{id}\"\n}}\n");
    for by_block in [false, true] {
        let Some(workspace) = Workspace::with_functions() else { return };
        let before = workspace.sandbox.hubspot().password(USER).expect("the credential has a password");
        let whole = |trigger: &str| credential(&format!("rotation_trigger = \"{trigger}\"")) + &consumers();
        if by_block {
            workspace.write(&(block.clone() + &whole("one")));
        } else {
            workspace.write(&whole("one"));
            workspace.import(&id).succeeded();
            assert_eq!(workspace.state()["password"], Value::Null);
        }
        workspace.apply().succeeded();
        assert_eq!(workspace.resets(), 0);
        assert!(workspace.logs_in(&before));
        // Core stores no output that is null.
        let outputs = workspace.json(&["output", "-json"]);
        assert_eq!(
            outputs.as_object().map(|outputs| outputs.keys().cloned().collect::<Vec<_>>()),
            Some(vec!["version".to_owned()])
        );
        assert_eq!(workspace.output("version"), 0);
        workspace.plan().nothing_to_do();

        workspace.write(&whole("two"));
        workspace.apply().quiet();
        assert_eq!(workspace.resets(), 1);
        let login = format!("zh48wgsfld%4062515.smtp.hubspot.net:{}@smtp.hubapi.com", workspace.working_password());
        for (name, url) in [
            ("url", format!("smtp://{login}:587")),
            ("lettre", format!("smtp://{login}:587?tls=required")),
            ("relay", format!("smtps://{login}:465")),
            ("nodemailer_url", format!("smtp://{login}:587?requireTLS=true")),
        ] {
            assert_eq!(workspace.output(name), url);
        }
        assert_eq!(workspace.output("version"), workspace.state()["rotation_version"]);
        assert_ne!(workspace.output("version"), 0);
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn what_does_not_exist_cannot_be_imported() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    let run = workspace.import("hubspot/nobody@62515.smtp.hubspot.net").failed();
    assert!(run.stderr.contains("Cannot import non-existent remote object"), "{run}");
    workspace.sandbox.fault(Fault::status(403).on(Operation::List));
    let run = workspace.import(&format!("hubspot/{USER}")).failed();
    assert!(run.stderr.contains("HubSpot denied access"), "{run}");
    assert_eq!(workspace.addresses(), [""; 0]);
}

#[test]
fn a_bad_import_id_is_explained() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    for (id, words) in [
        ("nobody/a@b", "starts with an unknown vendor"),
        (USER, "has no vendor before a `/`"),
        ("hubspot", "the form `hubspot/<user_name>`"),
        ("hubspot/", "the form `hubspot/<user_name>`"),
        ("hubspot/a/b", "the form `hubspot/<user_name>`"),
        ("hubspot/..", "`hubspot.user_name` must not contain `..`"),
        ("hubspot/a%2Fb", "`hubspot.user_name` must not contain `%`"),
        ("hostup/acct_1", "the form `hostup/<account_id>/<address>`"),
        ("hostup/acct_1/info", "`hostup.address` must be an e-mail address"),
        ("kirim_email/example.com", "the form `kirim_email/<domain>/<credential_guid>`"),
        ("smtpd/", "the form `smtpd/<credential id>`"),
        ("azure_communication/a", "the form `azure_communication/<application_object_id>/<credential id>`"),
        ("azure_communication/a%2Fb/c", "`azure_communication.application_object_id` must not contain `%`"),
    ] {
        let run = workspace.import(id).failed();
        // For people, lines are broken and framed.
        let text = run.stderr.split(['\n', '│', ' ']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{id}: {run}");
    }
    assert_eq!(workspace.sandbox.requests().len(), 0);
}
