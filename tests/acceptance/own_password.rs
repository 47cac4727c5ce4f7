//! A password of the user's own: sent to the vendor, and kept nowhere.

use serde_json::Value;

use crate::support::{ADDRESS, HOSTUP, HUBSPOT, KIRIM_EMAIL, MAILBOX, SMTPD, Workspace, block};

const OWN: &str = "own-Password_4711!";
const NEXT: &str = "next-Password_4712!";
const EPHEMERAL: &str = "variable \"own\" {\n  type = string\n  ephemeral = true\n}\n";

#[test]
fn it_is_sent_and_is_in_no_plan_no_state_and_no_log() {
    let Some(workspace) = own() else { return };
    workspace.write(&(EPHEMERAL.to_owned() + &mailbox("password_wo = var.own\n  password_wo_version = \"1\"")));
    let (run, plan_log) = workspace.logged(&["plan", "-json", "-input=false", "-out=plan"]);
    run.quiet();
    let plan = workspace.saved_plan();
    let planned = &plan["resource_changes"][0]["change"];
    assert_eq!([&planned["after"]["password"], &planned["after_unknown"]["password"]], [&Value::Null; 2]);

    let (run, apply_log) = workspace.logged(&["apply", "-json", "-input=false", "plan"]);
    run.quiet();
    works(&workspace, OWN, 1);
    let state = workspace.state();
    for name in ["password", "password_wo"] {
        assert_eq!(state[name], Value::Null, "{name}");
    }
    let (refresh, refresh_log) = workspace.logged(&["plan", "-json", "-detailed-exitcode", "-input=false"]);
    refresh.nothing_to_do();
    let file = std::fs::read_to_string(workspace.path("terraform.tfstate")).expect("a state");
    for text in [plan.to_string(), plan_log, apply_log, refresh_log, file] {
        assert!(text.len() > 1000 && !text.contains(OWN), "the password is nowhere");
    }
}

#[test]
fn a_changed_version_sends_it_again_and_nothing_else_does() {
    let Some(mut workspace) = own() else { return };
    let version = |workspace: &Workspace, version: &str| {
        let arguments = format!("password_wo = var.own\n  password_wo_version = \"{version}\"");
        workspace.write(&(EPHEMERAL.to_owned() + &mailbox(&arguments)));
    };
    version(&workspace, "1");
    workspace.apply().quiet();
    let rotated_at = workspace.state()["rotated_at"].clone();
    workspace.set("TF_VAR_own", NEXT);
    workspace.plan().nothing_to_do();

    version(&workspace, "2");
    assert_eq!(workspace.plan().quiet().action(ADDRESS).as_deref(), Some("update"));
    workspace.apply().quiet();
    works(&workspace, NEXT, 2);
    assert_eq!(workspace.state()["password"], Value::Null);
    assert_ne!(workspace.state()["rotated_at"], rotated_at, "what depends on it learns of the change");
    workspace.plan().nothing_to_do();
}

#[test]
fn it_takes_the_place_of_a_stored_password_and_gives_it_back() {
    let Some(workspace) = own() else { return };
    workspace.write(&mailbox(""));
    workspace.apply().quiet();
    let stored = workspace.working_password();

    workspace.write(&(EPHEMERAL.to_owned() + &mailbox("password_wo = var.own")));
    let plan = workspace.plan().quiet();
    assert_eq!(plan.action(ADDRESS).as_deref(), Some("update"));
    workspace.apply().quiet();
    works(&workspace, OWN, 2);
    assert!(!workspace.logs_in_as(MAILBOX, &stored));
    assert_eq!(workspace.state()["password"], Value::Null);
    workspace.plan().nothing_to_do();

    workspace.write(&mailbox(""));
    assert_eq!(workspace.plan().quiet().action(ADDRESS).as_deref(), Some("update"));
    workspace.apply().quiet();
    assert_eq!(workspace.sandbox.hostup().resets(MAILBOX), 3);
    workspace.working_password();
    workspace.plan().nothing_to_do();
}

#[test]
fn a_changed_trigger_sends_it_again_in_every_order() {
    for order in ["", "lifecycle { create_before_destroy = true }", "rotation_mode = \"in_place\""] {
        let Some(mut workspace) = own() else { return };
        for (count, (trigger, password)) in [("one", OWN), ("two", NEXT)].into_iter().enumerate() {
            workspace.set("TF_VAR_own", password);
            let arguments = format!("password_wo = var.own\n  rotation_trigger = \"{trigger}\"\n  {order}");
            workspace.write(&(EPHEMERAL.to_owned() + &mailbox(&arguments)));
            workspace.apply().quiet();
            works(&workspace, password, count + 1);
            assert_eq!(workspace.state()["password"], Value::Null, "{order}");
            workspace.plan().nothing_to_do();
        }
    }
}

