//! The list of what there is, with no password in it.

use std::fs;

use sandbox::{Fault, HostUp, HubSpot, KirimEmail, Operation, Role};
use serde_json::{Value, json};
use terraform_provider_smtp::vendors::NAMED_VENDORS;

use crate::support::{ADDRESS, KIRIM_USER, MAILBOX, SMTPD, USER, Workspace, block, provider};

const HOSTUP: &str = r#"hostup = { account_id = "acct_01hxa3b4c5d6e7f8g9h0j1k2m3" }"#;
const KIRIM_EMAIL: &str = r#"kirim_email = { domain = "example.com" }"#;
const HUBSPOT: &str = "hubspot = {}";
const NOT_CHANGED: &str = "The password was not changed.";

#[test]
fn every_vendor_lists_its_credentials() {
    let Some(workspace) = Workspace::new() else { return };
    let key = workspace.sandbox.smtpd().add_key("newsletter", Role::SendOnly);
    let revoked = workspace.sandbox.smtpd().add_key("before", Role::SendOnly);
    workspace.sandbox.smtpd().revoke(&revoked.id);
    workspace.write(&[list("hostup", HOSTUP), list("hubspot", HUBSPOT), list("kirim_email", KIRIM_EMAIL)].concat());
    workspace.apply().quiet();
    for (vendor, id, username) in [
        ("hostup", format!("hostup/{}/{MAILBOX}", HostUp::ACCOUNT_ID), MAILBOX),
        ("hubspot", format!("hubspot/{USER}"), USER),
        ("kirim_email", format!("kirim_email/{}/{}", KirimEmail::DOMAIN, KirimEmail::GUID), KIRIM_USER),
    ] {
        let listed = workspace.output(vendor);
        assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
        assert_eq!([&listed[0]["id"], &listed[0]["username"]], [&json!(id), &json!(username)]);
        assert_eq!(listed[0].as_object().map(serde_json::Map::len), Some(4), "there is no room for a password");
        assert_eq!(listed[0]["created_at"].is_null(), vendor == "hostup", "{listed}");
        assert_eq!(listed[0]["remote_version"].is_null(), vendor != "kirim_email", "{listed}");
    }
    workspace.plan().nothing_to_do();

    workspace.write(&list("smtpd", "smtpd = {}").replace(".credentials", ".credentials[*].id"));
    workspace.apply().quiet();
    let mut ids = [&key.id, &workspace.sandbox.smtpd().login_key().id].map(|id| format!("smtpd/{id}"));
    ids.sort();
    assert_eq!(workspace.output("smtpd"), json!(ids));
    assert_eq!(workspace.resets_everywhere(), 0);
}

#[test]
fn each_id_imports_its_credential() {
    let Some(workspace) = Workspace::new() else { return };
    let key = workspace.sandbox.smtpd().add_key("newsletter", Role::SendOnly);
    for (scope, target, chosen) in [
        (HOSTUP, crate::support::HOSTUP, MAILBOX),
        (HUBSPOT, crate::support::HUBSPOT, USER),
        (KIRIM_EMAIL, crate::support::KIRIM_EMAIL, KIRIM_USER),
        ("smtpd = {}", SMTPD, key.key.as_str()),
    ] {
        let ids =
            format!("[for one in data.smtp_credentials.this.credentials : one.id if one.username == \"{chosen}\"]");
        workspace.write(&list("this", scope).replace("data.smtp_credentials.this.credentials", &ids));
        workspace.apply().quiet();
        let id = workspace.output("this")[0].as_str().expect("an id").to_owned();
        workspace.write(&block("this", target, ""));
        workspace.import(&id).succeeded();
        assert_eq!(workspace.state()["password"], Value::Null, "{id}");
        workspace.run(&["state", "rm", ADDRESS]).succeeded();
    }
    assert_eq!(workspace.resets_everywhere(), 0);
}

