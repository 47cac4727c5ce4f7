//! The vendor of the sandbox that does not exist: what the guide shows of it works, and whatever else can be described.

use std::{
    fs,
    io::{self, Write},
    process::{Command, Output, Stdio},
};

use sandbox::{ExampleMail, Fault, Operation};
use serde_json::{Value, json};

use crate::support::Workspace;

const NEWSLETTER: &str = "smtp_credential_password.newsletter";
const PAIR: &str = "smtp_credential_pair.alerts";
const USER: &str = "newsletter@mail.example";
const PAIRED: [&str; 2] = ["alerts-a@mail.example", "alerts-b@mail.example"];

#[test]
fn the_guide_works_as_it_says() {
    let Some(workspace) = workspace() else { return };
    let [start, apply, somebody_else] = &blocks("shell")[..] else { panic!("the section has three steps") };
    let [configuration] = &blocks("terraform")[..] else { panic!("the section has one configuration") };
    let [http, smtp] = ExampleMail::PORTS;
    let started = format!("cargo run --example sandbox -- --port {http} --smtp-port {smtp}");
    assert_eq!(*start, format!("{started} | tee \"$HOME/smtp-sandbox.sh\"\n"));
    assert_eq!(apply, ". \"$HOME/smtp-sandbox.sh\"\nterraform apply\n");

    let configuration = workspace.sandbox.at_its_ports(configuration);
    workspace.write(&configuration);
    workspace.apply().quiet();
    let password = workspace.working_password_of(NEWSLETTER);
    let paired = workspace.working_password_of(PAIR);
    assert_eq!(workspace.state_of(NEWSLETTER)["verified"], true);
    assert_eq!((&workspace.state_of(PAIR)["verified"], username(&workspace)), (&json!(true), json!(PAIRED[0])));
    workspace.plan().nothing_to_do();

    workspace.write(&configuration.replace("2026-Q4", "2027-Q1"));
    workspace.apply().quiet();
    assert_ne!(workspace.working_password_of(NEWSLETTER), password);
    assert!(!workspace.logs_in_as(USER, &password));
    assert_ne!(workspace.working_password_of(PAIR), paired);
    assert_eq!((&workspace.state_of(PAIR)["verified"], username(&workspace)), (&json!(true), json!(PAIRED[1])));
    assert!(workspace.logs_in_as(PAIRED[0], &paired), "the previous one still works");
    workspace.plan().nothing_to_do();

    let (change, plan) = somebody_else.split_once("terraform plan").expect("the last command is a plan");
    assert_eq!(plan, "\n");
    if Command::new("curl").arg("--version").output().is_ok() {
        let answer = shell(&workspace, &workspace.sandbox.at_its_ports(change));
        let answer: Value = serde_json::from_str(&answer).expect("it prints the response");
        assert_eq!(answer["ok"], true);
    } else {
        // Not by a macro: the test harness hides what those print.
        let line = b"skipped: a command of the guide on HTTP APIs, since the program `curl` is not installed\n";
        io::stderr().write_all(line).expect("stderr is open");
        workspace.sandbox.example_mail().reset_elsewhere(USER);
    }
    workspace.plan().warning().is("The stored password is stale");
    workspace.write(&configuration.replace("2026-Q4", "2027-Q2"));
    workspace.apply().succeeded();
    workspace.working_password_of(NEWSLETTER);
    assert_eq!(resets(&workspace), [4, 2, 1], "three by the trigger, and one by somebody else");
    workspace.plan().nothing_to_do();
}

#[test]
fn a_password_that_is_refused_with_status_200_is_not_changed() {
    let Some(workspace) = workspace() else { return };
    let described = workspace.sandbox.http_block();
    workspace.write(&(described.clone() + &resource("rotation_mode = \"in_place\"")));
    workspace.apply().quiet();
    let password = workspace.working_password();
    workspace.write(&(described + &resource("rotation_mode = \"in_place\"\n  password_policy = { length = 12 }")));
    workspace.apply().error().says(&["The password was not changed.", "invalid_password", "16 to 64 characters"]);
    assert_eq!(workspace.working_password(), password);
}

/// What the sandbox prints is complete: no variable is needed.
#[test]
fn the_block_that_the_sandbox_prints_is_that_of_the_guide() {
    let Some(mut workspace) = workspace() else { return };
    let [configuration] = &blocks("terraform")[..] else { panic!("the section has one configuration") };
    assert!(configuration.starts_with(ExampleMail::CONFIGURATION));
    workspace.unset(ExampleMail::TOKEN_VARIABLE);
    workspace.write(&(workspace.sandbox.http_block() + &resource("verify = {}")));
    workspace.apply().quiet();
    workspace.working_password();
}