#[test]
fn what_is_unknown_at_plan_may_turn_out_to_be_one_or_none() {
    let Some(mut workspace) = own() else { return };
    for (late, resets) in [(OWN, 1), ("", 2), (NEXT, 3)] {
        workspace.set("TF_VAR_late", late);
        let unknown = "terraform_data.late.output == \"\" ? null : terraform_data.late.output";
        let data = "resource \"terraform_data\" \"late\" {\n  input = var.late\n}\n";
        let variable = "variable \"late\" {\n  type = string\n  sensitive = true\n}\n";
        workspace.write(&[variable, data, &mailbox(&format!("password_wo = {unknown}"))].concat());
        workspace.plan_with(&["-out=plan"]).succeeded();
        // For people, core would show the output of `terraform_data` in clear.
        let plan = workspace.json(&["show", "-json", "plan"]);
        let changes = plan["resource_changes"].as_array().expect("a plan lists changes");
        let change = changes.iter().find(|change| change["address"] == ADDRESS).expect("the resource is in the plan");
        let planned = &change["change"]["after"];
        assert_eq!(planned.get("password"), None, "unknown");
        workspace.apply_with(&["plan"]).quiet();
        if late.is_empty() {
            workspace.working_password();
        } else {
            works(&workspace, late, resets);
            assert_eq!(workspace.state()["password"], Value::Null);
        }
        assert_eq!(workspace.sandbox.hostup().resets(MAILBOX), resets);
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_rejected_password_is_not_shown_in_the_error() {
    let Some(mut workspace) = own() else { return };
    workspace.set("TF_VAR_own", "Sh0rt!?");
    workspace.keep_secret("Sh0rt!?");
    workspace.write(&(EPHEMERAL.to_owned() + &mailbox("password_wo = var.own")));
    let error = workspace.apply().error().is("HostUp rejected the request");
    error.says(&["at least 8 characters", "The password was not changed.", "set another `password_wo`"]);
    assert_eq!(workspace.addresses(), [""; 0]);
}

#[test]
fn after_an_import_it_waits_for_a_change_and_says_so() {
    let Some(mut workspace) = own() else { return };
    let version = |version: &str| {
        EPHEMERAL.to_owned() + &mailbox(&format!("password_wo = var.own\n  password_wo_version = \"{version}\""))
    };
    workspace.write(&version("1"));
    workspace.import("hostup/acct_01hxa3b4c5d6e7f8g9h0j1k2m3/info@example.com").succeeded();
    let warning = workspace.plan().warning().is("No reset after the import");
    warning.says(&["adopted without a reset.", "`password_wo` was not sent."]);
    workspace.apply().succeeded();
    assert_eq!(workspace.sandbox.hostup().resets(MAILBOX), 0);
    workspace.plan().nothing_to_do();
    workspace.set("TF_VAR_own", NEXT);
    workspace.write(&version("2"));
    workspace.apply().quiet();
    works(&workspace, NEXT, 1);
}

#[test]
fn it_is_for_vendors_that_leave_the_password_to_the_caller() {
    let Some(workspace) = own() else { return };
    for (title, target) in [("HubSpot", HUBSPOT), ("KIRIM.EMAIL", KIRIM_EMAIL), ("SMTPD", SMTPD)] {
        for (name, value) in [("password_policy", "{}"), ("password_wo", "var.own"), ("password_wo_version", "\"1\"")] {
            // A version alone is a mistake for another reason, too.
            let also = if name == "password_wo_version" { "password_wo = var.own" } else { "" };
            let line = format!("{name} = {value}");
            workspace.write(&(EPHEMERAL.to_owned() + &block("this", target, &format!("{line}\n  {also}"))));
            let run = workspace.plan().failed();
            let summary = format!("{title} generates the password itself");
            let error = run.diagnostics.iter().find(|diagnostic| diagnostic.code() == line).expect("its own error");
            error.clone().is(&summary).says(&[&format!("so `{name}` cannot be set")]);
        }
    }
    assert_eq!(workspace.requests(), [""; 0]);
}

#[test]
fn it_goes_with_a_version_and_without_a_policy() {
    let Some(workspace) = Workspace::with_write_only() else { return };
    let refused = |arguments: &str| {
        workspace.write(&mailbox(arguments));
        workspace.validate().error()
    };
    let error = refused("password_wo_version = \"1\"").is("Invalid value for `password_wo_version`");
    error.says(&["requires `password_wo`"]).points_at("password_wo_version = \"1\"");
    let error = refused("password_wo = \"\"").is("Invalid value for `password_wo`").says(&["must not be empty"]);
    error.points_at("password_wo = \"\"");
    let policy = "password_policy = { length = 20 }";
    let error =
        refused(&format!("password_wo = \"a-literal-1\"\n  {policy}")).is("Invalid value for `password_policy`");
    error.says(&["conflicts with `password_wo`"]).points_at(policy);
}

#[test]
fn what_no_mail_client_can_send_is_refused_before_anything_is_sent() {
    let Some(mut workspace) = Workspace::with_write_only() else { return };
    // In HCL, and what an ephemeral variable holds when it was read from a file.
    for literal in [r"a\u0000b", r"a\tb", r"a\nb", r"a\rb", r"\u0007ab", r"a\u007fb", r"a\u0085b", r"a\u2028b"] {
        workspace.write(&mailbox(&format!("password_wo = \"own-{literal}-4711\"")));
        for run in [workspace.validate(), workspace.plan(), workspace.apply()] {
            let error = run.error().is("Invalid value for `password_wo`");
            error.says(&["`password_wo` must not contain line breaks, tabs, NUL or other control characters"]);
        }
    }
    workspace.keep_secret("own-Password_4711");
    workspace.set("TF_VAR_own", "own-Password_4711\n");
    workspace.write(&(EPHEMERAL.to_owned() + &mailbox("password_wo = var.own")));
    let error = workspace.apply().error().is("Invalid value for `password_wo`");
    error.says(&["ends with a line break", "use `trimspace` to remove it"]);
    workspace.write(&(EPHEMERAL.to_owned() + &mailbox("password_wo = trimspace(var.own)")));
    assert_eq!(workspace.requests(), [""; 0]);
    workspace.apply().quiet();
    works(&workspace, "own-Password_4711", 1);
}

#[test]
fn what_turns_out_at_apply_to_hold_a_control_character_is_not_sent() {
    let Some(workspace) = Workspace::with_write_only() else { return };
    let data = "resource \"terraform_data\" \"late\" {\n  input = \"own-4711\\town\"\n}\n";
    workspace.write(&(data.to_owned() + &mailbox("password_wo = terraform_data.late.output")));
    workspace.plan_with(&["-out=plan"]).succeeded();
    workspace.apply_with(&["plan"]).error().is("Invalid value for `password_wo`");
    assert_eq!(workspace.sandbox.hostup().resets(MAILBOX), 0);
    assert_eq!(workspace.addresses(), ["terraform_data.late"]);
}

#[test]
fn a_computed_attribute_in_the_configuration_is_an_error() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&mailbox(""));
    workspace.apply().quiet();
    let stored = workspace.working_password();
    let late = "resource \"terraform_data\" \"late\" {\n  input = \"a text\"\n}\n";
    for (name, value) in [
        ("password", "\"My-0wn-Passw0rd-here\""),
        ("verified", "true"),
        ("stale", "true"),
        ("rotated_at", "\"2026-01-01T00:00:00.000000Z\""),
        ("rotation_version", "1"),
        ("id", "\"hostup/a/b\""),
        ("remote_version", "\"1\""),
        ("username", "\"somebody\""),
        ("password", "terraform_data.late.output"),
        ("rotated_at", "terraform_data.late.output"),
    ] {
        let line = format!("{name} = {value}");
        workspace.write(&(late.to_owned() + &mailbox(&line)));
        for run in [workspace.validate(), workspace.plan(), workspace.apply()] {
            let error = run.failed();
            let error =
                error.diagnostics.iter().find(|found| found.code() == line).expect("an error at the line").clone();
            error.is(&format!("`{name}` cannot be set")).says(&["Only the provider sets", "Remove it"]);
        }
        assert_eq!(workspace.working_password(), stored);
    }
    workspace.write(&mailbox(""));
    workspace.plan().nothing_to_do();
    assert_eq!(workspace.sandbox.hostup().resets(MAILBOX), 1);
}

#[test]
fn a_program_that_would_store_it_is_refused() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.keep_secret(OWN);
    workspace.set("TF_VAR_own", OWN);
    workspace.write(&(EPHEMERAL.replace("ephemeral", "sensitive") + &mailbox("password_wo = var.own")));
    if workspace.knows_write_only() {
        workspace.apply().quiet();
        works(&workspace, OWN, 1);
    } else {
        let error = workspace.apply().failed();
        assert!(error.stdout.contains("write-only"), "{error}");
        assert_eq!(workspace.requests(), [""; 0]);
    }
}

/// A workspace in which `var.own` is a password that nothing may show.
fn own() -> Option<Workspace> {
    let mut workspace = Workspace::with_write_only()?;
    workspace.keep_secret(OWN);
    workspace.keep_secret(NEXT);
    workspace.set("TF_VAR_own", OWN);
    Some(workspace)
}

#[track_caller]
fn works(workspace: &Workspace, password: &str, resets: usize) {
    assert!(workspace.logs_in_as(MAILBOX, password), "the password that was sent logs in");
    assert_eq!(workspace.sandbox.hostup().resets(MAILBOX), resets);
}

fn mailbox(arguments: &str) -> String {
    block("this", HOSTUP, arguments)
}