#[test]
fn every_credential_of_an_account_is_imported_and_then_rotated() {
    let Some(workspace) = Workspace::with_import_for_each() else { return };
    let users: Vec<_> = (0..3).map(|number| format!("user{number}@{}.smtp.hubspot.net", HubSpot::PORTAL_ID)).collect();
    for user in &users {
        workspace.add_credential(user);
    }
    let all = "{ for one in data.smtp_credentials.this.credentials : one.username => one }";
    let resources = |trigger: &str| {
        let arguments = format!("for_each = {all}\n  rotation_trigger = \"{trigger}\"\n  rotation_mode = \"in_place\"");
        list("this", HUBSPOT) + &block("all", "hubspot = { user_name = each.key }", &arguments)
    };
    let import = format!(
        "import {{\n  for_each = {all}\n  to = smtp_credential_password.all[each.key]\n  id = each.value.id\n}}\n"
    );
    workspace.write(&(resources("one") + &import));
    workspace.sandbox.forget_requests();
    workspace.apply().succeeded();
    assert_eq!((workspace.addresses().len(), workspace.resets_everywhere()), (4, 0), "adopted, with no reset");
    let lists = workspace.requests().iter().filter(|line| line.contains("/smtpapi/tokens ")).count();
    assert_eq!(lists, 1, "one list serves the data source and all resources: {:?}", workspace.requests());

    workspace.write(&resources("two"));
    workspace.apply().quiet();
    assert_eq!(workspace.resets_everywhere(), 4);
    for address in workspace.addresses() {
        workspace.working_password_of(&address);
    }
    workspace.plan().nothing_to_do();
}

#[test]
fn a_credential_that_a_list_lacks_keeps_its_password() {
    let Some(workspace) = Workspace::new() else { return };
    let all = "for_each = { for one in data.smtp_credentials.this.credentials : one.username => one }";
    let careful = format!("{all}\n  rotation_mode = \"in_place\"\n  lifecycle {{ prevent_destroy = true }}");
    let resources = block("all", "hubspot = { user_name = each.key }", &careful);
    workspace.write(&(provider("api_version = \"2026-03\"") + &list("this", HUBSPOT) + &resources));
    workspace.apply().quiet();
    let address = format!("smtp_credential_password.all[\"{USER}\"]");
    let password = workspace.working_password_of(&address);

    // Still there, and not listed.
    workspace.sandbox.hubspot().unlist(USER);
    workspace.plan().error().is("Instance cannot be destroyed");
    workspace.apply().failed();
    assert_eq!(workspace.working_password_of(&address), password);

    // Really gone.
    workspace.sandbox.hubspot().remove(USER);
    workspace.apply().warning().is("A stored password was removed from state");
    assert_eq!(workspace.addresses(), [""; 0]);
    assert_eq!(workspace.output("this"), json!([]));
}

#[test]
fn all_pages_are_on_the_list_in_a_stable_order() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.sandbox.hubspot().page_size(2);
    for number in [3, 1, 4, 0, 2] {
        workspace.add_credential(&format!("user{number}@{}.smtp.hubspot.net", HubSpot::PORTAL_ID));
    }
    for number in 0..130 {
        workspace.add_kirim_credential(&format!("00000000-0000-4000-8000-{number:012}"), &format!("kirim{number}"));
    }
    let settings = provider("api_version = \"2026-03\"");
    workspace.write(&(settings + &list("hubspot", HUBSPOT) + &list("kirim_email", KIRIM_EMAIL)));
    workspace.apply().quiet();
    for (vendor, count) in [("hubspot", 6), ("kirim_email", 131)] {
        let listed = workspace.output(vendor);
        let ids: Vec<_> =
            listed.as_array().expect("a list").iter().map(|one| one["id"].as_str().expect("an id")).collect();
        assert_eq!(ids.len(), count, "{vendor}");
        assert!(ids.is_sorted(), "{vendor}: {ids:?}");
    }
    workspace.plan().nothing_to_do();
}

#[test]
fn an_account_without_credentials_has_an_empty_list() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.sandbox.hubspot().remove(USER);
    workspace.write(&list("this", HUBSPOT));
    workspace.apply().quiet();
    assert_eq!(workspace.output("this"), json!([]));
}

#[test]
fn a_password_in_a_vendors_list_gets_no_further() {
    let Some(workspace) = Workspace::new() else { return };
    let body = format!(
        r#"[{{"userName": "{USER}", "password": "needle-in-the-list", "deleted": false, "createdAt": "odd"}}]"#
    );
    workspace.sandbox.fault(Fault::body(body).on(Operation::List));
    workspace.keep_secret("needle-in-the-list");
    workspace.write(&list("this", HUBSPOT));
    let (run, log) = workspace.logged(&["apply", "-json", "-auto-approve", "-input=false"]);
    run.quiet();
    assert_eq!(workspace.output("this")[0]["created_at"], Value::Null);
    let state = fs::read_to_string(workspace.path("terraform.tfstate")).expect("a state");
    assert!(!state.contains("needle") && !log.contains("needle"));
}

