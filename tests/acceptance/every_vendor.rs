//! All vendors in one configuration.

use sandbox::{HostUp, HubSpot, KirimEmail};
use serde_json::{Value, json};

use crate::support::{
    ADDRESS, HOSTUP, HUBSPOT, KIRIM_EMAIL, KIRIM_USER, MAILBOX, SMTPD, USER, Workspace, block, resource,
};

const REQUIREMENT: &str = include_str!("../fixtures/mail/versions.tf");
const MAIL: &str = include_str!("../fixtures/mail/main.tf");

#[test]
fn fifty_credentials_of_four_vendors_are_made_and_rotated_at_once() {
    let Some(workspace) = Workspace::new() else { return };
    let fifty = Fifty::in_sandbox(&workspace);

    workspace.write(&fifty.configuration("one"));
    workspace.apply_with(&["-parallelism=20"]).quiet();
    // An apply looks every account up once, however many resets there are.
    assert_eq!(asked(&workspace), [1, 1, 1, 1]);
    fifty.all_work(&workspace, 1);

    workspace.sandbox.forget_requests();
    workspace.plan_with(&["-parallelism=20"]).nothing_to_do();
    assert_eq!(workspace.requests().len(), 6, "four lists, a login and a logout: {:#?}", workspace.requests());

    workspace.sandbox.forget_requests();
    workspace.write(&fifty.configuration("two"));
    workspace.apply_with(&["-parallelism=20"]).quiet();
    assert_eq!(asked(&workspace), [2, 2, 2, 2], "once for the plan and once for the apply");
    fifty.all_work(&workspace, 2);

    workspace.destroy_with(&["-parallelism=20"]).quiet();
    assert_eq!(workspace.addresses(), [""; 0]);
    let keys = fifty.names.iter().filter(|name| workspace.sandbox.smtpd().key_named(name).is_some());
    assert_eq!(keys.count(), 0, "a destroy revokes what the resets have made");
}

#[test]
fn one_module_serves_every_vendor_and_hands_all_of_a_credential_on() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.file("mail/main.tf", MAIL);
    workspace.file("mail/versions.tf", REQUIREMENT);
    let modules = [
        ("hostup", HOSTUP, ""),
        ("hubspot", HUBSPOT, ""),
        ("kirim_email", KIRIM_EMAIL, "smtp_host = \"smtp.example.com\"\n  smtp_port = 465"),
        ("smtpd", SMTPD, "smtp_host = \"smtp.example.com\"\n  smtp_port = 587"),
    ];
    let calls = modules.map(|(name, target, rest)| {
        format!("module \"{name}\" {{\n  source = \"./mail\"\n  {target}\n  {rest}\n}}\noutput \"{name}\" {{\n  value = module.{name}\n  sensitive = true\n}}\n")
    });
    workspace.write(&calls.concat());
    workspace.run(&["get", "-no-color"]).succeeded();
    workspace.apply().quiet();
    let told = workspace.json(&["output", "-json"]);
    for (name, host, port) in [
        ("hostup", "localhost", 587),
        ("hubspot", "smtp.hubapi.com", 587),
        ("kirim_email", "smtp.example.com", 465),
        ("smtpd", "smtp.example.com", 587),
    ] {
        let (output, address) = (&told[name], format!("module.{name}.{ADDRESS}"));
        let state = workspace.state_of(&address);
        assert_eq!(output["sensitive"], true);
        assert_eq!(output["value"]["password"], workspace.working_password_of(&address));
        assert_eq!([&output["value"]["smtp_host"], &output["value"]["smtp_port"]], [&json!(host), &json!(port)]);
        assert!(output["value"]["username"].is_string());
        assert_eq!(output["value"]["username"], state["username"], "{name}");
    }
    workspace.plan().nothing_to_do();
}

#[test]
fn a_rotation_at_one_vendor_reaches_another_in_the_same_apply() {
    for order in ["", "lifecycle { create_before_destroy = true }", "rotation_mode = \"in_place\""] {
        let Some(workspace) = Workspace::with_write_only() else { return };
        let mailbox = block(
            "mailbox",
            HOSTUP,
            &format!("password_wo = {ADDRESS}.password\n  password_wo_version = {ADDRESS}.rotated_at"),
        );
        for (count, trigger) in ["one", "two", "three"].into_iter().enumerate() {
            let source = block("this", HUBSPOT, &format!("rotation_trigger = \"{trigger}\"\n  {order}"));
            workspace.write(&(source + &mailbox));
            workspace.apply().quiet();
            let password = workspace.working_password();
            assert!(workspace.logs_in_as(MAILBOX, &password), "{order}: the mailbox has HubSpot's password");
            assert_eq!(workspace.state_of("smtp_credential_password.mailbox")["password"], Value::Null);
            assert_eq!((workspace.resets(), workspace.sandbox.hostup().resets(MAILBOX)), (count + 1, count + 1));
            workspace.plan().nothing_to_do();
        }
    }
}