#[test]
fn a_password_that_the_api_makes_is_found_in_a_list() {
    let Some(workspace) = workspace() else { return };
    let described = described(
        &workspace,
        r#"reset {
      path     = "/domains/{domain}/users/{user}/rotate"
      success  = { "/ok" = "true" }
      password = "/password"
      version  = "/changed_at"
    }
    read {
      path     = "/domains/{domain}/users"
      success  = { "/ok" = "true" }
      items    = "/users"
      match    = { "/name" = "{user}" }
      username = "/address"
      version  = "/changed_at"
      paging {
        page = "page"
      }
    }"#,
    );
    // The third user, on the second page.
    let third = |trigger: &str| {
        described.clone()
            + &resource(&format!("verify = {{}}\n  rotation_mode = \"in_place\"\n  rotation_trigger = \"{trigger}\""))
                .replace("newsletter", "alerts-b")
    };
    workspace.write(&third("one"));
    workspace.apply().quiet();
    workspace.working_password();
    assert!(workspace.requests().iter().any(|request| request.contains("users?page=2")));

    workspace.sandbox.fault(Fault::status(503).on(Operation::Reset));
    workspace.write(&third("two"));
    workspace.apply().error().is("The new password was lost").says(&["The password was changed.", "sandbox_fault"]);
    assert_eq!(resets(&workspace), [0, 0, 2], "it is sent once");
    workspace.apply().succeeded();
    workspace.working_password();
    workspace.plan().nothing_to_do();
}

#[test]
fn a_new_key_takes_the_place_of_the_previous_one() {
    let Some(workspace) = workspace() else { return };
    let described = described(
        &workspace,
        r#"create {
      path     = "/domains/{domain}/users/{user}/keys"
      success  = { "/ok" = "true" }
      password = "/password"
      username = "/username"
      id       = "/id"
    }
    revoke {
      path    = "/domains/{domain}/users/{user}/keys/{id}"
      success = { "/ok" = "true" }
    }
    read {
      path       = "/domains/{domain}/users/{user}/keys"
      items      = "/keys"
      match      = { "/user" = "{user}" }
      id         = "/id"
      username   = "/username"
      created_at = "/created_at"
      paging {
        page = "page"
      }
    }"#,
    );
    let keys = || workspace.sandbox.example_mail().keys();
    let write = |trigger: &str| {
        let arguments = format!(
            "verify = {{}}\n  rotation_mode = \"in_place\"\n  retire_previous = \"at_next_rotation\"\n  \
             rotation_trigger = \"{trigger}\""
        );
        workspace.write(&(described.clone() + &resource(&arguments)));
    };
    let mut made = Vec::new();
    for trigger in ["one", "two", "three"] {
        write(trigger);
        workspace.apply().quiet();
        workspace.working_password();
        made.push(workspace.state()["username"].as_str().expect("a user name").to_owned());
        workspace.plan().nothing_to_do();
    }
    assert_eq!(keys(), made[1..], "the previous key works until the next rotation");
    workspace.destroy().quiet();
    assert_eq!(keys(), [""; 0]);
}

/// A workspace whose provider logs in at the vendor that does not exist, and trusts its mail server.
fn workspace() -> Option<Workspace> {
    let mut workspace = Workspace::new()?;
    workspace.trust_mail_server();
    let token = workspace.sandbox.example_mail().token().to_owned();
    workspace.set(ExampleMail::TOKEN_VARIABLE, &token);
    workspace.keep_secret(&token);
    for name in ExampleMail::USERS {
        workspace.keep_password_of(&ExampleMail::username(name));
    }
    Some(workspace)
}

fn resource(arguments: &str) -> String {
    format!(
        "resource \"smtp_credential_password\" \"this\" {{\n  http = {{ name = \"mail.example/newsletter\" }}\n  {arguments}\n}}\n"
    )
}

/// The guide's block with other requests, which say where the user name is.
fn described(workspace: &Workspace, requests: &str) -> String {
    let (before, rest) = ExampleMail::CONFIGURATION.split_once("    reset {").expect("a reset");
    let (_, after) = rest.split_once("    error {").expect("errors");
    let after = after.replace("      username = \"{user}@{domain}\"\n", "");
    workspace.sandbox.at_its_ports(&format!("{before}    {requests}\n    error {{{after}"))
}

fn username(workspace: &Workspace) -> Value {
    workspace.state_of(PAIR)["username"].clone()
}

fn resets(workspace: &Workspace) -> [usize; 3] {
    ExampleMail::USERS.map(|name| workspace.sandbox.example_mail().resets(&ExampleMail::username(name)))
}

/// The code blocks of the section of the guide, with the ports of no sandbox.
fn blocks(language: &str) -> Vec<String> {
    let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guides/http.md")).expect("the guide");
    let (_, section) = guide.split_once("\n## Try it offline\n").expect("the guide has the section");
    let (section, _) = section.split_once("\n## ").expect("the recipes follow");
    let start = format!("```{language}\n");
    let blocks = section.split(&start).skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// Runs commands of the guide, and returns what they print.
#[track_caller]
fn shell(workspace: &Workspace, commands: &str) -> String {
    let mut shell = Command::new("bash");
    shell.args(["-e", "-c", commands]).current_dir(workspace.path(".")).stdin(Stdio::null());
    let Output { status, stdout, stderr } = shell.env_clear().envs(workspace.environment()).output().expect("a shell");
    assert!(status.success(), "{commands}\n{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("text")
}