#[test]
fn a_list_that_cannot_be_had_says_why() {
    let Some(workspace) = Workspace::new() else { return };
    let limited = Fault::status_with_header(429, "Retry-After", "3600");
    for (fault, scope, summary, words) in [
        (Fault::status(401), HUBSPOT, "HubSpot refused the credentials", "Listing the credentials of `hubspot`:"),
        (Fault::status(403), HUBSPOT, "HubSpot denied access", "The token needs the scope `transactional-email`"),
        (Fault::page(404), HUBSPOT, "HubSpot's response is not as documented", "Check `base_url`"),
        (Fault::body("{}"), HUBSPOT, "HubSpot's response is not as documented", "returned 200"),
        (
            Fault::status(404),
            HOSTUP,
            "HostUp does not know this account",
            "of `hostup/acct_01hxa3b4c5d6e7f8g9h0j1k2m3`:",
        ),
        (limited, KIRIM_EMAIL, "KIRIM.EMAIL's rate limit is reached", "asks to wait 60 min"),
    ] {
        workspace.sandbox.clear_faults();
        workspace.sandbox.fault(fault.on(Operation::List).times(100));
        workspace.write(&list("this", &format!("{scope}\n  timeouts = {{ read = \"5s\" }}")));
        let error = workspace.plan().error().is(summary).says(&[words, NOT_CHANGED]);
        assert_eq!(error.address.as_deref(), Some("data.smtp_credentials.this"));
        error.points_at(scope);
    }
    assert_eq!(workspace.resets_everywhere(), 0);
}

#[test]
fn settings_that_are_not_known_yet_are_an_error() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.set("TF_VAR_late", &workspace.sandbox.base_url());
    let late = "variable \"late\" {}\nresource \"terraform_data\" \"late\" {\n  input = var.late\n}\n";
    workspace.write(&(late.to_owned() + &provider("base_url = terraform_data.late.output") + &list("this", HUBSPOT)));
    workspace.plan().error().is("Provider settings are not known yet").says(&["`hubspot` of the provider block"]);
    assert_eq!(workspace.requests(), [""; 0]);
    workspace.apply_with(&["-target=terraform_data.late"]).succeeded();
    workspace.apply().quiet();
    assert_eq!(workspace.output("this")[0]["username"], USER);
}

#[test]
fn without_a_login_the_plan_says_so() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.unset("HUBSPOT_ACCESS_TOKEN");
    workspace.write(&list("this", HUBSPOT));
    workspace.validate().quiet();
    workspace.plan().error().is("No credentials for HubSpot");
    assert_eq!(workspace.requests(), [""; 0]);
}

#[test]
fn an_account_that_is_named_badly_is_refused_before_anything_is_sent() {
    let Some(workspace) = Workspace::new() else { return };
    let names = NAMED_VENDORS.iter().map(|vendor| format!("`{}`", vendor.name)).collect::<Vec<_>>().join(", ");
    for (scope, summary, words) in [
        ("", "No account is set", format!("exactly one of {names}").as_str()),
        ("hubspot = {}\n  smtpd = {}", "More than one account is set", "`hubspot`, `smtpd` are set"),
        ("kirim_email = { domain = \"a/b\" }", "Invalid value for `kirim_email.domain`", "must not contain `/`"),
        ("hostup = { account_id = \"\" }", "Invalid value for `hostup.account_id`", "must not be empty"),
        ("hubspot = {}\n  timeouts = { read = \"5\" }", "Invalid value for `timeouts.read`", "must be a duration"),
    ] {
        workspace.write(&list("this", scope));
        workspace.validate().error().is(summary).says(&[words]);
    }
    workspace.write(&list("this", "hostup = {}"));
    workspace.validate().error();
    assert_eq!(workspace.requests(), [""; 0]);
}

#[test]
fn an_account_that_is_known_late_is_read_in_the_apply() {
    let Some(workspace) = Workspace::new() else { return };
    let late = "resource \"terraform_data\" \"late\" {\n  input = \"example.com\"\n}\n";
    workspace.write(&(late.to_owned() + &list("this", "kirim_email = { domain = terraform_data.late.output }")));
    workspace.plan().quiet();
    assert_eq!(workspace.requests(), [""; 0]);
    workspace.apply().quiet();
    assert_eq!(workspace.output("this")[0]["username"], KIRIM_USER);
    workspace.plan().nothing_to_do();
}

/// A list, and an output of the same name.
fn list(name: &str, scope: &str) -> String {
    format!(
        "data \"smtp_credentials\" \"{name}\" {{\n  {scope}\n}}\noutput \"{name}\" {{\n  value = data.smtp_credentials.{name}.credentials\n}}\n"
    )
}
