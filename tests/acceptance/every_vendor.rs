//! All vendors in one configuration.

use std::collections::BTreeMap;

use sandbox::{HostUp, KirimEmail, Model, VENDORS};
use serde_json::{Value, json};

use crate::support::{ADDRESS, HOSTUP, HUBSPOT, KIRIM_EMAIL, KIRIM_USER, MAILBOX, USER, Workspace, block};

const REQUIREMENT: &str = include_str!("../fixtures/mail/versions.tf");
const MAIL: &str = include_str!("../fixtures/mail/main.tf");

#[test]
fn fifty_credentials_of_all_vendors_are_made_and_rotated_at_once() {
    let Some(workspace) = Workspace::new() else { return };
    let fifty = Fifty::in_sandbox(&workspace);

    workspace.write(&fifty.configuration("one"));
    workspace.apply_with(&["-parallelism=20"]).quiet();
    // An apply looks every account up once, however many resets there are.
    assert_eq!(asked(&workspace), each_was_asked(1));
    fifty.all_work(&workspace, 1);

    workspace.sandbox.forget_requests();
    workspace.plan_with(&["-parallelism=20"]).nothing_to_do();
    let requests = workspace.requests();
    assert_eq!(requests.len(), VENDORS.len() + 2, "a list of each, and a login and a logout at SMTPD: {requests:#?}");

    workspace.sandbox.forget_requests();
    workspace.write(&fifty.configuration("two"));
    workspace.apply_with(&["-parallelism=20"]).quiet();
    assert_eq!(asked(&workspace), each_was_asked(2), "once for the plan and once for the apply");
    fifty.all_work(&workspace, 2);

    workspace.destroy_with(&["-parallelism=20"]).quiet();
    assert_eq!(workspace.addresses(), [""; 0]);
    for vendor in VENDORS {
        assert_eq!(vendor.at(&workspace.sandbox).successors(), [""; 0], "a destroy revokes what the resets have made");
    }
}

#[test]
fn one_module_serves_every_vendor_and_hands_all_of_a_credential_on() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.file("mail/main.tf", MAIL);
    workspace.file("mail/versions.tf", REQUIREMENT);
    let calls = VENDORS.iter().map(|vendor| {
        let (name, target) = (vendor.name, vendor.argument(vendor.examples[0].name));
        let rest = match vendor.submission {
            Some(_) => String::new(),
            None => format!("smtp_host = \"{}\"\n  smtp_port = {}", SERVER.0, SERVER.1),
        };
        format!("module \"{name}\" {{\n  source = \"./mail\"\n  {target}\n  {rest}\n}}\noutput \"{name}\" {{\n  value = module.{name}\n  sensitive = true\n}}\n")
    });
    workspace.write(&calls.collect::<String>());
    workspace.run(&["get", "-no-color"]).succeeded();
    workspace.apply().quiet();
    let outputs = workspace.json(&["output", "-json"]);
    for vendor in VENDORS {
        let (host, port) = vendor.submission.unwrap_or(SERVER);
        let (output, address) = (&outputs[vendor.name], format!("module.{}.{ADDRESS}", vendor.name));
        let state = workspace.state_of(&address);
        assert_eq!(output["sensitive"], true);
        assert_eq!(output["value"]["password"], workspace.working_password_of(&address));
        assert_eq!([&output["value"]["smtp_host"], &output["value"]["smtp_port"]], [&json!(host), &json!(port)]);
        assert!(output["value"]["username"].is_string());
        assert_eq!(output["value"]["username"], state["username"], "{}", vendor.name);
    }
    workspace.plan().nothing_to_do();
}

/// Where a vendor documents no submission server.
const SERVER: (&str, u16) = ("smtp.example.com", 465);

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
    workspace.write(&VENDORS.iter().map(|vendor| of_example(vendor)).collect::<String>());
    let error = workspace.apply().error().is("SMTPD refused the credentials");
    assert_eq!(error.address.as_deref(), Some("smtp_credential_password.smtpd"));
    for vendor in VENDORS.iter().filter(|vendor| vendor.name != "smtpd") {
        workspace.working_password_of(&format!("smtp_credential_password.{}", vendor.name));
    }
    assert_eq!(workspace.addresses().len(), VENDORS.len() - 1);
}

fn of_example(vendor: &Model) -> String {
    block(vendor.name, &vendor.argument(vendor.examples[0].name), "")
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
struct Fifty(Vec<(&'static Model, Vec<String>)>);

impl Fifty {
    fn in_sandbox(workspace: &Workspace) -> Self {
        let mut fifty = Self(VENDORS.iter().map(|vendor| (*vendor, Vec::new())).collect());
        for number in 0..50 {
            let (vendor, words) = &mut fifty.0[number % VENDORS.len()];
            let word = format!("user{number}");
            if !vendor.makes_successors {
                workspace.add(vendor, &vendor.name_of(&word));
            }
            words.push(word);
        }
        fifty
    }

    /// The vendors rotate in different orders.
    fn configuration(&self, trigger: &str) -> String {
        let orders = ["rotation_mode = \"in_place\"", "", "lifecycle { create_before_destroy = true }", ""];
        let each = |((vendor, words), order): (&(&Model, Vec<String>), _)| {
            let target = vendor.argument(&vendor.name_of("${each.key}"));
            let arguments = format!("for_each = toset({words:?})\n  rotation_trigger = \"{trigger}\"\n  {order}");
            block(vendor.name, &target, &arguments)
        };
        self.0.iter().zip(orders.into_iter().cycle()).map(each).collect()
    }

    #[track_caller]
    fn all_work(&self, workspace: &Workspace, resets: usize) {
        let addresses = workspace.addresses();
        assert_eq!(addresses.len(), 50);
        for address in addresses {
            workspace.working_password_of(&address);
        }
        for (vendor, words) in &self.0 {
            let seen = |word: &String| vendor.at(&workspace.sandbox).resets(&vendor.name_of(word));
            assert!(words.iter().all(|word| seen(word) == resets), "{vendor:?}");
        }
    }
}

/// How often each vendor was asked what there is.
fn asked(workspace: &Workspace) -> BTreeMap<&'static str, usize> {
    let requests = workspace.requests();
    let count = |vendor: &Model| requests.iter().filter(|line| line.starts_with(vendor.first_request)).count();
    VENDORS.iter().map(|vendor| (vendor.name, count(vendor))).collect()
}

fn each_was_asked(times: usize) -> BTreeMap<&'static str, usize> {
    VENDORS.iter().map(|vendor| (vendor.name, times)).collect()
}