#[test]
fn one_vendor_that_fails_leaves_the_others_alone() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.set("SMTPD_API_SECRET", "not-the-secret-at-all");
    workspace.keep_secret("not-the-secret-at-all");
    let all = [("a", HOSTUP), ("b", HUBSPOT), ("c", KIRIM_EMAIL), ("d", SMTPD)];
    workspace.write(&all.map(|(name, target)| block(name, target, "")).concat());
    let error = workspace.apply().error().is("SMTPD refused the credentials");
    assert_eq!(error.address.as_deref(), Some("smtp_credential_password.d"));
    for name in ["a", "b", "c"] {
        workspace.working_password_of(&format!("smtp_credential_password.{name}"));
    }
    assert_eq!(workspace.addresses().len(), 3);
}

#[test]
fn a_resource_moves_from_vendor_to_vendor() {
    let Some(workspace) = Workspace::new() else { return };
    for (target, id) in [
        (HUBSPOT, format!("hubspot/{USER}")),
        (HOSTUP, format!("hostup/{}/{MAILBOX}", HostUp::ACCOUNT_ID)),
        (KIRIM_EMAIL, format!("kirim_email/{}/{}", KirimEmail::DOMAIN, KirimEmail::GUID)),
        (HUBSPOT, format!("hubspot/{USER}")),
    ] {
        workspace.write(&block("this", target, ""));
        workspace.apply().quiet();
        assert_eq!(workspace.state()["id"], id);
        workspace.working_password();
        workspace.plan().nothing_to_do();
    }
    assert_eq!((workspace.resets(), workspace.sandbox.kirim_email().resets(KIRIM_USER)), (2, 1));
}

/// Fifty credentials, spread over the vendors.
struct Fifty {
    addresses: Vec<String>,
    guids: Vec<String>,
    names: Vec<String>,
    user_names: Vec<String>,
}

impl Fifty {
    fn in_sandbox(workspace: &Workspace) -> Self {
        let numbered = |count: usize, name: fn(usize) -> String| (0..count).map(name).collect::<Vec<_>>();
        let fifty = Self {
            addresses: numbered(13, |number| format!("box{number}@example.com")),
            guids: numbered(12, |number| format!("00000000-0000-4000-8000-{number:012}")),
            names: numbered(12, |number| format!("key{number}")),
            user_names: numbered(13, |number| format!("user{number}@{}.smtp.hubspot.net", HubSpot::PORTAL_ID)),
        };
        for address in &fifty.addresses {
            workspace.add_mailbox(address);
        }
        for name in &fifty.user_names {
            workspace.add_credential(name);
        }
        for guid in &fifty.guids {
            workspace.add_kirim_credential(guid, &format!("kirim-{guid}"));
        }
        fifty
    }

    /// Each vendor's rotate in another order.
    fn configuration(&self, trigger: &str) -> String {
        let each = |name: &str, target: &str, keys: &[String], order: &str| {
            let arguments = format!("for_each = toset({keys:?})\n  rotation_trigger = \"{trigger}\"\n  {order}");
            block(name, target, &arguments)
        };
        let create_first = "lifecycle { create_before_destroy = true }";
        let hostup = HOSTUP.replace(&format!("\"{MAILBOX}\""), "each.key");
        let kirim_email = KIRIM_EMAIL.replace(&format!("\"{}\"", KirimEmail::GUID), "each.key");
        [
            each("hostup", &hostup, &self.addresses, "rotation_mode = \"in_place\""),
            each("kirim_email", &kirim_email, &self.guids, create_first),
            each("smtpd", "smtpd = { name = each.key, role = \"send_only\" }", &self.names, ""),
            resource(
                "hubspot",
                "KEY",
                &format!("for_each = toset({:?})\n  rotation_trigger = \"{trigger}\"", self.user_names),
            )
            .replace("\"KEY\"", "each.key"),
        ]
        .concat()
    }

    #[track_caller]
    fn all_work(&self, workspace: &Workspace, resets: usize) {
        let addresses = workspace.addresses();
        assert_eq!(addresses.len(), 50);
        for address in addresses {
            workspace.working_password_of(&address);
        }
        let sandbox = &workspace.sandbox;
        assert!(self.addresses.iter().all(|address| sandbox.hostup().resets(address) == resets));
        assert!(self.user_names.iter().all(|name| sandbox.hubspot().resets(name) == resets));
        assert!(self.guids.iter().all(|guid| sandbox.kirim_email().resets(&format!("kirim-{guid}")) == resets));
        assert!(self.names.iter().all(|name| sandbox.smtpd().resets(name) == resets));
    }
}

/// How often each vendor was asked what there is: `HostUp`, `HubSpot` and `KIRIM.EMAIL` for a list, `SMTPD` for a login.
fn asked(workspace: &Workspace) -> [usize; 4] {
    let starts = [
        "GET /api/v2/shared-hosting/acct_01hxa3b4c5d6e7f8g9h0j1k2m3/email-accounts ",
        "GET /email/public/v1/smtpapi/tokens",
        "GET /api/domains/example.com/credentials?",
        "POST /oauth/token",
    ];
    starts.map(|start| workspace.requests().iter().filter(|line| line.starts_with(start)).count())
}
