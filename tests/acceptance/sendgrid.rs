//! `scopes` of `SendGrid`'s API keys.

use std::fs;

use serde_json::{Value, json};

use crate::{
    case::cases_of,
    ledger::Ledger,
    support::{ADDRESS, Workspace, block},
};

fn start() -> Option<(Workspace, Ledger)> {
    let mut workspace = Workspace::new()?;
    let ledger = Ledger::start(&cases_of("sendgrid")[0], &mut workspace);
    Some((workspace, ledger))
}

fn write(workspace: &Workspace, scopes: &str) -> String {
    let target = format!("sendgrid = {{ name = \"newsletter\", scopes = {scopes} }}");
    workspace.write(&block("this", &target, ""));
    target
}

#[test]
fn scopes_are_sent_and_only_another_set_of_them_makes_a_new_key() {
    let Some((workspace, ledger)) = start() else { return };
    for (scopes, action, sent) in [
        ("null", "create", "[\"mail.send\"]"),
        ("[\"mail.send\"]", "update", ""),
        ("[\"stats.read\", \"mail.send\"]", "replace", "[\"stats.read\",\"mail.send\"]"),
        ("[\"mail.send\", \"stats.read\"]", "update", ""),
        ("toset([\"stats.read\", \"mail.send\", \"mail.send\"])", "no-op", ""),
        ("[\"mail.send\", \"2fa_required\"]", "replace", "[\"mail.send\",\"2fa_required\"]"),
        ("null", "replace", "[\"mail.send\"]"),
    ] {
        write(&workspace, scopes);
        // Any other body is refused.
        ledger.expect(format!("{{\"name\":\"newsletter\",\"scopes\":{sent}}}").leak());
        let before = ledger.live();
        match action {
            "no-op" => workspace.plan().nothing_to_do(),
            action => assert_eq!(workspace.plan().quiet().action(ADDRESS).as_deref(), Some(action), "{scopes}"),
        }
        workspace.apply().quiet();
        workspace.plan().nothing_to_do();
        let [live] = &ledger.live()[..] else { panic!("one key works") };
        assert_eq!(workspace.state()["password"], live.password, "{scopes}");
        assert_eq!(before.iter().any(|key| key.id == live.id), sent.is_empty(), "{scopes}");
    }
    assert_eq!(workspace.state()["sendgrid"]["scopes"], Value::Null);
}

#[test]
fn bad_scopes_are_refused_at_their_line_and_late_ones_at_apply() {
    let Some((workspace, ledger)) = start() else { return };
    let single = "must be a single scope, such as `mail.send`";
    for (scopes, at, words) in [
        ("[]", "", "must not be empty"),
        ("[\"stats.read\"]", "", "must contain `mail.send`"),
        ("[\"mail.send\", null]", "[1]", "must not be null"),
        ("[\"mail.send\", \"\"]", "[1]", "must not be empty"),
        ("[\"mail.send\", \"stats read\"]", "[1]", single),
        ("[\"mail.send,stats.read\"]", "[0]", single),
        ("[\"mail.send\", \"stats.read\\n\"]", "[1]", single),
        ("[\"mail.send\", \"\\\"stats.read\\\"\"]", "[1]", single),
        ("[\"mail.send\", \"stats.read\", \"mail.send\"]", "[2]", "must not repeat an earlier element"),
    ] {
        let target = write(&workspace, scopes);
        workspace.validate().rejects(&format!("sendgrid.scopes{at}"), words).points_at(&target);
    }
    let late = |scope: &str| {
        let scope = format!("resource \"terraform_data\" \"scope\" {{\n  input = \"{scope}\"\n}}\n");
        let target = "sendgrid = { name = \"newsletter\", scopes = [\"mail.send\", terraform_data.scope.output] }";
        workspace.write(&(scope + &block("this", target, "")));
    };
    late("stats read");
    workspace.plan().quiet();
    workspace.apply().rejects("sendgrid.scopes[1]", single);
    assert_eq!(ledger.live().len(), 0);
    late("stats.read");
    ledger.expect("{\"name\":\"newsletter\",\"scopes\":[\"mail.send\",\"stats.read\"]}");
    workspace.apply().quiet();
    assert_eq!(workspace.state()["sendgrid"]["scopes"], json!(["mail.send", "stats.read"]));
}

#[test]
fn a_state_without_scopes_plans_empty_and_an_import_adopts_them() {
    let Some((workspace, ledger)) = start() else { return };
    workspace.write(&block("this", "sendgrid = { name = \"newsletter\" }", ""));
    workspace.apply().quiet();
    let path = workspace.path("terraform.tfstate");
    let mut state: Value = serde_json::from_str(&fs::read_to_string(&path).expect("a state")).expect("JSON");
    let target = state["resources"][0]["instances"][0]["attributes"]["sendgrid"].as_object_mut().expect("a target");
    assert_eq!(target.remove("scopes"), Some(Value::Null));
    workspace.file("terraform.tfstate", &state.to_string());
    workspace.plan().nothing_to_do();

    workspace.remove("terraform.tfstate");
    let id = ledger.live()[0].id.clone();
    workspace.import(&format!("sendgrid/{id}")).succeeded();
    workspace.plan().nothing_to_do();
    write(&workspace, "[\"mail.send\", \"stats.read\"]");
    let plan = workspace.plan();
    assert_eq!(plan.action(ADDRESS).as_deref(), Some("update"));
    plan.warning().is("No reset after the import").says(&["`sendgrid.scopes`"]);
    workspace.apply().succeeded();
    workspace.plan().nothing_to_do();
    assert_eq!(ledger.live().iter().map(|key| &key.id).collect::<Vec<_>>(), [&id]);
}
